"""Routes that stand for no RPC of ours."""

import subprocess
import sys

import httpx
import pytest

from rest_facade.app import create_app
from rest_facade.inprocess import InProcessChannel, InProcessServer
from rest_facade.settings import FacadeSettings


@pytest.mark.parametrize("path", ["/health", "/api/health", "/health?x=1"])
async def test_health_asks_nobody(facade, services, path: str) -> None:
    answer = await facade.get(path)
    assert (answer.status_code, answer.content) == (200, b'{"ok":true,"service":"healthguard-server"}')
    assert services.requests == []


async def test_ready_follows_the_health_service(facade, services) -> None:
    answer = await facade.get("/ready")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    services.serving = False
    answer = await facade.get("/ready")
    assert (answer.status_code, answer.json()["ready"]) == (503, False)


async def test_ready_passes_warnings_on_and_stays_ready(facade, services) -> None:
    assert "warnings" not in (await facade.get("/ready")).json()
    services.health_warnings = ("83 % is used",)
    answer = await facade.get("/ready")
    assert (answer.status_code, answer.json()["ready"], answer.json()["warnings"]) == (200, True, ["83 % is used"])


async def test_ready_asks_as_the_request_it_is(facade, services) -> None:
    answer = await facade.get("/ready")
    told = services.metadata[0]
    assert (told["x-request-id"], told["x-healthguard-door"]) == (answer.headers["x-request-id"], "rest")


async def test_ready_without_a_backend_is_not() -> None:
    app = create_app(FacadeSettings(), InProcessChannel(InProcessServer()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://collector.test") as client:
        assert (await client.get("/ready")).status_code == 503


async def test_metrics_are_exposed(facade) -> None:
    await facade.get("/health")
    answer = await facade.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'healthguard_http_requests_total{method="GET",route="/health",status="200"}' in answer.text


def test_metrics_of_several_processes_are_added(tmp_path) -> None:
    program = "from rest_facade import metrics; metrics.count('GET', '/x', 200, 0.1, None); print(metrics.exposition().decode())"
    for expected in (1, 2):
        environment = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
        told = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        ).stdout
        assert f'healthguard_http_requests_total{{method="GET",route="/x",status="200"}} {expected}.0' in told


async def test_document_and_its_page_are_served(facade) -> None:
    document = (await facade.get("/openapi.json")).json()
    assert "/api/events/batch" in document["paths"]
    page = await facade.get("/docs", follow_redirects=True)
    assert page.status_code == 200
    assert "/openapi.json" in page.text
    # Nothing of the page comes from elsewhere: collectors run where the internet is out of reach.
    assert "http://" not in page.text.replace("http://www.w3.org", "")
    assert "https://" not in page.text
    assert (await facade.get("/docs/swagger-ui.css")).status_code == 200
    assert (await facade.get("/docs/nope.css")).status_code == 404
