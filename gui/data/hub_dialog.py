"""The browser of the hub: a search as one types, what is in a set, and its download."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QDialog, QListWidget, QListWidgetItem, QProgressBar, QWidget

from engine.compiler.fetch import words
from engine.data.hub import NETWORK, columns_of
from engine.data.hub_client import Description, Found, Progress, download_request
from gui import style
from gui.data.hub_view import SetView, rows_of
from gui.data.hub_work import HubWork
from gui.fonts import ui_font
from gui.theme import TITLE_PX
from gui.widgets.basic import Scroll, button, column, label, row, rule, set_role
from gui.widgets.fields import SearchField
from gui.widgets.search_popup import PopupRows

WIDTH, HEIGHT, LIST = 940, 640, 300
PAUSE_MS = 250
"""How long nobody types before a search begins."""

_NOTHING = {"name": "", "columns": "", "config": "", "part": "", "held_part": "", "revision": ""}
_FOUND = Qt.ItemDataRole.UserRole
_HINT = (
    "Search for a name, such as mnist, imdb or speech commands; the most downloaded come first."
    " Nothing is downloaded before you ask for it."
)


class HubDialog(QDialog):
    """Emits ``chosen`` with a node's parameters as soon as the set lies on this machine."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget, use: str, params: Mapping[str, str]):
        """``use`` is what the main button does at the end; ``params`` are what a node has chosen already."""
        super().__init__(parent)
        self.setWindowTitle("Data from the Hugging Face hub")
        self._use, self._given, name = use, params, params["name"]
        self._name, self._revision, self._about = "", "", None
        self._network = params.get("reading") == NETWORK
        self._here = False
        self.work = HubWork(self)
        self.work.found.connect(self._show_found)
        self.work.described.connect(self._show_set)
        self.work.progressed.connect(self._show_progress)
        self.work.downloaded.connect(self._end_download)
        whole = column(self, 12)
        whole.setContentsMargins(20, 18, 20, 16)
        whole.addWidget(label("Data from the Hugging Face hub", px=TITLE_PX, weight=600))
        body = row(spacing=18)
        body.addLayout(self._left())
        body.addLayout(self._right(), 1)
        whole.addLayout(body, 1)
        whole.addWidget(rule())
        whole.addLayout(self._foot())
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._pause.timeout.connect(self._search)
        self.field.textChanged.connect(lambda text: self._pause.start())
        self.resize(min(WIDTH, parent.window().width() - 24), min(HEIGHT, parent.window().height() - 24))
        self.field.setText(name)
        self._search()
        if name:
            self._turn_to(Found(name, "", 0, 0, False, ()), params)
        self._refresh()

    def _left(self) -> QWidget:
        left = column(spacing=8)
        self.field = SearchField("Search the hub")
        self.field.down.connect(lambda: self.list.setFocus())
        self.field.returnPressed.connect(lambda: self.list.setCurrentRow(max(self.list.currentRow(), 0)))
        self.list = QListWidget()
        self.list.setAccessibleName("Sets of the hub")
        self.list.setFixedWidth(LIST)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setMouseTracking(True)
        self._rows = _SetRows(self)
        self._rows.theme = style.current()
        self.list.setItemDelegate(self._rows)
        self.list.currentItemChanged.connect(self._choose)
        self.note = label("", "muted", 12, wrap=True)
        self.note.setFixedWidth(LIST)
        left.addWidget(self.field)
        left.addWidget(self.note)
        left.addWidget(self.list, 1)
        return left

    def _right(self) -> QWidget:
        right = column(spacing=8)
        self.hint = label(_HINT, "muted", wrap=True)
        self.view = SetView()
        self.view.looked.connect(self._look)
        self.view.changed.connect(self._refresh)
        self._scroll = Scroll(self.view)
        right.addWidget(self.hint)
        right.addWidget(self._scroll, 1)
        self._scroll.hide()
        right.addStretch(0)
        return right

    def _foot(self) -> QWidget:
        foot = row(spacing=8)
        said = column(spacing=6)
        self.said = label("", "muted", 12.5, wrap=True)
        self.said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(4)
        self.bar.setAccessibleName("Progress")
        self.bar.hide()
        said.addStretch(1)
        said.addWidget(self.said)
        said.addWidget(self.bar)
        said.addStretch(1)
        self.again_button = button("Try again")
        self.close_button = button("Close")
        self.main_button = button("Download", "primary")
        foot.addLayout(said, 1)
        for each in (self.again_button, self.close_button, self.main_button):
            each.setAutoDefault(False)
            foot.addWidget(each, 0, Qt.AlignmentFlag.AlignBottom)
        self.again_button.clicked.connect(self._again)
        self.close_button.clicked.connect(self._leave)
        self.main_button.clicked.connect(self._go)
        return foot

    # The list.

    def _search(self) -> None:
        self._pause.stop()
        self.list.clear()
        self._say_list("Searching …")
        self.work.search(self.field.text())

    def _show_found(self, found: list[Found] | str) -> None:
        if isinstance(found, str):
            self._say_list(found, "error")
            self._refresh()
            return
        text = self.field.text().strip()
        if "/" in text and text not in [each.name for each in found]:
            found = [Found(text, "", 0, 0, False, ()), *found]  # perhaps one that no search lists
        self.list.blockSignals(True)
        for each in found:
            item = QListWidgetItem(each.name)
            item.setData(_FOUND, each)
            item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, _facts(each))
            self.list.addItem(item)
            if each.name == self._name:
                self.list.setCurrentItem(item)
        self.list.blockSignals(False)
        self._say_list("" if found else f"No set answers to “{text}”.")
        self._refresh()

    def _say_list(self, text: str, role: str = "muted") -> None:
        self.note.setText(text)
        set_role(self.note, role)
        self.note.setVisible(bool(text))

    def _choose(self, item: QListWidgetItem | None) -> None:
        if item is not None and not self.work.busy:
            self._turn_to(item.data(_FOUND))

    # One set.

    def _turn_to(self, found: Found, params: Mapping[str, str] = _NOTHING) -> None:
        self._name, self._revision, self._about = found.name, params["revision"], None
        self._given = params
        self.view.show_found(found)
        self._scroll.show()
        self.hint.hide()
        self._look(params["config"], params["part"])

    def _look(self, config: str, part: str) -> None:
        self._about = None
        self._say("Looking into it …")
        self.bar.setRange(0, 0)
        self.work.describe(self._name, config, self._revision, part)
        self._refresh()

    def _show_set(self, about: Description | str) -> None:
        if isinstance(about, str):
            self._say(about, "error")
        else:
            self._about, self._revision = about, about.revision
            self._say("")
            config = about.config if len(about.configs) > 1 else ""
            request = download_request(self._name, config, about.revision, self._network)
            self._here = request is None  # not asked for every change
            self.view.show_set(about, columns_of(self._given), self._given["held_part"])
            self._given = _NOTHING
        self._refresh()

    # The download.

    def _go(self) -> None:
        params = self.view.params()
        if self._here:
            self._finish()
            return
        self.work.download(self._name, params["config"], params["revision"], self._network)
        self._say("Looking at the files …" if self._network else "Downloading …")
        self.bar.setRange(0, 0)
        self._refresh()

    def _show_progress(self, progress: Progress) -> None:
        self._say(f"{words(progress)} …")
        self.bar.setRange(0, 1000 if progress.total else 0)
        if progress.total:
            self.bar.setValue(min(1000 * progress.done // progress.total, 1000))

    def _end_download(self, reason: str | None) -> None:
        if reason == "":
            self._finish()
        elif reason is None:
            self._say("Cancelled. The next download goes on from what has come.")
        else:
            self._say(reason, "error")
        self._refresh()

    def _finish(self) -> None:
        params = {"name": self._name, **self.view.params()}
        self.accept()
        self.chosen.emit(params)

    def _again(self) -> None:
        if self.note.property("role") == "error":
            self._search()
        if self._name and self._about is None:
            self._look("", "")

    def _leave(self) -> None:
        if self.work.busy:
            self.work.cancel()
        else:
            self.reject()

    def done(self, result: int) -> None:
        """Close, and end what is still being asked for."""
        self._pause.stop()
        self.work.close()
        super().done(result)

    def _say(self, text: str, role: str = "muted") -> None:
        self.said.setText(text)
        set_role(self.said, role)
        self.said.setVisible(bool(text))

    def _refresh(self) -> None:
        """Offer what can be done now."""
        busy = self.work.busy
        ready = self._about is not None and bool(self.view.columns)
        here = ready and self._here
        failed = any(each.property("role") == "error" for each in (self.note, self.said))
        verb = "Connect" if self._network else "Download"
        self.main_button.setText(self._use if here else f"{verb} and {self._use[0].lower()}{self._use[1:]}")
        self.main_button.setEnabled(ready and not busy)
        self.main_button.setToolTip("" if ready or self._about is None else "Choose a column first")
        self.close_button.setText("Cancel" if busy else "Close")
        self.again_button.setVisible(failed and not busy)
        self.bar.setVisible(busy or self.work.looking)
        for each in (self.field, self.list, self.view.more):
            each.setEnabled(not busy)


class _SetRows(PopupRows):
    """A set in the list: its name, and below it what it holds."""

    high = 44

    def paint(self, painter: QPainter, option: object, index: object) -> None:
        painter.save()
        self.paint_ground(painter, option)
        found: Found = index.data(_FOUND)
        box = QRectF(option.rect).adjusted(10, 5, -10, -5)
        upper, lower = (
            QRectF(box.left(), top, box.width(), box.height() / 2) for top in (box.top(), box.center().y())
        )
        for text, area, font, color in (
            (found.name, upper, ui_font(13, 500), "text"),
            (_facts(found), lower, ui_font(11.5), "muted"),
        ):
            painter.setFont(font)
            painter.setPen(self.theme.color(color))
            shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(area.width()))
            painter.drawText(area, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
        painter.restore()


def _facts(found: Found) -> str:
    downloads = f"{_short(found.downloads)} downloads" if found.downloads else ""
    gated = "gated" if found.gated else ""
    words_ = [gated, ", ".join(found.tagged("modality")), rows_of(found), downloads]
    return "  ·  ".join(filter(None, words_)) or found.description or "Look into this one"


def _short(number: int) -> str:
    for unit, factor in (("M", 1_000_000), ("k", 1_000)):
        if number >= factor:
            return f"{number / factor:.3g}{unit}" if number < 1000 * factor else f"{number // factor:,}{unit}"
    return str(number)
