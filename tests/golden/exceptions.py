"""The recorded answers from which this collector departs on purpose: what it answers instead, and why that is better for the user."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """Departures with one reason. `answers` names each recorded pair and our answer: the status, and the code if there is one."""

    reason: str
    answers: dict[str, str]


FAMILIES: list[Family] = []
