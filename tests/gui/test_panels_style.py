"""The look: one source of colors, readable in both themes, fonts with their licenses."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtGui import QColor, QFontInfo, QPalette

from gui import fonts, icons, style
from gui.bench import Bench
from gui.panels.top_bar import TopBar
from gui.store import Store
from gui.theme import DARK, LIGHT, Theme


@pytest.fixture(autouse=True)
def plain(qapp, tmp_path):
    """Keep the settings of the user and the look of other tests as they are."""
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path))
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    qapp.setOrganizationName("netwright-tests")
    yield
    qapp.setStyleSheet("")
    qapp.setPalette(QPalette())


def contrast(first: str, second: str) -> float:
    """The ratio of WCAG 2."""

    def light(name: str) -> float:
        parts = [part / 255 for part in QColor(name).getRgb()[:3]]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dim = sorted((light(first), light(second)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_every_color_of_the_stylesheet_is_filled_in(theme: Theme):
    text = style.stylesheet(theme)
    assert "$" not in text
    assert text.count("{") == text.count("}")
    own = {getattr(theme, field.name).lower() for field in fields(theme)}
    assert len(own & {color.lower() for color in re.findall(r"#[0-9A-Fa-f]{6}", text)}) > 10


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_text_can_be_read_on_every_ground(theme: Theme):
    grounds = (theme.window, theme.canvas, theme.panel, theme.raised, theme.field)
    for ground in (*grounds, theme.selection):
        assert contrast(theme.text, ground) > 7
        assert contrast(theme.muted, ground) > 4.5
    for token in ("accent", "ok", "warning", "error"):
        assert min(contrast(getattr(theme, token), ground) for ground in grounds) > 4.5
    assert contrast(theme.on_accent, theme.accent) > 4.5


def test_a_theme_is_applied_to_the_application(qapp):
    for theme in (LIGHT, DARK):
        style.apply(qapp, theme)
        assert style.current() is theme
        assert qapp.palette().color(QPalette.ColorRole.Text) == theme.color("text")
        assert theme.accent in qapp.styleSheet()


def test_the_choice_is_kept_and_beats_the_desktop(qapp):
    bench = Bench(Store())
    style.follow_system(qapp, bench)
    assert style.chosen() == "system"
    style.choose(qapp, bench, "light")
    assert bench.theme is LIGHT
    assert style.chosen() == "light"
    style.choose(qapp, bench, "dark")
    assert bench.theme is DARK
    assert style.current() is DARK


def test_an_unknown_choice_in_the_settings_is_the_desktops(qapp):
    QSettings().setValue("appearance/theme", "neon")
    assert style.chosen() == "system"


def test_the_bundled_fonts_are_there_with_their_licenses(qapp):
    assert {path.name for path in fonts.FONTS.iterdir()} >= {"Inter-OFL.txt", "JetBrainsMono-OFL.txt"}
    assert sum(path.stat().st_size for path in fonts.FONTS.iterdir()) < 3_000_000
    assert QFontInfo(fonts.mono_font()).family() == fonts.load_fonts()[1] == "JetBrains Mono"
    assert fonts.ui_font(15, 600).pixelSize() == 15


def test_icons_are_drawn_and_tinted_again_with_the_theme(qtbot):
    bench = Bench(Store())
    bar = TopBar(bench)
    qtbot.addWidget(bar)
    before = bar.stop_button.icon().pixmap(16, 16).toImage()
    bench.set_theme(LIGHT)
    assert bar.stop_button.icon().pixmap(16, 16).toImage() != before
    names = [*icons._FILLED, *icons._STROKED]
    pictures = [icons.icon(name, DARK.color("text")).pixmap(16, 16).toImage() for name in names]
    assert all(any(p.pixelColor(x, y).alpha() for x in range(16) for y in range(16)) for p in pictures)


def test_buttons_of_dialogs_have_words_and_no_pictures():
    # desktops differ in what they add; the platform of the tests adds none
    assert "QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }" in style.stylesheet(DARK)
