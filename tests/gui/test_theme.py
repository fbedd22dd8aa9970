"""Texts can be read on every ground, in both themes."""

from __future__ import annotations

import pytest

from gui.theme import DARK, LIGHT

GROUNDS = ("window", "canvas", "panel", "raised", "field")


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
@pytest.mark.parametrize("ink", ["text", "muted", "accent", "ok", "warning", "error"])
def test_every_ink_can_be_read_on_every_ground(theme, ink):
    assert {g: contrast(getattr(theme, ink), getattr(theme, g)) >= 4.5 for g in GROUNDS} == dict.fromkeys(
        GROUNDS, True
    )


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_words_on_the_accent_and_on_what_is_selected(theme):
    assert contrast(theme.on_accent, theme.accent) >= 4.5
    assert contrast(theme.text, theme.selection) >= 4.5
    assert contrast(theme.muted, theme.selection) >= 4.5
