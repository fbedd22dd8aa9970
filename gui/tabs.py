"""The row of open documents over the canvas: one tab each, dragged, closed and walked like everywhere."""

from __future__ import annotations

from PySide6.QtCore import (
    QEvent,
    QPoint,
    QPointF,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import (
    QDragMoveEvent,
    QDropEvent,
    QKeySequence,
    QMouseEvent,
    QResizeEvent,
    QShortcut,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QWidget

from gui.bench import Bench
from gui.canvas import carry
from gui.session import Session
from gui.tab import HEIGHT, Tab
from gui.widgets.basic import IconButton, Panel

_WIDEST, _NARROWEST, _GAP, _MARGIN = 220, 84, 2, 8
DWELL_MS = 450
"""How long something is held over a tab until its document comes to the front."""


class DocumentTabs(Panel):
    """The tabs of a store's sessions; hidden while there is only one.

    ``closing`` carries the session whose tab was closed with the mouse; ``wanted`` asks for a new document.
    """

    closing = Signal(object)
    wanted = Signal()
    nodes_dropped = Signal(str)
    """Nodes were dropped on a tab, which is in front by now."""

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__("top", parent)
        self._bench, self._store = bench, bench.store
        self.setFixedHeight(HEIGHT)
        self.setAccessibleName("Open networks")
        self.tabs: dict[Session, Tab] = {}
        self._pressed: Tab | None = None
        self._pressed_at = QPointF()
        self._grip = 0.0
        self._dragging = False
        self._offset = 0
        self._aimed: Tab | None = None
        self._dwell = QTimer(self, singleShot=True, interval=DWELL_MS)
        self._dwell.timeout.connect(self._turn)
        self.setAcceptDrops(True)
        self.plus = IconButton(bench, "plus", kind="flat", tip="New network (Ctrl+T)")
        self.plus.setParent(self)
        self.plus.setFixedSize(28, 28)
        self.plus.clicked.connect(self.wanted)
        for signal in (self._store.sessions_changed, self._store.arrived):
            signal.connect(self.show_sessions)
        for signal in (self._store.edited, self._store.undo_stack.cleanChanged, bench.runs_changed):
            signal.connect(self.refresh)
        bench.runs_moved.connect(self._show_progress)
        bench.theme_changed.connect(lambda _: self.update())
        self.show_sessions()

    def add_shortcuts(self, window: QWidget) -> None:
        """Give a window the other keys that hands know for tabs; keys that were chosen for more go before."""
        others = [
            QShortcut(QKeySequence(keys), window, do)
            for keys, do in (
                ("Ctrl+T", self.wanted.emit),
                ("Ctrl+PgDown", lambda: self.walk(1)),
                ("Ctrl+PgUp", lambda: self.walk(-1)),
            )
        ]

        def give_way() -> None:
            taken = {action.shortcut() for action in window.actions()}
            for each in others:
                each.setEnabled(each.key() not in taken)

        self._bench.keymap.changed.connect(give_way)
        give_way()

    def refresh(self, *_: object) -> None:
        """Bring names, dots and progress up to date."""
        before = [tab.width() for tab in self.tabs.values()]
        for tab in self.tabs.values():
            tab.refresh()
        if before != self._widths():
            self._arrange()

    def _show_progress(self) -> None:
        for tab in self.tabs.values() if self.isVisible() else ():
            tab.refresh()

    def show_sessions(self) -> None:
        """Show a tab for each open document, in their order."""
        sessions = self._store.sessions
        for session in [each for each in self.tabs if each not in sessions]:
            tab = self.tabs.pop(session)
            if tab is self._pressed:
                self._pressed, self._dragging = None, False
            if tab is self._aimed:
                self._aim(None)
            tab.hide()
            tab.deleteLater()
        fresh = [session for session in sessions if session not in self.tabs]
        for session in fresh:
            self.tabs[session] = Tab(self._bench, session, self)
            self.tabs[session].clicked.connect(lambda _=False, session=session: self._store.show(session))
            self.tabs[session].show()
        self.tabs = {session: self.tabs[session] for session in sessions}
        for session, tab in self.tabs.items():
            tab.setChecked(session is self._store.session)
            tab.refresh()
        self.setVisible(len(sessions) > 1)
        self._arrange(at_once=bool(fresh))

    def walk(self, by: int) -> None:
        """Bring the next document to the front, or one so many tabs away; the row is a ring."""
        sessions = self._store.sessions
        self._store.show(sessions[(sessions.index(self._store.session) + by) % len(sessions)])

    # -- where they stand --------------------------------------------------------------------------------

    def _widths(self) -> list[int]:
        """Return how wide each tab is: as its name, as far as there is room."""
        wide = [min(max(tab.natural_width(), _NARROWEST), _WIDEST) for tab in self.tabs.values()]
        room = self._room() - _GAP * (len(wide) - 1)
        most = _WIDEST
        while sum(min(each, most) for each in wide) > room and most > _NARROWEST:
            most -= 2
        return [min(each, most) for each in wide]

    def _room(self) -> int:
        return self.width() - 2 * _MARGIN - self.plus.width() - 6

    def _arrange(self, at_once: bool = False) -> None:
        widths = self._widths()
        total = sum(widths) + _GAP * max(len(widths) - 1, 0)
        starts = [sum(widths[:n]) + _GAP * n for n in range(len(widths))]
        if not self._dragging and self._store.session in self.tabs:  # the one in front is always in view
            place = self._store.sessions.index(self._store.session)
            most, least = starts[place], starts[place] + widths[place] - self._room()
            self._offset = min(max(self._offset, least), most)
        self._offset = min(max(self._offset, 0), max(total - self._room(), 0))
        for tab, x, width in zip(self.tabs.values(), starts, widths, strict=True):
            tab.setFixedWidth(width)
            if not (self._dragging and tab is self._pressed):
                tab.slide(_MARGIN + x - self._offset, at_once)
        self.plus.move(min(_MARGIN + total - self._offset, self.width() - 36) + 6, (HEIGHT - 28) // 2)
        self.plus.raise_()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange(at_once=True)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self._offset -= event.angleDelta().y() // 2 or event.angleDelta().x() // 2
        dragging, self._dragging = self._dragging, True  # the one in front may leave the view
        self._arrange(at_once=True)
        self._dragging = dragging
        event.accept()

    # -- what is dragged over it -------------------------------------------------------------------------

    def leads_away(self, at: QPoint) -> bool:
        """Return whether a place of the screen is on the tab of a document that is not in front."""
        tab = self.tab_at(QPointF(self.mapFromGlobal(at))) if self.isVisible() else None
        return tab is not None and tab.session is not self._store.session

    def dragEnterEvent(self, event: QDragMoveEvent) -> None:
        self.dragMoveEvent(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        tab = self.tab_at(event.position())
        if tab is not self._aimed:
            self._aim(tab)
            if tab is not None:
                self._dwell.start()
        event.setAccepted(carry.holds(event) and tab is not None)

    def dragLeaveEvent(self, event: QEvent) -> None:
        self._aim(None)

    def dropEvent(self, event: QDropEvent) -> None:
        tab = self.tab_at(event.position())
        self._aim(None)
        if tab is None or not carry.holds(event):
            event.ignore()
            return
        self._store.show(tab.session)
        self.nodes_dropped.emit(bytes(event.mimeData().data(carry.MIME).data()).decode("utf-8", "replace"))
        event.acceptProposedAction()

    def _aim(self, tab: Tab | None) -> None:
        for each in {self._aimed, tab} - {None}:
            each.set_aimed(each is tab)
        self._aimed = tab
        self._dwell.stop()

    def _turn(self) -> None:
        """Bring the document to the front over whose tab something has been held for a moment."""
        if self._aimed is not None and self._aimed.session in self._store.sessions:
            self._store.show(self._aimed.session)

    # -- the mouse ---------------------------------------------------------------------------------------

    def tab_at(self, at: QPointF) -> Tab | None:
        """Return the tab at a point of the row."""
        return next((tab for tab in self.tabs.values() if tab.geometry().contains(at.toPoint())), None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        tab = self.tab_at(event.position())
        self._pressed, self._pressed_at, self._dragging = tab, event.position(), False
        if tab is None:
            return
        self._grip = event.position().x() - tab.x()
        on_mark = tab.mark_box().contains(event.position() - QPointF(tab.pos()))
        if event.button() == Qt.MouseButton.LeftButton and not on_mark:
            self._store.show(tab.session)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        tab = self._pressed
        if tab is None or not event.buttons() & Qt.MouseButton.LeftButton:
            return
        far = abs(event.position().x() - self._pressed_at.x()) >= QApplication.startDragDistance()
        if not self._dragging and not far:
            return
        self._dragging = True
        tab.raise_()
        tab.move(round(min(max(event.position().x() - self._grip, 0), self.width() - tab.width())), tab.y())
        place = self._place_of(tab)
        if place != self._store.sessions.index(tab.session):
            self._store.move(tab.session, place)

    def _place_of(self, dragged: Tab) -> int:
        """Return where a dragged tab belongs: behind every neighbor whose middle it has passed."""
        mine, x, place = self._store.sessions.index(dragged.session), _MARGIN - self._offset, 0
        for n, (tab, width) in enumerate(zip(self.tabs.values(), self._widths(), strict=True)):
            middle = x + width / 2
            x += width + _GAP
            if tab is not dragged:
                place += middle < (dragged.x() if n < mine else dragged.x() + dragged.width())
        return place

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        tab, dragged = self._pressed, self._dragging
        self._pressed, self._dragging = None, False
        if dragged:
            self._arrange()
        elif tab is not None and tab is self.tab_at(event.position()):
            inside = event.position() - QPointF(tab.pos())
            by_mark = event.button() == Qt.MouseButton.LeftButton and tab.mark_box().contains(inside)
            if by_mark or event.button() == Qt.MouseButton.MiddleButton:
                self.closing.emit(tab.session)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.tab_at(event.position()) is None:
            self.wanted.emit()
        else:
            self.mousePressEvent(event)
