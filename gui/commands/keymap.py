"""The keys that the user chose in place of the declared ones, kept for this user."""

from __future__ import annotations

from PySide6.QtCore import QObject, QSettings, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence

_GROUP = "shortcuts"
_MODIFIERS = (Qt.Key.Key_Control, Qt.Key.Key_Shift, Qt.Key.Key_Alt, Qt.Key.Key_Meta, Qt.Key.Key_AltGr)


def spelled(event: QKeyEvent) -> str:
    """Return the keys of an event as declarations write them: ``Ctrl+Shift+P``; empty for a modifier alone.

    Keys of the number pad count as those of the same name.
    """
    key = Qt.Key.Key_Return if event.key() == Qt.Key.Key_Enter else event.key()
    if key in _MODIFIERS or key in (0, Qt.Key.Key_unknown):
        return ""
    held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    return normal(QKeySequence(int(key) | held.value))


def normal(keys: QKeySequence | str) -> str:
    """Return the one spelling of keys that mean the same."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.PortableText)


class Keymap(QObject):
    """Knows the keys of everything by its id; ``changed`` says that some are others now."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None):
        super().__init__(parent)
        settings = QSettings()
        settings.beginGroup(_GROUP)
        self._chosen = {id: str(settings.value(id) or "") for id in settings.childKeys()}

    def keys(self, id: str, declared: str) -> str:
        """Return the keys of an id; empty where there are none."""
        return self._chosen.get(id, normal(declared))

    def is_changed(self, id: str) -> bool:
        """Return whether the user chose the keys of an id."""
        return id in self._chosen

    def choose(self, keys: dict[str, str], declared: dict[str, str]) -> None:
        """Give some ids other keys, an empty text for none; what is as ``declared`` is not kept."""
        settings = QSettings()
        for id, text in keys.items():
            if normal(text) == normal(declared[id]):
                self._chosen.pop(id, None)
                settings.remove(f"{_GROUP}/{id}")
            else:
                self._chosen[id] = normal(text)
                settings.setValue(f"{_GROUP}/{id}", normal(text))
        self.changed.emit()

    def reset(self) -> None:
        """Give everything its declared keys."""
        self._chosen = {}
        QSettings().remove(_GROUP)
        self.changed.emit()
