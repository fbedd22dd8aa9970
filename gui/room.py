"""The question before a run that will not fit: a smaller batch, all the same, or not now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMessageBox, QWidget

from engine.graph.settings import set_training
from gui.bridge import Bridge
from gui.store import Store

if TYPE_CHECKING:
    from engine.training.room import Shortage

SMALLER, ANYWAY, CANCEL = "smaller", "anyway", "cancel"


def ask(parent: QWidget, short: Shortage) -> str:
    """Ask what to do about a run that needs more memory than there is; return one of the words above."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.NoIcon)
    box.setText("This will not fit into memory")
    box.setInformativeText(short.message)
    smaller = None
    if short.batch_size:
        title = f"Set batch size to {short.batch_size} and run"
        smaller = box.addButton(title, QMessageBox.ButtonRole.AcceptRole)
        box.setDefaultButton(smaller)
    anyway = box.addButton("Run anyway", QMessageBox.ButtonRole.DestructiveRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.exec()
    pressed = box.clickedButton()
    return SMALLER if smaller and pressed is smaller else ANYWAY if pressed is anyway else CANCEL


def settle(parent: QWidget, store: Store, bridge: Bridge, short: Shortage) -> None:
    """Ask, and do what was chosen: a smaller batch is a step of undo."""
    answer = ask(parent, short)
    if answer == SMALLER:
        size = short.batch_size
        text = f"Set batch size to {size}"
        store.apply_whole(text, set_training(store.whole, batch_size=size))
    if answer != CANCEL:
        bridge.run_anyway()
