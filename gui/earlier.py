"""Earlier versions of a file: the list to choose from, and the last good one of a file that is damaged."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QDateTime, QLocale, Qt
from PySide6.QtWidgets import QDialog, QHeaderView, QMessageBox, QTreeWidget, QTreeWidgetItem, QWidget

from engine.errors import FileError
from engine.graph.changes import changes
from engine.graph.document import Document
from engine.storage.earlier import Version, readable
from gui.panels.words import plural
from gui.theme import TITLE_PX
from gui.widgets.basic import button, column, label, row, rule

_NAMED = 2
"""Differences that are told of a version; the others are counted."""


class EarlierDialog(QDialog):
    """Lists the versions of a file that are kept; ``chosen`` is what is to be opened."""

    def __init__(self, path: Path, now: Document, folder: Path, parent: QWidget | None = None):
        super().__init__(parent)
        self.setWindowTitle("Earlier versions")
        self.chosen: Document | None = None
        self._found = list(readable(path, folder))
        whole = column(self, 12)
        whole.setContentsMargins(20, 18, 20, 16)
        whole.addWidget(label(f"Earlier versions of {path.name}", px=TITLE_PX, weight=600, wrap=True))
        help_ = (
            "Every save keeps what was there before. A version opens as a copy: the file stays as it is."
            if self._found
            else "None is kept yet. From now on every save keeps what was there before."
        )
        whole.addWidget(label(help_, "muted", wrap=True))
        self.list = QTreeWidget()
        self.list.setRootIsDecorated(False)
        self.list.setAccessibleName("Earlier versions")
        self.list.setHeaderLabels(["Saved", "Nodes", "From there to what is open now"])
        self.list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.list.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        for version, document in self._found:
            words = difference(document, now)
            item = QTreeWidgetItem([when(version), str(len(document.nodes)), words])
            item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            item.setToolTip(2, words)
            self.list.addTopLevelItem(item)
        self.list.setVisible(bool(self._found))
        whole.addWidget(self.list, 1)
        self.open_button = button("Open as a copy", "primary")
        self.close_button = button("Close")
        self.open_button.setDefault(True)
        self.open_button.setVisible(bool(self._found))
        self.open_button.clicked.connect(self._open)
        self.close_button.clicked.connect(self.reject)
        self.list.itemActivated.connect(lambda *_: self._open())
        foot = row(spacing=8)
        foot.addStretch(1)
        foot.addWidget(self.close_button)
        foot.addWidget(self.open_button)
        whole.addWidget(rule())
        whole.addLayout(foot)
        if self._found:
            self.list.setCurrentItem(self.list.topLevelItem(0))
            self.resize(640, 420)
        else:
            whole.insertStretch(2, 1)
            self.resize(440, 190)

    def _open(self) -> None:
        place = self.list.indexOfTopLevelItem(self.list.currentItem())
        if place >= 0:
            self.chosen = self._found[place][1]
            self.accept()


def when(version: Version) -> str:
    """Return when a version was saved, as the user's country writes it; of today to the second."""
    at = QDateTime.fromMSecsSinceEpoch(round(version.at * 1000))
    if at.date() == QDateTime.currentDateTime().date():
        return f"today, {at.toString('HH:mm:ss')}"
    return QLocale().toString(at, QLocale.FormatType.ShortFormat)


def difference(before: Document, now: Document) -> str:
    """Return what was changed from a version to another, in a line: how much, and the first of it."""
    found = changes(before, now)
    if not found:
        return "the same" if before == now else "positions and settings of training"
    more = f", and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return f"{plural(len(found), 'change')}: {'; '.join(found[:_NAMED])}{more}"


def wants(version: Version, document: Document, error: FileError, window: QWidget) -> bool:
    """Tell why a file cannot be opened and offer its last good version; return whether that is wanted."""
    box = QMessageBox(window)
    box.setIcon(QMessageBox.Icon.NoIcon)
    box.setText("This file cannot be opened")
    box.setInformativeText(
        f"{error.message}\n\nIts last good version was saved {when(version)} and has "
        f"{plural(len(document.nodes), 'node')}. It opens as a copy; the file stays as it is."
    )
    wanted = box.addButton("Open the last good version", QMessageBox.ButtonRole.AcceptRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(wanted)
    box.exec()
    return box.clickedButton() is wanted
