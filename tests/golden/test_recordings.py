"""The recorded HTTP answers of the original collector: ours are the same, but for one table of exceptions."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.client import Rest
from tests.collector import Collector
from tests.golden.exceptions import FAMILIES, VERDICTS
from tests.golden.recording import Outcome, replay
from tests.store_access import insert_app

EXCEPTIONS = {name: answer for family in FAMILIES for name, answer in family.answers.items()}


# The pages in the recordings. The original let pages of every origin use the routes of dashboards; here they are named.
ORIGINS = (
    "http://shop.example:8080",
    "http://dash.example",
    "http://a.test",
    "https://other.test",
    "http://127.0.0.1:3199",
)


@pytest.fixture(scope="module")
def fresh(engine: str, start_on: Callable[..., Collector]) -> Iterator[Collector]:
    """A collector with default settings, as `make run` starts it, but for the origins of the dashboards."""
    with start_on(engine, env={"HEALTHGUARD_CORS_ORIGINS": ",".join(ORIGINS)}) as collector:
        yield collector


@pytest.fixture(scope="module")
def outcomes(fresh: Collector, golden_dir: Path) -> dict[str, Outcome]:
    return replay(golden_dir, fresh.rest, run=uuid4().hex[:8])


def test_answers_are_as_recorded_except_where_the_table_says(outcomes: dict[str, Outcome]) -> None:
    unexpected = [f"{o.name}: {o.differences}" for o in outcomes.values() if o.differences and o.name not in EXCEPTIONS]
    assert not unexpected, "\n".join(unexpected)


def test_exceptions_are_answered_as_the_table_says(outcomes: dict[str, Outcome]) -> None:
    assert {name: outcomes[name].answer for name in EXCEPTIONS} == EXCEPTIONS


def test_every_exception_is_still_one(outcomes: dict[str, Outcome]) -> None:
    assert [name for name in EXCEPTIONS if not outcomes[name].differences] == []


def test_events_of_a_registered_app_are_judged_one_by_one(
    fresh: Collector, golden_dir: Path, connect: Callable[[str], Rest]
) -> None:
    run = uuid4().hex[:8]
    owner = connect(fresh.rest).register()
    insert_app(fresh.database_url, owner.email, f"bad-{run}")
    outcomes = replay(golden_dir, fresh.rest, run)
    assert {name: outcomes[name].answer for name in VERDICTS} == VERDICTS


def test_no_pair_stands_in_two_families() -> None:
    assert len(EXCEPTIONS) == sum(len(family.answers) for family in FAMILIES)
