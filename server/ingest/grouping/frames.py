"""Reads the frames that matter out of a stack, whatever language printed it.

Part of version 1 of grouping: what it answers for a stack must never change.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
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


# Patterns run on one short line each, and none takes more than a few steps for each of its characters.
_GECKO = re.compile(r"([^@]{0,256})@(.+?)(?::[0-9]+){1,2}\Z")
_PYTHON = re.compile(r'File "([^"]+)", line [0-9]+(?:, in (.+))?')
_ALIAS = re.compile(r" \[as [^\]]*\]")
# Compilers number what has no name: Outer$1, lambda$main$0, closure #2, ExternalSyntheticLambda7. Names that people
# number (step1, step2) are different functions.
_NUMBERED = re.compile(r"(?:(?<=[$#])|(?<=Lambda))[0-9]+\b")
_MODIFIERS = ("async ", "new ", "static ")
_NAMELESS = frozenset({"", "<anonymous>", "anonymous", "[native code]", "<unknown>"})
# What bundlers put between a name and its ending: index-BxKj_QaZ.js (8 characters by Vite and Rollup, mostly without
# the look of a word) and main.3f2a1bc9.chunk.js.
_BUILD_HASH = re.compile(
    r"-(?=[\w\-]{8}\.m?js\Z)(?=[A-Za-z_\-]{0,7}[0-9]|(?:[^A-Z.]{0,7}[A-Z]){3})[\w\-]{8}(?=\.)"
    r"|[.\-_](?:(?=[A-Za-z]{0,31}[0-9])[A-Za-z0-9]{6,32}|[0-9a-f]{8,32})(?=\.)"
)

_PAGE = "<page>"

# What only lines of libraries, extensions and runtimes have in them; V8 prints its builtins as `(<anonymous>)`.
_FOREIGN_MARKS = (
    "node_modules", "bower_components", "-extension:", "webkit-masked-url", "[native code]", "(native)", "(<anonymous>)",
    "node:", "(internal/", " internal/", "webpack/bootstrap", "webpack/runtime", "<frozen ", "site-packages",
    "dist-packages", "/lib/python", "(dart:", "package:flutter/",
)  # fmt: skip
_FOREIGN_FILES = (
    "vendor.", "vendor-", "vendors.", "vendors-", "vendors~", "chunk-vendors", "polyfill.", "polyfills", "zone.js",
    "react-dom", "vue.runtime", "WAService", "WASubContext", "appservice-framework",
)  # fmt: skip
_FOREIGN_CLASSES = (
    "android.", "androidx.", "com.android.", "com.google.android.", "com.sun.", "dalvik.", "io.netty.", "io.reactivex.",
    "java.", "javax.", "jdk.", "kotlin.", "kotlinx.", "libcore.", "okhttp3.", "org.apache.", "org.springframework.",
    "retrofit2.", "scala.", "sun.",
)  # fmt: skip
_FOREIGN_IMAGES = re.compile(
    r"lib[\w.+\-]+\.dylib|libswift\w+|libsystem_\w+|libobjc[\w.]*|libdispatch\w*|\?\?\?|dyld\w*|UIKit\w*|AppKit|CFNetwork"
    r"|Foundation|Core(?:Foundation|Data|Graphics|Location|Text|Media|ML|Bluetooth|Animation|Video|Audio)|QuartzCore"
    r"|GraphicsServices|SwiftUI\w*|Combine|Security|WebKit|WebCore|JavaScriptCore|AVFoundation|AVFAudio|Metal|ImageIO"
    r"|AttributeGraph|(?:Front|Base|Running)Board\w*"
)


def top_frames(stack: str) -> list[tuple[str, Frame]]:
    """Return the five topmost frames of `stack` with the lines they were read from, the innermost call first.

    Frames of libraries, browsers and runtimes are left out as long as any of the application's own are there. Lines
    that are no frame are skipped, and so is everything beyond a hundred lines or 64 KiB.
    """
    frames = list(_frames(stack))
    own = [found for found in frames if found[1].in_app]
    return (own or frames)[:_TOP]


def _frames(stack: str) -> Iterator[tuple[str, Frame]]:
    own = 0
    for line in _lines(stack):
        text = line[:_MAX_LINE].strip()
        frame = _read(text)
        if frame is None:
            continue
        yield text, frame
        own += frame.in_app
        if own == _TOP:
            return


def _lines(stack: str) -> list[str]:
    """Return the lines nearest to the innermost call, which Python prints last and everybody else first."""
    if stack.startswith("Traceback "):
        return stack[-_MAX_STACK:].rsplit("\n", _MAX_LINES)[:0:-1]
    return stack[:_MAX_STACK].split("\n", _MAX_LINES)[:_MAX_LINES]


# Stacks of one fault consist of the same lines, and most events repeat a fault.
@lru_cache(maxsize=4096)
def _read(line: str) -> Frame | None:
    if line.startswith("at "):
        return _java(line) or _v8(line)
    if line.startswith("File ") and (found := _PYTHON.match(line)):
        return _script(found[2] or "", found[1], line)
    if line.startswith("#"):
        return _dart(line)
    if line[:1].isdigit():
        return _apple(line)
    if "@" in line and (found := _GECKO.match(line)):
        return _script(found[1].removesuffix("/<"), found[2], line)
    return None


def _v8(line: str) -> Frame:
    """Return the frame of `at async Cart.pay (https://shop.test/app.js:1:2)`, where the function may be missing."""
    call = line[3:].removeprefix("async ")
    function, opening, location = call.partition(" (") if call.endswith(")") else ("", "", call)
    location = location.removesuffix(")") if opening else location
    if location.startswith("eval at "):
        location = location.rpartition(", ")[2]
    return _script(function, location, line)


def _java(line: str) -> Frame | None:
    """Return the frame of `at com.shop.Cart.pay(Cart.java:12)`: unlike V8 it has no space before the bracket."""
    call, opening, location = line[3:].partition("(")
    if not opening or not line.endswith(")") or " " in call or "." not in call:
        return None
    method = call.rpartition("/")[2]
    file = location[:-1].partition(":")[0]
    return Frame(_function(method), file, not method.startswith(_FOREIGN_CLASSES))


def _dart(line: str) -> Frame | None:
    """Return the frame of `#1      Cart.pay (package:shop/cart.dart:12:5)`."""
    _, _, call = line.partition(" ")
    function, opening, location = call.rpartition(" (")
    return _script(function.strip(), location.removesuffix(")"), line) if opening else None


def _apple(line: str) -> Frame | None:
    """Return the frame of `3   Shop   0x0000000104d2c3f4 Cart.pay() + 52`, read without the address and the offset."""
    before, address, after = line.partition(" 0x")
    image = before.lstrip("0123456789").strip()
    symbol = after.partition(" ")[2]
    if not address or not image:
        return None
    symbol = symbol.rpartition(" + ")[0] or symbol
    return Frame(_function(symbol), image, _FOREIGN_IMAGES.fullmatch(image) is None)


def _script(function: str, location: str, line: str) -> Frame:
    file = file_name(_without_position(_without_position(location)))
    # A search for one string is so much cheaper than for a pattern of all that a dozen of them still are.
    foreign = file.startswith(_FOREIGN_FILES) or any(mark in line for mark in _FOREIGN_MARKS)
    return Frame(_function(function), file, not foreign)


def _without_position(location: str) -> str:
    """Return `location` without the line or the column at its end."""
    before = location.rstrip("0123456789")
    return before[:-1] if before.endswith(":") and before != location else location


def _function(name: str) -> str:
    """Return `name` without what varies between engines and builds; nameless functions are all `?`."""
    for modifier in _MODIFIERS:
        name = name.removeprefix(modifier)
    name = _NUMBERED.sub("", _ALIAS.sub("", name)).removeprefix("Object.")
    return "?" if name in _NAMELESS else name


def file_name(location: str) -> str:
    """Return the last part of `location` without query, fragment and the hash of the build.

    An address whose last part has no ending is a page with a script in it; which page varies with the data shown.
    """
    path = location.partition("?")[0].partition("#")[0].replace("\\", "/")
    _, scheme, address = path.partition("://")
    name = (address.partition("/")[2] if scheme else path).rpartition("/")[2]
    return _BUILD_HASH.sub("", name) if "." in name or not scheme else _PAGE
