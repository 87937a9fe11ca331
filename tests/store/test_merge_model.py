"""Random histories of ingest, resends, merging, unmerging and lifecycle against a plain model, on both engines."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
from sqlmodel import Session

from server.errors import IssueAlreadyArchived, IssueIsMerged, IssueNotFound, IssueNotMerged, MergeNeedsAnotherIssue
from server.release import compare_releases
from server.store import events, issues, lifecycle, merges
from server.store.dimensions import Dimension
from server.store.engine import Engine
from server.store.issues import IssueFilter
from server.store.lifecycle import Change
from server.store.sequence import Sequence
from server.store.totals import TimeRange
from tests.store.build import NOW, event, submission

NAMES = ["js:a", "js:b", "js:c", "js:d", "js:e"]
PLATFORMS = ["web", "ios"]
RELEASES = [None, "1.0.0", "2.0.0"]
HOUR_MS = 3_600_000
HOUR = NOW // HOUR_MS * HOUR_MS
"""Events fall on both sides of it."""
IDS = Sequence()
_apps = count(1)

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
)


@dataclass
class Stored:
    key: int
    name: str
    platform: str
    at: int
    release: str | None
    user: int | None


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
        keys = {one.key for one in self.events}
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
        self.app = next(_apps)
        self.apps = {self.app: "web_one"}
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
            assert self.do(events.commit, [submission(*new, app=self.app)], IDS, 0) is None
            self.model.ingest(what)
        elif kind == "merge":
            done = self.do(merges.merge, self.app, what[0], what[1], self.by())
            assert done is self.model.merge(*what)
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

    def compare(self) -> None:
        heads = [name for name in self.model.created if name not in self.model.target]
        for archived in (False, True):
            shown = [head for head in heads if (head in self.model.archived) is archived]
            self._compare_lists(shown, archived)
        for name in self.model.created:
            self._compare_issue(name)

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
        found = self.read(issues.events_of, issue, TimeRange(), "", None, 100)
        assert [one.time_ms - HOUR for one in found] == sorted((one.at for one in own), reverse=True)
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


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(steps, min_size=1, max_size=25))
def test_any_history_of_merging_shows_what_a_plain_count_shows(store: Engine, history: list[tuple[str, Any]]) -> None:
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
