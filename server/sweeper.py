"""Removes what is too old or does not fit, in the background and in small steps, for as long as the process lives."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Concatenate, Final, ParamSpec, TypeVar

import structlog
from sqlmodel import Session

from server import clock, metrics
from server.disk_budget import DiskBudget
from server.errors import Unavailable
from server.ids import new_id
from server.store import aging, retention, sessions
from server.store.engine import Engine
from server.store.lease import Lease, claim, release
from server.store.retention import DAY_MS, EVERY_RETENTION, Reach, Swept
from server.store.space import Usage, give_back, usage

T = TypeVar("T")
P = ParamSpec("P")

LOOK_INTERVAL_S: Final = 10.0
LEASE_MS: Final = 30_000
"""Three looks: when the process that works dies, another one begins this much later."""

LAP_MS: Final = DAY_MS
"""What was kept is looked at again once a day: by then its issue may have newer events, or be over."""

ENDLESS_MS: Final = 2**60

SHRINK: Final = 0.9
"""Eviction looks at what was kept again each time the age it leaves has shrunk to this share."""

TARGET_SHARE: Final = 0.95
"""Eviction begins at the whole budget and ends here, so that it does not begin anew with the next commit."""

BATCHES_BETWEEN_MEASURES = 4

BATCH_SESSIONS: Final = 2
"""Recorded sessions that one transaction removes: each has up to some thousands of screenshots and hundreds of batches."""

log = structlog.get_logger("sweeper")


class LeaseLost(Exception):
    """Another process does this work now."""


@dataclass(slots=True)
class _Lap:
    """One way through all events, oldest arrival first: everything up to `position` may reach `age_ms` or is kept."""

    started_ms: int
    age_ms: int = ENDLESS_MS
    position: int = 0


class Sweeper:
    """Applies retention and the disk budget. Every process has one; the one that holds the lease works.

    Each step is a transaction that is right by itself, followed by a pause as long as the step: ingest gets at least half
    of the one writer that SQLite has. Laps are kept in memory only: whoever begins looks at everything that is left.
    """

    def __init__(
        self,
        engine: Engine,
        budget: DiskBudget,
        default_days: int,
        *,
        look_interval_s: float = LOOK_INTERVAL_S,
        now_ms: Callable[[], int] = clock.now_ms,
    ) -> None:
        self._engine = engine
        self._budget = budget
        self._default_days = default_days
        self._look_interval_s = look_interval_s
        self._now_ms = now_ms
        self._lease = Lease("sweeper", new_id("holder"))
        self._laps: dict[int, _Lap] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look again and again until closed."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop after the transaction at hand, and let another process go on at once."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        with contextlib.suppress(Unavailable):
            await self._engine.write(release, self._lease)

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except LeaseLost:
                self._laps.clear()
            except Unavailable as error:
                log.warning("retention waits for the store", error=repr(error.__cause__ or error))
            except Exception:  # a fault of one step must not end the task for good
                log.exception("retention failed")
            await asyncio.sleep(self._look_interval_s)

    async def look(self) -> None:
        """Remove everything that has to go by now. Raises LeaseLost, at once where another process works."""
        await self._step(_nothing)
        await self._retain()
        await self._evict()
        await self._give_back()

    async def _retain(self) -> None:
        for days, app_ids in (await self._engine.read(retention.retentions, self._default_days)).items():
            now_ms = self._now_ms()
            lap = self._laps.get(days)
            if lap is None or now_ms - lap.started_ms >= LAP_MS:
                lap = await self._begin(days, days * DAY_MS, app_ids)
            reach = Reach.of_age(lap.age_ms, now_ms, days, self._default_days)
            while (await self._sweep(lap, reach, "retention")).more:
                pass
            await self._drop_sessions(app_ids, now_ms - days * DAY_MS)

    async def _evict(self) -> None:
        """Over the budget, let events reach less and less of an age until the data fits."""
        limit = self._budget.limit_bytes
        if not limit or (await self._budget.measure()).used_bytes < limit:
            return
        while (await self._without_log()).used_bytes > TARGET_SHARE * limit:
            if not await self._evict_some() and not await self._drop_oldest_sessions():
                log.warning("nothing is left to remove and the disk budget is exceeded", budgetBytes=limit)
                return

    async def _without_log(self) -> Usage:
        """What is taken once SQLite's log is cut: how long it happens to be must not cost events."""
        await self._engine.checkpoint()
        return await self._budget.measure()

    async def _evict_some(self) -> bool:
        """Some batches of the oldest events; False when no events are left."""
        for _ in range(BATCHES_BETWEEN_MEASURES):
            now_ms = self._now_ms()
            lap = self._laps.get(EVERY_RETENTION)
            if lap is None or now_ms - lap.started_ms >= LAP_MS:
                lap = self._laps[EVERY_RETENTION] = _Lap(now_ms)
            received_ms = await self._engine.read(retention.youngest, lap.position)
            age_ms = 0 if received_ms is None else min(lap.age_ms, max(0, now_ms - received_ms - 1))
            if age_ms < SHRINK * lap.age_ms:
                groups = await self._engine.read(retention.retentions, self._default_days)
                app_ids = [app_id for group in groups.values() for app_id in group]
                lap = await self._begin(EVERY_RETENTION, age_ms, app_ids)
                if age_ms:  # at 0 no events are left to tell an age by: that is no reason to forget every session
                    await self._drop_sessions(app_ids, now_ms - age_ms)
            reach = Reach.of_age(age_ms, now_ms, EVERY_RETENTION, self._default_days)
            swept = await self._sweep(lap, reach, "budget")
            if age_ms == 0 and not swept.more:
                return False
        return True

    async def _begin(self, days: int, age_ms: int, app_ids: Iterable[int]) -> _Lap:
        """Begin a lap; first the counters that end at this age go."""
        now_ms = self._now_ms()
        keep = aging.ends(now_ms, age_ms)
        for app_id in app_ids:
            while await self._step(aging.drop_of_app, app_id, keep):
                pass
            issue_id: int | None = 0
            while issue_id is not None:
                issue_id = await self._step(aging.drop_of_issues, app_id, issue_id, keep)
        lap = self._laps[days] = _Lap(now_ms, age_ms)
        return lap

    async def _drop_sessions(self, app_ids: Sequence[int], before_ms: int) -> None:
        """Remove the sessions of these apps that began to arrive before."""
        for app_id in await self._engine.read(sessions.apps_with_older, app_ids, before_ms):
            while await self._step(sessions.delete_received_before, app_id, before_ms, BATCH_SESSIONS):
                pass

    async def _drop_oldest_sessions(self) -> bool:
        """The oldest session of all apps; False when none are left."""
        found = await self._engine.read(sessions.oldest)
        if found is not None:
            app_id, received_ms = found
            await self._step(sessions.delete_received_before, app_id, received_ms + 1, BATCH_SESSIONS)
        return found is not None

    async def _sweep(self, lap: _Lap, reach: Reach, reason: str) -> Swept:
        """One batch. Where all of it is kept, which reading shows, ingest is left alone."""
        swept = await self._engine.read(retention.examine, reach, lap.position)
        if swept.doomed:
            swept = await self._step(retention.sweep, reach, lap.position)
            metrics.REMOVED_EVENTS.labels(reason).inc(len(swept.doomed))
        lap.position = swept.position
        return swept

    async def _give_back(self) -> None:
        if not self._engine.is_sqlite or not (await self._engine.read(usage)).reusable_bytes:
            return
        while await self._step(give_back):
            pass
        await self._engine.checkpoint()

    async def _step(self, work: Callable[Concatenate[Session, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """One transaction under the lease, and a pause as long as it took."""
        now_ms = self._now_ms()

        def leased(session: Session) -> T:
            if not claim(session, self._lease, now_ms, now_ms + LEASE_MS):
                raise LeaseLost
            return work(session, *args, **kwargs)

        began = time.monotonic()
        done = await self._engine.write(leased)
        await asyncio.sleep(time.monotonic() - began)
        return done


def _nothing(_session: Session) -> None:
    """What is done to hold the lease."""
