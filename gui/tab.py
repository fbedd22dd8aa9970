"""The label of one open document in the row over the canvas."""

from __future__ import annotations

from PySide6.QtCore import QEasingCurve, QEvent, QPoint, QPropertyAnimation, QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QWidget

from gui import icons
from gui.bench import Bench
from gui.canvas.glide import DURATION
from gui.fonts import ui_font
from gui.motion import moves
from gui.session import Session
from gui.theme import RADIUS, TEXT_PX

HEIGHT, TAB = 40, 30
"""Of the row, and of a tab in it."""
_MARK = 16
"""Pixels of the close mark, and of the dot in its place."""


class Tab(QAbstractButton):
    """The label of one document: its name, a dot while it is unsaved, a line while it trains."""

    def __init__(self, bench: Bench, session: Session, parent: QWidget):
        super().__init__(parent)
        self._bench, self.session = bench, session
        self.setCheckable(True)
        self.setFont(ui_font(TEXT_PX))
        self.setFixedHeight(TAB)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._dirty, self._share, self._name = False, 0.0, ""
        self._over_mark = self._aimed = False
        self._glide = QPropertyAnimation(self, b"pos", self)
        self._glide.setDuration(DURATION)
        self._glide.setEasingCurve(QEasingCurve.Type.OutCubic)

    def refresh(self) -> None:
        """Show the name, the state and the run as they are now."""
        session, run = self.session, self.session.run
        busy = run is not None and run.busy
        share = max(run.share, 0.001) if busy else 0.0
        if (self._name, self._dirty, self._share) != (session.name, session.dirty, share):
            self._name, self._dirty, self._share = session.name, session.dirty, share
            self.update()
        state = ("held" if run.state == "paused" else "training") if busy else ""
        notes = [word for word in ("not saved" if session.dirty else "", state) if word]
        self.setText(session.name)
        self.setAccessibleName(", ".join([session.name, *notes]))
        place = str(session.path) if session.path else f"{session.name}, not in a file yet"
        self.setToolTip("\n".join([place, *(" · ".join(filter(None, run.words)) for _ in [0] if busy)]))

    def natural_width(self) -> int:
        """Return the pixels that the whole name takes."""
        self.ensurePolished()  # the stylesheet has a word about the font
        return self.fontMetrics().horizontalAdvance(self.session.name) + 12 + 8 + _MARK + 8

    def slide(self, x: int, at_once: bool = False) -> None:
        """Move to a place in the row."""
        to = QPoint(x, (HEIGHT - TAB) // 2)
        if at_once or not moves(self):
            self._glide.stop()
            self.move(to)
        elif self._glide.endValue() != to or self._glide.state() != QPropertyAnimation.State.Running:
            self._glide.stop()
            self._glide.setEndValue(to)
            self._glide.start()

    def set_aimed(self, aimed: bool) -> None:
        """Show that what is dragged would go to this document."""
        self._aimed = aimed
        self.update()

    def mark_box(self) -> QRectF:
        """Return where the close mark is."""
        return QRectF(self.width() - _MARK - 8, (TAB - _MARK) / 2, _MARK, _MARK)

    def sizeHint(self) -> QSize:
        return QSize(self.natural_width(), TAB)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        event.ignore()  # the row chooses, drags and closes

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        over = self.mark_box().contains(event.position())
        if over != self._over_mark:
            self._over_mark = over
            self.update()
        event.ignore()

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.HoverEnter, QEvent.Type.HoverLeave, QEvent.Type.Leave):
            self._over_mark = self._over_mark and event.type() == QEvent.Type.HoverEnter
            self.update()
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, front = self._bench.theme, self.isChecked()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        hovered, box = self.underMouse(), QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        if front or hovered:
            painter.setPen(QPen(theme.color("line"), 1) if front else Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("raised", 255 if front else 130))
            painter.drawRoundedRect(box, RADIUS, RADIUS)
        if self.hasFocus() or self._aimed:
            painter.setPen(QPen(theme.color("accent"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
        mark = self.mark_box()
        text = QRectF(12, 0, mark.left() - 6 - 12, TAB)
        painter.setPen(theme.color("text" if front or hovered else "muted"))
        name = self.fontMetrics().elidedText(
            self.session.name, Qt.TextElideMode.ElideRight, int(text.width())
        )
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)
        if self._over_mark:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("text", 34))
            painter.drawRoundedRect(mark, 4, 4)
        if self._dirty and not self._over_mark:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("text" if front else "muted"))
            painter.drawEllipse(mark.center(), 3.5, 3.5)
        elif front or hovered:
            color = theme.color("text" if self._over_mark else "muted")
            icons.paint_icon(painter, "close", color, mark.left() + 2, mark.top() + 2, _MARK - 4)
        if self._share:
            self._paint_progress(painter, box)
        painter.end()

    def _paint_progress(self, painter: QPainter, box: QRectF) -> None:
        theme, held = self._bench.theme, self.session.run.state == "paused"
        line = QRectF(box.left() + 12, box.bottom() - 4, box.width() - 24, 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("line"))
        painter.drawRoundedRect(line, 1, 1)
        line.setWidth(max(2.0, line.width() * self._share))
        painter.setBrush(theme.color("muted" if held else "accent"))
        painter.drawRoundedRect(line, 1, 1)
