"""Sketches against sorted lists: the error that the contract states is kept for every list of numbers."""

import math
import random

import pytest
from hypothesis import given, strategies as st

from server.store import sketch

ROUNDING = 1e-9
"""Of logarithms at the bounds of bins."""

sizes = st.floats(sketch.LEAST, sketch.MOST)
values = st.one_of(sizes, sizes.map(lambda size: -size), st.just(0.0), st.integers(-20, 20).map(float))
quantile = st.floats(0, 1)


def sketch_of(numbers: list[float], scale: sketch.Scale = sketch.FINE) -> sketch.Bins:
    bins: sketch.Bins = {}
    for number in numbers:
        sketch.add(bins, {scale.bin_of(number): 1})
    return bins


def at(numbers: list[float], q: float) -> float:
    """The measurement that a quantile stands for."""
    return sorted(numbers)[math.floor(q * (len(numbers) - 1))]


@pytest.mark.parametrize("scale", [sketch.FINE, sketch.COARSE])
@given(numbers=st.lists(values, min_size=1, max_size=200), q=quantile)
def test_quantile_is_within_the_stated_error(scale: sketch.Scale, numbers: list[float], q: float) -> None:
    (told,) = scale.quantiles(sketch_of(numbers, scale), [q])
    meant = at(numbers, q)
    assert abs(told - meant) <= abs(meant) * (scale.relative_error + ROUNDING)


@pytest.mark.parametrize("draw", [random.expovariate, lambda scale: random.gauss(0, 1 / scale)])
def test_quantiles_of_many_are_within_the_stated_error(draw) -> None:
    random.seed(11)
    numbers = [draw(1 / 2500) for _ in range(20_000)]
    asked = [0, 0.01, 0.25, 0.5, 0.75, 0.95, 0.999, 1]
    for q, told in zip(asked, sketch.FINE.quantiles(sketch_of(numbers), asked), strict=True):
        assert told == pytest.approx(at(numbers, q), rel=sketch.FINE.relative_error + ROUNDING)


@given(st.lists(values), st.lists(values), st.randoms())
def test_merging_and_order_change_nothing(some: list[float], more: list[float], rng: random.Random) -> None:
    together = some + more
    rng.shuffle(together)
    merged = sketch_of(some)
    sketch.add(merged, sketch_of(more))
    assert merged == sketch_of(together)


@given(st.lists(values))
def test_text_keeps_the_bins(numbers: list[float]) -> None:
    bins = sketch_of(numbers)
    assert sketch.from_text(sketch.to_text(bins)) == bins


@pytest.mark.parametrize(
    ("value", "shown"), [(1e-10, 0.0), (-1e-300, 0.0), (-0.0, 0.0), (1e300, sketch.MOST), (-1.7e308, -sketch.MOST)]
)
def test_extremes_count_as_the_nearest_that_fits(value: float, shown: float) -> None:
    (told,) = sketch.FINE.quantiles(sketch_of([value]), [0.5])
    assert told == pytest.approx(shown, rel=sketch.FINE.relative_error + ROUNDING)


@pytest.mark.parametrize(("scale", "bins"), [(sketch.FINE, 6_221), (sketch.COARSE, 1_247)])
def test_a_sketch_is_bounded_by_its_range(scale: sketch.Scale, bins: int) -> None:
    most, least = scale.bin_of(sketch.MOST), scale.bin_of(sketch.LEAST)
    assert least > 0
    assert 2 * (most - least + 1) + 1 == bins
    assert scale.bin_of(-sketch.MOST) == -most
