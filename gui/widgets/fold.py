"""A section that is folded away behind its heading, which says in a word what is in it."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui import style
from gui.fonts import ui_font
from gui.icons import paint_icon
from gui.theme import CAPTION_PX, RADIUS
from gui.widgets.basic import column

HEIGHT = 30
_CHEVRON = 12


class FoldHead(QWidget):
    """A line with a chevron, a title and a summary at its right; pressed, it turns."""

    pressed = Signal()
    stepped = Signal(bool)
    """Right asks to open, Left to close."""

    def __init__(self, title: str):
        super().__init__()
        self.title, self.summary, self.open, self.differs = title, "", False, False
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.tell()

    def tell(self) -> None:
        """Say what is seen, and paint it."""
        self.setAccessibleName(f"{self.title}: {self.summary}" if self.summary else self.title)
        self.setAccessibleDescription("open" if self.open else "folded")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(160, HEIGHT)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.pressed.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.pressed.emit()
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self.stepped.emit(event.key() == Qt.Key.Key_Right)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, painter = style.current(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(-0.5, 1, 0.5, -1)
        if self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color(style.mix(theme.panel, theme.text, 0.05)))
            painter.drawRoundedRect(box.adjusted(0.5, 0, -0.5, 0), RADIUS - 1, RADIUS - 1)
        middle = self.height() / 2
        painter.save()
        painter.translate(4 + _CHEVRON / 2, middle)
        painter.rotate(0 if self.open else -90)
        paint_icon(painter, "chevron", theme.color("muted"), -_CHEVRON / 2, -_CHEVRON / 2, _CHEVRON)
        painter.restore()
        left = 22.0
        painter.setFont(ui_font(12.5, 500))
        painter.setPen(theme.color("text"))
        wide = painter.fontMetrics().horizontalAdvance(self.title)
        align = Qt.AlignmentFlag.AlignVCenter
        title = QRectF(left, 0, wide + 2, self.height())
        painter.drawText(title, align | Qt.AlignmentFlag.AlignLeft, self.title)
        room = self.width() - left - wide - 20
        if self.summary and room > 24:
            painter.setFont(ui_font(CAPTION_PX + 1, 500 if self.differs else 400))
            painter.setPen(theme.color("accent" if self.differs else "muted"))
            text = painter.fontMetrics().elidedText(self.summary, Qt.TextElideMode.ElideRight, room)
            place = QRectF(self.width() - room - 6, 0, room, self.height())
            painter.drawText(place, align | Qt.AlignmentFlag.AlignRight, text)


class Fold(QWidget):
    """A heading with what is below it, shown or not.

    What the user opened stays open wherever a fold with the same ``key`` is made again.
    """

    _opened: ClassVar[set[str]] = set()

    def __init__(self, title: str, key: str = ""):
        super().__init__()
        self.key = key or title
        self.head = FoldHead(title)
        self.body = QWidget()
        self.inner = column(self.body, 6)
        self.inner.setContentsMargins(6, 2, 0, 8)
        layout = column(self, 0)
        layout.addWidget(self.head)
        layout.addWidget(self.body)
        self.head.pressed.connect(lambda: self.set_open(not self.open))
        self.head.stepped.connect(self.set_open)
        self._show(self.key in self._opened)

    @property
    def open(self) -> bool:
        """Whether what is in it is shown."""
        return self.head.open

    def set_open(self, on: bool) -> None:
        """Show what is in it, or fold it away; it is remembered."""
        (self._opened.add if on else self._opened.discard)(self.key)
        self._show(on)

    def say(self, summary: str, differs: bool = False) -> None:
        """Say in a word what is in it, and whether that differs from the usual."""
        if (summary, differs) != (self.head.summary, self.head.differs):
            self.head.summary, self.head.differs = summary, differs
            self.head.setToolTip(summary)
            self.head.tell()

    def add(self, widget: QWidget) -> None:
        """Put a widget below what is in it."""
        self.inner.addWidget(widget)

    def _show(self, on: bool) -> None:
        self.head.open = on
        self.body.setVisible(on)
        self.head.tell()
