"""Draws the screens of an imaginary phone app as PNG, with nothing but the standard library."""

import struct
import zlib
from functools import cache
from typing import Final

WIDTH: Final = 195
HEIGHT: Final = 422
"""Half the points of the phone, which is 390 x 844."""

Colour = tuple[int, int, int]
_INK, _SOFT, _LINE, _GROUND, _CARD = (28, 36, 33), (120, 132, 127), (218, 224, 221), (244, 246, 245), (255, 255, 255)
_ACCENT, _BAD = (32, 105, 90), (179, 38, 30)
_TINTS: Final = ((240, 200, 160), (180, 210, 235), (210, 225, 180), (230, 190, 215))

# Five columns a letter, seven bits each, the lowest bit on top.
_LETTERS: Final = {
    letter: bytes.fromhex(columns)
    for letter, columns in {
        "A": "7e1111117e", "B": "7f49494936", "C": "3e41414122", "D": "7f4141221c", "E": "7f49494941", "F": "7f09090901",
        "G": "3e41495a7a", "H": "7f0808087f", "I": "00417f4100", "L": "7f40404040", "M": "7f020c027f", "N": "7f0408107f",
        "O": "3e4141413e", "P": "7f09090906", "R": "7f09192946", "S": "4649494931", "T": "01017f0101", "U": "3f4040403f",
        "V": "1f2040201f", "W": "3f4038403f", "Y": "0708700807", "K": "7f08142241", "0": "3e5149453e", "1": "00427f4000",
        "2": "4261514946", "4": "1814127f10", "5": "2745454539", "9": "064949291e", ".": "0060600000", " ": "0000000000",
        "-": "0808080808",
    }.items()
}  # fmt: skip


class _Canvas:
    def __init__(self, ground: Colour) -> None:
        self._rows = [bytearray(bytes(ground) * WIDTH) for _ in range(HEIGHT)]

    def box(self, x: int, y: int, width: int, height: int, colour: Colour) -> None:
        for row in self._rows[max(0, y) : max(0, y + height)]:
            row[x * 3 : (x + width) * 3] = bytes(colour) * width

    def write(self, x: int, y: int, text: str, colour: Colour, size: int = 1) -> None:
        for place, letter in enumerate(text):
            for column, bits in enumerate(_LETTERS[letter]):
                for line in range(7):
                    if bits >> line & 1:
                        self.box(x + (place * 6 + column) * size, y + line * size, size, size, colour)

    def png(self) -> bytes:
        raw = b"".join(b"\0" + bytes(row) for row in self._rows)
        head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            _chunk(name, data) for name, data in ((b"IHDR", head), (b"IDAT", zlib.compress(raw, 9)), (b"IEND", b""))
        )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


@cache
def screen(name: str, step: int = 0) -> bytes:
    """A screen of the app as PNG: `home` and `product` (scrolled by `step`), `cart`, `payment` (`step` turns of its wheel), `failed`."""
    canvas = _Canvas(_GROUND)
    {"home": _home, "product": _product, "cart": _cart, "payment": _payment, "failed": _failed}[name](canvas, step)
    canvas.box(0, 0, WIDTH, 44, _CARD)
    canvas.write(12, 22, {"home": "SHOP", "failed": "PAYMENT"}.get(name, name.upper()), _INK, 2)
    canvas.box(0, 43, WIDTH, 1, _LINE)
    return canvas.png()


def _home(canvas: _Canvas, step: int) -> None:
    for row in range(5):
        for column in range(2):
            x, y = 12 + column * 90, 54 + row * 112 - step * 18
            canvas.box(x, y, 81, 104, _CARD)
            canvas.box(x, y, 81, 64, _TINTS[(row * 2 + column) % 4])
            canvas.box(x + 8, y + 72, 56, 5, _INK)
            canvas.write(x + 8, y + 86, f"{9 + row}.90".replace("10", "19").replace("3", "2"), _SOFT)


def _product(canvas: _Canvas, step: int) -> None:
    canvas.box(12, 54 - step * 12, 171, 170, _TINTS[1])
    for line, width in enumerate((150, 166, 120, 158, 90)):
        canvas.box(12, 244 + line * 14 - step * 12, width, 5, _INK if line == 0 else _SOFT)
    _button(canvas, 360, "ADD TO CART", _ACCENT)


def _cart(canvas: _Canvas, _: int) -> None:
    for row in range(3):
        y = 58 + row * 66
        canvas.box(12, y, 171, 58, _CARD)
        canvas.box(18, y + 7, 44, 44, _TINTS[row])
        canvas.box(72, y + 14, 80, 5, _INK)
        canvas.write(72, y + 32, f"{row + 1} - 19.90"[:9].replace("3", "2"), _SOFT)
    canvas.write(14, 300, "TOTAL", _INK, 2)
    canvas.write(120, 300, "59.40", _INK, 2)
    _button(canvas, 360, "PAY", _ACCENT)


def _payment(canvas: _Canvas, step: int) -> None:
    for place in range(8):
        x, y = ((0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1))[place]
        canvas.box(92 + x * 24, 180 + y * 24, 12, 12, _ACCENT if place == step % 8 else _LINE)
    canvas.write(58, 240, "ONE MOMENT...", _SOFT)
    _button(canvas, 360, "PAY", _ACCENT)


def _failed(canvas: _Canvas, _: int) -> None:
    canvas.box(12, 140, 171, 90, _CARD)
    canvas.box(12, 140, 4, 90, _BAD)
    canvas.write(28, 160, "NO ANSWER", _BAD, 2)
    canvas.box(28, 192, 130, 5, _SOFT)
    canvas.box(28, 206, 96, 5, _SOFT)
    _button(canvas, 360, "PAY", _ACCENT)


def _button(canvas: _Canvas, y: int, text: str, colour: Colour) -> None:
    canvas.box(16, y, WIDTH - 32, 40, colour)
    canvas.write(WIDTH // 2 - len(text) * 6, y + 13, text, _CARD, 2)
