"""The window of keyboard shortcuts: every one can be looked up and changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QListWidget,
    QListWidgetItem,
    QMessageBox,
    QStyleOptionViewItem,
)

from gui.canvas import fonts
from gui.commands.entries import Entry, declared, entries, holders, refusal
from gui.commands.key_field import KeyField
from gui.theme import CAPTION_PX, TEXT_PX, TITLE_PX, Theme
from gui.widgets.basic import Elided, Panel, button, column, label, row, set_role
from gui.widgets.fields import SearchField
from gui.widgets.keycaps import caps_of, paint_caps, width_of
from gui.widgets.search_popup import PopupRows

if TYPE_CHECKING:
    from gui.main_window import MainWindow

_ENTRY = Qt.ItemDataRole.UserRole
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


def show_shortcuts(window: MainWindow) -> None:
    """Show the window of shortcuts, one for each main window."""
    shown = window.findChild(ShortcutsWindow) or ShortcutsWindow(window)
    shown.show()
    shown.raise_()
    shown.activateWindow()
    shown.search.setFocus()
    shown.search.selectAll()


class ShortcutsWindow(QDialog):
    """A list with a search; below it a field that takes new keys for the row that is selected."""

    def __init__(self, window: MainWindow):
        super().__init__(window)
        self._bench, self._keymap = window.bench, window.bench.keymap
        self._entries = entries()
        self._declared = declared(self._entries)
        self._wanted = ""
        """Keys that were pressed and are another's: they wait for an answer."""
        self.setWindowTitle("Keyboard shortcuts")
        self.search = SearchField("Search by name or keys")
        self.search.setAccessibleName("Search shortcuts")
        self.list = QListWidget()
        self.list.setAccessibleName("Shortcuts")
        self.list.setFrameShape(QFrame.Shape.NoFrame)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setMouseTracking(True)
        self._rows = _Rows(self)
        self.list.setItemDelegate(self._rows)
        self.nothing = label("", "muted", wrap=True)
        self.title = Elided(weight=600)
        self.said = label("", "muted", CAPTION_PX + 1, wrap=True)
        self.field = KeyField()
        self.take_button = button("Take it away", "small")
        self.remove_button = button("Remove", tip="Let it have no keys")
        self.reset_button = button("Reset", tip="Give it the keys that it came with")
        self.reset_all_button = button("Reset all", tip="Give everything the keys that it came with")
        for each in (self.take_button, self.remove_button, self.reset_button, self.reset_all_button):
            each.setAutoDefault(False)
        self._lay_out()
        self.search.textChanged.connect(self._fill)
        self.search.down.connect(self._go_down)
        self.list.currentItemChanged.connect(lambda now, before: self._show_entry())
        self.list.itemActivated.connect(lambda item: self._ask())
        self.list.installEventFilter(self)
        self.field.pressed.connect(self._take)
        self.field.left.connect(self._give_up)
        self.take_button.clicked.connect(lambda: self._give(self._wanted))
        self.remove_button.clicked.connect(lambda: self._give(""))
        self.reset_button.clicked.connect(lambda: self._take(self.entry.keys))
        self.reset_all_button.clicked.connect(self._reset_all)
        self._keymap.changed.connect(self._follow)
        self._bench.theme_changed.connect(self._set_theme)
        self._set_theme(self._bench.theme)
        self.resize(min(680, window.width() - 60), min(640, window.height() - 60))
        self._fill()

    @property
    def entry(self) -> Entry | None:
        """What is selected."""
        item = self.list.currentItem()
        return item.data(_ENTRY) if item is not None else None

    def shown(self) -> list[Entry]:
        """Return the rows in the list, without the headings."""
        items = (self.list.item(n) for n in range(self.list.count()))
        return [item.data(_ENTRY) for item in items if item.data(_ENTRY) is not None]

    def choose(self, id: str) -> None:
        """Select a row by its id."""
        for n in range(self.list.count()):
            entry = self.list.item(n).data(_ENTRY)
            if entry is not None and entry.id == id:
                self.list.setCurrentRow(n)

    def keys_of(self, entry: Entry) -> str:
        """Return the keys that something has now."""
        return entry.keys_in(self._keymap)

    def is_changed(self, entry: Entry) -> bool:
        """Return whether the user chose the keys of something."""
        return bool(entry.id) and self._keymap.is_changed(entry.id)

    # -- how it is put together --------------------------------------------------------------------------

    def _lay_out(self) -> None:
        head = row(spacing=8)
        head.addWidget(self.search, 1)
        head.addWidget(self.reset_all_button)
        top = column(spacing=10)
        top.setContentsMargins(16, 14, 16, 10)
        top.addWidget(label("Keyboard shortcuts", px=TITLE_PX, weight=600))
        top.addLayout(head)
        middle = Panel("panel")
        inner = column(middle, 0)
        inner.setContentsMargins(8, 6, 4, 6)
        inner.addWidget(self.list, 1)
        inner.addWidget(self.nothing, 0, Qt.AlignmentFlag.AlignTop)
        self.nothing.setContentsMargins(10, 6, 10, 6)
        foot = Panel("foot")
        below = column(foot, 8)
        below.setContentsMargins(16, 10, 16, 12)
        first = row(spacing=8)
        first.addWidget(self.title, 1)
        first.addWidget(self.field)
        first.addWidget(self.remove_button)
        first.addWidget(self.reset_button)
        second = row(spacing=8)
        second.addWidget(self.said, 1)
        second.addWidget(self.take_button)
        self.said.setMinimumHeight(24)
        below.addLayout(first)
        below.addLayout(second)
        layout = column(self, 0)
        layout.addLayout(top)
        layout.addWidget(middle, 1)
        layout.addWidget(foot)

    def _fill(self, *_: object) -> None:
        """List what answers to the search, under the headings of where it belongs."""
        words = self.search.text().lower().split()
        before, where = self.entry, ""
        self.list.clear()
        for each in self._entries:
            keys = self.keys_of(each)
            about = f"{each.text} {each.where} {keys} {each.gesture}".lower()
            if not all(word in about for word in words):
                continue
            if each.where != where:
                where = each.where
                QListWidgetItem(where, self.list).setFlags(Qt.ItemFlag.NoItemFlags)
            item = QListWidgetItem(each.text, self.list)
            item.setData(_ENTRY, each)
            spoken = ", ".join((each.text, each.where, keys or each.gesture or "no shortcut"))
            item.setData(Qt.ItemDataRole.AccessibleTextRole, spoken)
            if each == before:
                self.list.setCurrentItem(item)
        if self.list.currentItem() is None and self.list.count():
            self.list.setCurrentRow(1)
        self.list.setVisible(bool(self.list.count()))
        self.nothing.setVisible(not self.list.count())
        self.nothing.setText(f"No shortcut answers to “{self.search.text()}”.")
        self._show_entry()

    def _follow(self) -> None:
        self._fill()

    def _go_down(self) -> None:
        self.list.setFocus(Qt.FocusReason.TabFocusReason)

    def _set_theme(self, theme: Theme) -> None:
        self._rows.theme = theme
        self.list.viewport().update()

    # -- changing ----------------------------------------------------------------------------------------

    def _show_entry(self) -> None:
        """Show what is selected and what can be done with it."""
        self._wanted = ""
        entry = self.entry
        keys = self.keys_of(entry) if entry else ""
        free = entry is not None and bool(entry.id)
        self.title.set_text(entry.text if entry else "")
        self.field.setEnabled(free)
        self.field.show_keys(keys)
        self.remove_button.setEnabled(free and bool(keys))
        self.reset_button.setEnabled(free and self.is_changed(entry))
        self.reset_all_button.setEnabled(any(self.is_changed(each) for each in self._entries))
        self.take_button.hide()
        self._say(self._about(entry))

    def _about(self, entry: Entry | None) -> str:
        if entry is None:
            return ""
        if not entry.id:
            return entry.gesture or "These keys belong to the editor of code."
        if self.is_changed(entry):
            return f"It came with {entry.keys or 'no keys'}."
        return "Press Enter, or click into the field, and then the new keys."

    def _say(self, text: str, role: str = "muted") -> None:
        self.said.setText(text)
        set_role(self.said, role)

    def _ask(self) -> None:
        """Wait for new keys."""
        if self.field.isEnabled():
            self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self._say("Press the new keys. Esc leaves it as it is.")

    def _give_up(self) -> None:
        self._show_entry()
        self.list.setFocus()

    def _take(self, keys: str) -> None:
        """Give the selected one the keys that were pressed, or say whose they are."""
        entry = self.entry
        if entry is None or not entry.id:
            return
        if no := refusal(keys, entry, self._entries, self._keymap):
            self._say(no, "error")
            return
        others = holders(keys, entry, self._entries, self._keymap) if keys else []
        if not others:
            self._give(keys)
            return
        self._wanted = keys
        names = " and ".join(f"“{each.text.removesuffix(' …')}”" for each in others)
        self._say(f"{keys} is {names} now: take it away?", "warning")
        self.field.show_keys(keys)
        self.take_button.show()
        self.take_button.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _give(self, keys: str) -> None:
        """Give the selected one some keys and take them from all others."""
        entry = self.entry
        others = holders(keys, entry, self._entries, self._keymap) if keys else []
        self.list.setFocus()
        self._keymap.choose({**{each.id: "" for each in others}, entry.id: keys}, self._declared)

    def _reset_all(self) -> None:
        box = QMessageBox(self)
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setText("Give everything the keys that it came with?")
        changed = sum(self.is_changed(each) for each in self._entries)
        box.setInformativeText(
            f"{changed} shortcut{'s' if changed != 1 else ''} of your own will be forgotten."
        )
        box.addButton("Reset all", QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.exec()
        if box.buttonRole(box.clickedButton()) == QMessageBox.ButtonRole.AcceptRole:
            self._keymap.reset()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let Enter in the list ask for keys, and letters go on searching."""
        if event.type() != QEvent.Type.KeyPress:
            return False
        if event.key() in _ENTER:
            self._ask()
            return True
        if event.text().isprintable() and event.text().strip() and not event.modifiers():
            self.search.setFocus()
            self.search.insert(event.text())
            return True
        return False


class _Rows(PopupRows):
    """The text, a dot where the user chose the keys, and the caps or the gesture at the right."""

    wide, high = 600, 30

    def __init__(self, window: ShortcutsWindow):
        super().__init__(window)
        self._window = window

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        entry: Entry | None = index.data(_ENTRY)
        theme, box = self.theme, QRectF(option.rect)
        middle = Qt.AlignmentFlag.AlignVCenter
        words = box.adjusted(10, 0, -10, 0)
        painter.save()
        if entry is None:
            painter.setFont(fonts.text(CAPTION_PX, 600))
            painter.setPen(theme.color("muted"))
            painter.drawText(words, Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft, index.data())
            painter.restore()
            return
        self.paint_ground(painter, option)
        caps = caps_of(self._window.keys_of(entry))
        paint_caps(painter, QPointF(words.right(), words.center().y()), caps, theme, not entry.id)
        painter.setFont(fonts.caption())
        painter.setPen(theme.color("muted"))
        painter.drawText(words, middle | Qt.AlignmentFlag.AlignRight, entry.gesture)
        right = width_of(caps) or fonts.text_metrics(CAPTION_PX).horizontalAdvance(entry.gesture)
        words.setRight(words.right() - right - 14)
        if self._window.is_changed(entry):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent"))
            painter.drawEllipse(QPointF(words.right() - 3, words.center().y()), 3, 3)
            words.setRight(words.right() - 14)
        painter.setFont(fonts.text())
        painter.setPen(theme.color("text"))
        text = fonts.text_metrics(TEXT_PX).elidedText(entry.text, Qt.TextElideMode.ElideRight, words.width())
        painter.drawText(words, middle | Qt.AlignmentFlag.AlignLeft, text)
        painter.restore()
