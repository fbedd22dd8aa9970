"""What parameters take, refuse and show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ParameterError
from engine.layers.params import Equation, Float, Ints, Sizes

PADDING = Sizes(name="padding", default=0, min=0, axes=2, words=("same", "valid"))
EQUATION = Equation(name="equation", default="ij->i")


@pytest.mark.parametrize(
    ("text", "value"),
    [("same", "same"), (" valid ", "valid"), ("3", 3), ("2, 2", 2), ("(1, 2)", (1, 2)), ("1×2", (1, 2))],
)
def test_padding_is_a_word_or_sizes(text, value):
    assert PADDING.parse(text) == value
    assert PADDING.parse(PADDING.text(value)) == value


@pytest.mark.parametrize("value", ["full", "Same", -1, (1, 2, 3), (1, -1), True, None, 1.5, [], "1;2"])
def test_padding_refuses_and_says_what_it_takes(value):
    with pytest.raises(
        ParameterError, match="one or two whole numbers of at least 0, or same, or valid, not"
    ):
        PADDING.check(value)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_sizes_are_one_or_one_for_each_axis(axes):
    sizes = Sizes(name="stride", default=1, min=1, axes=axes)
    assert sizes.check([4] * axes) == 4
    assert sizes.check(tuple(range(1, axes + 1))) == (1 if axes == 1 else tuple(range(1, axes + 1)))
    with pytest.raises(ParameterError):
        sizes.check((1,) * (axes + 1))


def test_one_number_may_stand_alone():
    dims = Ints(name="dim", default=-1, alone=True)
    assert dims.check((1,)) == 1
    assert dims.check([1, 2]) == (1, 2)
    assert dims.parse("1") == 1
    assert Ints(name="shape", default=(1,)).parse("1") == (1,)


@pytest.mark.parametrize("text", ["ij->i", "bij, bjk -> bik", "i,j->ij", "ij->", "Aa,a->A"])
def test_equations(text):
    assert EQUATION.parse(text) == text.replace(" ", "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ij",
        "ij->k",
        "ij->ii",
        "->",
        "...i->i",
        "ij->i->j",
        "i1->i",
        "ij,->i",
        "'",
        "i" * 99 + "->i",
        7,
        None,
    ],
)
def test_equations_that_are_none(text):
    with pytest.raises(ParameterError):
        EQUATION.check(text)


@given(st.text(max_size=20))
def test_an_equation_never_leaves_its_letters(text):
    try:
        checked = EQUATION.check(text)
    except ParameterError:
        return
    assert set(checked) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ,->")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_text_of_a_number_means_that_number(value):
    param = Float(name="x", default=0.0)
    assert param.parse(param.text(value)) == pytest.approx(value, rel=1e-9, abs=0)


def test_a_number_shows_no_noise():
    assert Float(name="x", default=0.0).text(0.1 + 0.2) == "0.3"
    assert Float(name="x", default=0.0).text(1 / 3) == repr(1 / 3)
