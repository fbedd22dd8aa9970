"""The page with two networks side by side, moved over together, and the list of what differs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QSplitter,
    QWidget,
)

from engine.compiler.analysis import Analysis, in_bytes
from engine.errors import EngineError
from engine.graph.compare import ADDED, CHANGED, REMOVED, Comparison, Item, compare
from engine.training.events import Progress
from gui.compare.pane import SHOWN, ComparePane
from gui.compare.rows import COST, ITEM, DifferenceRows
from gui.compare.sources import Side, present, sources
from gui.panels.words import plural
from gui.theme import Theme
from gui.views.plot import Plot
from gui.views.series import Series, smooth
from gui.widgets.basic import Elided, IconButton, Panel, button, column, label, row, section

if TYPE_CHECKING:
    from gui.main_window import MainWindow

SIDE = 320
_EASINGS = 60
_WORDS = {ADDED: "added", REMOVED: "removed", CHANGED: "changed"}
_TOTALS = (
    ("Parameters", lambda analysis: analysis.total_parameters, "{:,}".format),
    ("Multiply-adds", lambda analysis: analysis.total_macs, "{:,}".format),
    ("Memory to train", lambda analysis: analysis.footprint.total, in_bytes),
)


class ComparePage(Panel):
    """Two panes and a list; a line of the list leads to the place, Esc closes.

    ``closed`` says that one is done. The left network is the other one, the right one is that in front.
    """

    closed = Signal()
    _analyzed = Signal(object)

    def __init__(self, window: MainWindow):
        super().__init__("window")
        self._window = window
        self._theme: Theme = window.bench.theme
        self.left, self.right = ComparePane(self._theme), ComparePane(self._theme)
        self.left.setAccessibleName("The other network")
        self.right.setAccessibleName("This network")
        self.found = Comparison()
        self.items: list[Item] = []
        """The lines of the list."""
        self._sides: tuple[Side, Side] | None = None
        self._analyses: tuple[Analysis, Analysis] | None = None
        self._shift = QPointF()
        self._following = False
        self._thread: threading.Thread | None = None
        self.menu: QMenu | None = None
        """What can be compared, while one chooses."""
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._make()
        self._lay_out()
        self.left.looked.connect(lambda: self._follow(self.left, self.right, 1))
        self.right.looked.connect(lambda: self._follow(self.right, self.left, -1))
        self.left.picked.connect(lambda id: self._pick(id, ""))
        self.right.picked.connect(lambda id: self._pick("", id))
        self._analyzed.connect(self._take_analyses)
        window.bench.theme_changed.connect(self._set_theme)

    def _make(self) -> None:
        bench = self._window.bench
        self.titles = (Elided("", weight=600), Elided("", weight=600))
        self.legend = label("", "muted", 12)
        self.lock = button("Move together", "chip", "Moving over one network moves over the other")
        self.lock.setCheckable(True)
        self.lock.setChecked(True)
        self.lock.toggled.connect(self._relock)
        self.close_button = IconButton(bench, "close", tip="Back to the canvas (Esc)")
        self.close_button.clicked.connect(self.closed)
        self.list = QListWidget()
        self._rows = DifferenceRows(self.list)
        self._rows.theme = self._theme
        self.list.setItemDelegate(self._rows)
        self.list.setMouseTracking(True)
        self.list.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.list.setAccessibleName("Differences")
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentRowChanged.connect(self._go)
        self.list.itemClicked.connect(lambda item: self._go(self.list.row(item)))
        self.totals = QGridLayout()
        self.totals.setHorizontalSpacing(10)
        self.totals.setVerticalSpacing(4)
        self.plot = Plot(self._theme)
        self.plot.add_line("before", "warning", 2, dashed=True)
        self.plot.add_line("after", "accent", 2)
        self.plot.setFixedHeight(150)

    def _lay_out(self) -> None:
        head = Panel("top")
        head.setFixedHeight(48)
        bar = row(head, 12)
        bar.setContentsMargins(14, 0, 14, 0)
        bar.addWidget(label("Compare", px=14, weight=600))
        bar.addWidget(self.legend, 1)
        bar.addWidget(self.lock)
        bar.addWidget(self.close_button)
        self.across = QSplitter(Qt.Orientation.Horizontal, handleWidth=1, childrenCollapsible=False)
        for title, pane in zip(self.titles, (self.left, self.right), strict=True):
            half = QWidget()
            over = column(half, 0)
            title.setContentsMargins(14, 8, 14, 8)
            over.addWidget(title)
            over.addWidget(pane, 1)
            self.across.addWidget(half)
        side = Panel("panel")
        side.setFixedWidth(SIDE)
        inner = column(side, 8)
        inner.setContentsMargins(14, 12, 10, 12)
        inner.addWidget(section("Differences"))
        inner.addWidget(self.list, 1)
        inner.addWidget(section("Cost"))
        inner.addLayout(self.totals)
        self._curves = section("Loss")
        inner.addWidget(self._curves)
        inner.addWidget(self.plot)
        middle = row(spacing=0)
        middle.addWidget(self.across, 1)
        middle.addWidget(side)
        whole = column(self, 0)
        whole.addWidget(head)
        whole.addLayout(middle, 1)

    # -- choosing ----------------------------------------------------------------------------------------

    def choose(self) -> None:
        """Ask what the document in front is compared with."""
        self.menu = QMenu(self._window)
        self.menu.setAccessibleName("Compare with")
        heading = ""
        for source in sources(self._window):
            if source.heading != heading:
                heading = source.heading
                self.menu.addSection(heading)
            self.menu.addAction(source.text, lambda source=source: self._take(source.get))
        at = QPoint((self._window.width() - self.menu.sizeHint().width()) // 2, self._window.height() // 6)
        self.menu.popup(self._window.mapToGlobal(at))

    def _take(self, get: object) -> None:
        try:
            side = get()
        except EngineError as error:
            self._window.files.show_error("This file cannot be compared", error)
            return
        if side is not None:
            self.show_sides(side, present(self._window))

    def show_sides(self, before: Side, after: Side) -> None:
        """Show two networks side by side."""
        self._sides, self._analyses = (before, after), None
        self.found = compare(before.document, after.document)
        for title, side in zip(self.titles, (before, after), strict=True):
            title.set_text(side.title)
        self._following = True
        self.left.show_document(before.document, self.found.signs_before, self.found.links_removed, REMOVED)
        self.right.show_document(after.document, self.found.signs_after, self.found.links_added, ADDED)
        self._following = False
        self._shift = self._standing_apart()
        self._fill()
        self._draw_curves()
        self._window.show_compare()
        self._follow(self.right, self.left, -1)
        self.setFocus()  # the list would choose its first line, and lead there
        self._analyze()

    def _standing_apart(self) -> QPointF:
        """Return how far the nodes of the right network stand from those that they are at the left."""
        before, after = (side.document.nodes for side in self._sides)
        moves = [
            np.subtract(after[new].position, before[old].position) for old, new in self.found.pairs.items()
        ]
        return QPointF(*np.median(moves, 0)) if moves else QPointF()

    # -- showing -----------------------------------------------------------------------------------------

    def _fill(self) -> None:
        current = self.list.currentRow()
        self.list.blockSignals(True)
        self.list.clear()
        self.items = [*self.found.items, *self._grown()]
        for item in self.items:
            cost = self._cost_of(item)
            shown = QListWidgetItem()
            shown.setData(ITEM, item)
            shown.setData(COST, cost)
            spoken = f"{_WORDS[item.sign]}: {item.text}. {cost}".strip()
            shown.setData(Qt.ItemDataRole.AccessibleTextRole, spoken)
            self.list.addItem(shown)
        self.list.setCurrentRow(current)
        self.list.blockSignals(False)
        counts = [(SHOWN[s], sum(i.sign == s for i in self.found.items), w) for s, w in _WORDS.items()]
        told = "     ".join(f"{sign}  {n} {word}" for sign, n, word in counts if n)
        self.legend.setText(told or "Both are the same network.")
        self._fill_totals()

    def _grown(self) -> list[Item]:
        """Return nodes that are as they were, but cost more or less because of what is before them."""
        told = {item.after for item in self.found.items}
        after = self._sides[1].document.nodes
        same = (
            Item(CHANGED, f"{after[b].title}, by other shapes", a, b) for a, b in self.found.pairs.items()
        )
        return [item for item in same if item.after not in told and self._cost_of(item)]

    def _cost_of(self, item: Item) -> str:
        """Return what a node costs on either side, where that differs."""
        if self._analyses is None:
            return ""
        was, now = (
            analysis.parameters.get(id, 0)
            for analysis, id in zip(self._analyses, (item.before, item.after), strict=True)
        )
        if was == now:
            return ""
        if not item.before or not item.after:
            return plural(was or now, "parameter")
        return f"{was:,} → {plural(now, 'parameter')}"

    def _fill_totals(self) -> None:
        while (old := self.totals.takeAt(0)) is not None:
            old.widget().deleteLater()
        for n, (name, of, text) in enumerate(_TOTALS):
            self.totals.addWidget(label(name, "muted", 12), n, 0)
            if self._analyses is not None:
                was, now = (of(analysis) for analysis in self._analyses)
                changed = f"{text(was)} → {text(now)}" if was != now else text(now)
                self.totals.addWidget(label(changed, "", 12), n, 1)
                more = f"{'+' if now > was else '−'}{abs(now - was) / was:.0%}" if was else ""
                more = more if was != now else "as before"
                self.totals.addWidget(label(more.replace("%", " %"), "muted", 12), n, 2)
        self.totals.setColumnStretch(1, 1)

    def _draw_curves(self) -> None:
        """Draw the losses of both, where they have been trained."""
        drawn: list[tuple[float, float, float]] = []
        for name, side in zip(("before", "after"), self._sides, strict=True):
            series = Series()
            for event in side.run.record.events if side.run else ():
                if isinstance(event, Progress):
                    series.append(event.step, event.loss)
            line = series.line(300)
            mean = smooth(line.mean, 8)
            self.plot.set_line(name, line.x, mean)
            if np.isfinite(mean).any():
                drawn.append((series.last_step, float(np.nanmin(mean)), float(np.nanmax(mean))))
        for part in (self.plot, self._curves):
            part.setVisible(bool(drawn))
        if drawn:
            last, low, high = zip(*drawn, strict=True)
            for _ in range(_EASINGS):  # the plot eases its ranges; here they are to be there at once
                if self.plot.fit(max(last), min(low), max(high)):
                    break

    def _set_theme(self, theme: Theme) -> None:
        self._theme = theme
        for pane in (self.left, self.right):
            pane.set_theme(theme)
        self.plot.apply_theme(theme)
        self._rows.theme = theme
        self.list.viewport().update()

    # -- moving together ---------------------------------------------------------------------------------

    def _follow(self, moved: ComparePane, other: ComparePane, way: int) -> None:
        if self.lock.isChecked() and not self._following:
            self._following = True
            other.follow(moved.place(), self._shift * way)
            self._following = False

    def _relock(self, locked: bool) -> None:
        """Locked again, both stay as they stand now."""
        if locked:
            self._shift = self.right.place().middle - self.left.place().middle
            self._follow(self.right, self.left, -1)

    def _go(self, place: int) -> None:
        """Glide to a difference in both networks."""
        if not 0 <= place < len(self.items):
            return
        item = self.items[place]
        self.left.focus(item.before, glide=bool(item.before and not item.after))
        self.right.focus(item.after, glide=bool(item.after))

    def _pick(self, before: str, after: str) -> None:
        """Choose the line of a node that was clicked."""
        for n, item in enumerate(self.items):
            if (before and item.before == before) or (after and item.after == after):
                self.list.setCurrentRow(n)
                return

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        elif event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self.list.setFocus()
            self.list.setCurrentRow(max(self.list.currentRow(), 0))
        else:
            super().keyPressEvent(event)

    # -- costs -------------------------------------------------------------------------------------------

    def _analyze(self) -> None:
        """Measure both in a thread of its own."""
        self.wait()
        sides = self._sides

        def work() -> None:
            from engine.compiler.analyze import analyze

            self._analyzed.emit((sides, tuple(analyze(side.document) for side in sides)))

        self._thread = threading.Thread(target=work, name="netwright compare")
        self._thread.start()

    def wait(self) -> None:
        """Wait for what is being measured."""
        if self._thread is not None:
            self._thread.join()

    def _take_analyses(self, found: tuple) -> None:
        sides, analyses = found
        if sides is self._sides:
            self._analyses = analyses
            for pane, analysis in zip((self.left, self.right), analyses, strict=True):
                pane.show_analysis(analysis)
            self._fill()
