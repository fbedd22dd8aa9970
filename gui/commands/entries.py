"""Everything that has keys or a gesture, as rows of one list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gui.actions import ACTIONS
from gui.canvas.keys import KEYS
from gui.commands.keymap import Keymap, normal

CANVAS, CODE, MOUSE = "Canvas", "Code", "Mouse on the canvas"

GESTURES: tuple[tuple[str, str], ...] = (
    ("Add a layer there", "Double-click, or right-click on the empty canvas"),
    ("Add a layer that fits", "Drop a wire on the empty canvas"),
    ("Insert into a wire", "Drop a layer or a node on it; Alt leaves it beside"),
    ("Put another layer in its place", "Drop a layer or a free node on a node; Alt leaves it beside"),
    ("Place what was just added", "Click; it follows the pointer until then"),
    ("Connect", "Drag from a port"),
    ("Connect to another port, or to none", "Drag the end of a wire"),
    ("Lead a wire through a dot", "Double-click the wire"),
    ("Cut wires", "Ctrl and right-drag"),
    ("Open a block, or go to the settings", "Double-click a node"),
    ("Expand a block in place", "Click its triangle"),
    ("Move freely, not in line with others", "Alt while dragging"),
    ("Copy into another network", "Drag nodes to its tab"),
    ("Write in a frame or a note", "Double-click it"),
    ("What can be done", "Right-click on a node or a wire"),
    ("Select", "Click, or drag on the empty canvas"),
    ("Add to the selection", "Shift and click or drag"),
    ("Toggle the selection", "Ctrl and click or drag"),
    ("Pan", "Middle-drag, or two fingers"),
    ("Zoom", "Wheel, or pinch; with Ctrl where the wheel moves the canvas"),
)
"""What the pointer does on the canvas, and how; these stay as they are."""

_FIXED = (("Apply what was typed", "Ctrl+Return"), ("Leave without applying", "Esc"))
_NEEDED = ("Tab", "Shift+Backtab", "Return", "Esc", "Space", "Left", "Right", "Up", "Down", "Backspace")
"""Keys that move through every form: only the canvas can have another use for them."""


@dataclass(frozen=True)
class Entry:
    """One row: what is done, where, and its declared keys, or the gesture that does it.

    Without an ``id`` its keys are the same for everybody.
    """

    text: str
    where: str
    keys: str = ""
    id: str = ""
    gesture: str = ""

    def keys_in(self, keymap: Keymap) -> str:
        """Return the keys that it has now."""
        return keymap.keys(self.id, self.keys) if self.id else normal(self.keys)


def entries() -> list[Entry]:
    """Return every action, every key of the canvas and every gesture, as they are declared."""
    actions = [Entry(each.text, each.menu, each.keys, each.id) for each in ACTIONS if each.text]
    known = {each.id for each in actions}
    canvas = [Entry(each.text, CANVAS, each.keys, each.id) for each in KEYS if each.id not in known]
    code = [Entry(text, CODE, keys) for text, keys in _FIXED]
    return [*actions, *canvas, *code, *(Entry(what, MOUSE, gesture=how) for what, how in GESTURES)]


def declared(among: Iterable[Entry]) -> dict[str, str]:
    """Return the declared keys by id."""
    return {each.id: each.keys for each in among if each.id}


def holders(keys: str, wanted_by: Entry, among: Iterable[Entry], keymap: Keymap) -> list[Entry]:
    """Return which others have some keys now and would lose them."""
    return [
        each
        for each in among
        if each != wanted_by
        and each.keys_in(keymap) == keys
        and not (CODE in (each.where, wanted_by.where) and CANVAS in (each.where, wanted_by.where))
    ]


def refusal(keys: str, wanted_by: Entry, among: Iterable[Entry], keymap: Keymap) -> str:
    """Return why an entry cannot have some keys, or an empty text."""
    if wanted_by.where != CANVAS and keys in _NEEDED:
        return f"{keys} is needed in every form: press it with Ctrl, Alt or Shift."
    fixed = next((each for each in holders(keys, wanted_by, among, keymap) if not each.id), None)
    return f"{keys} is “{fixed.text}” while one types code, and stays so." if fixed else ""
