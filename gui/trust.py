"""Asking whether Python code may run: the banner over the canvas, and the review."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QFrame, QTabWidget, QWidget

from engine.compiler.trust import is_trusted, untrusted
from gui.bench import Bench
from gui.panels.code_view import CodeView
from gui.panels.problems import SeverityIcon
from gui.panels.words import plural
from gui.theme import TITLE_PX, Theme
from gui.trusted import remember
from gui.widgets.basic import button, column, label, row, rule

MEANS = (
    "Code that you trust can do anything that you can do on this computer: read, change and delete files, "
    "use the network. Trust it only if you understand it, or know who wrote it."
)


def ask_trust(bench: Bench, title: str, sources: Mapping[str, str], parent: QWidget | None = None) -> bool:
    """Show code by its name and ask whether it may run; remembers a yes.

    ``title`` says where the code comes from. Nothing is asked where all of it is trusted already.
    """
    if all(is_trusted(source) for source in sources.values()):
        return True
    review = Review(bench, title, sources, parent)
    if review.exec() != QDialog.DialogCode.Accepted:
        return False
    remember(sources.values())
    bench.trust_changed.emit()
    return True


class Review(QDialog):
    """Shows code and what trusting it means."""

    def __init__(self, bench: Bench, title: str, sources: Mapping[str, str], parent: QWidget | None = None):
        super().__init__(parent)
        self.setWindowTitle("Review Python code")
        whole = column(self, 12)
        whole.setContentsMargins(20, 18, 20, 16)
        whole.addWidget(label(title, px=TITLE_PX, weight=600, wrap=True))
        whole.addWidget(label(MEANS, "muted", wrap=True))
        if len(sources) == 1:
            whole.addWidget(self._code(bench, next(iter(sources.values()))), 1)
        else:
            tabs = QTabWidget()
            tabs.setDocumentMode(True)
            for name, source in sources.items():
                tabs.addTab(self._code(bench, source), name)
            whole.addWidget(tabs, 1)
        self.trust_button = button("Trust this code")
        self.keep_button = button("Keep off")
        self.trust_button.setAutoDefault(False)
        self.keep_button.setDefault(True)
        self.trust_button.clicked.connect(self.accept)
        self.keep_button.clicked.connect(self.reject)
        foot = row(spacing=8)
        foot.addWidget(label("It is asked again when the code changes.", "muted", 12), 1)
        foot.addWidget(self.trust_button)
        foot.addWidget(self.keep_button)
        whole.addWidget(rule())
        whole.addLayout(foot)
        self.resize(680, 560)

    @staticmethod
    def _code(bench: Bench, source: str) -> CodeView:
        view = CodeView(bench, "code")
        view.set_code(source)
        return view


class TrustBanner(QFrame):
    """Says over the canvas that a document's code is off; gone once all of it is trusted."""

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__(parent)
        self._bench = bench
        self.setObjectName("trust")
        self.text = label("", wrap=True)
        self.review_button = button("Review …", "small", "Read the code and decide whether it may run")
        layout = row(self, 10)
        layout.setContentsMargins(14, 7, 10, 7)
        layout.addWidget(SeverityIcon("warning"), 0, Qt.AlignmentFlag.AlignVCenter)
        layout.addWidget(self.text, 1)
        layout.addWidget(self.review_button, 0, Qt.AlignmentFlag.AlignVCenter)
        self.review_button.clicked.connect(self.review)
        for signal in (bench.store.edited, bench.store.replaced, bench.trust_changed):
            signal.connect(self._show)
        bench.theme_changed.connect(self._set_theme)
        self._set_theme(bench.theme)
        self._show()

    def review(self) -> None:
        """Show the code that is off and ask about it."""
        document = self._bench.store.whole
        sources = {each.name: each.source for each in untrusted(document)}
        if sources:
            ask_trust(self._bench, f"Python code in {document.name}", sources, self.window())

    def _show(self) -> None:
        found = len(untrusted(self._bench.store.whole))
        layers = plural(found, "custom layer")
        self.text.setText(f"This file contains Python code ({layers}). It is off until you trust it.")
        self.setAccessibleName(self.text.text())
        self.setVisible(found > 0)

    def _set_theme(self, theme: Theme) -> None:
        self.setStyleSheet(f"#trust {{ background: {theme.raised}; border-bottom: 1px solid {theme.line}; }}")
