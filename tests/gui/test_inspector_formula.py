"""The arithmetic under a node's shapes, against torch's rule."""

from __future__ import annotations

import pytest

from engine import catalogue
from engine.layers.declaration import TensorType
from gui.inspector.formula import window_formula
from gui.panels.words import count, duration
from gui.widgets.fields import leading_digit


def formula(type_: str, before: tuple, after: tuple, **params) -> str:
    return window_formula(catalogue.layer(type_).values(params), TensorType(before), TensorType(after))


@pytest.mark.parametrize(
    ("params", "sizes", "expected"),
    [
        ({"kernel_size": 5}, (14, 10), "(14 − 5 + 0) / 1 + 1 = 10"),
        ({"kernel_size": 3, "padding": 1}, (28, 28), "(28 − 3 + 2) / 1 + 1 = 28"),
        ({"kernel_size": 3, "stride": 2}, (28, 13), "⌊(28 − 3 + 0) / 2⌋ + 1 = 13"),
        ({"kernel_size": 3, "dilation": 2}, (28, 24), "(28 − 5 + 0) / 1 + 1 = 24"),
        ({"kernel_size": 3}, (28, 30), ""),
    ],
)
def test_the_formula_of_a_convolution(params, sizes, expected):
    before, after = sizes
    assert formula("Conv2d", ("N", 1, before, before), ("N", 8, after, after), **params) == expected


def test_pooling_steps_by_its_window_and_axes_that_differ_have_two_lines():
    assert formula("MaxPool2d", ("N", 6, 24, 24), ("N", 6, 12, 12)) == "(24 − 2 + 0) / 2 + 1 = 12"
    ceiled = formula("MaxPool2d", ("N", 6, 25, 25), ("N", 6, 13, 13), ceil_mode=True)
    assert ceiled == "⌈(25 − 2 + 0) / 2⌉ + 1 = 13"
    lines = formula("Conv2d", ("N", 1, 20, 30), ("N", 1, 18, 26), kernel_size=(3, 5)).split("\n")
    assert lines == ["(20 − 3 + 0) / 1 + 1 = 18", "(30 − 5 + 0) / 1 + 1 = 26"]


def test_layers_without_a_window_have_no_formula():
    assert formula("Linear", ("N", 400), ("N", 120)) == ""
    assert formula("AdaptiveAvgPool2d", ("N", 6, 24, 24), ("N", 6, 1, 1)) == ""


@pytest.mark.parametrize(
    ("value", "up", "down"), [(0.001, 0.0011, 0.00099), (5.0, 5.1, 4.9), (0.0, 0.01, -0.01)]
)
def test_a_decimal_number_moves_by_its_own_size(value, up, down):
    assert leading_digit(value, 1) == pytest.approx(up)
    assert leading_digit(value, -1) == pytest.approx(down)


def test_numbers_and_times_as_people_read_them():
    assert [count(n) for n in (240, 9_999, 61_706, 240_000, 999_950, 138e6)] == [
        "240",
        "9,999",
        "61.7 k",
        "240 k",
        "1.0 M",
        "138 M",
    ]
    assert [duration(s) for s in (0.2, 8, 72, 1500, 7500, float("inf"))] == [
        "under 1 s",
        "8 s",
        "1 min 12 s",
        "25 min",
        "2 h 5 min",
        "a while",
    ]
