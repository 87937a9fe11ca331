"""What a fingerprint was made of, for whoever asks why two events are one issue."""

from typing import NamedTuple


class Input(NamedTuple):
    """One thing that went into a fingerprint: its name, how the client sent it, and what was made of it."""

    name: str
    raw: str
    normalised: str


class Masked(NamedTuple):
    """A part of an input that was replaced because it varies, and what stands for it."""

    text: str
    mask: str
