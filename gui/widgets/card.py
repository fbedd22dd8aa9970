"""A card that is clicked or entered like a button."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QFrame, QWidget

from gui import style
from gui.widgets.basic import Elided, column, label, row, set_role


class Card(QFrame):
    """Title, subtitle and a short note in a rounded frame; ``clicked`` also comes from Enter and Space."""

    clicked = Signal()

    def __init__(self, title: str, subtitle: str, note: str = "", picture: Picture | None = None):
        super().__init__()
        self.setProperty("widget", "card")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(f"{title}: {subtitle}")
        self.picture = picture
        texts = column(spacing=3)
        texts.setContentsMargins(13, 11, 13, 13) if picture else texts.setContentsMargins(11, 9, 11, 10)
        head = row()
        head.addWidget(Elided(title, weight=600), 1)
        if note:
            head.addWidget(label(note, "muted", 11))
        texts.addLayout(head)
        texts.addWidget(Elided(subtitle, "muted", 12) if picture else label(subtitle, "muted", 12, wrap=True))
        layout = column(self, 0, 1)
        if picture is not None:
            layout.addWidget(picture)
        layout.addLayout(texts)

    def set_selected(self, selected: bool) -> None:
        """Highlight it as the one that is open."""
        set_role(self, "true" if selected else "", "selected")

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.clicked.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit()
        else:
            super().keyPressEvent(event)


class Picture(QWidget):
    """The upper part of a card: an image on canvas color, fitted into it and centered."""

    def __init__(self, height: int, parent: QWidget | None = None):
        super().__init__(parent)
        self.setFixedHeight(height)
        self._image: QImage | None = None

    def set_image(self, image: QImage | None) -> None:
        """Show an image; one without alpha should have the color of the canvas behind it."""
        self._image = image
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, self.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        shape = QPainterPath()
        box = QRectF(self.rect())
        shape.addRoundedRect(box.adjusted(0, 0, 0, 12), 9, 9)
        painter.setClipPath(shape)
        painter.fillRect(self.rect(), style.current().color("canvas"))
        if self._image is None or self._image.isNull():
            return
        size = self._image.deviceIndependentSize()
        scale = min(box.width() / size.width(), box.height() / size.height(), 1.0)
        fitted = QRectF(0, 0, size.width() * scale, size.height() * scale)
        fitted.moveCenter(box.center())
        painter.drawImage(fitted, self._image)
