"""How every widget looks: one palette and one stylesheet, both generated from a theme."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from gui.fonts import ui_font
from gui.theme import DARK, LIGHT, TEXT_PX, Theme

if TYPE_CHECKING:
    from gui.bench import Bench

ASSETS = Path(__file__).parent / "assets"
CHOICES = ("system", "dark", "light")
"""What the user can choose; ``system`` follows the desktop."""

SWITCH_OFF = 0.5
"""How far the track of a switch that is off stands out: it is all that shows where the switch is."""

_SETTING = "appearance/theme"
_current = DARK


def current() -> Theme:
    """Return the theme that was applied last, for small widgets that paint themselves."""
    return _current


@lru_cache(maxsize=1024)
def mix(ground: str, over: str, share: float) -> str:
    """Return the color between two ``#rrggbb`` texts; ``share`` is how much of the second, 0 to 1."""
    pairs = zip(QColor(ground).getRgb()[:3], QColor(over).getRgb()[:3], strict=True)
    return QColor(*(round(a + (b - a) * share) for a, b in pairs)).name()


def tokens(theme: Theme) -> dict[str, str]:
    """Every color that the stylesheet names: the theme's own, and those between two of them."""
    own = {name: getattr(theme, name) for name in theme.__dataclass_fields__}
    return {
        **own,
        "icons": (ASSETS / "icons").as_posix(),
        "button": theme.raised,
        "hover": mix(theme.raised, theme.text, 0.06),
        "pressed": mix(theme.raised, theme.text, 0.11),
        "accent_hover": mix(theme.accent, "#FFFFFF" if theme.dark else "#000000", 0.1),
        "accent_pressed": mix(theme.accent, "#000000", 0.12 if theme.dark else 0.2),
        "accent_faint": mix(theme.panel, theme.accent, 0.4),
        "line_hover": mix(theme.line, theme.text, 0.16),
        "segment": theme.field if theme.dark else theme.window,
        "segment_line": mix(theme.field, theme.line, 0.35) if theme.dark else theme.window,
        "segment_edge": theme.raised if theme.dark else theme.line,
        "scroll": mix(theme.panel, theme.text, 0.17),
        "scroll_hover": mix(theme.panel, theme.text, 0.3),
        "switch_off": mix(theme.panel, theme.text, SWITCH_OFF),
        "track": mix(theme.panel, theme.text, 0.11),
        "knob": theme.text if theme.dark else "#FFFFFF",
        "tip": theme.raised,
        "notice_error": mix(theme.panel, theme.error, 0.16),
        "notice_warning": mix(theme.panel, theme.warning, 0.16),
        "card": theme.window if theme.dark else theme.panel,
    }


@cache
def stylesheet(theme: Theme) -> str:
    """Return the stylesheet of a theme."""
    return Template((ASSETS / "style.qss").read_text(encoding="utf-8")).substitute(tokens(theme))


def palette(theme: Theme) -> QPalette:
    """Return the palette of a theme, for what the stylesheet does not reach: links, dialogs, plots."""
    role = QPalette.ColorRole
    result = QPalette()
    for name, token in {
        role.Window: theme.panel,
        role.Base: theme.field,
        role.AlternateBase: theme.raised,
        role.Button: theme.raised,
        role.ToolTipBase: theme.raised,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.on_accent,
        role.Link: theme.accent,
        role.PlaceholderText: theme.muted,
        role.Mid: theme.line,
        role.Dark: theme.line,
        role.Midlight: theme.raised,
        role.Light: theme.raised,
        **dict.fromkeys((role.WindowText, role.Text, role.ButtonText, role.ToolTipText), theme.text),
    }.items():
        result.setColor(name, QColor(token))
    if hasattr(role, "Accent"):
        result.setColor(role.Accent, QColor(theme.accent))
    for name in (role.WindowText, role.Text, role.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, name, QColor(theme.faint))
    return result


def apply(app: QApplication, theme: Theme) -> None:
    """Give the whole application the colors of a theme."""
    global _current
    _current = theme
    if not app.property("netwright_style"):
        app.setStyle(QStyleFactory.create("Fusion"))
        app.setFont(ui_font(TEXT_PX))
        app.setProperty("netwright_style", True)
    app.setPalette(palette(theme))
    app.setStyleSheet(stylesheet(theme))


def chosen() -> str:
    """Return the user's choice: ``system``, ``dark`` or ``light``."""
    choice = QSettings().value(_SETTING, "system")
    return choice if choice in CHOICES else "system"


def choose(app: QApplication, bench: Bench, choice: str) -> None:
    """Store and apply the user's choice of theme."""
    QSettings().setValue(_SETTING, choice)
    _show(app, bench)


def follow_system(app: QApplication, bench: Bench) -> None:
    """Show dark or light as the desktop does, now and when it changes, unless the user chose otherwise.

    Call it before the window is made: the application's colors are then set before any part hears of them.
    """
    bench.theme_changed.connect(lambda theme: apply(app, theme))
    app.styleHints().colorSchemeChanged.connect(lambda scheme: _show(app, bench))
    _show(app, bench)


def begin(app: QApplication) -> None:
    """Give the application the colors that were chosen, before anything else is loaded."""
    apply(app, _wanted(app))


def _wanted(app: QApplication) -> Theme:
    hints = app.styleHints()
    wanted = {"dark": Qt.ColorScheme.Dark, "light": Qt.ColorScheme.Light}
    if hasattr(hints, "setColorScheme"):  # Qt 6.8: title bars and system dialogs follow the choice too
        hints.setColorScheme(wanted.get(chosen(), Qt.ColorScheme.Unknown))
    light = hints.colorScheme() == Qt.ColorScheme.Light
    return {"dark": DARK, "light": LIGHT}.get(chosen(), LIGHT if light else DARK)


def _show(app: QApplication, bench: Bench) -> None:
    theme = _wanted(app)
    if theme is not bench.theme or theme is not _current or not app.styleSheet():
        bench.set_theme(theme)
