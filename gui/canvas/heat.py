"""The heat map's control above the canvas: which cost tints the nodes, and its scale."""

from __future__ import annotations

import logging

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QWidget

from gui.bench import Bench
from gui.cost import COSTS, Cost, cost, times_of, tint
from gui.theme import RADIUS
from gui.widgets.basic import label, row
from gui.widgets.menu_button import MenuButton

_STEPS = 12
_WIDE = 560
"""Pixels of the canvas from which there is room for the sum too."""
_log = logging.getLogger(__name__)


class HeatControl(QFrame):
    """A button with a menu of costs; beside it the scale, while one is shown."""

    INSET = 6
    resized = Signal(int)
    """Tells its width: the caption beside it has the rest."""

    def __init__(self, parent: QWidget, bench: Bench):
        super().__init__(parent)
        self._bench = bench
        self.setObjectName("heat")
        self.button = MenuButton("Heat map", "Tint every node by what it costs")
        self.button.set_choices([("", "Heat map"), *((each.key, each.title) for each in COSTS)], bench.heat)
        self.button.menu().actions()[0].setText("Off")
        self.button.chosen.connect(bench.show_heat)
        self.scale = _Scale(bench)
        self._words = self._whole = ""
        self._stale, self._scaled, self._taken = True, False, 0
        self._shown: object = None
        self.text = label("", "muted", 11)
        layout = row(self, 8)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.button)
        layout.addWidget(self.scale)
        layout.addWidget(self.text)
        for signal in (
            bench.heat_changed,
            bench.state_changed,
            bench.analyzed,
            bench.timed,
            bench.theme_changed,
            bench.run_reset,
        ):
            signal.connect(self.show_heat)
        self.show_heat()

    def show_heat(self, *_: object) -> None:
        """Show which cost tints the nodes, and what the strongest tint stands for."""
        bench, theme = self._bench, self._bench.theme
        chosen = cost(bench.heat)
        self.button.show_text(chosen.title if chosen else "Heat map")
        for action, key in zip(
            self.button.menu().actions(), ("", *(each.key for each in COSTS)), strict=True
        ):
            action.setChecked(key == bench.heat)
        numbers = list(chosen.of(bench.analysis, times_of(bench)).values()) if chosen else []
        most, whole = max(numbers, default=0), sum(numbers)
        self._scaled = bool(most)
        if most:
            self._whole = f", together {chosen.text(whole)}"
            self._words = f"0 … {chosen.text(most)}"
        elif chosen:
            self._words, self._whole = self._why_not(chosen), ""
        self.text.setToolTip(chosen.tip if chosen else "")
        ground = theme.panel if chosen else "transparent"
        padding = "padding-right: 10px;" if chosen else ""
        line = f"border: 1px solid {theme.line};" if chosen else "border: none;"
        self.setStyleSheet(f"#heat {{ background: {ground}; {line} border-radius: {RADIUS}px; {padding} }}")
        self.layout().setContentsMargins(0, 0, 10 if chosen else 0, 0)
        self.scale.update()
        self._stale = True
        self.fit()
        self.raise_()

    def leave_room(self, width: int) -> None:
        """Keep so many pixels at the left free for what stands there."""
        self._taken = width
        self.fit()

    def _why_not(self, chosen: Cost) -> str:
        """Say why there is nothing to tint."""
        if not chosen.missing:
            return "Nothing here costs any"
        return "Measuring …" if self._bench.state in ("starting", "running") else chosen.missing

    def fit(self) -> None:
        """Stand in the upper right corner, in the row of the caption, where no node hides.

        In a narrow window the sum gives way first, then the words, then the scale.
        """
        around = self.parentWidget()
        room = around.width() - self._taken
        words = self._words + (self._whole if room > _WIDE else "")
        shown = (self._scaled and room > _WIDE // 3, bool(self._bench.heat) and room > _WIDE // 2, words)
        if shown != self._shown or self._stale:
            self._shown = shown
            self.text.setText(words)
            self.scale.setVisible(shown[0])
            self.text.setVisible(shown[1])
            self.adjustSize()
            self._stale = False
        self.move(around.width() - self.width() - self.INSET, self.INSET // 2)
        self.resized.emit(self.width() + self.INSET)


class _Scale(QWidget):
    """The tints from nothing to the strongest."""

    def __init__(self, bench: Bench):
        super().__init__()
        self._bench = bench
        self.setFixedSize(84, 10)
        self.setAccessibleName("From no tint for nothing to the strongest for the most")

    def paintEvent(self, event: QPaintEvent) -> None:
        try:
            painter = QPainter(self)
            painter.setPen(Qt.PenStyle.NoPen)
            width = self.width() / _STEPS
            for step in range(_STEPS):
                painter.setBrush(self._bench.theme.color(tint(self._bench.theme, step / (_STEPS - 1))))
                painter.drawRect(QRectF(step * width, 0, width + 0.5, self.height()))
            painter.end()
        except Exception:  # an exception that leaves an event override can end the process
            _log.exception("The scale could not be painted")
