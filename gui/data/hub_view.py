"""One set of the hub: what it is, which of its columns become fields, and its first rows."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QPushButton, QWidget

from engine.compiler.analysis import in_bytes
from engine.data.hub import usable
from engine.data.hub_client import Description, Found
from gui.fonts import ui_font
from gui.theme import TITLE_PX
from gui.widgets.basic import Box, Elided, button, column, empty, label, section
from gui.widgets.flow import FlowLayout

DRAWN = "A share of it"
"""The choice of holding rows out of the part that trains."""

_LETTERS, _THUMB = 420, 44
_INPUTS = ("images", "sound", "text", "arrays", "lists")


def suggested(features: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the columns that a network would most likely read and answer; of many, one of each."""
    columns = usable(features)
    if len(columns) <= 2:
        return tuple(columns)
    first = next((name for name, says in columns.items() if says.startswith(_INPUTS)), next(iter(columns)))
    others = [name for name in columns if name != first]
    target = next((name for name in others if columns[name].endswith("classes")), "")
    target = target or next((name for name in others if "label" in name.lower()), others[0])
    return first, target


def rows_of(found: Found) -> str:
    """Return about how many rows a set has, as its tags say: ``10K<n<100K`` is 10K to 100K rows."""
    sizes = [
        f"under {size[2:]}"
        if size.startswith("n<")
        else f"over {size[2:]}"
        if size.startswith("n>")
        else size
        for size in found.tagged("size_categories")
    ]
    return f"{', '.join(sizes).replace('<n<', ' to ')} rows" if sizes else ""


class SetView(QWidget):
    """``looked`` asks for another configuration or part; ``changed`` says that the choice is another."""

    looked = Signal(str, str)
    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.chips: dict[str, QPushButton] = {}
        self._about: Description | None = None
        self.title = label("", px=TITLE_PX, weight=600, wrap=True)
        self.facts = label("", "muted", 12, wrap=True)
        self.text = label("", px=12.5, wrap=True)
        self.title.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.part, self.held, self.config = (_combo(name) for name in _COMBOS)
        self.config.textActivated.connect(lambda text: self.looked.emit(text, ""))
        self.part.textActivated.connect(lambda text: self.looked.emit(self.config.currentText(), text))
        self.held.textActivated.connect(lambda text: self.changed.emit())
        whole = column(self, 12)
        whole.setContentsMargins(0, 0, 8, 0)
        head = column(spacing=4)
        for each in (self.title, self.facts, self.text):
            head.addWidget(each)
        whole.addLayout(head)
        self.more = QWidget()
        more = column(self.more, 12)
        more.addLayout(self._choices())
        self._chips = FlowLayout(_into(more, "Columns that become fields"))
        self._rows = column(_into(more, "First rows"), 0)
        whole.addWidget(self.more)
        whole.addStretch(1)

    def _choices(self) -> QGridLayout:
        self._titles: list[QLabel] = []
        self._grid = grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(4)
        for place, (name, combo) in enumerate(zip(_COMBOS, (self.part, self.held, self.config), strict=True)):
            title = label(name, "muted", 12)
            title.setBuddy(combo)
            self._titles.append(title)
            grid.addWidget(title, 0, place)
            grid.addWidget(combo, 1, place)
            grid.setColumnStretch(place, 1)
        return grid

    def show_found(self, found: Found) -> None:
        """Show what the search told, until more is known."""
        self._about = None
        self.title.setText(found.name)
        gated = "gated: its owners want to be asked" if found.gated else ""
        words = [", ".join(found.tagged("modality")), rows_of(found), gated]
        self.facts.setText("  ·  ".join(filter(None, words)))
        self._say(found.description)
        self.more.hide()

    def show_set(self, about: Description, columns: tuple[str, ...] = (), held: str = "") -> None:
        """Show a configuration of a set, and choose columns and a held-out part, else what seems right."""
        before = self.columns if self._about and self._about.features == about.features else columns
        held = held or (self.held.currentText() if self._about else "")
        self._about = about
        rows = [f"{part} {count:,} rows" if count else part for part, count in about.parts.items()]
        size = in_bytes(about.size) if about.size else ""
        self.facts.setText("  ·  ".join(filter(None, [", ".join(rows), size, about.license])))
        if about.description:
            self._say(about.description)
        _fill(self.config, about.configs, about.config)
        for each in (self._titles[-1], self.config):
            each.setVisible(len(about.configs) > 1)
        self._grid.setColumnStretch(len(_COMBOS) - 1, int(len(about.configs) > 1))
        _fill(self.part, about.parts, about.part)
        others = [part for part in about.parts if part != about.part]
        known = next((part for part in ("validation", "test", "valid", "dev") if part in others), DRAWN)
        _fill(self.held, [DRAWN, *others], held if held in (DRAWN, *others) else known)
        self._show_columns(about, before or suggested(about.features))
        self._show_rows(about)
        self.more.show()
        self.changed.emit()

    @property
    def columns(self) -> tuple[str, ...]:
        """The chosen columns in the order of the set."""
        return tuple(name for name, chip in self.chips.items() if chip.isChecked())

    def params(self) -> dict[str, str]:
        """Return the chosen configuration, parts and columns as a node's parameters."""
        about, held = self._about, self.held.currentText()
        return {
            "columns": ", ".join(self.columns),
            "config": about.config if len(about.configs) > 1 else "",
            "revision": about.revision,
            "part": about.part,
            "held_part": "" if held == DRAWN else held,
        }

    def _say(self, text: str) -> None:
        text = " ".join(text.split())
        self.text.setText(text if len(text) <= _LETTERS else f"{text[:_LETTERS].rsplit(' ', 1)[0]} …")
        self.text.setVisible(bool(text))

    def _show_columns(self, about: Description, chosen: tuple[str, ...]) -> None:
        empty(self._chips)
        self.chips = {}
        columns = usable(about.features)
        for name, says in columns.items():
            chip = button(f"{name}: {says}", "chip", f"Give {name} to the network as a field")
            chip.setCheckable(True)
            chip.setAutoDefault(False)
            chip.setChecked(name in chosen)
            chip.toggled.connect(lambda _: self.changed.emit())
            self.chips[name] = chip
            self._chips.addWidget(chip)
        left = [name for name in about.features if name not in columns]
        if left:
            words = f"{', '.join(left)}: no field can be made of {'it' if len(left) == 1 else 'them'}"
            self._chips.addWidget(label(words, "muted", 12))

    def _show_rows(self, about: Description) -> None:
        empty(self._rows)
        box = Box()
        grid = QGridLayout(box)
        grid.setContentsMargins(10, 8, 10, 8)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(5)
        for place, name in enumerate(about.features):
            grid.addWidget(Elided(name, "muted", 11), 0, place)
            grid.setColumnStretch(place, _stretch(about, name))
            for number, cells in enumerate(about.rows, 1):
                grid.addWidget(_cell(cells.get(name), about.features[name]), number, place)
        self._rows.addWidget(box)


_COMBOS = ("Train on", "Check with", "Configuration")


def _combo(name: str) -> QComboBox:
    combo = QComboBox()
    combo.setFont(ui_font())
    combo.setAccessibleName(name)
    combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(6)
    return combo


def _fill(combo: QComboBox, names: Any, chosen: str) -> None:
    combo.clear()
    combo.addItems(list(names))
    combo.setCurrentIndex(combo.findText(chosen))
    combo.setEnabled(combo.count() > 1)


def _into(layout: Any, title: str) -> QWidget:
    inner, holder = column(spacing=5), QWidget()
    inner.addWidget(section(title))
    inner.addWidget(holder)
    layout.addLayout(inner)
    return holder


def _stretch(about: Description, name: str) -> int:
    longest = max(
        (len(str(cells.get(name))) for cells in about.rows if not _is_image(cells.get(name))), default=1
    )
    return min(max(longest // 6, 1), 8)


def _is_image(value: Any) -> bool:
    return isinstance(value, Mapping) and "image" in value


def _cell(value: Any, feature: Any) -> QLabel:
    if _is_image(value):
        picture = QLabel()
        pixmap = QPixmap()
        pixmap.loadFromData(base64.b64decode(value["image"]))
        size = pixmap.size().scaled(_THUMB, _THUMB, Qt.AspectRatioMode.KeepAspectRatio)
        picture.setPixmap(
            pixmap.scaled(
                size, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
        )
        picture.setAccessibleName("A picture")
        return picture
    names = feature.get("names") if isinstance(feature, Mapping) else None
    if names and isinstance(value, int) and 0 <= value < len(names):
        value = names[value]
    if isinstance(value, float):
        value = f"{value:.4g}"
    return Elided("" if value is None else " ".join(str(value).split()), px=12)
