"""What lines of one request share, and who does not hear of it."""

import asyncio

from rest_facade import log_fields


async def test_fields_reach_tasks_begun_later_and_come_back_from_none() -> None:
    log_fields.begin(requestID="r")

    async def work() -> dict[str, str]:
        log_fields.bind(appKey="k")
        return dict(log_fields.bound())

    assert await asyncio.create_task(work()) == {"requestID": "r", "appKey": "k"}
    assert log_fields.bound() == {"requestID": "r"}


def test_a_new_request_knows_nothing_of_the_one_before() -> None:
    log_fields.begin(requestID="r")
    log_fields.bind(error="E")
    log_fields.begin(requestID="s")
    assert log_fields.bound() == {"requestID": "s"}


def test_what_a_line_says_itself_counts_more() -> None:
    log_fields.begin(error="bound", requestID="r")
    assert log_fields.merge(None, "info", {"error": "own"}) == {"error": "own", "requestID": "r"}
