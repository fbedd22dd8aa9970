"""Finding on the canvas: a field over the hits, and their marks on what is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QFrame, QLineEdit, QListView, QStyleOptionViewItem

from engine.errors import EngineError
from engine.graph.blocks import layer_of
from engine.graph.document import Comment, Document
from engine.graph.find import Hit, find, reason
from engine.layers.declaration import Layer
from gui.bench import Bench
from gui.canvas import fonts
from gui.canvas.node_item import NodeItem
from gui.theme import CAPTION_PX, CATEGORY, NODE_RADIUS, TEXT_PX, Theme
from gui.views.parts import Stepper
from gui.widgets.basic import IconButton, column, label, row
from gui.widgets.search_popup import PopupRows, popup_style

if TYPE_CHECKING:
    from gui.canvas.editor import Editor

WIDTH, NARROW, TOP, INSET = 380, 300, 4, 12
_HIT = Qt.ItemDataRole.UserRole
_AGAIN_MS = 80


class FindBar(QFrame):
    """Lists what answers to a text while one types; Enter walks from hit to hit, Esc leaves.

    It stays open while one works on the canvas, and follows what is edited.
    """

    def __init__(self, view: Editor, bench: Bench):
        super().__init__(view)
        self._view, self._bench = view, bench
        self.setObjectName("findBar")
        self.field = QLineEdit()
        self.field.setPlaceholderText("Find: a name, Conv2d, kernel_size=3 …")
        self.field.setAccessibleName("Find on the canvas")
        self.field.setClearButtonEnabled(False)
        self.count = label("", "muted", CAPTION_PX)
        self.stepper = Stepper(bench, "The hit before", "The next hit")
        self.stepper.stepped.connect(self.walk)
        close = IconButton(bench, "close", tip="Close")
        close.clicked.connect(self.leave)
        self.hits: list[Hit] = []
        self.marks: frozenset[str] = frozenset()
        """The hits among the nodes that are shown."""
        self._at: int | None = None
        self.document = Document()
        """What was searched last."""
        self._model = _Hits(self)
        self.list = QListView()
        self.list.setModel(self._model)
        self.list.setAccessibleName("Hits")
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._rows = _Rows(self)
        self.list.setItemDelegate(self._rows)
        self.list.clicked.connect(lambda index: self._go(index.row()))
        head = row(spacing=6)
        head.addWidget(self.field, 1)
        for widget in (self.count, self.stepper, close):
            head.addWidget(widget)
        layout = column(self, 6, 8)
        layout.addLayout(head)
        layout.addWidget(self.list)
        self._again = QTimer(self, singleShot=True, interval=_AGAIN_MS)
        self._again.timeout.connect(self._search_again)
        self.field.textChanged.connect(self._search)
        self.field.installEventFilter(self)
        for signal in (bench.store.edited, bench.store.replaced, bench.analyzed):
            signal.connect(self._look_again)
        bench.store.scope_changed.connect(self._mark)
        view.arrived.connect(self._give_way)
        bench.theme_changed.connect(self.set_theme)
        self.set_theme(bench.theme)
        self.hide()

    @property
    def text(self) -> str:
        """What is searched for."""
        return self.field.text()

    def open(self) -> None:
        """Show the field with what was searched for last, ready to be replaced."""
        if not self._view.isVisible():
            return
        self._show()
        self.field.selectAll()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def leave(self) -> None:
        """Go away with the marks; what was found stays selected."""
        if self.isHidden():
            return
        self.hide()
        self._mark()
        self._view.setFocus()

    def walk(self, step: int = 1) -> None:
        """Go to the next hit, or back with a ``step`` of -1; after the last comes the first."""
        if self.isHidden():
            self._show()
            if not self.text:
                self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        if not self.hits:
            return
        if self._at is None:
            first = self._nearest()
            self._go(first if step > 0 else (first - 1) % len(self.hits))
        else:
            self._go((self._at + step) % len(self.hits))

    def fit(self) -> None:
        """Stand in the row of the caption, where no node hides; the list takes at most half of the canvas."""
        if self.isHidden():
            return
        around = self.parentWidget()
        rows = max(2, min(self._rows.most, int(around.height() / 2 / self._rows.high) - 1))
        self.list.setFixedHeight(max(min(len(self.hits), rows), 1) * self._rows.high)
        left = self._view.heat.x() - 8
        right = left if left >= NARROW else around.width() - INSET
        self.setFixedWidth(max(min(WIDTH, right - INSET), 200))
        self.layout().activate()
        self.adjustSize()
        self.move(right - self.width(), TOP)

    def set_theme(self, theme: Theme) -> None:
        """Take on the colors of a theme."""
        self._rows.theme = theme
        self.setStyleSheet(popup_style("findBar", theme))

    # -- searching ---------------------------------------------------------------------------------------

    def _show(self) -> None:
        self.show()
        self.raise_()
        self._search_again()

    def _search(self) -> None:
        self._at = None
        self._list()

    def _look_again(self, *_: object) -> None:
        if not self.isHidden():
            self._again.start()

    def _search_again(self) -> None:
        """Search what was edited meanwhile, and stay at the hit where one was."""
        here = self._place(self.hits[self._at]) if self._at is not None else None
        self._at = None
        self._list()
        places = [self._place(hit) for hit in self.hits] if here else []
        if here in places:
            self._at = places.index(here)
            self._tell()

    def _list(self) -> None:
        self.document = self._bench.store.whole
        self.hits = find(self.document, self.text, self._problems())
        self._model.show(self)
        self.list.setVisible(bool(self.hits))
        self._tell()
        self._mark()
        self.fit()

    def _problems(self) -> dict[str, tuple]:
        whole = self._bench.store.session.analysis
        if whole is None:
            return {}
        return {"": whole.problems} | {name: each.problems for name, each in whole.blocks.items()}

    def why(self, hit: Hit) -> str:
        """Return for which parameter or problem a hit was found."""
        return reason(self.document, hit, self.text, self._problems())

    def _tell(self) -> None:
        """Say how many there are and which one it is."""
        count = len(self.hits)
        at = f"{self._at + 1} of {count}" if self._at is not None else f"{count} found"
        self.count.setText(at if count else "Nothing found" if self.text.strip() else "")
        self.stepper.enable(bool(count), bool(count))
        if count:
            index = self._model.index(self._at if self._at is not None else self._nearest())
            self.list.setCurrentIndex(index)
            self.list.scrollTo(index)

    # -- going there -------------------------------------------------------------------------------------

    @staticmethod
    def _place(hit: Hit) -> tuple[tuple[str, ...], str]:
        return hit.scope, hit.id

    def _nearest(self) -> int:
        """Return the hit that is selected, else the first where one looks, else the first of all."""
        store = self._bench.store
        here = [n for n, hit in enumerate(self.hits) if hit.scope == store.scope]
        chosen = (n for n in here if self.hits[n].id in store.chosen)
        return next(chosen, here[0] if here else 0)

    def _go(self, place: int) -> None:
        self._at = place
        hit = self.hits[place]
        self._enter(hit)
        self._view.show_node(hit.id)
        self._tell()
        self._view.viewport().update()

    def _enter(self, hit: Hit) -> None:
        store = self._bench.store
        if store.scope == hit.scope:
            return
        pairs = zip(store.scope, (node for node, _ in store.way), hit.scope, hit.way, strict=False)
        same = 0
        for block, node, wanted, through in pairs:
            if (block, node) != (wanted, through):
                break
            same += 1
        store.go_to(hit.scope[:same])
        for block, node in zip(hit.scope[same:], hit.way[same:], strict=True):
            store.enter(block, node)

    def _give_way(self) -> None:
        """Close the list where it would cover what was found; typing opens it again."""
        if self._at is None or self.isHidden():
            return
        item = self._view.graph.item(self.hits[self._at].id)
        if item is None:
            return
        body = self._view.viewportTransform().mapRect(item.body()).toAlignedRect()
        if self.geometry().intersects(body):
            self.list.hide()
            self.fit()

    # -- marks -------------------------------------------------------------------------------------------

    def _mark(self) -> None:
        scope = self._bench.store.scope
        hits = () if self.isHidden() else self.hits
        marks = frozenset(hit.id for hit in hits if hit.scope == scope)
        if marks != self.marks:
            self.marks = marks
            self._view.viewport().update()

    def paint_marks(self, painter: QPainter, rect: QRectF) -> None:
        """Ring the hits in a part of the canvas."""
        painter.save()
        painter.setPen(QPen(self._bench.theme.color("warning"), 2))
        painter.setBrush(self._bench.theme.color("warning", 26))
        for item in self._view.graph.items(rect):
            id = item.face.id if isinstance(item, NodeItem) else getattr(item, "id", "")
            if id in self.marks:
                painter.drawRoundedRect(item.body().adjusted(-5, -5, 5, 5), NODE_RADIUS + 4, NODE_RADIUS + 4)
        painter.restore()

    def paint_far_marks(self, painter: QPainter) -> None:
        """Ring the hits in the overview."""
        items = [self._view.graph.item(id) for id in self.marks]
        pen = QPen(self._bench.theme.color("warning"), 2)
        pen.setCosmetic(True)
        painter.setPen(pen)
        painter.setBrush(self._bench.theme.color("warning", 60))
        painter.drawRects([item.body() for item in items if item is not None])

    # -- the keyboard ------------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        return event.type() == QEvent.Type.KeyPress and self._key(event)

    def _key(self, event: QKeyEvent) -> bool:
        key = event.key()
        if key == Qt.Key.Key_Escape:
            self.leave()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.walk(-1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
        elif key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self.walk(1 if key == Qt.Key.Key_Down else -1)
        else:
            return False
        return True


class _Hits(QAbstractListModel):
    """The hits as rows; nothing is made for those that are not in view."""

    def __init__(self, bar: FindBar):
        super().__init__(bar)
        self._bar = bar
        self._hits: list[Hit] = []

    def show(self, bar: FindBar) -> None:
        """Show what was found now."""
        self.beginResetModel()
        self._hits = bar.hits
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self._hits)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        hit = self._hits[index.row()]
        if role == _HIT:
            return hit
        if role == Qt.ItemDataRole.DisplayRole:
            return hit.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return ", ".join(part for part in (hit.title, hit.type, *hit.scope, self._bar.why(hit)) if part)
        return None


class _Rows(PopupRows):
    """A dot, the title, the type at the right, and a line of why it was found and in which block it is."""

    wide, high, most = WIDTH, 40, 7

    def __init__(self, bar: FindBar):
        super().__init__(bar)
        self._bar = bar

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        hit: Hit = index.data(_HIT)
        theme, box = self.theme, QRectF(option.rect)
        layer = _layer(self._bar, hit)
        painter.save()
        self.paint_ground(painter, option)
        painter.setBrush(QColor(CATEGORY.get(layer.category if layer else "", CATEGORY["Shape"])))
        why = " · ".join(part for part in (self._bar.why(hit), _where(hit)) if part)
        middle = Qt.AlignmentFlag.AlignVCenter
        top = box.adjusted(27, 4, -9, -19) if why else box.adjusted(27, 0, -9, 0)
        painter.drawRoundedRect(QRectF(box.left() + 9, top.center().y() - 4.5, 9, 9), 2.5, 2.5)
        name = layer.label if layer else hit.type.capitalize()
        painter.setFont(fonts.caption())
        painter.setPen(theme.color("muted"))
        painter.drawText(top, middle | Qt.AlignmentFlag.AlignRight, name)
        if why:
            room = box.adjusted(27, 20, -9, -4)
            text = fonts.text_metrics(CAPTION_PX).elidedText(why, Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(room, middle | Qt.AlignmentFlag.AlignLeft, text)
        top.setRight(top.right() - fonts.text_metrics(CAPTION_PX).horizontalAdvance(name) - 12)
        painter.setFont(fonts.text())
        painter.setPen(theme.color("text"))
        title = fonts.text_metrics(TEXT_PX).elidedText(hit.title, Qt.TextElideMode.ElideRight, top.width())
        painter.drawText(top, middle | Qt.AlignmentFlag.AlignLeft, title)
        painter.restore()


def _where(hit: Hit) -> str:
    return f"in {' › '.join(hit.scope)}" if hit.scope else ""


def _layer(bar: FindBar, hit: Hit) -> Layer | None:
    if isinstance(hit.item, Comment):
        return None
    try:
        return layer_of(bar.document, hit.type)
    except EngineError:
        return None
