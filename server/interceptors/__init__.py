"""What surrounds every RPC, over the network and in process alike; `app.py` orders them, outermost first."""

from server.interceptors.access_log import AccessLogInterceptor
from server.interceptors.address import AddressInterceptor
from server.interceptors.auth import AuthInterceptor
from server.interceptors.chain import Chain
from server.interceptors.errors import ErrorsInterceptor
from server.interceptors.metrics import MetricsInterceptor
from server.interceptors.request_id import RequestIdInterceptor

__all__ = [
    "AccessLogInterceptor",
    "AddressInterceptor",
    "AuthInterceptor",
    "Chain",
    "ErrorsInterceptor",
    "MetricsInterceptor",
    "RequestIdInterceptor",
]
