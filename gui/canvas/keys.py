"""The keys that only the canvas knows, in one table; those with a menu are in ``gui/actions.py``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtGui import QKeyEvent

from gui.commands.keymap import spelled

if TYPE_CHECKING:
    from gui.bench import Bench
    from gui.canvas.view import CanvasView

NUDGE, FINE = 16, 4
"""Pixels that an arrow moves the selection, and with Shift."""
_WAYS = {"Left": (-1, 0), "Right": (1, 0), "Up": (0, -1), "Down": (0, 1)}


def _always(view: CanvasView) -> bool:
    return True


def _selected(view: CanvasView) -> bool:
    return bool(view.bench.store.chosen)


@dataclass(frozen=True)
class CanvasKey:
    """What a key does while the canvas has the keyboard; an id that an action has too shares its keys.

    ``release`` is called when the key is let go or lost with the keyboard; ``tap`` only in the first case.
    """

    id: str
    text: str
    keys: str
    call: Callable[[CanvasView], object]
    can: Callable[[CanvasView], bool] = _always
    release: Callable[[CanvasView], object] | None = None
    tap: Callable[[CanvasView], object] | None = None


def _arrows() -> Iterator[CanvasKey]:
    for name, (dx, dy) in _WAYS.items():
        way, id = name.lower(), name.lower()
        by = (dx * NUDGE, dy * NUDGE)
        fine = (dx * FINE, dy * FINE)
        yield CanvasKey(f"move_{id}", f"Move {way}", name, lambda v, by=by: v.nudge(*by), _selected)
        yield CanvasKey(
            f"fine_{id}", f"Move {way} finely", f"Shift+{name}", lambda v, by=fine: v.nudge(*by), _selected
        )
        yield CanvasKey(f"walk_{id}", f"Walk {way}", f"Alt+{name}", lambda v, to=(dx, dy): v.walk(*to))
        yield CanvasKey(
            f"reach_{id}",
            f"Walk {way} and select that too",
            f"Alt+Shift+{name}",
            lambda v, to=(dx, dy): v.walk(*to, adding=True),
        )


KEYS: tuple[CanvasKey, ...] = (
    CanvasKey("add_here", "Add a layer at the pointer", "Tab", lambda v: v.open_quick_add()),
    CanvasKey(
        "hand",
        "Add a layer; while held, pan with the left button",
        "Space",
        lambda v: v.hold_hand(True),
        release=lambda v: v.hold_hand(False),
        tap=lambda v: v.tap_hand(),
    ),
    CanvasKey(
        "activate",
        "Open the block, or go to the settings",
        "Return",
        lambda v: v.activate(),
        lambda v: len(v.bench.store.selection) == 1,
    ),
    CanvasKey("expand_here", "Expand the block in place", "Alt+Return", lambda v: v.expand(), _selected),
    CanvasKey("back", "Let go, deselect, leave the block", "Esc", lambda v: v.go_back()),
    # A menu's Delete may be off while no node is selected.
    CanvasKey("delete", "Delete", "Del", lambda v: v.delete_selection(), lambda v: v.wire_is_chosen),
    *_arrows(),
)


def keys_of(bench: Bench, id: str) -> str:
    """Return the keys that one of the canvas' keys has now."""
    return bench.keymap.keys(id, next(each.keys for each in KEYS if each.id == id))


class CanvasKeys:
    """Finds what a key of the canvas does, by the keys that the user chose."""

    def __init__(self, view: CanvasView):
        self._view = view
        self._held: dict[int, CanvasKey] = {}
        self._by_keys: dict[str, list[CanvasKey]] = {}
        view.bench.keymap.changed.connect(self._read)
        self._read()

    def _read(self) -> None:
        self._by_keys = {}
        for each in KEYS:
            keys = self._view.bench.keymap.keys(each.id, each.keys)
            self._by_keys.setdefault(keys, []).append(each)

    def takes(self, keys: str) -> bool:
        """Return whether some keys mean anything on the canvas."""
        return keys in self._by_keys

    def press(self, event: QKeyEvent) -> bool:
        """Do what a key means now; False where it means nothing here."""
        known = self._by_keys.get(spelled(event), ()) if spelled(event) else ()
        found = next((each for each in known if each.can(self._view)), None)
        if found is None:
            return False
        if found.release is None:
            found.call(self._view)
        elif not event.isAutoRepeat():
            self._held[event.key()] = found
            found.call(self._view)
        return True

    def release(self, event: QKeyEvent) -> bool:
        """Let go of a key that was held; False where it was none."""
        if event.key() not in self._held:
            return False
        if not event.isAutoRepeat():
            key = self._held.pop(event.key())
            key.release(self._view)
            if key.tap is not None:
                key.tap(self._view)
        return True

    def forget(self) -> None:
        """Let go of all keys: the keyboard goes elsewhere."""
        while self._held:
            self._held.popitem()[1].release(self._view)
