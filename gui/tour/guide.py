"""Plays a tour: a card beside the place it speaks of, the rest of the window dimmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, QRectF, QSettings, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QProgressBar, QWidget

from gui import style
from gui.theme import CAPTION_PX, RADIUS, TITLE_PX
from gui.tour.steps import Places, Step, Tour
from gui.widgets.basic import button, column, label, row

if TYPE_CHECKING:
    from gui.main_window import MainWindow

_EVERY_MS = 100
"""How often it looks whether a step is done and where its place is now."""
_WIDE, _GAP, _EDGE = 300, 24, 10
_SMALL = 200
"""What is wider is only lit: the card may lie over it, and it gets no ring."""
_DIM = {True: 90, False: 52}
"""How dark the rest of the window becomes, for the dark and the light theme."""


class Guide(QWidget):
    """Dims the window around what a step is about; ``finished`` says that a tour came to its end."""

    finished = Signal()

    def __init__(self, window: MainWindow):
        super().__init__(window)
        self._window = window
        self.tour: Tour | None = None
        self.step: Step | None = None
        """The step that is shown; None on the last card, or while no tour goes on."""
        self._kept: set[int] = set()
        self._lit: Places = []
        self.card = Card(window)
        self.card.leave.clicked.connect(self.leave)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._timer = QTimer(self, interval=_EVERY_MS)
        self._timer.timeout.connect(self.look)
        self.hide()

    def start(self, tour: Tour) -> None:
        """Begin a tour, or go on where it was left if its drawing is still in front."""
        window = self._window
        begun = any(step.done(window) for step in tour.steps if not step.lasts)
        if not self.resumable or not begun or tour is not self.tour:
            self._kept = set()
            window.files.new()
        self.tour, self.step = tour, None
        window.show_workbench()
        if not window.shown("left"):
            window.toggle("left")
        QSettings().setValue("tour/left", tour.name)
        self._timer.start()
        self.look()

    @property
    def active(self) -> bool:
        """Whether a card is shown."""
        return self._timer.isActive()

    @property
    def resumable(self) -> bool:
        """Whether a tour was left before its end."""
        return bool(QSettings().value("tour/left", ""))

    def leave(self) -> None:
        """Take the cards away; the drawing stays, and the tour can go on later."""
        self._timer.stop()
        self.hide()
        self.card.hide()
        if self.step is None:
            QSettings().setValue("tour/left", "")
            self.finished.emit()

    def place(self) -> int:
        """Return the number of the first step that is not done; the number of steps at the end."""
        for number, step in enumerate(self.tour.steps):
            if number not in self._kept and not step.done(self._window):
                return number
            if step.lasts:
                self._kept.add(number)
        return len(self.tour.steps)

    def look(self) -> None:
        """Show the card of the step that comes now, where its place is now."""
        if not self._window.at_work:
            self.leave()
            return
        number, steps = self.place(), self.tour.steps
        step = steps[number] if number < len(steps) else None
        if step is not self.step or not self.card.isVisible():
            self.step = step
            if step is not None:
                step.show(self._window)
            title, text = (step.title, step.text) if step else ("That is a neural network", self.tour.end)
            self.card.tell(title, text, number, len(steps))
            self._window.announcer.say("tour", f"{title}. {text}")
            self.show()
            self.card.show()
        lit = step.where(self._window) if step else []
        lit = [box for box in lit if not box.isEmpty()]
        if lit != self._lit or self.size() != self._window.size():
            self._lit = lit
            self.setGeometry(self._window.rect())
            self.update()
        self.card.stand_by([box for box in lit if box is lit[0] or box.width() < _SMALL])
        self.raise_()
        self.card.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._lit:
            return
        theme = style.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        dark = QPainterPath()
        dark.addRect(QRectF(self.rect()))
        holes = QPainterPath()
        for box in self._lit:
            hole = QPainterPath()
            hole.addRoundedRect(QRectF(box).adjusted(-4, -4, 4, 4), RADIUS, RADIUS)
            holes = holes.united(hole)
        painter.fillPath(dark.subtracted(holes), theme.color("#000000", _DIM[theme.dark]))
        painter.setPen(QPen(theme.color("accent"), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        first, *others = self._lit
        small = [box for box in others if box.width() < _SMALL]
        for box in (first, *small):
            painter.drawRoundedRect(QRectF(box).adjusted(-4, -4, 4, 4), RADIUS, RADIUS)
        if small:  # from the ring that is pointed at to the one that belongs to it
            painter.setPen(QPen(theme.color("accent"), 2, Qt.PenStyle.DashLine))
            start, end = QRectF(first).center(), QRectF(small[0]).center()
            painter.drawLine(start, end)
        painter.end()


class Card(QFrame):
    """Title, text, how far one is, and the way out."""

    def __init__(self, window: QWidget):
        super().__init__(window)
        self.setProperty("widget", "tour")
        self.setFixedWidth(_WIDE)
        self._count = label("", "muted", CAPTION_PX)
        self._title = label("", px=TITLE_PX, weight=600, wrap=True)
        self._text = label("", wrap=True)
        self._bar = QProgressBar()
        self._bar.setProperty("thin", True)
        self._bar.setTextVisible(False)
        self.leave = button("Leave the tour", "small")
        layout = column(self, 8, 16)
        layout.addWidget(self._count)
        layout.addWidget(self._title)
        layout.addWidget(self._text)
        layout.addWidget(self._bar)
        foot = row(spacing=8)
        foot.addStretch(1)
        foot.addWidget(self.leave)
        layout.addLayout(foot)
        self.hide()

    def tell(self, title: str, text: str, number: int, steps: int) -> None:
        """Say something else."""
        at_end = number == steps
        self._count.setText("Done" if at_end else f"Step {number + 1} of {steps}")
        self._title.setText(title)
        self._text.setText(text)
        self._bar.setRange(0, steps)
        self._bar.setValue(number)
        self._bar.setAccessibleName(self._count.text())
        self.leave.setText("Close" if at_end else "Leave the tour")
        self.setAccessibleName(f"{self._count.text()}. {title}. {text}")
        self.setFixedHeight(self.layout().totalHeightForWidth(_WIDE))

    def stand_by(self, places: Places) -> None:
        """Stand beside the first place and cover none of them, or stand in the middle of the window."""
        room = self.parentWidget().rect().adjusted(_EDGE, _EDGE, -_EDGE, -_EDGE)
        box = QRect(QPoint(), self.size())
        if not places:
            box.moveCenter(room.center())
        else:
            place = places[0]
            middle = place.center() - box.center()
            sides = (
                QPoint(place.right() + _GAP, middle.y()),
                QPoint(place.left() - _GAP - box.width(), middle.y()),
                QPoint(middle.x(), place.bottom() + _GAP),
                QPoint(middle.x(), place.top() - _GAP - box.height()),
            )
            spots = [_inside(box.translated(side), room) for side in sides]
            box = min(spots, key=lambda spot: sum(_area(spot & each) for each in places))
        if box.topLeft() != self.pos():
            self.move(box.topLeft())


def _area(box: QRect) -> int:
    return max(box.width(), 0) * max(box.height(), 0)


def _inside(box: QRect, room: QRect) -> QRect:
    """Move a box into the room."""
    box.moveLeft(max(room.left(), min(box.left(), room.right() - box.width())))
    box.moveTop(max(room.top(), min(box.top(), room.bottom() - box.height())))
    return box
