"""MobileSessionService: what OpenReplay's mobile trackers call."""

import random
import secrets
import uuid
from collections.abc import AsyncIterator, Callable

import zstandard
from healthguard.v1 import (
    mobile_session_service_pb2 as mobile_session_service_pb,
    mobile_session_service_pb2_grpc as mobile_session_service_grpc,
)

from server import clock, context as caller, logs
from server.config import Settings
from server.errors import NotAMobileApp, NotSampled, ProjectNotFound, ProjectRequired, StartTooLarge
from server.ingest.image_line import ImageLine
from server.ingest.limits import MAX_AHEAD_MS, MAX_IDENTITY, MAX_WORD
from server.ingest.session_line import MAX_BATCH_BYTES, SessionLine
from server.mobile.codec import is_android
from server.mobile.token import Claims, SessionIds, TokenSigner, TokenState
from server.store import images, sessions
from server.store.engine import Engine
from server.store.sessions import MobileApp, NewSession

NEVER_MOBILE = frozenset({"web", "wechat-miniprogram", "alipay-miniprogram"})
"""Types of apps that no tracker for iOS or Android can be in; any other may be."""

MAX_START_BYTES = 131_072
"""What OpenReplay takes at most."""

NAMED_IMAGES = 100
MAX_KEY = 128
_QUALITIES = {
    "low": mobile_session_service_pb.RECORDING_QUALITY_LOW,
    "standard": mobile_session_service_pb.RECORDING_QUALITY_STANDARD,
    "high": mobile_session_service_pb.RECORDING_QUALITY_HIGH,
}
_MAX_INT32 = 2**31 - 1


class MobileSessionService(mobile_session_service_grpc.MobileSessionServiceServicer):
    """Begins sessions and takes what belongs to them."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        tokens: TokenSigner,
        batches: SessionLine,
        pictures: ImageLine,
        now_ms: Callable[[], int] = clock.now_ms,
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._tokens = tokens
        self._batches = batches
        self._pictures = pictures
        self._now_ms = now_ms
        # Processes differ by these 16 bits; should two draw the same, their clocks still have to agree to the millisecond.
        self._ids = SessionIds(secrets.randbits(16))

    async def StartSession(  # noqa: N802 -- the contract's name
        self, request: mobile_session_service_pb.StartSessionRequest, context: object
    ) -> mobile_session_service_pb.StartSessionResponse:
        if request.ByteSize() > MAX_START_BYTES:
            raise StartTooLarge
        app = await self._app(request)
        logs.bind(appKey=app.app_key, projectID=str(app.id), tracker=request.tracker_version[:MAX_WORD])
        if app.type in NEVER_MOBILE:
            raise NotAMobileApp
        claims = await self._resumed(request, app) or await self._begun(request, app)
        logs.bind(sessionID=str(claims.session_id))
        names = await self._engine.read(images.most_used_names, app.id, NAMED_IMAGES)
        return mobile_session_service_pb.StartSessionResponse(
            token=self._tokens.issue(claims),
            images_hash_list=names,
            user_uuid=request.user_uuid,
            beacon_size_limit=MAX_BATCH_BYTES,
            session_id=str(claims.session_id),
            quality=_QUALITIES[self._settings.recording_quality],
            fps=self._settings.recording_fps,
            project_id=str(app.id),
            frames_support=True,
        )

    async def AppendMessages(  # noqa: N802
        self, request: mobile_session_service_pb.AppendMessagesRequest, context: object
    ) -> mobile_session_service_pb.AppendMessagesResponse:
        tracker = caller.current_tracker()
        await self._batches.take(tracker.app_id, tracker.session_id, request.batch, late=False)
        return mobile_session_service_pb.AppendMessagesResponse()

    async def AppendLateMessages(  # noqa: N802
        self, request: mobile_session_service_pb.AppendLateMessagesRequest, context: object
    ) -> mobile_session_service_pb.AppendLateMessagesResponse:
        tracker = caller.current_tracker()
        await self._batches.take(tracker.app_id, tracker.session_id, request.batch, late=True)
        return mobile_session_service_pb.AppendLateMessagesResponse()

    async def UploadImages(  # noqa: N802
        self, request_iterator: AsyncIterator[mobile_session_service_pb.UploadImagesRequest], context: object
    ) -> mobile_session_service_pb.UploadImagesResponse:
        count = await self._pictures.take(caller.current_tracker(), request_iterator)
        return mobile_session_service_pb.UploadImagesResponse(images=count)

    async def GetConditions(  # noqa: N802
        self, request: mobile_session_service_pb.GetConditionsRequest, context: object
    ) -> mobile_session_service_pb.GetConditionsResponse:
        return mobile_session_service_pb.GetConditionsResponse()

    async def _app(self, request: mobile_session_service_pb.StartSessionRequest) -> MobileApp:
        if request.project_key:
            app_id, app_key = None, request.project_key[: MAX_KEY + 1].replace("\0", "\ufffd")
        elif request.project_id:
            app_id, app_key = request.project_id, ""
        else:
            raise ProjectRequired
        # Numbers of apps fit 32 bits; PostgreSQL would not compare others with them.
        found = app_id is None or 0 < app_id <= _MAX_INT32
        app = await self._engine.read(sessions.mobile_app, app_id=app_id, app_key=app_key) if found else None
        if app is None:
            raise ProjectNotFound
        return app

    async def _resumed(self, request: mobile_session_service_pb.StartSessionRequest, app: MobileApp) -> Claims | None:
        """The claims of the request's live token of this app whose session is still there; its installation is set likewise."""
        verdict = self._tokens.verify(request.token, self._now_ms()) if request.token else None
        if verdict is None or verdict.claims is None or verdict.state is not TokenState.VALID:
            return None
        if verdict.claims.project_id != app.id:
            return None
        session = await self._engine.read(sessions.find, app.id, verdict.claims.session_id)
        if session is None:
            return None
        request.user_uuid = session.user_uuid
        return verdict.claims

    async def _begun(self, request: mobile_session_service_pb.StartSessionRequest, app: MobileApp) -> Claims:
        """The claims of a new session, which is stored. `request.user_uuid` is set to one that the tracker can keep."""
        if random.random() * 100 >= app.capture_rate:  # noqa: S311 -- a sample, no secret
            raise NotSampled
        now_ms = self._now_ms()
        request.user_uuid = _installation(request.user_uuid)
        session_id = self._ids.next_id(now_ms)
        new = self._new_session(request, app, session_id, now_ms)
        await self._engine.write(sessions.begin, new)
        return Claims(session_id, now_ms + self._settings.recording_ttl_ms, app.id)

    def _new_session(
        self, request: mobile_session_service_pb.StartSessionRequest, app: MobileApp, session_id: int, now_ms: int
    ) -> NewSession:
        oldest_ms = now_ms - self._settings.event_max_age_ms
        plausible = oldest_ms <= request.timestamp <= now_ms + MAX_AHEAD_MS
        return NewSession(
            app_id=app.id,
            id=session_id,
            start_ms=request.timestamp if plausible else now_ms,
            received_ms=now_ms,
            listed=not request.do_not_record,
            platform=_text(request.platform, MAX_WORD) or "ios",
            device=_text(request.user_device, MAX_IDENTITY),
            device_type=_device_type(request),
            os_version=_text(request.user_os_version, MAX_WORD),
            tracker_version=_text(request.tracker_version, MAX_WORD),
            release=_text(request.rev_id, MAX_IDENTITY),
            user_uuid=request.user_uuid,
            start=zstandard.ZstdCompressor(level=1).compress(_without_token(request)),
        )


def _installation(given: str) -> str:
    """The id of the installation: the given one if it is a UUID in any of its forms, else a new one."""
    try:
        uuid.UUID(given[:64])
    except ValueError:
        return str(uuid.uuid4())
    return given


def _device_type(request: mobile_session_service_pb.StartSessionRequest) -> str:
    """What Android says in one way or another; iOS says the model, which tells."""
    if is_android(request.platform):
        said = request.extra.fields.get("userDeviceType")
        if said is None or said.WhichOneof("kind") not in {"string_value", "number_value"}:
            return ""
        return _text(said.string_value or f"{said.number_value:g}", MAX_WORD)
    return "mobile" if "iPhone" in request.user_device else "tablet" if "iPad" in request.user_device else "other"


def _without_token(request: mobile_session_service_pb.StartSessionRequest) -> bytes:
    kept = mobile_session_service_pb.StartSessionRequest()
    kept.CopyFrom(request)
    kept.ClearField("token")
    return kept.SerializeToString()


def _text(text: str, limit: int) -> str:
    return text[:limit].replace("\0", "\ufffd")
