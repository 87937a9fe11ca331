"""ReplayService: recorded sessions for those who own their apps."""

from dataclasses import dataclass

from healthguard.v1 import (
    replay_service_pb2 as replay_service_pb,
    replay_service_pb2_grpc as replay_service_grpc,
)
from sqlmodel import Session

from server import context as caller
from server.errors import BatchNotFound, ImageNotFound, InvalidPageSize, SessionNotFound
from server.mobile.codec import Message
from server.mobile.timeline import Position
from server.paging import PageTokens
from server.services.convert import time_range
from server.services.replay_convert import (
    IMAGE_NAME_HASH_CHARS,
    batch_to_proto,
    detail_to_proto,
    image_to_proto,
    message_to_proto,
    session_to_proto,
)
from server.store import images as store_images, replay as store_replay
from server.store.blobs import BlobStore
from server.store.engine import Engine
from server.store.images import Blob, Picture
from server.store.replay import Batch, Detail, Found, SessionFilter
from server.store.scope import visible_apps

DEFAULT_PAGE_SIZE = 100
MAX_PAGE_SIZE = 1_000
_FIRST_MS, _LAST_MS = -(2**63), 2**63 - 1
_LATEST = 2**64 - 1
"""The largest time that a message can carry."""

_TOKEN_HASH_CHARS = 15
"""Of a hash, what fits a number of a page token: 60 bits."""

RangedPages = (
    replay_service_pb.ListSessionsRequest
    | replay_service_pb.ListSessionMessagesRequest
    | replay_service_pb.ListSessionImagesRequest
)
Ranged = RangedPages | replay_service_pb.GetSessionTotalsRequest
Paged = RangedPages | replay_service_pb.ListSessionBatchesRequest


@dataclass(frozen=True, slots=True)
class _Page:
    """Which page of a list is asked for; `scope` binds its token to the caller and the filter."""

    size: int
    after: list[int] | None
    scope: str


class ReplayService(replay_service_grpc.ReplayServiceServicer):
    """Answers dashboards."""

    def __init__(self, engine: Engine, blobs: BlobStore, page_tokens: PageTokens) -> None:
        self._engine = engine
        self._blobs = blobs
        self._page_tokens = page_tokens

    async def ListSessions(  # noqa: N802 -- the contract's name
        self, request: replay_service_pb.ListSessionsRequest, context: object
    ) -> replay_service_pb.ListSessionsResponse:
        page = self._page(request, request)
        found = await self._engine.read(_sessions, caller.current_user().id, request, page)
        response = replay_service_pb.ListSessionsResponse(
            sessions=[session_to_proto(one) for one in found[: page.size]]
        )
        if len(found) > page.size:
            last = found[page.size - 1]
            response.next_page_token = self._page_tokens.sign([last.start_ms, last.id], page.scope)
        return response

    async def GetSessionTotals(  # noqa: N802
        self, request: replay_service_pb.GetSessionTotalsRequest, context: object
    ) -> replay_service_pb.GetSessionTotalsResponse:
        sessions, crashed = await self._engine.read(_totals, caller.current_user().id, request)
        return replay_service_pb.GetSessionTotalsResponse(sessions=sessions, crashed_sessions=crashed)

    async def GetSession(  # noqa: N802
        self, request: replay_service_pb.GetSessionRequest, context: object
    ) -> replay_service_pb.GetSessionResponse:
        detail = await self._engine.read(_detail, caller.current_user().id, _session_id(request.id))
        return detail_to_proto(detail)

    async def ListSessionMessages(  # noqa: N802
        self, request: replay_service_pb.ListSessionMessagesRequest, context: object
    ) -> replay_service_pb.ListSessionMessagesResponse:
        page = self._page(request, request)
        found = await self._engine.read(_messages, caller.current_user().id, request, page)
        response = replay_service_pb.ListSessionMessagesResponse(
            messages=[message_to_proto(message) for _, message in found[: page.size]]
        )
        if len(found) > page.size:
            response.next_page_token = self._page_tokens.sign(found[page.size - 1][0], page.scope)
        return response

    async def ListSessionImages(  # noqa: N802
        self, request: replay_service_pb.ListSessionImagesRequest, context: object
    ) -> replay_service_pb.ListSessionImagesResponse:
        page = self._page(request, request)
        found = await self._engine.read(_images, caller.current_user().id, request, page)
        response = replay_service_pb.ListSessionImagesResponse(
            images=[image_to_proto(picture) for picture in found[: page.size]]
        )
        if len(found) > page.size:
            last = found[page.size - 1]
            response.next_page_token = self._page_tokens.sign(
                [last.time_ms, int(last.hash[:_TOKEN_HASH_CHARS], 16)], page.scope
            )
        return response

    async def GetSessionImage(  # noqa: N802
        self, request: replay_service_pb.GetSessionImageRequest, context: object
    ) -> replay_service_pb.GetSessionImageResponse:
        app_id, picture = await self._engine.read(_named_image, caller.current_user().id, request)
        data = await self._bytes(app_id, picture)
        return replay_service_pb.GetSessionImageResponse(content_type=picture.mime, data=data)

    async def GetSessionScreenshot(  # noqa: N802
        self, request: replay_service_pb.GetSessionScreenshotRequest, context: object
    ) -> replay_service_pb.GetSessionScreenshotResponse:
        app_id, picture = await self._engine.read(_screenshot, caller.current_user().id, request)
        data = await self._bytes(app_id, picture)
        return replay_service_pb.GetSessionScreenshotResponse(content_type=picture.mime, data=data)

    async def ListSessionBatches(  # noqa: N802
        self, request: replay_service_pb.ListSessionBatchesRequest, context: object
    ) -> replay_service_pb.ListSessionBatchesResponse:
        page = self._page(request, None)
        found = await self._engine.read(_batches, caller.current_user().id, request.id, page)
        response = replay_service_pb.ListSessionBatchesResponse(
            batches=[batch_to_proto(batch) for batch in found[: page.size]]
        )
        if len(found) > page.size:
            response.next_page_token = self._page_tokens.sign([found[page.size - 1].seq], page.scope)
        return response

    async def GetSessionBatch(  # noqa: N802
        self, request: replay_service_pb.GetSessionBatchRequest, context: object
    ) -> replay_service_pb.GetSessionBatchResponse:
        data = await self._engine.read(_batch_bytes, caller.current_user().id, request)
        return replay_service_pb.GetSessionBatchResponse(content_type="application/octet-stream", data=data)

    async def _bytes(self, app_id: int, picture: Picture) -> bytes:
        data = await self._blobs.get(Blob(app_id, picture.hash).key)
        if data is None:
            raise ImageNotFound
        return data

    def _page(self, request: Paged, ranged: Ranged | None) -> _Page:
        if ranged is not None:
            _range(ranged)
        if not 0 <= request.page_size <= MAX_PAGE_SIZE:
            raise InvalidPageSize
        bound = type(request)()
        bound.CopyFrom(request)  # type: ignore[arg-type]  # a copy of itself
        bound.ClearField("page_token")
        bound.ClearField("page_size")
        what = bound.SerializeToString(deterministic=True).hex()
        scope = f"{request.DESCRIPTOR.name}:{caller.current_user().id}:{what}"
        after = self._page_tokens.open(request.page_token, scope) if request.page_token else None
        return _Page(request.page_size or DEFAULT_PAGE_SIZE, after, scope)


def _session_id(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 20 or int(text) >= 2**64:
        raise SessionNotFound
    return int(text)


def _range(request: Ranged) -> tuple[int | None, int | None]:
    start = request.start_time if request.HasField("start_time") else None
    end = request.end_time if request.HasField("end_time") else None
    found = time_range(start, end)
    return found.start_ms, found.end_ms


def _found(store: Session, user_id: int, session_id: str) -> Found:
    found = store_replay.find(store, visible_apps(store, user_id), _session_id(session_id))
    if found is None:
        raise SessionNotFound
    return found


def _sessions(store: Session, user_id: int, request: replay_service_pb.ListSessionsRequest, page: _Page) -> list[Found]:
    start_ms, end_ms = _range(request)
    wanted = SessionFilter(
        apps=visible_apps(store, user_id, request.app_key),
        user=request.user,
        device=request.device,
        platform=request.platform,
        has_crash=request.has_crash if request.HasField("has_crash") else None,
        has_signal=request.has_signal if request.HasField("has_signal") else None,
        start_ms=start_ms,
        end_ms=end_ms,
    )
    after = None if page.after is None else (page.after[0], page.after[1])
    return store_replay.page(store, wanted, after, page.size + 1)


def _totals(store: Session, user_id: int, request: replay_service_pb.GetSessionTotalsRequest) -> tuple[int, int]:
    start_ms, end_ms = _range(request)
    apps = visible_apps(store, user_id, request.app_key)
    return store_replay.totals(store, SessionFilter(apps=apps, start_ms=start_ms, end_ms=end_ms))


def _detail(store: Session, user_id: int, session_id: int) -> Detail:
    detail = store_replay.detail(store, visible_apps(store, user_id), session_id)
    if detail is None:
        raise SessionNotFound
    return detail


def _messages(
    store: Session, user_id: int, request: replay_service_pb.ListSessionMessagesRequest, page: _Page
) -> list[tuple[Position, Message]]:
    found = _found(store, user_id, request.id)
    start_ms, end_ms = _range(request)
    after = None if page.after is None else (page.after[0], page.after[1], page.after[2], page.after[3])
    return store_replay.messages(
        store,
        found,
        start_ms=start_ms or 0,
        end_ms=_LATEST if end_ms is None else end_ms,
        after=after,
        limit=page.size + 1,
    )


def _images(
    store: Session, user_id: int, request: replay_service_pb.ListSessionImagesRequest, page: _Page
) -> list[Picture]:
    found = _found(store, user_id, request.id)
    start_ms, end_ms = _range(request)
    return store_images.shown(
        store,
        found.app_id,
        found.id,
        start_ms=_FIRST_MS if start_ms is None else start_ms,
        end_ms=_LAST_MS if end_ms is None else end_ms,
        # Behind every hash that begins so, for none has a g.
        after=(_FIRST_MS, "") if page.after is None else (page.after[0], f"{page.after[1]:0{_TOKEN_HASH_CHARS}x}g"),
        limit=page.size + 1,
    )


def _named_image(
    store: Session, user_id: int, request: replay_service_pb.GetSessionImageRequest
) -> tuple[int, Picture]:
    found = _found(store, user_id, request.id)
    time_text, _, rest = request.name.partition("-")
    hash_ = rest.partition(".")[0]
    if not (
        time_text.isascii() and time_text.isdigit() and len(time_text) <= 18 and len(hash_) == IMAGE_NAME_HASH_CHARS
    ):
        raise ImageNotFound
    picture = store_images.at(store, found.app_id, found.id, int(time_text), hash_)
    if picture is None:
        raise ImageNotFound
    return found.app_id, picture


def _screenshot(
    store: Session, user_id: int, request: replay_service_pb.GetSessionScreenshotRequest
) -> tuple[int, Picture]:
    found = _found(store, user_id, request.id)
    at_ms = request.at_time.ToMilliseconds() if request.HasField("at_time") else _LAST_MS
    picture = store_images.at_or_before(store, found.app_id, found.id, at_ms)
    if picture is None:
        raise ImageNotFound
    return found.app_id, picture


def _batches(store: Session, user_id: int, session_id: str, page: _Page) -> list[Batch]:
    found = _found(store, user_id, session_id)
    return store_replay.batches(store, found, 0 if page.after is None else page.after[0], page.size + 1)


def _batch_bytes(store: Session, user_id: int, request: replay_service_pb.GetSessionBatchRequest) -> bytes:
    data = store_replay.batch_bytes(store, _found(store, user_id, request.id), request.name)
    if data is None:
        raise BatchNotFound
    return data
