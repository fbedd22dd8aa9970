"""Which moments of a run stay."""

from __future__ import annotations

from itertools import pairwise

import pytest

from engine.training.keeping import surplus


def kept_of(steps, size=10, **how):
    """Save a moment after each of the steps, as a run does, and return those that are left."""
    moments: dict[int, int] = {}
    for step in steps:
        moments[step] = size
        for gone in surplus(moments, **how):
            del moments[gone]
    return list(moments)


def test_newest_and_best_stay_however_large_they_are():
    assert kept_of(range(100, 1100, 100), size=10**12, best=(300,)) == [300, 900, 1000]


def test_nothing_goes_while_there_is_room():
    assert kept_of(range(50)) == list(range(50))
    assert surplus({}) == ()


@pytest.mark.parametrize("how", [{"budget": 200}, {"most": 20}])
def test_the_others_are_spread_over_the_whole_run(how):
    kept = kept_of(range(0, 100_000, 100), **how)
    assert len(kept) == 22
    assert kept[0] == 0
    assert kept[-2:] == [99_800, 99_900]
    assert all(after - before < 20_000 for before, after in pairwise(kept))
    assert sum(step < 50_000 for step in kept) > 11
