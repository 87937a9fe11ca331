"""AppService: the apps of the signed-in user."""

from collections.abc import Callable

from healthguard.v1 import (
    app_pb2 as app_pb,
    app_service_pb2 as app_service_pb,
    app_service_pb2_grpc as app_service_grpc,
)

from server import clock, context as caller
from server.errors import AppNameRequired, AppNameTooLong, InvalidPageSize, UnsupportedAppType
from server.ids import new_id
from server.paging import PageTokens
from server.services.convert import timestamp_from_ms
from server.store import apps
from server.store.apps import App, NewApp
from server.store.engine import Engine

LONGEST_NAME = 255
MAX_PAGE_SIZE = 1_000
DEFAULT_TYPE = "web"
TYPES = frozenset(
    (
        "web",
        "wechat-miniprogram",
        "alipay-miniprogram",
        "flutter",
        "uni-app",
        "other",
        "ios",
        "android",
        "react-native",
    )
)


class AppService(app_service_grpc.AppServiceServicer):
    """Keeps apps. `forget` is told each new app key, so that nothing remembers it as unknown."""

    def __init__(
        self,
        engine: Engine,
        page_tokens: PageTokens,
        forget: Callable[[str], None],
        now_ms: Callable[[], int] = clock.now_ms,
    ) -> None:
        self._engine = engine
        self._page_tokens = page_tokens
        self._forget = forget
        self._now_ms = now_ms

    async def ListApps(  # noqa: N802 -- the contract's name
        self, request: app_service_pb.ListAppsRequest, _context: object
    ) -> app_service_pb.ListAppsResponse:
        owner, size = caller.current_user().id, _page_size(request.page_size)
        scope = f"apps:{owner}"
        before = self._page_tokens.open(request.page_token, scope)[0] if request.page_token else None
        found = await self._engine.read(apps.page, owner, before, size + 1)
        response = app_service_pb.ListAppsResponse(apps=[app_to_proto(app) for app in found[:size]])
        if len(found) > size:
            response.next_page_token = self._page_tokens.sign([found[size - 1].id], scope)
        return response

    async def CreateApp(  # noqa: N802 -- the contract's name
        self, request: app_service_pb.CreateAppRequest, _context: object
    ) -> app_service_pb.CreateAppResponse:
        name, kind = _name(request), _type(request)
        new = NewApp(new_id("app_record"), caller.current_user().id, name, new_id(kind), kind, self._now_ms())
        app = await self._engine.write(apps.create, new)
        self._forget(app.app_key)
        return app_service_pb.CreateAppResponse(app=app_to_proto(app))


def app_to_proto(app: App) -> app_pb.App:
    """The app as its owner sees it."""
    return app_pb.App(
        id=app.public_id,
        name=app.name,
        app_key=app.app_key,
        type=app.type,
        create_time=timestamp_from_ms(app.created_ms),
        project_id=app.id,
    )


def _name(request: app_service_pb.CreateAppRequest) -> str:
    name = request.name.replace("\0", "").strip()  # PostgreSQL cannot store a NUL
    if not name:
        raise AppNameRequired
    if len(name) > LONGEST_NAME:
        raise AppNameTooLong
    return name


def _type(request: app_service_pb.CreateAppRequest) -> str:
    kind = request.type if request.HasField("type") else DEFAULT_TYPE
    if kind not in TYPES:
        raise UnsupportedAppType
    return kind


def _page_size(asked: int) -> int:
    if not 0 <= asked <= MAX_PAGE_SIZE:
        raise InvalidPageSize
    return asked or MAX_PAGE_SIZE
