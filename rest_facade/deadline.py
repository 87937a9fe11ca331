"""A time limit around a piece of work: what `asyncio.timeout` does, for a third of the 5 us that costs a request twice."""

import asyncio
from types import TracebackType
from typing import Self


class Deadline:
    """Cancels what the current task awaits inside the `with` when the time is over, and turns that into TimeoutError."""

    __slots__ = ("_cancelling", "_task", "_timer", "expired")

    def __init__(self, seconds: float | None) -> None:
        """Starts the clock; None is no limit."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a deadline needs a task to cancel")
        self._task, self._cancelling = task, task.cancelling()
        self.expired = False
        self._timer = None if seconds is None else asyncio.get_running_loop().call_later(seconds, self._expire)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        # Where somebody else cancels the task as well, their wish counts more.
        if self.expired and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _expire(self) -> None:
        self.expired = True
        self._task.cancel()
