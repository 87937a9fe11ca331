"""The recorded HTTP answers of the original collector: ours are the same, but for one table of exceptions."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.collector import Collector
from tests.golden.exceptions import FAMILIES
from tests.golden.recording import Outcome, replay

EXCEPTIONS = {name: answer for family in FAMILIES for name, answer in family.answers.items()}


@pytest.fixture(scope="module")
def outcomes(engine: str, golden_dir: Path, start_on: Callable[..., Collector]) -> dict[str, Outcome]:
    with start_on(engine) as collector:
        return replay(golden_dir, collector.rest)


def test_answers_are_as_recorded_except_where_the_table_says(outcomes: dict[str, Outcome]) -> None:
    unexpected = {o.name: o.differences for o in outcomes.values() if o.differences and o.name not in EXCEPTIONS}
    assert unexpected == {}


def test_exceptions_are_answered_as_the_table_says(outcomes: dict[str, Outcome]) -> None:
    answered = {name: outcomes[name].answer for name in EXCEPTIONS}
    assert answered == EXCEPTIONS


def test_every_exception_is_still_one(outcomes: dict[str, Outcome]) -> None:
    as_recorded = [name for name in EXCEPTIONS if not outcomes[name].differences]
    assert as_recorded == []


def test_no_pair_stands_in_two_families() -> None:
    assert len(EXCEPTIONS) == sum(len(family.answers) for family in FAMILIES)
