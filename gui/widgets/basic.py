"""Labels, buttons, surfaces: plain widgets with the roles that the stylesheet knows."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from gui import icons, style
from gui.bench import Bench
from gui.fonts import mono_font, ui_font
from gui.theme import CAPTION_PX, TEXT_PX, Theme


class Panel(QWidget):
    """A surface: ``window``, ``panel``, ``canvas``, ``top`` (line below) or ``foot`` (line above)."""

    def __init__(self, surface: str = "panel", parent: QWidget | None = None):
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("surface", surface)


class Scroll(QScrollArea):
    """A scroll area for a column of widgets that is as wide as the view."""

    def __init__(self, widget: QWidget | None = None, parent: QWidget | None = None):
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setAutoFillBackground(False)
        if widget is not None:
            self.setWidget(widget)

    def setWidget(self, widget: QWidget) -> None:
        widget.setAutoFillBackground(False)
        super().setWidget(widget)
        widget.setAutoFillBackground(False)


class Box(QFrame):
    """A quiet inset that holds a fact or a snippet."""

    def __init__(self, parent: QWidget | None = None):
        super().__init__(parent)
        self.setProperty("widget", "box")


def label(
    text: str = "", role: str = "", px: float = TEXT_PX, weight: int = 400, wrap: bool = False
) -> QLabel:
    """Return a label; ``role`` is empty, ``muted``, ``faint``, ``ok``, ``warning`` or ``error``."""
    result = QLabel(text)
    result.setTextFormat(Qt.TextFormat.PlainText)  # names come from files: never read them as markup
    result.setFont(ui_font(px, weight))
    result.setWordWrap(wrap)
    if role:
        result.setProperty("role", role)
    return result


def section(text: str) -> QLabel:
    """Return the heading of a section."""
    return label(text, "section", CAPTION_PX, 600)


def mono(text: str = "", role: str = "") -> QLabel:
    """Return a label for a shape or a line of code."""
    result = label(text, role)
    result.setFont(mono_font())
    return result


def set_role(widget: QWidget, role: str, name: str = "role") -> None:
    """Give a widget another role and repaint it."""
    if widget.property(name) != role:
        widget.setProperty(name, role)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def rule() -> QFrame:
    """Return a horizontal line."""
    result = QFrame()
    result.setProperty("line", True)
    return result


class Elided(QLabel):
    """A label of one line that shortens its text with an ellipsis, and then shows it as a tool tip."""

    def __init__(self, text: str = "", role: str = "", px: float = TEXT_PX, weight: int = 400):
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(ui_font(px, weight))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        if role:
            self.setProperty("role", role)
        self._full, self._spoken = text, ""
        self._shorten()

    def set_text(self, text: str, spoken: str = "") -> None:
        """Show another text; a screen reader says ``spoken`` where it is given."""
        self._full, self._spoken = text, spoken
        self._shorten()
        self.updateGeometry()

    def full_text(self) -> str:
        """Return the text without the ellipsis."""
        return self._full

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._shorten()

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self._full) + 2, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        return QSize(min(24, self.sizeHint().width()), super().minimumSizeHint().height())

    def _shorten(self) -> None:
        shown = self.fontMetrics().elidedText(self._full, Qt.TextElideMode.ElideRight, max(self.width(), 8))
        self.setText(shown)
        self.setToolTip(self._full if shown != self._full else "")
        self.setAccessibleName(self._spoken or self._full)


class Dot(QWidget):
    """The 9 px rounded dot of a category."""

    def __init__(self, color: str, parent: QWidget | None = None):
        super().__init__(parent)
        self._color = color
        self.setFixedSize(9, 9)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_dot(painter, self._color, QRectF(0, 0, 9, 9))


def paint_dot(painter: QPainter, color: str, box: QRectF) -> None:
    """Draw a category's dot."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(color))
    painter.drawRoundedRect(box, 2.5, 2.5)


def button(text: str, kind: str = "", tip: str = "") -> QPushButton:
    """Return a button; ``kind`` is empty, ``primary``, ``small``, ``flat``, ``crumb`` or ``chip``."""
    result = QPushButton(text)
    result.setFont(ui_font(CAPTION_PX + 1 if kind in ("small", "flat") else TEXT_PX, 500))
    result.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    result.setCursor(Qt.CursorShape.ArrowCursor)
    if kind:
        result.setProperty("kind", kind)
    if tip:
        result.setToolTip(tip)
    return result


class IconButton(QPushButton):
    """A button with an icon that follows the theme; an icon alone makes it square."""

    def __init__(self, bench: Bench, name: str, text: str = "", kind: str = "", tip: str = ""):
        super().__init__(text)
        self._name, self._kind = name, kind or ("" if text else "icon")
        self.setProperty("kind", self._kind)
        self.setFont(ui_font(CAPTION_PX + 1 if kind == "small" else TEXT_PX, 500))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setIconSize(QSize(icons.SIZE, icons.SIZE))
        self.setAccessibleName(text or tip)
        self.setToolTip(tip)
        self.set_theme(bench.theme)
        bench.theme_changed.connect(self.set_theme)

    def set_icon(self, name: str) -> None:
        """Show another icon."""
        if name != self._name:
            self._name = name
            self.set_theme(style.current())

    def set_theme(self, theme: Theme) -> None:
        """Tint the icon."""
        tint = theme.color("on_accent" if self._kind == "primary" else "text")
        self.setIcon(icons.icon(self._name, tint, theme.color("faint")))


def column(parent: QWidget | None = None, spacing: int = 8, margin: int = 0) -> QVBoxLayout:
    """Return a vertical layout; ``margin`` in pixels on all sides."""
    return _spaced(QVBoxLayout(parent) if parent else QVBoxLayout(), spacing, margin)


def row(parent: QWidget | None = None, spacing: int = 8, margin: int = 0) -> QHBoxLayout:
    """Return a horizontal layout; ``margin`` in pixels on all sides."""
    return _spaced(QHBoxLayout(parent) if parent else QHBoxLayout(), spacing, margin)


def _spaced(layout: QLayout, spacing: int, margin: int) -> QLayout:
    layout.setContentsMargins(margin, margin, margin, margin)
    layout.setSpacing(spacing)
    return layout


def empty(layout: QLayout) -> None:
    """Remove and delete everything in a layout."""
    while (item := layout.takeAt(0)) is not None:
        if widget := item.widget():
            widget.hide()
            widget.deleteLater()
        elif inner := item.layout():
            empty(inner)
