"""Where the keyboard is: one ring around whatever it reached, and the way from part to part of the window."""

from __future__ import annotations

from collections.abc import Sequence

import shiboken6
from PySide6.QtCore import QEvent, QObject, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QTabBar, QWidget

from gui import style

WIDE, GAP = 2, 2
"""Width of the ring and its distance from the widget, in pixels."""
_INSIDE = 420
"""What is wider and half as high is ringed inside its edge: it reaches to its neighbors."""
_MOVED = (QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide, QEvent.Type.KeyRelease)


class FocusRing(QWidget):
    """An accent ring around the widget that Tab or a shortcut has reached; the pointer needs none.

    Every widget gets the same ring without knowing of it, also one that paints itself.
    """

    def __init__(self, window: QWidget):
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.on: QWidget | None = None
        """The widget that wears the ring."""
        self._watched: list[QObject] = []
        self.hide()
        QApplication.instance().focusChanged.connect(self._leave)

    def follow(self) -> None:
        """Ring the widget that has the keyboard now."""
        self.take_off()
        widget = QApplication.focusWidget()
        if widget is None or widget.window() is not self.parentWidget():
            return
        self.on = widget
        while widget is not None and widget is not self.parentWidget():
            widget.installEventFilter(self)
            self._watched.append(widget)
            widget = widget.parentWidget()
        self.place()

    def take_off(self) -> None:
        """Show no ring."""
        for widget in self._watched:
            if shiboken6.isValid(widget):
                widget.removeEventFilter(self)
        self._watched, self.on = [], None
        self.hide()

    def _leave(self, _old: QWidget | None, new: QWidget | None) -> None:
        if shiboken6.isValid(self) and new is not self.on:
            self.take_off()

    def place(self) -> None:
        """Stand around the widget, inside of what it scrolls in."""
        if self.on is None or not shiboken6.isValid(self.on) or not self.on.isVisible():
            self.hide()
            return
        box = self.on.tabRect(self.on.currentIndex()) if isinstance(self.on, QTabBar) else self.on.rect()
        large = box.width() > _INSIDE and box.height() > _INSIDE / 2
        out = -1 if large else GAP + WIDE - 1
        box = self._mapped(self.on, box).adjusted(-out, -out, out, out)
        parent = self.on.parentWidget()
        while parent is not None and parent is not self.parentWidget():
            if isinstance(parent.parentWidget(), QAbstractScrollArea):
                box &= self._mapped(parent, parent.rect())
            parent = parent.parentWidget()
        self.setGeometry(box & self.parentWidget().rect())
        self.setVisible(not box.isEmpty())
        self.raise_()

    def _mapped(self, widget: QWidget, box: QRect) -> QRect:
        return QRect(widget.mapTo(self.parentWidget(), box.topLeft()), box.size())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in _MOVED:
            self.place()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(style.current().color("accent"), WIDE))
        half = WIDE / 2
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(half, half, -half, -half), 8, 8)


def next_part(parts: Sequence[QWidget], step: int = 1) -> QWidget | None:
    """Give the keyboard to the part after the one that has it (``step`` -1: before it) and return the part.

    What is hidden or takes no keyboard is passed over.
    """
    here = QApplication.focusWidget()
    at = (
        next((n for n, part in enumerate(parts) if part is here or part.isAncestorOf(here)), -1)
        if here
        else -1
    )
    for n in range(1, len(parts) + 1):
        part = parts[(at + step * n) % len(parts)]
        target = _first(part)
        if target is not None:
            target.setFocus(Qt.FocusReason.ShortcutFocusReason)
            return part
    return None


def _first(part: QWidget) -> QWidget | None:
    """Return what Tab would reach first inside of a part, or the part itself."""
    if not part.isVisible():
        return None
    widget = part
    for _ in range(2000):
        takes = widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.focusProxy() is None
        inside = widget is part or part.isAncestorOf(widget)
        if inside and takes and widget.isVisible() and widget.isEnabled():
            return widget
        widget = widget.nextInFocusChain()
        if widget is part:
            break
    return None
