"""The presets as entries of the gallery, with pictures drawn from their real documents."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QImage

from gui.canvas.thumbnail import thumbnail
from gui.gallery.entry import Entry
from gui.theme import Theme
from presets import presets

_CARD = QSize(266, 104)


def entries() -> list[Entry]:
    """Return every preset as an entry."""
    return [
        Entry(preset.name, preset.title, preset.subtitle, preset.group, preset.shelf, preset.time)
        for preset in presets().values()
    ]


def pictures(theme: Theme) -> dict[str, QImage]:
    """Return a small drawing of every preset, by name."""
    return {name: thumbnail(preset.document(), theme, _CARD) for name, preset in presets().items()}
