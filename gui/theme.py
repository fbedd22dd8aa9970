"""Colours, type and space: every number that the eye meets has its one place here."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QColor


@dataclass(frozen=True)
class Theme:
    """One set of colours; all are ``#rrggbb`` texts, ``color`` turns one into a QColor.

    ``text``, ``muted`` and what tells a state can be read on every ground, 4.5 to 1; ``faint`` cannot: it is
    for decoration, placeholders and what is disabled.
    """

    name: str
    window: str
    canvas: str
    panel: str
    raised: str
    field: str
    line: str
    grid: str
    text: str
    muted: str
    faint: str
    accent: str
    ok: str
    warning: str
    error: str
    wire: str
    heat: str
    selection: str
    on_accent: str

    @property
    def dark(self) -> bool:
        """Whether light text stands on a dark ground."""
        return self.name == "dark"

    def color(self, token: str, alpha: int = 255) -> QColor:
        """Return a token, or a ``#rrggbb`` text, as a colour with an alpha from 0 to 255."""
        color = QColor(token if token.startswith("#") else getattr(self, token))
        color.setAlpha(alpha)
        return color


DARK = Theme(
    "dark",
    window="#14161B",
    canvas="#171A20",
    panel="#1B1E25",
    raised="#232731",
    field="#15181D",
    line="#2C313C",
    grid="#20242C",
    text="#E7EAF0",
    muted="#9BA4B4",
    faint="#626C7C",
    accent="#6C9BFF",
    ok="#45BE91",
    warning="#E3B14C",
    error="#F17F89",
    wire="#616C80",
    heat="#D9772E",
    selection="#2A3756",
    on_accent="#0B1220",
)

LIGHT = Theme(
    "light",
    window="#EEF0F4",
    canvas="#F5F6F9",
    panel="#FFFFFF",
    raised="#FFFFFF",
    field="#F3F5F8",
    line="#DDE2EA",
    grid="#E6E9EF",
    text="#1A1F29",
    muted="#566072",
    faint="#8A94A5",
    accent="#2860EE",
    ok="#187A56",
    warning="#8A5C00",
    error="#BF3543",
    wire="#828D9F",
    heat="#E8761A",
    selection="#DCE6FF",
    on_accent="#FFFFFF",
)

CATEGORY = {
    "Data": "#2FB5A8",
    "Augmentation": "#96B83F",
    "Blocks": "#A77BF3",
    "My blocks": "#A77BF3",
    "Custom": "#B8A13A",
    "Convolution": "#4C9DFF",
    "Pooling": "#25B6D2",
    "Activation": "#F0A63A",
    "Linear": "#7C86FF",
    "Shape": "#8D97A8",
    "Arithmetic": "#8D97A8",
    "Normalization": "#A77BF3",
    "Recurrent": "#5DB85F",
    "Attention": "#D56CC4",
    "Regularization": "#E67FA8",
    "Loss": "#EB6A75",
}
"""The dot of each category, the same in both themes."""

COMMENT = {
    "blue": "#4C8DFF",
    "teal": "#25AFA3",
    "green": "#55B060",
    "amber": "#E0992F",
    "rose": "#E0719C",
    "gray": "#8792A4",
}
"""The color of frames and notes by its name, mixed into the ground."""

CLASSES = (
    "#4C9DFF",
    "#F0A63A",
    "#EB6A75",
    "#45BE91",
    "#A77BF3",
    "#25B6D2",
    "#E67FA8",
    "#8D97A8",
    "#B8A13A",
    "#5DB85F",
)
"""Colours of the classes of a data set, in order."""

OBJECTIVES = ("#2F80ED", "#C77700", "#C84FB4", "#1E9E6A", "#E05561", "#8F63EE", "#1193AE", "#8F7D1E")
"""Colours of the objectives of a training, in order; each stands out from the canvas of both themes."""

GRID = 4
RADIUS, NODE_RADIUS = 7, 10
TEXT_PX, CAPTION_PX, TITLE_PX, WELCOME_PX, CODE_PX = 13, 11, 15, 20, 11.5
