"""Reads the frames that matter out of a stack, whatever language printed it.

Part of version 1 of grouping: what it answers for a stack must never change.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

# The top of a stack tells faults apart; a recursion of a million frames tells no more than its first hundred.
_MAX_STACK = 64 * 1024
_MAX_LINES = 100
_MAX_LINE = 512
_TOP = 5


class Frame(NamedTuple):
    """One call: what stays the same between builds, and whether it is the application's own code."""

    function: str
    file: str
    in_app: bool


_POSITION = re.compile(r"(?::[0-9]+){1,2}\)?\Z")
_GECKO = re.compile(r"([^@]{0,256})@(.+?)(?::[0-9]+){1,2}\Z")
_PYTHON = re.compile(r'File "([^"]+)", line [0-9]+(?:, in (.+))?')
_DART = re.compile(r"#[0-9]+\s+(.+) \((.+)\)\Z")
_APPLE = re.compile(r"[0-9]+\s+(\S+(?: \S+)?)\s+0x[0-9a-fA-F]+ (.+?)(?: \+ [0-9]+)?(?: \(.*\))?\Z")
_ALIAS = re.compile(r" \[as [^\]]*\]")
# Compilers number what has no name: Outer$1, lambda$main$0, closure #2, $$ExternalSyntheticLambda7.
_NUMBERED = re.compile(r"(?<=[$_#A-Za-z])[0-9]+\b")
_MODIFIERS = ("async ", "new ", "static ")
# index-BxK3j2Qa.js, main.3f2a1bc9.chunk.js: what bundlers put between a name and its ending.
_BUILD_HASH = re.compile(r"[.\-_]((?=[A-Za-z_]*[0-9])[A-Za-z0-9_]{6,32}|[0-9a-f]{8,32})(?=\.)")

_FOREIGN = re.compile(
    r"node_modules|bower_components|-extension:|webkit-masked-url|\[native code\]|\bnative\b|node:|internal/|webpack/"
    r"|<frozen |site-packages|dist-packages|/lib/python|dart:|package:flutter/"
    r"|(?:^|[/\\])(?:vendors?|chunk-vendors|polyfills?|zone|react-dom|vue\.runtime|WAServiceMainContext|WAService"
    r"|WASubContext|appservice-framework|uni-app-vendor|uts)[.~\-\w]*\.js"
)
_FOREIGN_CLASSES = (
    "android.", "androidx.", "com.android.", "com.google.android.", "com.sun.", "dalvik.", "io.netty.", "io.reactivex.",
    "java.", "javax.", "jdk.", "kotlin.", "kotlinx.", "libcore.", "okhttp3.", "org.apache.", "org.springframework.",
    "retrofit2.", "scala.", "sun.",
)  # fmt: skip
_FOREIGN_IMAGES = re.compile(
    r"lib\w+|\?\?\?|dyld\w*|(?:UIKit|Core|Foundation|AppKit|CFNetwork|QuartzCore|GraphicsServices|SwiftUI|Combine|Security"
    r"|WebKit|JavaScriptCore|AVF|Metal|ImageIO|AttributeGraph|FrontBoard|BaseBoard|RunningBoard)\w*(?:\.dylib)?|\S+\.dylib"
)


def top_frames(stack: str) -> list[tuple[str, Frame]]:
    """Return the five topmost frames of `stack` with the lines they were read from, the innermost call first.

    Frames of libraries, browsers and runtimes are left out as long as any of the application's own are there. Lines
    that are no frame are skipped, and so is everything after the first hundred lines or 64 KiB.
    """
    frames = list(_frames(stack))
    own = [found for found in frames if found[1].in_app]
    return (own or frames)[:_TOP]


def _frames(stack: str) -> Iterator[tuple[str, Frame]]:
    lines = _lines(stack)
    # Python prints the innermost call last.
    if stack.startswith("Traceback "):
        lines = reversed(list(lines))
    own = 0
    for line in lines:
        frame = _read(line)
        if frame is None:
            continue
        yield line, frame
        own += frame.in_app
        if own == _TOP:
            return


def _lines(stack: str) -> Iterator[str]:
    lines = stack[:_MAX_STACK].split("\n", _MAX_LINES)[:_MAX_LINES]
    return (line[:_MAX_LINE].strip() for line in lines)


# Stacks of one fault consist of the same lines, and most events repeat a fault.
@lru_cache(maxsize=4096)
def _read(line: str) -> Frame | None:
    if line.startswith("at "):
        return _java(line) or _v8(line)
    if "@" in line and (found := _GECKO.match(line)):
        return _script(found[1], found[2], line)
    if line.startswith("File ") and (found := _PYTHON.match(line)):
        return _script(found[2] or "", found[1], line)
    if line.startswith("#") and (found := _DART.match(line)):
        return _script(found[1], _POSITION.sub("", found[2]), line)
    if line[:1].isdigit() and (found := _APPLE.match(line)):
        image, symbol = found[1], found[2]
        return Frame(_function(symbol), image, _FOREIGN_IMAGES.fullmatch(image) is None)
    return None


def _v8(line: str) -> Frame:
    call = line[3:]
    function, opening, location = call.partition(" (") if call.endswith(")") else ("", "", call)
    return _script(function, _POSITION.sub("", location.removesuffix(")") if opening else location), line)


def _java(line: str) -> Frame | None:
    """Return the frame of `at com.shop.Cart.pay(Cart.java:12)`: unlike V8 it has no space before the bracket."""
    call, opening, location = line[3:].partition("(")
    if not opening or not line.endswith(")") or " " in call or "." not in call:
        return None
    method = call.rpartition("/")[2]
    file = location[:-1].partition(":")[0]
    return Frame(_function(method), file, not method.startswith(_FOREIGN_CLASSES))


def _script(function: str, location: str, line: str) -> Frame:
    return Frame(_function(function), _file(location), _FOREIGN.search(line) is None)


def _function(name: str) -> str:
    """Return `name` without what varies between engines and builds; nameless functions are all `?`."""
    for modifier in _MODIFIERS:
        name = name.removeprefix(modifier)
    name = _NUMBERED.sub("", _ALIAS.sub("", name)).removeprefix("Object.")
    return "?" if name in {"", "<anonymous>", "anonymous", "[native code]"} else name


def _file(location: str) -> str:
    """Return the last part of `location` without query, fragment and the hash of the build."""
    path = location.partition("?")[0].partition("#")[0].replace("\\", "/")
    return _BUILD_HASH.sub(".", path.rstrip("/").rpartition("/")[2])
