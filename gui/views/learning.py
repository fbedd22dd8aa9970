"""The page that is open while a network learns: curves and samples, the selected node, its filters."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from engine.training.events import Snapshot
from gui.bench import Bench
from gui.views.activations import ActivationsView
from gui.views.base import wish
from gui.views.curves import CurvesView
from gui.views.filters import FiltersView
from gui.views.function import FunctionView
from gui.views.samples import SamplesView

SHARES, SHARES_OF_POINTS = (430, 0, 396, 244), (386, 256, 254, 174)
"""Widths of curves, function, activations and filters; the second where there are decision regions."""
SHARES_OF_FIT = (330, 330, 220, 190)
"""The same where a curve is fitted: its formulas need the room, and its layers have few numbers."""

CURVES = 280
"""Width that the curves need with what stands below them while a network learns."""


class LearningView(QWidget):
    """Curves with a strip of samples, decision regions or a fit where there are any, activations, filters.

    The parts can be reached as ``curves``, ``strip``, ``function``, ``activations`` and ``filters``. Those at
    the right give way where there is no room for them: each has a page of its own.
    """

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__(parent)
        self.bench = bench
        self.curves = CurvesView(bench)
        self.strip = SamplesView(bench, strip=True)
        self.strip.setFixedHeight(60)
        self.function = FunctionView(bench)
        self.activations = ActivationsView(bench)
        self.filters = FiltersView(bench)
        self._has_function = False
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.curves, 1)
        column.addWidget(self.strip)
        self.splitter = QSplitter(Qt.Orientation.Horizontal, handleWidth=1, childrenCollapsible=False)
        for widget in (left, self.function, self.activations, self.filters):
            self.splitter.addWidget(widget)
        self.splitter.setSizes(list(SHARES))
        for index, share in enumerate(SHARES):
            self.splitter.setStretchFactor(index, share or 250)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.splitter)
        bench.snapshot_taken.connect(self._arrange)
        bench.run_reset.connect(self._reset)
        self._reset()
        if bench.snapshot is not None:
            self._arrange(bench.snapshot)

    def _arrange(self, snapshot: Snapshot) -> None:
        """Give room to what the run has: points have regions, numbers a fit, pictures tiles."""
        if (snapshot.regions or snapshot.curve) is not None and not self._has_function:
            self._has_function = True
            self._fit()
            self._share(SHARES_OF_FIT if snapshot.curve is not None else SHARES_OF_POINTS)
        if snapshot.samples is not None:
            self.strip.setVisible(snapshot.samples.kind == "class" and snapshot.regions is None)

    def _share(self, shares: tuple[int, ...]) -> None:
        self.splitter.setSizes([share * max(self.width(), 600) // sum(shares) for share in shares])

    def _reset(self) -> None:
        if self._has_function:
            self._has_function = False
            self._share(SHARES)
        self._fit()
        self.strip.hide()

    def _fit(self) -> None:
        """Show as many parts as there is room for, the curves always."""
        room = self.width() - CURVES
        for widget in (self.function, self.activations, self.filters):
            wanted = widget is not self.function or self._has_function
            room -= (widget.minimumSizeHint().width() + self.splitter.handleWidth()) * wanted
            widget.setVisible(wanted and room >= 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(CURVES, super().minimumSizeHint().height())

    # its parts hide while they have nothing to show, so the page asks in their place

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._wish(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._wish(False)

    def _wish(self, wanted: bool) -> None:
        for name in ("wants_regions", "wants_samples"):
            wish(self.bench, name, self, wanted)
