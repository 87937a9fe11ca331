"""Random histories against a plain model, on both engines: ingest, resends, releases, merging, eviction, key rotation."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations_with_replacement
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, given, settings, strategies as st
from sqlmodel import Session

from server import clock
from server.errors import IssueAlreadyArchived, IssueIsMerged, IssueNotFound, IssueNotMerged, MergeNeedsAnotherIssue
from server.ids import new_id
from server.release import compare_releases
from server.store import apps, events, issues, lifecycle, merges, retention
from server.store.apps import NewApp
from server.store.bulk import bulk_of
from server.store.dimensions import Dimension
from server.store.engine import Engine
from server.store.issues import IssueFilter
from server.store.lifecycle import Change
from server.store.retention import EVERY_RETENTION, Reach
from server.store.scope import ingest_app, visible_apps
from server.store.sequence import Sequence
from server.store.tables import UserRow
from server.store.totals import EventFilter, TimeRange, Totals, buckets, event_totals
from tests.store.build import NOW, event, submission

NAMES = ["js:a", "js:b", "js:c", "js:d", "js:e"]
PLATFORMS = ["web", "ios"]
RELEASES = [None, "1.0.0", "2.0.0"]
HOUR_MS = 3_600_000
HOUR = NOW // HOUR_MS * HOUR_MS
"""Events fall on both sides of it."""
IDS = Sequence()
RARE = 2
MAX_ROTATIONS = 5

names = st.sampled_from(NAMES)
arrivals = st.tuples(
    st.integers(0, 40),
    names,
    st.sampled_from(PLATFORMS),
    st.integers(-3, 3),
    st.sampled_from(RELEASES),
    st.sampled_from([None, 1, 2, 3]),
)
steps = st.one_of(
    st.tuples(st.just("ingest"), st.lists(arrivals, min_size=1, max_size=6)),
    st.tuples(st.just("merge"), st.tuples(names, st.lists(names, max_size=3))),
    st.tuples(st.just("unmerge"), names),
    st.tuples(st.just("verify"), names),
    st.tuples(st.just("archive"), names),
    st.tuples(st.just("evict"), st.none()),
    st.tuples(st.just("rotate"), st.none()),
)


def store_events(session: Session, submissions: list[events.Submission]) -> None:
    events.commit(bulk_of(session), submissions, IDS, 0)


@dataclass
class Stored:
    key: int
    name: str
    platform: str
    at: int
    release: str | None
    user: int | None
    kept: bool = True


@dataclass
class Model:
    """Events in order of arrival, where each merged issue points, and what only history knows."""

    events: list[Stored] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    target: dict[str, str] = field(default_factory=dict)
    verified: set[str] = field(default_factory=set)
    archived: set[str] = field(default_factory=set)
    last_release: dict[str, str | None] = field(default_factory=dict)

    def head(self, name: str) -> str:
        return self.target.get(name, name)

    def parts(self, head: str) -> list[str]:
        return [name for name in self.created if name == head or self.target.get(name) == head]

    def of(self, *names: str) -> list[Stored]:
        return [one for one in self.events if one.name in names]

    def ingest(self, batch: list[Any]) -> None:
        keys = {one.key for one in self.events if one.kept}  # what was evicted is no longer known
        seen: dict[str, set[str]] = {}
        new = []
        for key, name, platform, at, release, user in batch:
            if key in keys:
                continue
            keys.add(key)
            new.append(Stored(key, name, platform, at, release, user))
        # New issues are created in the order of their fingerprints.
        self.created += [n for n in sorted({one.name for one in new}) if n not in self.created]
        for one in new:
            self.events.append(one)
            head = self.head(one.name)
            if one.release is not None:
                seen.setdefault(head, set()).add(one.release)
                self.last_release[head] = one.release
        for head, releases in seen.items():
            if head in self.verified and any(compare_releases(release, "2.0.0") >= 0 for release in releases):
                self.verified.discard(head)
                self.archived.discard(head)

    def evict(self) -> None:
        """All that is old goes but the first and the latest of each fingerprint; two or fewer ever seen all stay."""
        for name in self.created:
            ever = self.of(name)
            stored = sorted((one for one in ever if one.kept), key=lambda one: one.at)
            for one in stored[1:-1] if len(ever) > RARE else ():
                one.kept = False

    def settle(self, head: str) -> None:
        """Which release is shown as the last after a merge: that of the part last seen."""
        released = []
        for name in self.parts(head):
            own = self.of(name)
            releases = [one.release for one in own if one.release is not None]
            if releases:
                released.append((max(one.at for one in own), self.created.index(name), releases[-1]))
        self.last_release[head] = max(released)[2] if released else None

    def merge(self, name: str, others: list[str]) -> type[Exception] | None:
        if not {name, *others} <= set(self.created):
            return IssueNotFound
        head = self.head(name)
        named = set(others) - {head}
        if not named:
            return MergeNeedsAnotherIssue
        if any(self.target.get(other) not in {None, head, *named} for other in named):
            return IssueIsMerged
        joining = [other for other in named if other not in self.target]
        for other in joining:
            for part in self.parts(other):
                self.target[part] = head
        if joining:
            for other in (*joining, head):
                self.settle(other)
        return None

    def unmerge(self, name: str) -> type[Exception] | None:
        if name not in self.created:
            return IssueNotFound
        if name not in self.target:
            return IssueNotMerged
        head = self.target.pop(name)
        self.settle(head)
        self.settle(name)
        return None

    def change(self, name: str) -> type[Exception] | None:
        if name not in self.created:
            return IssueNotFound
        return IssueIsMerged if name in self.target else None


class Run:
    """The store beside the model, in an app of its own."""

    def __init__(self, store: Engine) -> None:
        self.store = store
        with Session(store.sync_engine()) as session, session.begin():
            owner = UserRow(public_id=new_id("user"), email=new_id("x"), password_hash="x", created_ms=NOW)
            session.add(owner)
            session.flush()
            assert owner.id is not None
            new = NewApp(new_id("app"), owner.id, "Shop", new_id("web"), "web", NOW)
            app = apps.create(session, new)
            self.owner, self.public_id, self.app = owner.id, app.public_id, app.id
            self.keys = [app.app_key]
        self.apps = {self.app: self.keys[-1]}
        self.model = Model()

    def do(self, work: Any, *args: Any) -> type[Exception] | None:
        try:
            with Session(self.store.sync_engine(), expire_on_commit=False) as session, session.begin():
                work(session, *args)
        except (IssueNotFound, IssueIsMerged, IssueNotMerged, MergeNeedsAnotherIssue, IssueAlreadyArchived) as error:
            return type(error)
        return None

    def read(self, work: Any, *args: Any) -> Any:
        with Session(self.store.sync_engine()) as session:
            return work(session, *args)

    def by(self) -> Change:
        return Change(None, NOW, IDS, -1)

    def step(self, kind: str, what: Any) -> None:
        if kind == "ingest":
            new = [
                event(
                    f"key-{key}", app=self.app, issue=name, platform=platform, at=HOUR + at, release=release, user=user
                )
                for key, name, platform, at, release, user in what
            ]
            assert self.do(store_events, [submission(*new, app=self.app)]) is None
            self.model.ingest(what)
        elif kind == "merge":
            done = self.do(merges.merge, self.app, what[0], what[1], self.by())
            assert done is self.model.merge(*what)
        elif kind == "evict":
            self.evict()
            self.model.evict()
        elif kind == "rotate":
            self.rotate()
        elif kind == "unmerge":
            assert self.do(merges.unmerge, self.app, what, self.by()) is self.model.unmerge(what)
        elif kind == "verify":
            expected = self.model.change(what)
            assert self.do(lifecycle.mark_verified, self.apps, what, self.by(), "2.0.0") is expected
            if expected is None:
                self.model.verified.add(what)
                self.model.archived.discard(what)
        elif what in self.model.verified and what not in self.model.target:
            expected = IssueAlreadyArchived if what in self.model.archived else None
            assert self.do(lifecycle.archive, self.apps, what, self.by()) is expected
            self.model.archived.add(what)

    def evict(self) -> None:
        reach, position, more = Reach(NOW + 1, 0, EVERY_RETENTION, 30), 0, True
        with mock.patch.multiple(retention, KEPT_AT_EACH_END=1, RARE_EVENTS=RARE):
            while more:
                with Session(self.store.sync_engine()) as session, session.begin():
                    swept = retention.sweep(session, reach, position, 7)
                position, more = swept.position, swept.more

    def rotate(self) -> None:
        if len(self.keys) > MAX_ROTATIONS:
            return
        with Session(self.store.sync_engine()) as session, session.begin():
            self.keys.append(new_id("web"))
            apps.rotate_key(session, self.owner, self.public_id, lambda _: self.keys[-1], clock.now_ms(), HOUR_MS)
        self.apps = {self.app: self.keys[-1]}

    def compare(self) -> None:
        self._compare_keys()
        self._compare_totals()
        heads = [name for name in self.model.created if name not in self.model.target]
        for archived in (False, True):
            shown = [head for head in heads if (head in self.model.archived) is archived]
            self._compare_lists(shown, archived)
            self._compare_active(shown, archived)
        for name in self.model.created:
            self._compare_issue(name)

    def _compare_keys(self) -> None:
        for key in self.keys:
            app = self.read(ingest_app, key)
            assert (app.id, app.keys) == (self.app, frozenset(self.keys))
            assert self.read(visible_apps, self.owner, key) == self.apps
        assert self.read(visible_apps, self.owner) == self.apps

    def _compare_totals(self) -> None:
        for platform in ("", *PLATFORMS):
            here = [one for one in self.model.events if platform in {"", one.platform}]
            which = EventFilter(self.apps, Dimension(platform))
            users = len({one.user for one in here} - {None})
            assert self.read(event_totals, which) == Totals(len(here), len(here), 0, users)
            whole_hours = EventFilter(self.apps, Dimension(platform), TimeRange(HOUR - HOUR_MS, HOUR + HOUR_MS - 1))
            assert self.read(event_totals, whole_hours) == Totals(len(here), len(here), 0, users)
            first = HOUR // HOUR_MS - 1
            found = self.read(buckets, which, 1, first, first + 1)
            halves = [one for one in here if one.at < 0], [one for one in here if one.at >= 0]
            assert [(b.events, b.affected_users) for b in found] == [
                (len(half), len({one.user for one in half} - {None})) for half in halves
            ]

    def _compare_lists(self, shown: list[str], archived: bool) -> None:
        for platform in ("", *PLATFORMS):
            on_it = [
                head
                for head in shown
                if platform in {"", *(one.platform for one in self.model.of(*self.model.parts(head)))}
            ]
            which = IssueFilter(self.apps, Dimension(platform), (archived,))
            for order in ("last_seen",) if platform else issues.ORDERS:
                page = self.read(issues.page, which, None, 100, order)
                assert {issue.fingerprint for issue in page} == set(on_it)
            assert self.read(issues.count, which) == len(on_it)
            ranged = IssueFilter(self.apps, Dimension(platform), (archived,), TimeRange(0, NOW + HOUR_MS))
            assert self.read(issues.count, ranged) == len(on_it)

    def _compare_active(self, shown: list[str], archived: bool) -> None:
        """Whole hours know events that are gone, partial ones do not."""
        for low, high in (
            *combinations_with_replacement(range(-3, 4), 2),
            (-HOUR_MS, -1),
            (-HOUR_MS, 1),
            (-2, HOUR_MS - 1),
        ):
            before, after = low == -HOUR_MS, high == HOUR_MS - 1
            active = [
                head
                for head in shown
                if any(
                    low <= one.at <= high and (one.kept or (before and one.at < 0) or (after and one.at >= 0))
                    for one in self.model.of(*self.model.parts(head))
                )
            ]
            which = IssueFilter(self.apps, archived=(archived,))
            assert self.read(issues.count, which, TimeRange(HOUR + low, HOUR + high)) == len(active), (low, high)

    def _compare_issue(self, name: str) -> None:
        parts = self.model.parts(name)
        own = self.model.of(*parts)
        issue = self.read(issues.find, self.apps, name)
        assert (issue.merged_into, [part.fingerprint for part in issue.merged]) == (
            self.model.target.get(name),
            [part for part in parts if part != name],
        )
        assert (issue.event_count, issue.platforms) == (len(own), Counter(one.platform for one in own))
        assert issue.first_seen_ms == HOUR + min(one.at for one in own)
        assert issue.last_seen_ms == HOUR + max(one.at for one in own)
        assert issue.first_seen_release == self.model.of(parts[0])[0].release
        if name not in self.model.target:
            assert issue.last_seen_release == self.model.last_release.get(name)
        assert issue.user_count == len({one.user for one in own} - {None})
        first = HOUR // HOUR_MS - 1
        for bucket, here in zip(
            self.read(issues.issue_buckets, issue, 1, first, first + 1),
            ([one for one in own if one.at < 0], [one for one in own if one.at >= 0]),
            strict=True,
        ):
            assert (bucket.events, bucket.errors) == (len(here), len(here))
            assert bucket.affected_users == len({one.user for one in here} - {None})
        releases = Counter(one.release for one in own if one.release)
        assert dict(self.read(issues.breakdowns, issue)["release"]) == releases
        assert issue.app_key == self.keys[-1]
        found = self.read(issues.events_of, issue, TimeRange(), "", None, 100)
        assert [one.time_ms - HOUR for one in found] == sorted((one.at for one in own if one.kept), reverse=True)
        if len(found) > 1:
            after = (found[0].time_ms, found[0].id)
            assert self.read(issues.events_of, issue, TimeRange(), "", after, 100) == found[1:]


BEGINNING: list[tuple[str, Any]] = [
    ("ingest", [(100 + n, name, "web", 0, "1.0.0", 1) for n, name in enumerate(NAMES)]),
    ("merge", ("js:b", ["js:a", "js:c"])),
    (
        "ingest",
        [(110, "js:a", "ios", -1, None, 2), (111, "js:b", "web", 1, "2.0.0", 3), (112, "js:c", "ios", 2, None, 2)],
    ),
]
"""Without it most histories would be over before anything is merged and grows."""


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(steps, min_size=1, max_size=25))
def test_any_history_shows_what_a_plain_count_shows(store: Engine, history: list[tuple[str, Any]]) -> None:
    run = Run(store)
    for kind, what in BEGINNING:
        run.step(kind, what)
    run.compare()
    for kind, what in history:
        run.step(kind, what)
    run.compare()
    for name in NAMES:
        run.step("unmerge", name)
    run.compare()
