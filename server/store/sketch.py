"""Quantile sketches: how measurements are spread, in a few hundred bytes and with a known error.

A DDSketch (Masson, Rim, Lee: "DDSketch", VLDB 2019). The bounds of its bins grow by a constant factor, so that the value
that stands for a bin is within the scale's relative error of every value in it. Adding and merging only count, in whatever order: the
same measurements make the same sketch, whoever wrote them and on either engine. Sketches that promise an error of rank
(KLL, t-digest) lost here: some draw lots, so that asking twice may answer twice, and none bounds the error of the value.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import orjson
from ddsketch.ddsketch import BaseDDSketch
from ddsketch.mapping import LogarithmicMapping
from ddsketch.store import DenseStore

LEAST: Final = 1e-9
"""Values nearer to zero count as zero."""

MOST: Final = 1e18
"""Values farther from zero count as this far. With LEAST it bounds a sketch to 6,221 bins of 1 %, whatever a client sends."""

Bins = dict[int, int]
"""Measurements by bin: above zero for values above zero, below for those below, 0 for zero."""


class Scale:
    """How wide bins are: sketches of one scale can be merged, those of different ones cannot."""

    def __init__(self, relative_error: float) -> None:
        self.relative_error = relative_error
        self._mapping = LogarithmicMapping(relative_error, offset=2_000)  # so that the key of LEAST, too, is above zero

    def bin_of(self, value: float) -> int:
        """The bin of a finite value."""
        size = abs(value)
        if size < LEAST:
            return 0
        key = self._mapping.key(min(size, MOST))
        return key if value > 0 else -key

    def quantiles(self, bins: Mapping[int, int], asked: Sequence[float]) -> list[float]:
        """For each asked q of 0 to 1 the value at position floor(q * (n - 1)) of the n measurements in order; n > 0."""
        above, below = DenseStore(), DenseStore()
        for key, count in bins.items():
            if key:
                (above if key > 0 else below).add(abs(key), count)
        sketch = BaseDDSketch(self._mapping, above, below, bins.get(0, 0))
        return [float(sketch.get_quantile_value(q) or 0.0) for q in asked]


FINE: Final = Scale(0.01)
COARSE: Final = Scale(0.05)
"""A fifth of the bins."""


def add(bins: Bins, more: Mapping[int, int]) -> None:
    """Count `more` into `bins`."""
    for key, count in more.items():
        bins[key] = bins.get(key, 0) + count


def to_text(bins: Mapping[int, int]) -> str:
    """The bins as kept in the database: a JSON list of bins and one of their counts."""
    return orjson.dumps((list(bins), list(bins.values()))).decode()


def from_text(text: str) -> Bins:
    """The bins that `to_text` wrote."""
    keys, counts = orjson.loads(text)
    return dict(zip(keys, counts, strict=True))
