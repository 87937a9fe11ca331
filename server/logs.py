"""Logs: one object a line on stderr, JSON for machines or text for a terminal, with the same keys in the same order.

Everything comes through here: structlog from our code, stdlib logging from uvicorn, grpc and alembic. A line is made in
one pass without structlog's own processors, because finding the caller and rendering with them cost several times more.
"""

import asyncio
import contextlib
import logging
import sys
import time
import traceback
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from types import FrameType, TracebackType
from typing import Any, Literal, TextIO

import orjson
import structlog

from rest_facade import log_fields

KEYS = (
    "ts",
    "level",
    "caller",
    "msg",
    "requestID",
    "method",
    "url",
    "status",
    "durationMs",
    "sizeBytes",
    "appKey",
    "sessionID",
    "projectID",
    "tracker",
    "error",
)
"""The keys that every reader may rely on, in the order of the line; others follow them."""

BUFFER_BYTES = 1_048_576

_FIELDS = KEYS[4:]

Fields = MutableMapping[str, Any]
Render = Callable[[Mapping[str, Any]], str]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
# uvicorn and alembic report each step of their start at INFO; our banner says what a person needs.
_CHATTY = ("uvicorn", "alembic", "asyncio")
_PLUMBING = ("structlog", "logging", __name__)


def configure(log_format: Literal["auto", "json", "text"], level: str, stream: TextIO | None = None) -> None:
    """Send every log line of the process to `stream` (stderr); `auto` is text on a terminal and JSON elsewhere."""
    out = stream or _whole_lines()
    as_text = log_format == "text" or (log_format == "auto" and out.isatty())
    render = as_line_of_text if as_text else as_json
    lines = _Lossy(out)
    structlog.configure(
        processors=[_Finish(render)],
        wrapper_class=_logger_class(_LEVELS[level]),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers[:] = [_StdlibHandler(render, out)]
    root.setLevel(_LEVELS[level])
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(_LEVELS[level], logging.WARNING) if level != "debug" else logging.DEBUG)


def _whole_lines() -> TextIO:
    """Standard error through a buffer that holds any line: one write each, which nothing else that writes there can cut."""
    try:
        descriptor = sys.stderr.fileno()
    except OSError:  # something that holds text in memory took its place
        return sys.stderr
    return open(descriptor, "w", BUFFER_BYTES, "utf-8", "backslashreplace", closefd=False)


def bind(**fields: object) -> None:
    """Add fields to every later line of the current request, the access line included. None is left out."""
    log_fields.bind(**{name: value for name, value in fields.items() if value is not None})


def clear() -> None:
    """Forget what earlier work in this context bound."""
    log_fields.begin()


def cause(error: BaseException) -> str:
    """An error and what caused it, first line of each, on one line: `StoreUnavailable: ... <- OperationalError: ...`."""
    parts: list[str] = []
    link: BaseException | None = error
    while link is not None and len(parts) < 5:
        parts.append(f"{type(link).__name__}: {_first_line(str(link))}")
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return " <- ".join(parts)


def as_json(fields: Mapping[str, Any]) -> str:
    """One line of JSON; what JSON cannot hold (a lone surrogate, an integer over 64 bits) is told as printable text."""
    try:
        return orjson.dumps(fields, default=repr).decode()
    except TypeError:
        return orjson.dumps({str(name): _printable(value) for name, value in fields.items()}).decode()


def as_line_of_text(fields: Mapping[str, Any]) -> str:
    """One line for a person; a traceback follows on lines of its own."""
    rest = {name: value for name, value in fields.items() if name not in {"ts", "level", "caller", "msg", "traceback"}}
    pairs = "".join(f"  {name}={_printable(value)}" for name, value in rest.items())
    head = f"{fields['ts'][11:23]} {fields['level']:<7} {_printable(fields['msg'])}{pairs}  ({fields['caller']})"
    return f"{head}\n{fields['traceback']}".rstrip() if "traceback" in fields else head


class _Lossy:
    """Writes lines that may be lost: a log on a full disk must not stop what it tells of."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._held: list[str] = []

    def write_line(self, text: str) -> None:
        """Write a line; where an event loop runs, together with the others of this turn of it."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._write(f"{text}\n")
            return
        if not self._held:
            loop.call_soon(self._write_held)
        self._held.append(f"{text}\n")

    def _write_held(self) -> None:
        held, self._held = self._held, []
        self._write("".join(held))

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._out.write(text)
            self._out.flush()


def _logger_class(least: int) -> Any:  # noqa: ANN401 -- structlog has no public name for the type of a class of loggers
    """Structlog's logger for lines of a level and above, with its way from the call to the line made straight."""

    class Logger(structlog.make_filtering_bound_logger(least)):  # type: ignore[misc]  # made at run time
        _processors: Sequence[Callable[..., Any]]
        _logger: _Lossy

        def _proxy_to_logger(self, level: str, event: str | None = None, **fields: Any) -> None:  # noqa: ANN401
            self._tell(level, event, fields)

        def _tell(self, level: str, event: str | None, fields: dict[str, Any]) -> None:
            fields["event"] = event
            line: Any = fields
            try:
                for process in self._processors:
                    line = process(None, level, line)
            except structlog.DropEvent:
                return
            self._logger.write_line(line)

    for level, number in _LEVELS.items():
        if number >= least:
            setattr(Logger, level, _straight(level))
    return Logger


def _straight(level: str) -> Callable[..., None]:
    def write(logger: Any, event: str, **fields: Any) -> None:  # noqa: ANN401
        logger._tell(level, event, fields)  # noqa: SLF001 -- becomes a method of its class

    return write


class _Finish:
    """The last structlog processor: a finished line in the order of KEYS."""

    def __init__(self, render: Render) -> None:
        self._render = render

    def __call__(self, _logger: object, level: str, event: Fields) -> str:
        frame = sys._getframe(1)  # noqa: SLF001 -- the documented way to look at callers; inspect.stack() costs milliseconds
        fields = {**log_fields.bound(), **event}
        told = fields.pop("exc_info", None)
        exc_info = None if told is None else _exc_info(told)
        return self._render(_ordered(fields.pop("event"), level, _caller(frame), fields, exc_info))


class _StdlibHandler(logging.Handler):
    """Lines of other people's code, made like ours."""

    def __init__(self, render: Render, out: TextIO) -> None:
        super().__init__()
        self._render = render
        self._out = out

    def emit(self, record: logging.LogRecord) -> None:
        try:
            caller = f"{_short(record.pathname)}:{record.lineno}"
            fields = dict(log_fields.bound())
            exc_info = _exc_info(record.exc_info)
            line = _ordered(record.getMessage(), record.levelname.lower(), caller, fields, exc_info)
            self._out.write(f"{self._render(line)}\n")
            self._out.flush()
        except Exception:  # noqa: BLE001 -- logging's own convention: a line that cannot be written must not hurt the caller
            self.handleError(record)


def _ordered(msg: object, level: str, caller: str, fields: Fields, exc_info: ExcInfo | None) -> dict[str, Any]:
    line: dict[str, Any] = {"ts": _now(), "level": level, "caller": caller, "msg": msg}
    if exc_info is not None:
        fields.setdefault("error", cause(exc_info[1]))
        fields["traceback"] = "".join(traceback.format_exception(*exc_info))
    for name in _order(tuple(fields)):
        line[name] = fields[name]
    return line


@lru_cache(maxsize=1_024)
def _order(names: tuple[str, ...]) -> tuple[str, ...]:
    """The names in the order of KEYS, others behind; our own code chooses them, so there are few sets of them."""
    known = [name for name in _FIELDS if name in names]
    return (*known, *(name for name in names if name not in _FIELDS))


def _caller(frame: FrameType | None) -> str:
    while frame is not None and _is_plumbing(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    return _place(frame.f_code.co_filename, frame.f_lineno) if frame else "unknown:0"


@cache
def _is_plumbing(module: str) -> bool:
    return module.startswith(_PLUMBING)


@cache
def _place(path: str, line: int) -> str:
    return f"{_short(path)}:{line}"


def _now() -> str:
    seconds, milliseconds = divmod(time.time_ns() // 1_000_000, 1000)
    return f"{_second(seconds)}.{milliseconds:03d}Z"


@lru_cache(maxsize=1)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@cache
def _short(path: str) -> str:
    """The file and the folder it is in: enough to find it, and nothing of the machine it runs on."""
    return "/".join(path.rsplit("/", 2)[-2:])


def _exc_info(value: object) -> ExcInfo | None:
    if isinstance(value, BaseException):
        return type(value), value, value.__traceback__
    if not value:
        return None
    kind, error, trace = value if isinstance(value, tuple) else sys.exc_info()
    return (kind, error, trace) if error is not None else None


def _first_line(text: str) -> str:
    return text.split("\n", 1)[0][:500]


def _printable(value: object) -> str:
    """Text without control characters: a url chosen by a client must not move the reader's cursor."""
    text = str(value)
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
