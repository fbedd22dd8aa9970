"""A whole window, driven as a user drives it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QDrag, QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QListWidget, QMessageBox, QWidget

from engine.graph.document import Slot
from gui.app import make_window
from gui.main_window import MainWindow

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@contextmanager
def open_window(qtbot: object, preset: str = "") -> Iterator[MainWindow]:
    """Give a shown window, with a preset or an empty document, and close it at the end."""
    window = make_window()
    window.resize(1500, 950)
    window.show()
    qtbot.waitExposed(window)
    if preset:
        window.files.open_preset(preset)
    else:
        window.files.new()
    qtbot.waitUntil(lambda: window.bench.analysis.document is window.bench.store.document, timeout=60_000)
    try:
        yield window
    finally:
        for session in window.bench.store.sessions:
            session.undo_stack.setClean()
        window.close()
        window.deleteLater()
        QApplication.processEvents()


def drag_layer(window: MainWindow, type_label: str, to: QPoint, monkeypatch: object) -> None:
    """Drag a row of the palette with the mouse and drop it on a pixel of the canvas.

    The offscreen platform has no drag and drop, so what the platform would send to the canvas while the drag
    goes on is sent here; the press, the moves and the dragged data are the palette's own.
    """
    rows = window.palette_.findChild(QListWidget)
    items = [rows.item(n) for n in range(rows.count())]
    item = next(
        each for each in items if each.text() == type_label and each.flags() & Qt.ItemFlag.ItemIsEnabled
    )
    rows.scrollToItem(item)
    target = window.canvas.viewport()

    def carry(drag: QDrag, *_: object) -> Qt.DropAction:
        data, actions = drag.mimeData(), Qt.DropAction.CopyAction
        for event in (
            QDragEnterEvent(to, actions, data, LEFT, NONE),
            QDragMoveEvent(to, actions, data, LEFT, NONE),
            QDropEvent(QPointF(to), actions, data, LEFT, NONE),
        ):
            QApplication.sendEvent(target, event)
            assert event.isAccepted()
        return actions

    monkeypatch.setattr(QDrag, "exec", carry)
    start = rows.visualItemRect(item).center()
    drag(rows.viewport(), start, start + QPoint(60, 10))


def drag(widget: QWidget, start: QPoint, end: QPoint) -> None:
    """Press, move in steps, release."""
    QTest.mousePress(widget, LEFT, NONE, start)
    for share in (0.1, 0.3, 0.6, 0.9, 1.0):
        QTest.mouseMove(widget, start + (end - start) * share)
    QTest.mouseRelease(widget, LEFT, NONE, end)
    QApplication.processEvents()


def connect(window: MainWindow, source: tuple[str, str], target: tuple[str, str]) -> None:
    """Drag with the mouse from an output to an input."""
    canvas = window.canvas
    start = canvas.to_view(canvas.graph.slot_at(Slot(*source), False))
    end = canvas.to_view(canvas.graph.slot_at(Slot(*target), True))
    drag(canvas.viewport(), start, end)


def click_node(window: MainWindow, id: str) -> None:
    """Click on a node's title."""
    place = window.canvas.to_view(window.canvas.graph.nodes[id].pos() + QPointF(60, 12))
    QTest.mouseClick(window.canvas.viewport(), LEFT, NONE, place)


def answer(button: QMessageBox.StandardButton | str) -> list[str]:
    """Press a button of the next message box, one of Qt's or by its text; returns a list for what it says."""
    said: list[str] = []

    def press() -> None:
        box = QApplication.activeModalWidget()
        if isinstance(box, QMessageBox):
            said.append(f"{box.text()} {box.informativeText()}")
            named = (each for each in box.buttons() if each.text() == button)
            (next(named) if isinstance(button, str) else box.button(button)).click()
        else:
            QTimer.singleShot(20, press)

    QTimer.singleShot(0, press)
    return said
