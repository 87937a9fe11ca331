"""End users: what is counted for one goes on as somebody's whom nobody knows."""

from sqlmodel import Session, select

from server.store import end_users, events
from server.store.engine import Engine
from server.store.sequence import Sequence as IdSequence
from server.store.tables import DistinctUserRow
from server.store.totals import EventFilter, event_totals
from tests.store.build import event, submission

KNOWN, NEW, OTHER = 123_456_789, 987_654_321, 5


async def affected(store: Engine) -> int:
    return (await store.read(event_totals, EventFilter({1: "web_one"}))).affected_users


def keys(session: Session) -> set[int]:
    """Every number in the rows of users that may be a user."""
    return {number for row in session.exec(select(DistinctUserRow)) for number in (row.scope, row.user_key)}


async def test_a_renamed_user_counts_on_and_is_named_nowhere(store: Engine) -> None:
    async def commit(user: int, platform: str) -> None:
        made = [event(issue=issue, user=user, platform=platform) for issue in ("js:a", "js:b")]
        await store.write_bulk(events.commit, [submission(*made)], IdSequence(), 0)

    for user, platform in ((KNOWN, "web"), (KNOWN, "ios"), (OTHER, "web")):
        await commit(user, platform)
    before = await store.read(lambda session: len(session.exec(select(DistinctUserRow)).all()))
    await store.write(end_users.rename, 1, KNOWN, NEW)
    found = await store.read(keys)
    assert KNOWN not in found
    assert {NEW, OTHER} <= found
    assert await store.read(lambda session: len(session.exec(select(DistinctUserRow)).all())) == before
    assert await affected(store) == 2
    await commit(KNOWN, "web")
    assert await affected(store) == 3
