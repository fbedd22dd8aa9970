"""Renaming in place: a field over the title."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from gui.canvas import fonts
from gui.theme import Theme


class TitleField(QLineEdit):
    """A field that is there while a title is edited; Enter or leaving it renames, Escape does not."""

    renamed = Signal(str, str)
    """The node's id and its new title."""

    def __init__(self, parent: QWidget):
        super().__init__(parent)
        self._node = ""
        self.setAccessibleName("Node title")
        self.setMaxLength(200)
        self.setObjectName("titleField")
        self.editingFinished.connect(self._finish)
        self.installEventFilter(self)
        self.hide()

    def open(self, id: str, title: str, box: QRectF, theme: Theme) -> None:
        """Edit the title of a node in a box of the parent."""
        self._node = id
        self.setFont(fonts.text(weight=600))
        self.setStyleSheet(
            f"#titleField {{ background: {theme.field}; color: {theme.text};"
            f" border: 1px solid {theme.accent}; border-radius: 5px; padding: 0 4px; min-height: 0; }}"
        )
        self.setGeometry(box.toRect())
        self.setText(title)
        self.selectAll()
        self.show()
        self.raise_()
        self.setFocus(Qt.FocusReason.PopupFocusReason)

    def _finish(self) -> None:
        id, self._node = self._node, ""
        if id:  # also called when hiding takes the focus away
            self.hide()
            self.parentWidget().setFocus()
            self.renamed.emit(id, self.text())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape:
            self._node = ""
            self.hide()
            self.parentWidget().setFocus()
            return True
        return False
