"""Log lines: their keys, their order, and what hostile values cannot do to them."""

import asyncio
import io
import json
import logging

import pytest
import structlog

from server import logs


def written(log_format: str = "json", level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    logs.configure(log_format, level, stream)
    return stream


def only_line(stream: io.StringIO) -> dict[str, object]:
    (line,) = stream.getvalue().splitlines()
    parsed: dict[str, object] = json.loads(line)
    return parsed


def test_keys_come_in_the_documented_order_and_others_after_them() -> None:
    stream = written()
    logs.bind(error="E", tracker="T", requestID="R")
    structlog.get_logger().warning("hello", other=1, sizeBytes=2, durationMs=1.5, status=404, url="/x", method="GET")
    line = only_line(stream)
    assert list(line) == [*(key for key in logs.KEYS if key not in {"appKey", "sessionID", "projectID"}), "other"]
    assert (line["msg"], line["level"]) == ("hello", "warning")


def test_the_caller_is_the_line_that_logged() -> None:
    stream = written()
    structlog.get_logger().info("here")
    caller = str(only_line(stream)["caller"])
    assert caller.startswith("server/test_logs.py:")


def test_stdlib_logging_makes_the_same_lines() -> None:
    stream = written()
    logs.bind(requestID="R")
    logging.getLogger("uvicorn.error").warning("port %d", 3100)
    line = only_line(stream)
    assert (line["msg"], line["level"], line["requestID"]) == ("port 3100", "warning", "R")
    assert str(line["caller"]).startswith("server/test_logs.py:")


def test_other_programs_report_their_steps_only_when_asked() -> None:
    stream = written(level="info")
    logging.getLogger("uvicorn.error").info("started")
    structlog.get_logger().debug("detail")
    assert stream.getvalue() == ""
    stream = written(level="debug")
    logging.getLogger("uvicorn.error").info("started")
    assert only_line(stream)["msg"] == "started"


def test_a_failure_is_told_with_its_whole_chain() -> None:
    stream = written()
    error = RuntimeError("no store")
    error.__cause__ = ConnectionRefusedError("port 5432\nand a hint")
    structlog.get_logger().error("failed", exc_info=error)
    line = only_line(stream)
    assert line["error"] == "RuntimeError: no store <- ConnectionRefusedError: port 5432"
    assert str(line["traceback"]).endswith("RuntimeError: no store\n")


@pytest.mark.parametrize("value", ["\ud800", 2**70, b"\xff", object(), float("nan")])
def test_no_value_can_keep_a_line_from_being_written(value: object) -> None:
    stream = written()
    structlog.get_logger().info("odd", url=value)
    assert only_line(stream)["msg"] == "odd"


def test_text_for_a_terminal_carries_no_control_characters() -> None:
    stream = written("text")
    structlog.get_logger().info("got", url="/\x1b[2J\r\nfake line")
    (line,) = stream.getvalue().splitlines()
    assert "\x1b" not in line
    assert r"url=/\x1b[2J\r\nfake line" in line


def test_auto_means_json_where_nobody_watches() -> None:
    stream = written("auto")
    structlog.get_logger().info("hello")
    assert only_line(stream)["msg"] == "hello"


async def test_lines_of_one_turn_of_the_loop_leave_together_and_in_order() -> None:
    stream = written()
    structlog.get_logger().info("first")
    structlog.get_logger().info("second")
    assert stream.getvalue() == ""
    await asyncio.sleep(0)
    assert [json.loads(line)["msg"] for line in stream.getvalue().splitlines()] == ["first", "second"]


def test_a_stream_that_takes_no_lines_hurts_nobody() -> None:
    stream = written()
    stream.close()
    structlog.get_logger().info("lost")
