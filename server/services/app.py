"""AppService: the apps of the signed-in user."""

from collections.abc import Callable, Iterable

from healthguard.v1 import app_pb2 as app_pb, app_service_pb2 as app_service_pb
from sqlmodel import Session

from server import clock, context as caller
from server.errors import InvalidPageSize, TooManyApps, UnsupportedAppType
from server.ids import new_id
from server.paging import PageTokens
from server.services.app_change import app_change, judged_name
from server.services.convert import role_to_proto, timestamp_from_ms, totals_to_proto
from server.services.member import MemberService
from server.store import apps
from server.store.app_settings import AppSettings
from server.store.apps import App, NewApp
from server.store.engine import Engine
from server.store.scope import visible_by_key
from server.store.totals import Totals, totals_by_app

MAX_PAGE_SIZE = 1_000
MAX_OVERVIEWS = 100
DAY_MS = 86_400_000
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


class AppService(MemberService):
    """Keeps apps. `forget` is told the id and key of each app that is made or changed, so that nothing remembers it as it was."""

    def __init__(
        self,
        engine: Engine,
        page_tokens: PageTokens,
        forget: Callable[[int, str], None],
        *,
        key_grace_days: int,
        now_ms: Callable[[], int] = clock.now_ms,
    ) -> None:
        super().__init__(engine, now_ms)
        self._page_tokens = page_tokens
        self._forget = forget
        self._key_grace_ms = key_grace_days * DAY_MS

    async def ListApps(  # noqa: N802 -- the contract's name
        self, request: app_service_pb.ListAppsRequest, _context: object
    ) -> app_service_pb.ListAppsResponse:
        user, size = caller.current_user().id, _page_size(request.page_size)
        scope = f"apps:{user}"
        before = self._page_tokens.open(request.page_token, scope)[0] if request.page_token else None
        found = await self._engine.read(apps.page, user, before, size + 1)
        response = app_service_pb.ListAppsResponse(apps=map(app_to_proto, found[:size]))
        if len(found) > size:
            response.next_page_token = self._page_tokens.sign([found[size - 1].id], scope)
        return response

    async def CreateApp(  # noqa: N802 -- the contract's name
        self, request: app_service_pb.CreateAppRequest, _context: object
    ) -> app_service_pb.CreateAppResponse:
        name, kind = judged_name(request.name), _type(request)
        new = NewApp(new_id("app_record"), caller.current_user().id, name, new_id(kind), kind, self._now_ms())
        app = await self._engine.write(apps.create, new)
        self._forget(app.id, app.app_key)
        return app_service_pb.CreateAppResponse(app=app_to_proto(app))

    async def GetApp(  # noqa: N802 -- the contract's name
        self, request: app_service_pb.GetAppRequest, _context: object
    ) -> app_service_pb.GetAppResponse:
        app = await self._engine.read(apps.find, caller.current_user().id, request.id)
        return app_service_pb.GetAppResponse(app=app_to_proto(app))

    async def UpdateApp(  # noqa: N802 -- the contract's name
        self, request: app_service_pb.UpdateAppRequest, _context: object
    ) -> app_service_pb.UpdateAppResponse:
        app = await self._engine.write(apps.update, caller.current_user().id, request.id, app_change(request))
        self._forget(app.id, app.app_key)
        return app_service_pb.UpdateAppResponse(app=app_to_proto(app))

    async def DeleteApp(  # noqa: N802 -- the contract's name
        self, request: app_service_pb.DeleteAppRequest, _context: object
    ) -> app_service_pb.DeleteAppResponse:
        app = await self._engine.write(apps.delete, caller.current_user().id, request.id, self._now_ms())
        self._forget(app.id, app.app_key)
        return app_service_pb.DeleteAppResponse()

    async def RotateAppKey(  # noqa: N802 -- the contract's name
        self, request: app_service_pb.RotateAppKeyRequest, _context: object
    ) -> app_service_pb.RotateAppKeyResponse:
        user, now_ms = caller.current_user().id, self._now_ms()
        done = await self._engine.write(apps.rotate_key, user, request.id, new_id, now_ms, self._key_grace_ms)
        self._forget(done.app.id, done.app.app_key)
        return app_service_pb.RotateAppKeyResponse(
            app=app_to_proto(done.app),
            previous_app_key=done.old_key,
            previous_app_key_expire_time=timestamp_from_ms(done.old_key_expires_ms),
        )

    async def BatchGetAppOverviews(  # noqa: N802 -- the contract's name
        self, request: app_service_pb.BatchGetAppOverviewsRequest, _context: object
    ) -> app_service_pb.BatchGetAppOverviewsResponse:
        asked = [key for key in request.app_keys if key]
        if len(asked) > MAX_OVERVIEWS:
            raise TooManyApps
        totals = await self._engine.read(_totals, caller.current_user().id, frozenset(asked))
        return app_service_pb.BatchGetAppOverviewsResponse(
            apps=[
                app_service_pb.AppOverview(app_key=key, totals=totals_to_proto(totals.get(key, Totals())))
                for key in asked
            ]
        )


def app_to_proto(app: App) -> app_pb.App:
    """The app as one of its members sees it."""
    return app_pb.App(
        id=app.public_id,
        name=app.name,
        app_key=app.app_key,
        type=app.type,
        create_time=timestamp_from_ms(app.created_ms),
        project_id=app.id,
        role=role_to_proto(app.role),
        settings=_settings_to_proto(app.settings),
    )


def _settings_to_proto(settings: AppSettings) -> app_pb.AppSettings:
    return app_pb.AppSettings(
        retention_days=settings.retention_days,
        rate_limit_events_per_s=settings.rate_limit_events_per_s,
        capture_rate=settings.capture_rate,
        report_failed_network_calls=settings.report_failed_network_calls,
        allowed_origins=settings.allowed_origins,
        scrub_keys=settings.scrub_keys,
        scrub_patterns=settings.scrub_patterns,
        store_ip_addresses=settings.store_ip_addresses,
    )


def _totals(session: Session, user_id: int, app_keys: Iterable[str]) -> dict[str, Totals]:
    """Totals of those of the keys that name apps of the user."""
    ids = visible_by_key(session, user_id, frozenset(app_keys))
    totals = totals_by_app(session, ids.values())
    return {key: totals[app_id] for key, app_id in ids.items()}


def _type(request: app_service_pb.CreateAppRequest) -> str:
    kind = request.type if request.HasField("type") else DEFAULT_TYPE
    if kind not in TYPES:
        raise UnsupportedAppType
    return kind


def _page_size(asked: int) -> int:
    if not 0 <= asked <= MAX_PAGE_SIZE:
        raise InvalidPageSize
    return asked or MAX_PAGE_SIZE
