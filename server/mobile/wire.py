"""The primitive encodings of the OpenReplay mobile wire format, read with bounds and written canonically.

A reader takes the bytes and a position and returns the value and the position behind it. It raises WireFault when the
bytes break the format; every reader refuses to look past the end of `data`.
"""

import json

MAX_UINT = 2**64 - 1
# The original refuses longer strings before it even looks whether the bytes are there.
MAX_STRING_BYTES = 10_000_000
# 64 bits in groups of seven: nine full groups and one bit.
_MAX_UINT_BYTES = 10


class WireFault(ValueError):
    """Bytes that break the format; the text says how."""


def read_uint(data: bytes, pos: int) -> tuple[int, int]:
    """An LEB128 number of at most 64 bits; over-long forms such as `80 00` are legal, as in the original."""
    # One and two bytes are lengths and coordinates: nearly all numbers there are.
    try:
        first = data[pos]
        if first < 0x80:
            return first, pos + 1
        second = data[pos + 1]
    except IndexError:
        raise WireFault("cut inside a number") from None
    value = first & 0x7F | (second & 0x7F) << 7
    if second < 0x80:
        return value, pos + 2
    shift = 14
    for byte in data[pos + 2 : pos + _MAX_UINT_BYTES]:
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            if value > MAX_UINT:
                raise WireFault("number does not fit 64 bits")
            return value, pos + shift // 7
    if shift == 7 * _MAX_UINT_BYTES:
        raise WireFault("number does not fit 64 bits")
    raise WireFault("cut inside a number")


def read_int(data: bytes, pos: int) -> tuple[int, int]:
    """A signed number, zig-zag inside a uint: 0, -1, 1, -2 are written 0, 1, 2, 3."""
    raw, pos = read_uint(data, pos)
    return (raw >> 1) ^ -(raw & 1), pos


def read_boolean(data: bytes, pos: int) -> tuple[bool, int]:
    """One byte that is true only when it is exactly 1."""
    if pos >= len(data):
        raise WireFault("cut inside a boolean")
    return data[pos] == 1, pos + 1


def read_string(data: bytes, pos: int) -> tuple[str, int]:
    """Text behind its byte length; bytes that are no UTF-8 become U+FFFD, for a tracker that logs junk still logs."""
    raw, pos = read_string_bytes(data, pos)
    return raw.decode("utf-8", "replace"), pos


def read_string_bytes(data: bytes, pos: int) -> tuple[bytes, int]:
    """The bytes of a string, undecoded."""
    length, pos = read_uint(data, pos)
    if length > MAX_STRING_BYTES:
        raise WireFault(f"string of {length} bytes is over {MAX_STRING_BYTES}")
    end = pos + length
    if end > len(data):
        raise WireFault("cut inside a string")
    return data[pos:end], end


def read_json(data: bytes, pos: int) -> tuple[object, int]:
    """JSON text behind its byte length: part of the v1.7.0 format, though no message of it carries one."""
    raw, pos = read_string_bytes(data, pos)
    try:
        return json.loads(raw), pos
    except (ValueError, RecursionError) as error:
        raise WireFault(f"not JSON: {error}") from error


def read_size(data: bytes, pos: int) -> tuple[int, int]:
    """Three little-endian bytes: how long a message of a web batch is."""
    return _read_fixed(data, pos, 3)


def read_index(data: bytes, pos: int) -> tuple[int, int]:
    """Eight little-endian bytes: how stored replay files number their messages."""
    return _read_fixed(data, pos, 8)


def _read_fixed(data: bytes, pos: int, width: int) -> tuple[int, int]:
    end = pos + width
    if end > len(data):
        raise WireFault(f"cut inside {width} fixed bytes")
    return int.from_bytes(data[pos:end], "little"), end


def write_uint(value: int) -> bytes:
    """The shortest LEB128 form of a number from 0 to MAX_UINT; raises ValueError for any other."""
    if not 0 <= value <= MAX_UINT:
        raise ValueError(f"{value} is not an unsigned 64-bit number")
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def write_int(value: int) -> bytes:
    """The zig-zag form of a signed 64-bit number."""
    return write_uint((value << 1) ^ (value >> 63))


def write_string(value: str) -> bytes:
    """Text as UTF-8 behind its byte length."""
    raw = value.encode("utf-8")
    return write_uint(len(raw)) + raw
