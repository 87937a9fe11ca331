"""The new events of one transaction as a table of the connection's own, and what they change worked out from it.

Python hands each event over once; the database groups, adds and looks up, in a number of statements that does not depend on
the number of events. Row by row in Python the same took twice as long, and most of that under the interpreter's lock, which
the event loop wants meanwhile.

Three temporary tables exist on each connection that writes:

- `arrivals`: one row per new event, `id` in order of arrival. `issue_id` is its issue; `head_id` is set where several issues are
  shown as one: the one its own is merged into, or its own if others are merged into that.
- `touched`: one row per issue whose numbers change. `events` and the like are what is shown of it, which covers issues merged
  into it; `own_events` and the like go by its own fingerprint alone. The id of a new issue is that of the event that founds it.
- `new_users`: the rows that are new to `distinct_users`, of those scopes that counters go by.

Rows are locked and written in the order of their keys, so that two writers cannot wait for each other.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from server.store.bulk import Bulk, Query, StaleTransaction, Table
from server.store.columns import Columns
from server.store.counters import OF_APP, OF_GROUP, OF_ISSUE

ARRIVALS: Final = Table(
    "arrivals",
    (
        ("id", "int"),
        ("app_id", "int"),
        ("event_key", "blob"),
        ("time_ms", "int"),
        ("received_ms", "int"),
        ("hour", "int"),
        ("kind", "small"),
        ("dimension_id", "int4"),
        ("platform", "text"),
        ("platform_scope", "int"),
        ("environment", "text"),
        ("release", "text"),
        ("said_release", "text"),
        ("page", "text"),
        ("browser", "text"),
        ("device", "text"),
        ("user_key", "int"),
        ("fingerprint", "text"),
        ("grouping_version", "text"),
        ("message", "text"),
        ("error_type", "text"),
        ("pack_offset", "int4"),
        ("payload", "blob"),
        ("pack_part", "blob"),
        ("issue_id", "int"),
        ("head_id", "int"),
    ),
    ("id",),
)
GIVEN: Final[Columns] = ARRIVALS.columns[:-2]
"""What is handed over of an event. `release` is that of its dimension; `said_release` is its own, or None."""
_PACK_PART: Final = [name for name, _ in GIVEN].index("pack_part")

TOUCHED: Final = Table(
    "touched",
    (
        ("app_id", "int"),
        ("fingerprint", "text"),
        ("first_id", "int"),
        ("events", "int"),
        ("first_ms", "int"),
        ("last_ms", "int"),
        ("released_id", "int"),
        ("own_events", "int"),
        ("own_first_ms", "int"),
        ("own_last_ms", "int"),
        ("own_released_id", "int"),
        ("issue_id", "int"),
        ("head_id", "int"),
        ("closed", "int"),
    ),
    ("app_id", "fingerprint"),
)
NEW_USERS: Final = Table(
    "new_users",
    (("app_id", "int"), ("scope", "int"), ("part", "int4"), ("user_key", "int")),
    ("app_id", "scope", "part", "user_key"),
)
TEMPORARY: Final = (ARRIVALS, TOUCHED, NEW_USERS)

OTHER: Final = 0
ERROR: Final = 1
FAILED_REQUEST: Final = 2
"""Kinds of events as far as totals tell them apart."""


class Closed(NamedTuple):
    """A closed issue that new events are shown in."""

    app_id: int
    issue_id: int
    status: str
    archived: bool
    fixed_in_release: str | None
    verified_in_release: str | None


def store(bulk: Bulk, rows: Sequence[Sequence[Any]], shard: int) -> list[Closed]:
    """Store new events, rows of GIVEN, with all that counts them; the closed issues that they are shown in.

    Raises StaleTransaction when another process stored one of the events, or changed what issues there are, meanwhile.
    """
    bulk.clear(TEMPORARY)
    bulk.load(ARRIVALS.name, GIVEN, rows)
    found = _find_issues(bulk)
    with bulk.together():
        bulk.add_new("distinct_users", NEW_USERS, _COUNTED_USERS + (_USERS_OF_HEADS if found.headed else ""))
        bulk.run(_NOTE_USERS)
        upserted = bulk.run(_UPSERT_ISSUES)
        bulk.run(_ADD_TOTALS.format(shard=shard))
        bulk.run(_ADD_HOURS.format(shard=shard))
        bulk.run(_ADD_ISSUE_HOURS)
        bulk.run(_ADD_FACETS)
        if found.headed:
            bulk.run(_ADD_FACETS_OF_HEADS)
        stored = bulk.run(_ADD_EVENTS)
        packed = bulk.run(_ADD_PACKS)
    parts = sum(bool(row[_PACK_PART]) for row in rows)
    if (upserted.rowcount, stored.rowcount, packed.rowcount) != (found.issues, len(rows), parts):
        raise StaleTransaction
    return [Closed(*row) for row in bulk.run(_CLOSED).fetchall()] if found.closed else []


def releases_of(bulk: Bulk, issues: Sequence[tuple[int, int]]) -> dict[tuple[int, int], set[str]]:
    """By (app id, issue id): in which releases the new events happened that are shown in it."""
    found: dict[tuple[int, int], set[str]] = {}
    for app_id, issue_id, release in bulk.ask(_RELEASES, issues):
        found.setdefault((app_id, issue_id), set()).add(release)
    return found


class _Found(NamedTuple):
    """How many issues change; how many of them are closed, and how many are shown in a head; how many heads were missed."""

    issues: int
    closed: int
    headed: int
    lost: int


def _find_issues(bulk: Bulk) -> _Found:
    """Fill `touched` and say for each event which issue is its own."""
    with bulk.together():
        bulk.run(_TOUCH)
        bulk.run(_TOUCH_HEADS)
        bulk.lock_rows(_LOCK_ISSUES)
        bulk.run(_FIND_ISSUES)
        bulk.run(_NUMBER_NEW_ISSUES)
        bulk.run(_ASSIGN)
        counts = bulk.run(_COUNT_TOUCHED)
    found = _Found(*counts.fetchall()[0])
    if found.lost:
        raise StaleTransaction
    if found.headed:
        bulk.run(_SHOW_HEADS)
    return found


_OF_EVENTS = """
    COUNT(*) AS events, MIN(time_ms) AS first_ms, MAX(time_ms) AS last_ms,
    MAX(CASE WHEN said_release IS NOT NULL THEN id END) AS released_id
"""
_TOUCH = f"""
INSERT INTO touched (
    app_id, fingerprint, first_id, events, first_ms, last_ms, released_id,
    own_events, own_first_ms, own_last_ms, own_released_id
)
SELECT app_id, fingerprint, first_id, events, first_ms, last_ms, released_id, events, first_ms, last_ms, released_id
FROM (
    SELECT app_id, fingerprint, MIN(id) AS first_id, {_OF_EVENTS}
    FROM arrivals WHERE fingerprint IS NOT NULL GROUP BY app_id, fingerprint
) AS g
"""
_NEVER_MS = 9_000_000_000_000_000_000
_HEAD = "(SELECT h.fingerprint FROM issues AS h WHERE h.app_id = s.app_id AND h.id = s.head_id)"
_TOUCH_HEADS = f"""
INSERT INTO touched (app_id, fingerprint, events, own_events, own_first_ms, own_last_ms)
SELECT s.app_id, {_HEAD}, 0, 0, {_NEVER_MS}, -{_NEVER_MS}
FROM (
    SELECT DISTINCT t.app_id, (
        SELECT i.merged_into_id FROM issues AS i WHERE i.app_id = t.app_id AND i.fingerprint = t.fingerprint
    ) AS head_id
    FROM touched AS t WHERE t.app_id IN (SELECT m.app_id FROM issues AS m WHERE m.merged_into_id IS NOT NULL)
) AS s
WHERE s.head_id IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM touched AS o WHERE o.app_id = s.app_id AND o.fingerprint = {_HEAD})
"""
_LOCK_ISSUES = """
SELECT (SELECT 1 FROM issues AS i WHERE i.app_id = t.app_id AND i.fingerprint = t.fingerprint FOR UPDATE)
FROM (SELECT app_id, fingerprint FROM touched ORDER BY app_id, fingerprint) AS t
"""
# More events than its own say that others are merged into an issue.
_FIND_ISSUES = """
UPDATE touched SET (issue_id, head_id, closed) = (
    SELECT
        i.id,
        CASE WHEN i.merged_into_id IS NOT NULL THEN i.merged_into_id WHEN i.event_count > i.own_event_count THEN i.id END,
        CASE WHEN i.status <> 'open' AND i.merged_into_id IS NULL
             AND COALESCE(i.fixed_in_release, i.verified_in_release) IS NOT NULL THEN 1 END
    FROM issues AS i WHERE i.app_id = touched.app_id AND i.fingerprint = touched.fingerprint
)
"""
_NUMBER_NEW_ISSUES = "UPDATE touched SET issue_id = first_id WHERE issue_id IS NULL"
_ASSIGN = """
UPDATE arrivals SET issue_id = t.issue_id, head_id = t.head_id FROM touched AS t
WHERE t.app_id = arrivals.app_id AND t.fingerprint = arrivals.fingerprint
"""
# Lost is a head that its member got, or that went, after _TOUCH_HEADS.
_COUNT_TOUCHED = """
SELECT COUNT(*), COUNT(t.closed), COUNT(t.head_id), COALESCE(SUM(CASE WHEN t.head_id IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM touched AS h WHERE h.app_id = t.app_id AND h.issue_id = t.head_id
) THEN 1 ELSE 0 END), 0)
FROM touched AS t
"""
_SHOW_HEADS = f"""
UPDATE touched SET (events, first_ms, last_ms, released_id) = (
    SELECT {_OF_EVENTS} FROM arrivals AS a WHERE a.app_id = touched.app_id AND a.head_id = touched.issue_id
) WHERE issue_id = head_id
"""

# The scopes are those of counters.py.
_COUNTED_USERS = f"""
SELECT app_id, user_key AS scope, {OF_APP} AS part, 0 AS user_key FROM arrivals WHERE user_key IS NOT NULL AND kind <> {OTHER}
UNION SELECT app_id, user_key, {OF_APP}, platform_scope FROM arrivals WHERE user_key IS NOT NULL AND kind <> {OTHER}
UNION SELECT app_id, issue_id, {OF_ISSUE}, user_key FROM arrivals
WHERE user_key IS NOT NULL AND kind <> {OTHER} AND issue_id IS NOT NULL
"""
_USERS_OF_HEADS = f"""
UNION SELECT app_id, head_id, {OF_GROUP}, user_key FROM arrivals
WHERE user_key IS NOT NULL AND kind <> {OTHER} AND head_id IS NOT NULL
"""
_NOTE_USERS = f"""
INSERT INTO distinct_users (app_id, scope, part, user_key)
SELECT app_id, -hour, dimension_id, user_key FROM arrivals WHERE user_key IS NOT NULL AND kind <> {OTHER}
UNION SELECT app_id, issue_id, hour, user_key FROM arrivals
WHERE user_key IS NOT NULL AND kind <> {OTHER} AND issue_id IS NOT NULL
ORDER BY 1, 2, 3, 4 ON CONFLICT DO NOTHING
"""

_UPSERT_ISSUES = f"""
INSERT INTO issues (
    app_id, fingerprint, id, grouping_version, message, error_type, user_count,
    event_count, first_seen_ms, last_seen_ms, first_seen_release, last_seen_release,
    own_event_count, own_first_seen_ms, own_last_seen_ms, own_first_seen_release, own_last_seen_release, status, archived
)
SELECT
    t.app_id, t.fingerprint, t.issue_id,
    COALESCE(f.grouping_version, ''), COALESCE(f.message, ''), COALESCE(f.error_type, ''),
    COALESCE(u.users, 0),
    t.events, t.first_ms, t.last_ms, f.said_release, l.said_release,
    t.own_events, t.own_first_ms, t.own_last_ms, f.said_release, o.said_release, 'open', false
FROM touched AS t
LEFT JOIN (SELECT app_id, scope, part, COUNT(*) AS users FROM new_users GROUP BY app_id, scope, part) AS u
ON u.app_id = t.app_id AND u.scope = t.issue_id AND u.part = CASE WHEN t.issue_id = t.head_id THEN {OF_GROUP} ELSE {OF_ISSUE} END
LEFT JOIN arrivals AS f ON f.id = t.first_id
LEFT JOIN arrivals AS l ON l.id = t.released_id
LEFT JOIN arrivals AS o ON o.id = t.own_released_id
WHERE true ORDER BY t.app_id, t.fingerprint
ON CONFLICT (app_id, fingerprint) DO UPDATE SET
    user_count = issues.user_count + excluded.user_count,
    event_count = issues.event_count + excluded.event_count,
    first_seen_ms = CASE WHEN excluded.first_seen_ms < issues.first_seen_ms
                    THEN excluded.first_seen_ms ELSE issues.first_seen_ms END,
    last_seen_ms = CASE WHEN excluded.last_seen_ms > issues.last_seen_ms
                   THEN excluded.last_seen_ms ELSE issues.last_seen_ms END,
    last_seen_release = COALESCE(excluded.last_seen_release, issues.last_seen_release),
    own_event_count = issues.own_event_count + excluded.own_event_count,
    own_first_seen_ms = CASE WHEN excluded.own_first_seen_ms < issues.own_first_seen_ms
                        THEN excluded.own_first_seen_ms ELSE issues.own_first_seen_ms END,
    own_last_seen_ms = CASE WHEN excluded.own_last_seen_ms > issues.own_last_seen_ms
                       THEN excluded.own_last_seen_ms ELSE issues.own_last_seen_ms END,
    own_last_seen_release = COALESCE(excluded.own_last_seen_release, issues.own_last_seen_release)
WHERE issues.id = excluded.id
"""

_KINDS = f"""
    COUNT(*) AS events, SUM(CASE kind WHEN {ERROR} THEN 1 ELSE 0 END) AS errors,
    SUM(CASE kind WHEN {FAILED_REQUEST} THEN 1 ELSE 0 END) AS failed
"""
# Before the facets: a platform that an issue has no row for yet is one that it was not seen on. An issue whose id is that of
# one of these events is new. What is merged into another issue counts as that one.
_ADD_TOTALS = f"""
INSERT INTO totals (app_id, platform, shard, events, errors, failed_requests, affected_users, issues, archived_issues)
SELECT app_id, platform, {{shard}}, SUM(events), SUM(errors), SUM(failed), SUM(users), SUM(issues), SUM(archived) FROM (
    SELECT app_id, '' AS platform, {_KINDS}, 0 AS users, 0 AS issues, 0 AS archived FROM arrivals GROUP BY app_id
    UNION ALL SELECT app_id, platform, {_KINDS}, 0, 0, 0 FROM arrivals GROUP BY app_id, platform
    UNION ALL SELECT app_id, '', 0, 0, 0, COUNT(*), 0, 0 FROM new_users
    WHERE part = {OF_APP} AND user_key = 0 GROUP BY app_id
    UNION ALL SELECT u.app_id, p.platform, 0, 0, 0, COUNT(*), 0, 0 FROM new_users AS u
    JOIN (SELECT DISTINCT app_id, platform, platform_scope FROM arrivals) AS p
    ON p.app_id = u.app_id AND p.platform_scope = u.user_key
    WHERE u.part = {OF_APP} GROUP BY u.app_id, p.platform
    UNION ALL SELECT app_id, '', 0, 0, 0, 0, COUNT(*), 0 FROM touched WHERE issue_id = first_id GROUP BY app_id
    UNION ALL SELECT app_id, platform, 0, 0, 0, 0, 1 - archived, archived FROM (
        SELECT p.app_id, p.platform, (
            SELECT CASE WHEN i.archived THEN 1 ELSE 0 END FROM issues AS i WHERE i.app_id = p.app_id AND i.id = p.issue_id
        ) AS archived
        FROM (
            SELECT DISTINCT app_id, platform, COALESCE(head_id, issue_id) AS issue_id FROM arrivals
            WHERE issue_id IS NOT NULL
        ) AS p
        WHERE (
            SELECT 1 FROM issue_facets AS f WHERE f.app_id = p.app_id AND f.issue_id = p.issue_id
            AND f.property = 'platform' AND f.value = p.platform LIMIT 1
        ) IS NULL
    ) AS n
) AS c WHERE true GROUP BY app_id, platform ORDER BY 1, 2
ON CONFLICT (app_id, platform, shard) DO UPDATE SET
    events = totals.events + excluded.events,
    errors = totals.errors + excluded.errors,
    failed_requests = totals.failed_requests + excluded.failed_requests,
    affected_users = totals.affected_users + excluded.affected_users,
    issues = totals.issues + excluded.issues,
    archived_issues = totals.archived_issues + excluded.archived_issues
"""
_ADD_HOURS = f"""
INSERT INTO dimension_hours (app_id, hour, dimension_id, shard, events, errors, failed_requests)
SELECT app_id, hour, dimension_id, {{shard}}, {_KINDS} FROM arrivals WHERE true
GROUP BY app_id, hour, dimension_id ORDER BY 1, 2, 3
ON CONFLICT (app_id, hour, dimension_id, shard) DO UPDATE SET
    events = dimension_hours.events + excluded.events,
    errors = dimension_hours.errors + excluded.errors,
    failed_requests = dimension_hours.failed_requests + excluded.failed_requests
"""
_ADD_ISSUE_HOURS = """
INSERT INTO issue_hours (app_id, issue_id, hour, event_count)
SELECT app_id, issue_id, hour, COUNT(*) FROM arrivals WHERE issue_id IS NOT NULL
GROUP BY app_id, issue_id, hour ORDER BY 1, 2, 3
ON CONFLICT (app_id, issue_id, hour) DO UPDATE SET event_count = issue_hours.event_count + excluded.event_count
"""

_FACETS = ("platform", "release", "environment", "page", "browser", "device")


def _add_facets(issue: str, own: str, which: str) -> str:
    """Count the events that `which` picks for the `issue` of each; `own` is what they add to own_event_count."""
    facets = " UNION ALL ".join(
        f"SELECT app_id, {issue} AS issue_id, '{name}' AS property, {name} AS value, COUNT(*) AS events "
        f"FROM arrivals WHERE {which} AND {name} <> '' GROUP BY app_id, {issue}, {name}"
        for name in _FACETS
    )
    return f"""
INSERT INTO issue_facets (app_id, issue_id, property, value, event_count, own_event_count)
SELECT app_id, issue_id, property, value, events, {own} FROM ({facets}) AS f WHERE true ORDER BY 1, 2, 3, 4
ON CONFLICT (app_id, issue_id, property, value) DO UPDATE SET
    event_count = issue_facets.event_count + excluded.event_count,
    own_event_count = issue_facets.own_event_count + excluded.own_event_count
"""


_ADD_FACETS = _add_facets("issue_id", "events", "issue_id IS NOT NULL")
_ADD_FACETS_OF_HEADS = _add_facets("head_id", "0", "head_id <> issue_id")

_EVENT = "app_id, id, issue_id, time_ms, received_ms, user_key, dimension_id, pack_offset, kind, event_key, payload"
_ADD_EVENTS = f"""
INSERT INTO events ({_EVENT}) SELECT {_EVENT} FROM arrivals WHERE true ORDER BY app_id, event_key ON CONFLICT DO NOTHING
"""
_ADD_PACKS = """
INSERT INTO payload_packs (app_id, id, part, data)
SELECT app_id, id - pack_offset, ROW_NUMBER() OVER (PARTITION BY app_id, id - pack_offset ORDER BY id) - 1, pack_part
FROM arrivals WHERE length(pack_part) > 0 ORDER BY id ON CONFLICT DO NOTHING
"""

_CLOSED = """
SELECT i.app_id, i.id, i.status, i.archived, i.fixed_in_release, i.verified_in_release
FROM touched AS t CROSS JOIN issues AS i
WHERE t.closed IS NOT NULL AND i.app_id = t.app_id AND i.fingerprint = t.fingerprint
"""
_RELEASES = Query(
    (("app_id", "int"), ("issue_id", "int")),
    "SELECT DISTINCT a.app_id, r.issue_id, a.said_release FROM {rows} CROSS JOIN arrivals AS a "
    "WHERE a.app_id = r.app_id AND COALESCE(a.head_id, a.issue_id) = r.issue_id AND a.said_release IS NOT NULL",
)
