"""Small painted controls of the views: a line of parts, a choice of two or three words."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.bench import Bench
from gui.theme import CAPTION_PX, RADIUS
from gui.views.text import Part, draw_note, draw_parts, font, metrics


class TextLine(QWidget):
    """One line of parts; it repaints only when they change and never asks the layout for more room."""

    def __init__(self, bench: Bench, stretch: bool = True, parent: QWidget | None = None):
        super().__init__(parent)
        self.bench = bench
        self.parts: list[Part] = []
        self._stretch = stretch
        self._width = 0
        policy = QSizePolicy.Policy.Ignored if stretch else QSizePolicy.Policy.Fixed
        self.setSizePolicy(policy, QSizePolicy.Policy.Fixed)

    @property
    def text(self) -> str:
        """The words, for tests and screen readers."""
        return "".join(part.text for part in self.parts)

    def set_parts(self, parts: Sequence[Part]) -> None:
        """Show these parts."""
        if list(parts) == self.parts:
            return
        self.parts = list(parts)
        self.setAccessibleName(self.text)
        width = int(sum(part.width() for part in parts) + 2)
        if not self._stretch and width != self._width:
            self._width = width
            self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._width, 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        draw_parts(painter, QRectF(self.rect()), self.parts, self.bench.theme)


class Note(QWidget):
    """A sentence in the middle of an empty view."""

    def __init__(self, bench: Bench, text: str, parent: QWidget | None = None):
        super().__init__(parent)
        self.bench, self.text = bench, text

    def paintEvent(self, event: QPaintEvent) -> None:
        draw_note(QPainter(self), QRectF(self.rect()), self.text, self.bench.theme)


class Banner(QWidget):
    """A sentence about a failure that lies over a view; hidden while there is none."""

    def __init__(self, bench: Bench, parent: QWidget):
        super().__init__(parent)
        self.bench, self.text = bench, ""
        self.hide()

    def say(self, text: str) -> None:
        """Show a sentence, or hide for an empty one."""
        self.text = text
        self.setVisible(bool(text))
        self.setAccessibleName(text)
        self.place()

    def place(self) -> None:
        """Lie over the upper part of the parent, as high as the sentence needs."""
        width = min(self.parentWidget().width() - 48, 460)
        flags = int(Qt.TextFlag.TextWordWrap)
        box = metrics(CAPTION_PX + 1).boundingRect(QRectF(0, 0, max(40, width - 28), 900), flags, self.text)
        self.setGeometry((self.parentWidget().width() - width) // 2, 40, width, int(box.height()) + 20)
        self.raise_()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self.bench.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme.color("error", 150))
        painter.setBrush(theme.color("raised"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), RADIUS, RADIUS)
        painter.setFont(font(CAPTION_PX + 1))
        painter.setPen(theme.color("error"))
        flags = int(Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(QRectF(self.rect()).adjusted(14, 8, -14, -8), flags, self.text)


class Choice(QWidget):
    """Two or three words of which one holds; ``changed`` carries its index. Arrow keys work too.

    An empty word cannot be chosen and takes no room.
    """

    changed = Signal(int)

    def __init__(self, bench: Bench, words: Sequence[str], parent: QWidget | None = None):
        super().__init__(parent)
        self.bench, self.words, self.index = bench, tuple(words), 0
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(" or ".join(filter(None, words)))
        self.setAccessibleDescription(self.words[0])

    def choose(self, index: int) -> None:
        """Let the word at ``index`` hold."""
        if 0 <= index < len(self.words) and index != self.index and self.words[index]:
            self.index = index
            self.setAccessibleDescription(self.words[index])
            self.update()
            self.changed.emit(index)

    def say(self, index: int, word: str) -> None:
        """Change a word, as where it tells a number."""
        if self.words[index] != word:
            self.words = (*self.words[:index], word, *self.words[index + 1 :])
            self.updateGeometry()
            self.update()

    def _boxes(self) -> list[QRectF]:
        boxes, x = [], 0.0
        for word in self.words:
            width = metrics(CAPTION_PX, 600).horizontalAdvance(word) + 14 if word else 0.0
            boxes.append(QRectF(x, 0, width, 20))
            x += width + 2
        return boxes

    def sizeHint(self) -> QSize:
        return QSize(int(self._boxes()[-1].right()) + 1, 20)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        hit = [i for i, box in enumerate(self._boxes()) if box.contains(event.position())]
        if hit:
            self.choose(hit[0])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if move is None:
            super().keyPressEvent(event)
        else:
            self.choose(self.index + move)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self.bench.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for index, (word, box) in enumerate(zip(self.words, self._boxes(), strict=True)):
            chosen = index == self.index
            if chosen and word:
                painter.setPen(theme.color("accent") if self.hasFocus() else Qt.PenStyle.NoPen)
                painter.setBrush(theme.color("selection" if self.hasFocus() else "grid"))
                painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
            painter.setFont(font(CAPTION_PX, 600 if chosen else 400))
            painter.setPen(theme.color("text" if chosen else "muted"))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, word)


class Stepper(QWidget):
    """Two arrows; ``stepped`` carries -1 or 1."""

    stepped = Signal(int)

    def __init__(self, bench: Bench, back: str, on: str, parent: QWidget | None = None):
        super().__init__(parent)
        self.bench = bench
        self._enabled = (True, True)
        self._names = (back, on)
        self.setToolTip(f"{back}, {on.lower()}")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName(f"{back}, {on.lower()}")

    def enable(self, back: bool, on: bool) -> None:
        """Choose which of the two arrows can be pressed."""
        if self._enabled != (back, on):
            self._enabled = (back, on)
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(38, 20)

    def _step(self, by: int) -> None:
        if self._enabled[by > 0]:
            self.stepped.emit(by)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._step(1 if event.position().x() >= self.width() / 2 else -1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if move is None:
            super().keyPressEvent(event)
        else:
            self._step(move)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self.bench.theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        half = self.width() / 2
        for index, on in enumerate(self._enabled):
            box = QRectF(index * half + 0.5, 0.5, half - 2, self.height() - 1)
            painter.setPen(theme.color("accent") if self.hasFocus() else Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("grid"))
            painter.drawRoundedRect(box, 5, 5)
            center, way = box.center(), -1 if index == 0 else 1
            painter.setPen(QPen(theme.color("text" if on else "faint"), 1.4))
            tip = QPointF(center.x() + 2 * way, center.y())
            painter.drawPolyline([QPointF(tip.x() - 4 * way, tip.y() - 4), tip,
                                  QPointF(tip.x() - 4 * way, tip.y() + 4)])  # fmt: skip
