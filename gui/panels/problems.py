"""What is wrong, where, and the button that mends it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QPushButton, QWidget

from engine.catalogue import plugin_problems
from engine.compiler.analysis import ERROR, WARNING, Analysis, Problem
from engine.errors import EngineError
from gui import icons, style
from gui.bench import Bench
from gui.widgets.basic import Panel, Scroll, button, column, empty, label, row, set_role

_SHOWN = 100
"""Rows that are made at most: nobody reads more, and a broken import may bring thousands."""
_WHERE = 76
"""Width of the column of names: a longer name pushes its reason aside."""


def apply_fix(bench: Bench, problem: Problem) -> None:
    """Make the mechanical mend of a problem as one undo step; a mend that no longer fits says so."""
    try:
        bench.store.apply(problem.fix.title, problem.fix.edit)
    except EngineError as error:
        bench.message.emit(error.message)


class SeverityIcon(QWidget):
    """A round or three-cornered sign in the color of a severity."""

    def __init__(self, severity: str, parent: QWidget | None = None):
        super().__init__(parent)
        self._name = "error" if severity == ERROR else "warning"
        self.setFixedSize(16, 18)
        self.setAccessibleName("Error" if severity == ERROR else "Warning")

    def paintEvent(self, event: QPaintEvent) -> None:
        icons.paint_icon(QPainter(self), self._name, style.current().color(self._name), 0, 1)


class ProblemsPanel(Panel):
    """The problems of the latest analysis, errors first. A click shows the node; a button mends."""

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__("panel", parent)
        self._bench = bench
        self._shown: tuple[Problem, ...] | None = None
        body = QWidget()
        self._rows = column(body, 2)
        self._rows.setContentsMargins(8, 8, 8, 8)
        self._empty = label("No problems", "ok", wrap=True)
        self._empty.setContentsMargins(16, 12, 16, 12)
        self._scroll = Scroll(body)
        layout = column(self, 0)
        layout.addWidget(self._empty, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self._scroll, 1)
        bench.analyzed.connect(self._show)
        self._show(bench.analysis)

    def rows(self) -> list[ProblemRow]:
        """Return the rows that are shown."""
        items = (self._rows.itemAt(n).widget() for n in range(self._rows.count()))
        return [item for item in items if isinstance(item, ProblemRow)]

    def _show(self, analysis: Analysis) -> None:
        drawn = bool(analysis.document.nodes)
        self._empty.setText(
            "No problems" if drawn else "What is wrong with the network, and how to mend it, stands here."
        )
        set_role(self._empty, "ok" if drawn else "muted")
        brought = [Problem(text, severity=WARNING) for text in plugin_problems()]
        told = [*analysis.problems, *brought]
        problems = tuple(sorted(told, key=lambda problem: problem.severity != ERROR))
        if problems == self._shown:
            return
        self._shown = problems
        empty(self._rows)
        for problem in problems[:_SHOWN]:
            shown = ProblemRow(self._bench, problem)
            shown.chosen.connect(self._reveal)
            self._rows.addWidget(shown)
        if len(problems) > _SHOWN:
            more = label(f"and {len(problems) - _SHOWN:,} more", "muted")
            more.setContentsMargins(34, 4, 0, 0)
            self._rows.addWidget(more)
        self._rows.addStretch(1)
        self._empty.setVisible(not problems)
        self._scroll.setVisible(bool(problems))

    def _reveal(self, node: str) -> None:
        if node in self._bench.store.document.nodes:
            self._bench.store.select([node])
            self._bench.reveal.emit(node)


class ProblemRow(QFrame):
    """One problem: sign, message, node, and the mend if there is one. ``chosen`` carries the node's id."""

    chosen = Signal(str)

    def __init__(self, bench: Bench, problem: Problem):
        super().__init__()
        self.problem = problem
        self.fix_button: QPushButton | None = None
        self.setProperty("widget", "row")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        node = bench.store.document.nodes.get(problem.node)
        title = node.title if node else bench.store.document.name
        self.setAccessibleName(f"{problem.severity}, {title}: {problem.message}")
        layout = row(self, 10)
        layout.setContentsMargins(8, 5, 8, 5)
        top = Qt.AlignmentFlag.AlignTop
        words = row(spacing=10)
        words.addWidget(SeverityIcon(problem.severity), 0, top)
        where = label(title, weight=600)
        where.setMinimumWidth(_WHERE)
        words.addWidget(where, 0, top)
        words.addWidget(label(problem.message, wrap=True), 1, top)
        layout.addLayout(words, 1)
        if problem.fix is not None:
            words.setContentsMargins(0, 4, 0, 0)  # its first line at the height of the button's word
            self.fix_button = button(problem.fix.title, "small")
            self.fix_button.clicked.connect(lambda: apply_fix(bench, problem))
            layout.addWidget(self.fix_button, 0, top)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.chosen.emit(self.problem.node)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit(self.problem.node)
        else:
            super().keyPressEvent(event)
