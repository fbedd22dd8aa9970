"""A list of named things that are renamed, reordered by hand or Alt and the arrows, and removed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QWidget

from gui import style
from gui.bench import Bench
from gui.widgets.basic import IconButton, column, label, row, section
from gui.widgets.fields import LineField

Try = Callable[[], str]
"""Makes an edit and returns why not, or an empty text."""
_STEPS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


class Grip(QWidget):
    """Six dots by which a row is dragged; its signals carry the pointer's height on the screen."""

    moved = Signal(float)
    dropped = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(QSize(12, 28))
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setToolTip("Drag to change the order, or Alt+Up and Alt+Down")
        self._pressed: QPointF | None = None
        self._dragging = False

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(style.current().color("muted" if self.underMouse() else "faint"))
        for x in (3.5, 8.5):
            for y in (9, 14, 19):
                painter.drawEllipse(QPointF(x, y), 1.2, 1.2)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed, self._dragging = event.globalPosition(), False
        self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None:
            return
        way = (event.globalPosition() - self._pressed).manhattanLength()
        self._dragging = self._dragging or way >= QApplication.startDragDistance() / 2
        if self._dragging:
            self.moved.emit(event.globalPosition().y())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pressed = None
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        if self._dragging:
            self._dragging = False
            self.dropped.emit(event.globalPosition().y())


class NameField(LineField):
    """A name: taken with Enter or when it is left, put back by Escape; Alt and the arrows carry its row."""

    carried = Signal(int)
    given_up = Signal()

    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and (self._step(event) or event.key() == Qt.Key.Key_Escape)
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if step := self._step(event):
            self.carried.emit(step)
        elif event.key() == Qt.Key.Key_Escape:
            self.given_up.emit()
        else:
            super().keyPressEvent(event)

    def _step(self, event: QKeyEvent) -> int:
        alt = event.modifiers() & Qt.KeyboardModifier.AltModifier
        return _STEPS.get(event.key(), 0) if alt else 0


class Row(QWidget):
    """One name with a grip before it and a button that removes it; ``more`` takes further fields."""

    def __init__(self, bench: Bench, kind: str):
        super().__init__()
        self.kind, self.shown = kind, ""
        self.grip = Grip()
        self.name = NameField()
        self.remove = IconButton(bench, "close", kind="flat")
        self.remove.setFixedWidth(24)
        self.error = label("", "error", 12, wrap=True)
        self.error.hide()
        self.more: QHBoxLayout = row(spacing=6)
        first = row(spacing=4)
        first.addWidget(self.grip)
        first.addWidget(self.name, 1)
        first.addLayout(self.more)
        first.addWidget(self.remove)
        self.below = column(self, 3)
        self.below.addLayout(first)
        self.below.addWidget(self.error)
        self.name.given_up.connect(lambda: self.show_name(self.shown))

    def show_name(self, name: str) -> None:
        """Show what the document says."""
        self.shown = name
        self.name.setText(name)
        self.name.setCursorPosition(0)
        self.name.setAccessibleName(f"Name of the {self.kind} {name}")
        self.grip.setAccessibleName(f"Move the {self.kind} {name}")
        self.remove.setAccessibleName(f"Remove {name}")
        self.remove.setToolTip(f"Remove the {self.kind} {name}")
        self.say("")

    def say(self, reason: str) -> None:
        """Say below the row why something was not done."""
        self.name.set_bad(bool(reason))
        self.error.setText(reason)
        self.error.setVisible(bool(reason))


class Rows(QWidget):
    """A heading with a button that adds, and a row for each name in its order."""

    def __init__(self, bench: Bench, title: str, kind: str):
        super().__init__()
        self._bench, self.kind = bench, kind
        self.rows: list[Row] = []
        self.add = IconButton(bench, "plus", kind="flat", tip=f"Add {_an(kind)}")
        self.add.setFixedWidth(24)
        head = row(spacing=4)
        head.addWidget(section(title), 1)
        head.addWidget(self.add)
        self._list = column(spacing=4)
        layout = column(self, 4)
        layout.addLayout(head)
        layout.addLayout(self._list)
        self._mark = QFrame(self)
        self._mark.setObjectName("dropMark")
        self._mark.hide()

    # What a list of some kind does; each returns why not, or an empty text.

    def rename(self, name: str, new: str) -> str:
        """Give another name."""
        raise NotImplementedError

    def move_to(self, name: str, place: int) -> str:
        """Give another place in the order."""
        raise NotImplementedError

    def take_away(self, name: str) -> str:
        """Remove it."""
        raise NotImplementedError

    def make_row(self) -> Row:
        """Return an empty row."""
        return Row(self._bench, self.kind)

    def show_names(self, names: Sequence[str]) -> None:
        """Show these names; rows stay where they are, so that what has the focus keeps it."""
        while len(self.rows) > len(names):
            gone = self.rows.pop()
            self._list.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        while len(self.rows) < len(names):
            self._join(self.make_row())
        for each, name in zip(self.rows, names, strict=True):
            if each.shown != name:
                each.show_name(name)

    def focus(self, name: str) -> None:
        """Put the cursor into a name, to be typed over."""
        found = next((each for each in self.rows if each.shown == name), None)
        if found is not None:
            found.name.setFocus()
            found.name.selectAll()

    def _join(self, new: Row) -> None:
        self.rows.append(new)
        self._list.addWidget(new)
        new.name.editingFinished.connect(lambda: self._rename(new))
        new.name.carried.connect(lambda by: self._carry(new, self.rows.index(new) + by))
        new.remove.clicked.connect(lambda: new.say(self.take_away(new.shown)))
        new.grip.moved.connect(lambda y: self._show_mark(new, y))
        new.grip.dropped.connect(lambda y: self._drop(new, y))

    def _rename(self, each: Row) -> None:
        wanted = each.name.text().strip()
        if wanted == each.shown:
            each.show_name(each.shown)
        else:
            each.say(self.rename(each.shown, wanted))

    def _carry(self, each: Row, place: int) -> None:
        if 0 <= place < len(self.rows) and place != self.rows.index(each):
            reason = self.move_to(each.shown, place)
            (each if reason else self.rows[place]).say(reason)
            if not reason:
                self.rows[place].name.setFocus()

    def _gap(self, y: float) -> int:
        """Return the gap between two rows that is nearest to a height on the screen."""
        middles = [each.mapToGlobal(QPointF(0, each.height() / 2)).y() for each in self.rows]
        return sum(y > middle for middle in middles)

    def _show_mark(self, each: Row, y: float) -> None:
        gap = self._gap(y)
        before = self.rows[gap - 1].geometry().bottom() + 2 if gap else self.rows[0].y() - 3
        self._mark.setStyleSheet(f"background: {style.current().accent}; border-radius: 1px;")
        self._mark.setGeometry(0, before, self.width(), 2)
        self._mark.show()
        self._mark.raise_()

    def _drop(self, each: Row, y: float) -> None:
        self._mark.hide()
        gap, place = self._gap(y), self.rows.index(each)
        self._carry(each, gap - (gap > place))


def _an(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
