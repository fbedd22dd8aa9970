"""The legend of the objectives over the canvas: the color of each, and how many nodes it moves here."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QEnterEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QWidget

from gui.bench import Bench
from gui.objective_colors import color_of, legend
from gui.theme import RADIUS
from gui.widgets.basic import Dot, Elided, IconButton, column, empty, label, row

INSET = 8
"""From the sides of the canvas."""
_WIDEST = 220


class ObjectiveLegend(QFrame):
    """Stands in the lower right corner while objectives are shown; its rows light their nodes."""

    def __init__(self, parent: QWidget, bench: Bench):
        super().__init__(parent)
        self._bench = bench
        self.setObjectName("legend")
        self.rows: list[LegendRow] = []
        self._close = IconButton(bench, "close", kind="flat", tip="Show objectives no longer")
        self._close.setFixedWidth(22)
        self._close.clicked.connect(lambda: bench.show_objectives(False))
        head = row(spacing=4)
        head.addWidget(label("Objectives", "section", 11, 600), 1)
        head.addWidget(self._close)
        self._list = column(spacing=0)
        layout = column(self, 2)
        layout.setContentsMargins(10, 4, 6, 6)
        layout.addLayout(head)
        layout.addLayout(self._list)
        for signal in (bench.objectives_changed, bench.analyzed, bench.theme_changed, bench.store.edited):
            signal.connect(self.show_objectives)
        for signal in (bench.store.scope_changed, bench.store.replaced):
            signal.connect(self.show_objectives)
        self.show_objectives()

    def show_objectives(self, *_: object) -> None:
        """Show every objective, or nothing while they are not shown."""
        theme = self._bench.theme
        self.setVisible(self._bench.objectives_shown)
        if not self._bench.objectives_shown:
            return
        self.setStyleSheet(
            f"#legend {{ background: {theme.panel}; border: 1px solid {theme.line};"
            f" border-radius: {RADIUS}px; }}"
        )
        told = legend(self._bench)
        if len(told) != len(self.rows):
            empty(self._list)
            self.rows = [LegendRow(self._bench, place) for place in range(len(told))]
            for each in self.rows:
                self._list.addWidget(each)
                each.show()  # what a visible parent is given shows itself only later
        for each, (title, count) in zip(self.rows, told, strict=True):
            each.show_objective(title, count)
        self.fit()

    def fit(self) -> None:
        """Stand in the lower right corner: the minimap has the other one."""
        if self.isHidden():
            return
        around = self.parentWidget()
        self.setMaximumWidth(min(_WIDEST, max(around.width() - 2 * INSET, 60)))
        self.layout().activate()
        self.adjustSize()
        corner = around.width() - self.width() - INSET, around.height() - self.height() - INSET
        self.move(*corner)
        self.raise_()


class LegendRow(QWidget):
    """The dot, the title and the number of nodes of one objective."""

    def __init__(self, bench: Bench, place: int):
        super().__init__()
        self._bench, self._place = bench, place
        self.setFixedHeight(22)
        self.title = Elided(px=12)
        self.count = label("", "muted", 12)
        layout = row(self, 7)
        layout.addWidget(Dot(color_of(place)), 0, Qt.AlignmentFlag.AlignVCenter)
        layout.addWidget(self.title, 1)
        layout.addWidget(self.count)

    def show_objective(self, title: str, count: int) -> None:
        """Show what it is called and how many nodes it moves."""
        self.title.set_text(title)
        self.count.setText(f"{count} node{'s' * (count != 1)}" if count else "none here")
        self.setAccessibleName(f"{title}: {self.count.text()}")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.accept()  # the canvas below is not meant

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._bench.light_objective(self._place)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._bench.light_objective(None)
