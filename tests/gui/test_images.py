"""Pictures of numbers, pixel by pixel."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtGui import QColor

from gui.images import NAN, lut, mosaic, rgb_image, to_image
from gui.theme import DARK, LIGHT


def pixels(image):
    return [[image.pixelColor(x, y).name() for x in range(image.width())] for y in range(image.height())]


def words(table):
    return [QColor.fromRgba(int(word)).name() for word in table]


def test_gray_runs_from_black_to_white_and_clips():
    image = to_image(np.array([[0.0, 1.0, 2.0], [-5.0, 9.0, 0.5]]), 0, 2, "gray")
    assert (image.width(), image.height()) == (3, 2)
    assert pixels(image) == [["#000000", "#808080", "#ffffff"], ["#000000", "#ffffff", "#404040"]]


def test_magma_is_dark_at_the_bottom_light_at_the_top_and_ever_brighter():
    table = lut("magma")
    assert words(table[[0, 254]]) == ["#000004", "#fcfdbf"]
    light = [QColor(name).lightnessF() for name in words(table[:255])]
    assert all(after > before - 0.01 for before, after in pairwise(light))
    assert light[-1] - light[0] > 0.7


@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_signed_has_the_panel_in_its_middle_and_its_ends_are_symmetric(theme):
    image = to_image(np.array([[-1.0, 0.0, 1.0, 2.0]]), -1, 2, "signed", theme)
    row = pixels(image)[0]
    assert row[1] == theme.panel.lower()
    blue, half, amber = (QColor(row[i]) for i in (0, 2, 3))
    assert blue.blue() > blue.red()
    assert amber.red() > amber.blue()
    assert half.name() != amber.name()  # 1 is half of the larger side
    assert pixels(to_image(np.array([[-2.0]]), -1, 2, "signed", theme)) == [[words(lut("signed", theme))[0]]]


def test_not_a_number_is_green_and_infinities_take_the_ends():
    image = to_image(np.array([[np.nan, np.inf, -np.inf]]), 0, 1, "gray")
    assert pixels(image) == [[NAN.lower(), "#ffffff", "#000000"]]
    assert NAN.lower() not in words(lut("magma")[:255])


def test_a_range_of_no_width_is_calm():
    assert pixels(to_image(np.full((1, 2), 3.0), 3, 3, "gray")) == [["#000000", "#000000"]]
    assert pixels(to_image(np.zeros((1, 1)), 0, 0, "signed", LIGHT)) == [["#ffffff"]]


def test_the_image_owns_its_memory():
    values = np.zeros((4, 4), np.float32)
    image = to_image(values, 0, 1, "gray")
    values[:] = 1
    assert pixels(image) == [["#000000"] * 4] * 4


def test_mosaic_places_maps_row_by_row_with_gaps_and_an_empty_cell():
    maps = np.stack([np.full((1, 2), value, float) for value in (0, 1, 2)])
    image = mosaic(maps, 2, 0, 2, "gray", gap=1, background="#ff0000")
    red = "#ff0000"
    assert pixels(image) == [
        ["#000000", "#000000", red, "#808080", "#808080"],
        [red] * 5,
        ["#ffffff", "#ffffff", red, red, red],
    ]


def test_mosaic_without_background_is_transparent_between_the_maps():
    image = mosaic(np.ones((2, 1, 1)), 2, 0, 1, "gray", gap=2)
    assert [image.pixelColor(x, 0).alpha() for x in range(4)] == [255, 0, 0, 255]
    assert (image.width(), image.height()) == (4, 1)


def test_three_channels_are_colors_and_two_are_gray():
    picture = np.zeros((3, 1, 2))
    picture[0, 0, 0] = picture[2, 0, 1] = 1
    assert pixels(rgb_image(picture)) == [["#ff0000", "#0000ff"]]
    assert pixels(rgb_image(np.ones((2, 1, 1)))) == [["#ffffff"]]


def test_an_unknown_map_is_refused():
    with pytest.raises(ValueError, match="no color map 'jet'"):
        lut("jet")
