"""One end user's data: written out whole, or forgotten.

Forgetting removes events and recorded sessions. What was counted stays counted, as with retention: totals, issues, hours and
ledger say how much happened, not to whom; only the parts of hours at the ends of a range are counted from events. Rows that count distinct users get a new key that nobody can work out again, so
that no number changes. Titles of issues stay; they are what many events had in common.
"""

import base64
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.json_format import MessageToDict
from healthguard.v1 import event_pb2 as event_pb

from server.errors import AppNotFound
from server.ingest.prepare import user_key
from server.services.replay_convert import detail_to_proto, image_to_proto, message_to_proto
from server.store import end_users, images, replay
from server.store.blobs import BlobStore
from server.store.engine import Engine
from server.store.images import Blob
from server.store.scope import live_app

Json = dict[str, Any]
Write = Callable[[Json], None]

BATCH: Final = 500
_FIRST_MS, _LAST_MS, _LATEST = -(2**63), 2**63 - 1, 2**64 - 1


@dataclass(frozen=True, slots=True)
class EndUser:
    """Somebody by the ids that an app's clients give them; an empty one is not looked for."""

    user_id: str
    anonymous_id: str

    def sent(self, event: event_pb.Event) -> bool:
        """Whether the event names this user."""
        return bool(
            (self.user_id and event.user_id == self.user_id)
            or (self.anonymous_id and event.anonymous_id == self.anonymous_id)
        )

    def counted_as(self) -> list[int]:
        """Under what the user is counted."""
        found = (user_key(self.user_id, ""), user_key("", self.anonymous_id))
        return [key for key in found if key is not None]


@dataclass(frozen=True, slots=True)
class Found:
    """How much there was."""

    events: int
    sessions: int


async def export(engine: Engine, blobs: BlobStore, app_key: str, whom: EndUser, write: Write) -> Found:
    """Write all that is stored of the user, one object for each thing and its `kind`. Raises AppNotFound."""
    app_id = await engine.read(_app_id, app_key)
    events = 0
    async for found in _events(engine, app_id, whom):
        for _, event in found:
            write({"kind": "event", "event": _event(event)})
        events += len(found)
    sessions = await engine.read(end_users.session_ids, app_id, whom.user_id, whom.anonymous_id)
    for session_id in sessions:
        await _export_session(engine, blobs, {app_id: app_key}, session_id, write)
    return Found(events, len(sessions))


async def forget(engine: Engine, app_key: str, whom: EndUser) -> Found:
    """Remove all that is stored of the user. Raises AppNotFound; done halfway it can be done again."""
    app_id = await engine.read(_app_id, app_key)
    await engine.write(end_users.overwrite_what_is_deleted)
    events = sessions = 0
    async for found in _events(engine, app_id, whom):
        await engine.write(end_users.delete_events, app_id, [key for key, _ in found])
        events += len(found)
    while gone := await engine.write(end_users.delete_sessions, app_id, whom.user_id, whom.anonymous_id, BATCH):
        sessions += gone
    for key in whom.counted_as():
        await engine.write(end_users.rename, app_id, key, secrets.randbits(64) - 2**63)
    await engine.checkpoint()
    return Found(events, sessions)


def _app_id(session: Any, app_key: str) -> int:  # noqa: ANN401 -- a Session, which only the store names
    row = live_app(session, app_key)
    if row is None or row.id is None:
        raise AppNotFound
    return row.id


async def _events(engine: Engine, app_id: int, whom: EndUser) -> AsyncIterator[list[tuple[bytes, event_pb.Event]]]:
    """The user's events, some at a time. An event with both ids is filed under its user id alone, so who is looked for
    by the anonymous id may be in any.
    """
    keys = None if whom.anonymous_id else whom.counted_as()
    after = b""
    while page := await engine.read(end_users.events_page, app_id, keys, after, BATCH):
        after = page[-1][0]
        events = ((key, event_pb.Event.FromString(message)) for key, message in page)
        if found := [(key, event) for key, event in events if whom.sent(event)]:
            yield found


async def _export_session(
    engine: Engine, blobs: BlobStore, apps: dict[int, str], session_id: int, write: Write
) -> None:
    detail = await engine.read(replay.detail, apps, session_id)
    if detail is None:
        return
    name = str(session_id)
    write({"kind": "session", "session": MessageToDict(detail_to_proto(detail))})
    after: Any = None
    while page := await engine.read(
        replay.messages, detail.session, start_ms=0, end_ms=_LATEST, after=after, limit=BATCH
    ):
        after = page[-1][0]
        for _, message in page:
            write({"kind": "message", "session": name, "message": MessageToDict(message_to_proto(message))})
    (app_id,) = apps
    position = (_FIRST_MS, "")
    while pictures := await engine.read(
        images.shown, app_id, session_id, start_ms=_FIRST_MS, end_ms=_LAST_MS, after=position, limit=BATCH
    ):
        position = (pictures[-1].time_ms, pictures[-1].hash)
        for picture in pictures:
            data = await blobs.get(Blob(app_id, picture.hash).key) or b""
            shown = MessageToDict(image_to_proto(picture)) | {"data": base64.b64encode(data).decode()}
            write({"kind": "image", "session": name, "image": shown})


def _event(event: event_pb.Event) -> Json:
    """The event with its unknown keys in their old place."""
    shown: Json = MessageToDict(event)
    extra: Json = shown.pop("extra", {})
    return extra | shown
