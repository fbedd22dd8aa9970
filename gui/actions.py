"""Every action in one table: its menu, its words, its keys, what it does and when it can be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QKeySequence

from engine.graph.document import BYPASSED, MUTED, Node
from engine.runs.trackers import TRACKERS
from gui import motion, own_runs, reopening, sharing
from gui.canvas.aligning import ALIGNMENTS, Alignment

if TYPE_CHECKING:
    from gui.main_window import MainWindow

Check = Callable[["MainWindow"], bool]


def _always(window: MainWindow) -> bool:
    return True


def _selected(window: MainWindow) -> bool:
    return bool(window.bench.store.chosen)


def _has_nodes(window: MainWindow) -> bool:
    return bool(window.bench.store.document.nodes)


def _can_run(window: MainWindow) -> bool:
    return window.bench.state not in ("running", "starting") and _has_nodes(window)


def _can_begin(window: MainWindow) -> bool:
    return not window.bridge.busy and _has_nodes(window)


def _can_undo(window: MainWindow) -> bool:
    return window.undo_stack.canUndo()


def _can_redo(window: MainWindow) -> bool:
    return window.undo_stack.canRedo()


def _delete_and_heal(window: MainWindow) -> None:
    window.canvas.delete_selection(heal=True)


def _has_file(window: MainWindow) -> bool:
    return window.files.path is not None


def _save_weights(window: MainWindow) -> None:
    window.exports.save_weights()


def _load_weights(window: MainWindow) -> None:
    window.exports.load_weights()


def _carry_on(window: MainWindow) -> None:
    window.continuing.carry_on()


def _several_open(window: MainWindow) -> bool:
    return len(window.bench.store.sessions) > 1


def _pausable(window: MainWindow) -> bool:
    active = window.bridge.active
    return active is not None and active.run.state == "running"


def _switch_reopening(window: MainWindow) -> None:
    reopening.choose(not reopening.wanted())
    window.actions_.refresh()


def _switch_motion(window: MainWindow) -> None:
    motion.choose(not motion.chosen())
    window.actions_.refresh()


def _block_selected(window: MainWindow) -> bool:
    document, selection = window.bench.store.document, window.bench.store.selection
    return any(id in selection and node.type in document.blocks for id, node in document.nodes.items())


def _all_chosen(window: MainWindow, check: Callable[[Node], bool]) -> bool:
    nodes, chosen = window.bench.store.document.nodes, window.bench.store.selection
    return bool(chosen) and all(id in nodes and check(nodes[id]) for id in chosen)


def _all_muted(window: MainWindow) -> bool:
    return _all_chosen(window, lambda node: node.mode == MUTED)


def _all_bypassed(window: MainWindow) -> bool:
    return _all_chosen(window, lambda node: node.mode == BYPASSED)


def _all_frozen(window: MainWindow) -> bool:
    return _all_chosen(window, lambda node: node.learning.frozen)


def _all_collapsed(window: MainWindow) -> bool:
    return _all_chosen(window, lambda node: node.collapsed)


def _several(window: MainWindow) -> bool:
    return len(window.bench.store.selection) > 1


def _linked(window: MainWindow) -> bool:
    nodes = window.bench.store.document.nodes
    return any(id in nodes and nodes[id].share for id in window.bench.store.selection)


def _expanded(window: MainWindow) -> bool:
    nodes, chosen = window.bench.store.document.nodes, window.bench.store.selection
    return any(id in chosen and node.expanded is not None for id, node in nodes.items())


def _block_at_hand(window: MainWindow) -> bool:
    return bool(sharing.block_at_hand(window.bench))


def _keep_block(window: MainWindow) -> None:
    sharing.keep(window.bench, sharing.block_at_hand(window.bench))


def _export_block(window: MainWindow) -> None:
    sharing.export_block(window.bench, window)


def _find_last(window: MainWindow) -> None:
    window.canvas.find_bar.walk(-1)


def _show_shortcuts(window: MainWindow) -> None:
    from gui.commands.shortcuts import show_shortcuts  # it lists this table

    show_shortcuts(window)


def _find_rate(window: MainWindow) -> None:
    from gui.views.finder import FinderDialog  # it needs torch, which loads beside the window

    FinderDialog(window.bench, parent=window).open()


def _in_block(window: MainWindow) -> bool:
    return bool(window.bench.store.scope)


def _enter(window: MainWindow) -> None:
    store = window.bench.store
    nodes = [store.document.nodes[id] for id in store.selection]
    node = next(each for each in nodes if each.type in store.document.blocks)
    store.enter(node.type, node.id)


@dataclass(frozen=True)
class Action:
    """One thing the user can do. A line with an empty ``text`` is a separator; ``on`` makes it a switch."""

    menu: str
    id: str = ""
    text: str = ""
    keys: str = ""
    call: Callable[[MainWindow], object] = _always
    enabled: Check = _always
    on: Check | None = None


def _panel(name: str, text: str, keys: str) -> Action:
    return Action("View", name, text, keys, lambda w: w.toggle(name), on=lambda w: w.shown(name))


def _theme(name: str, text: str, keys: str) -> Action:
    return Action(
        "View", name, text, keys, lambda w: w.choose_theme(name), on=lambda w: w.theme_choice == name
    )


def _heat(key: str, text: str, keys: str) -> Action:
    return Action(
        "View", f"heat_{key}", text, keys, lambda w: w.show_heat(key), on=lambda w: w.bench.heat == key
    )


def _align(each: Alignment) -> Action:
    def enough(window: MainWindow) -> bool:
        return len(window.bench.store.selection) >= each.least

    return Action("Arrange", each.id, each.text, each.keys, lambda w: w.canvas.align(each), enough)


def _track(name: str, keys: str) -> Action:
    return Action(
        "Train",
        f"track_{name}",
        f"Track with {TRACKERS[name].title}",
        keys,
        lambda w: own_runs.switch_tracker(w, name),
        on=lambda w: name in own_runs.chosen_trackers(),
    )


def _wheel_pans(window: MainWindow) -> bool:
    return window.canvas.wheel_pans


def _switch_wheel(window: MainWindow) -> None:
    window.canvas.wheel_pans = not window.canvas.wheel_pans


def _switch_snap(window: MainWindow) -> None:
    window.canvas.snaps = not window.canvas.snaps


ACTIONS: tuple[Action, ...] = (
    Action("File", "new", "New network", "Ctrl+N", lambda w: w.files.new()),
    Action("File", "open", "Open …", "Ctrl+O", lambda w: w.files.open()),
    Action("File", "close_tab", "Close", "Ctrl+W", lambda w: w.files.close()),
    Action(
        "File",
        "reopen_tab",
        "Open the closed one again",
        "Ctrl+Shift+T",
        lambda w: w.files.reopen(),
        lambda w: w.files.closed,
    ),
    Action("File", "import", "Import from PyTorch or ONNX …", "Ctrl+I", lambda w: w.imports.open()),
    Action("File", "welcome", "Examples and recent files", "Ctrl+Shift+O", lambda w: w.show_welcome()),
    Action("File"),
    Action("File", "save", "Save", "Ctrl+S", lambda w: w.files.save()),
    Action("File", "save_as", "Save as …", "Ctrl+Shift+S", lambda w: w.files.save_as()),
    Action(
        "File", "earlier", "Earlier versions …", "Ctrl+Alt+Z", lambda w: w.files.show_earlier(), _has_file
    ),
    Action("File"),
    Action("File", "export", "Export …", "Ctrl+E", lambda w: w.exports.export(), _has_nodes),
    Action(
        "File", "picture", "Save the drawing …", "Ctrl+Shift+E", lambda w: w.exports.picture(), _has_nodes
    ),
    Action("File"),
    Action("File", "compare", "Compare with …", "Ctrl+Alt+K", lambda w: w.compare.choose(), _has_nodes),
    Action("File", "hub", "Data from the Hugging Face hub …", "Ctrl+Alt+F", lambda w: w.hub.open()),
    Action("File", "import_block", "Import a block …", "Ctrl+Alt+I", lambda w: w.import_block()),
    Action("File", "export_block", "Export the block …", "Ctrl+Alt+E", _export_block, _block_at_hand),
    Action("File", "keep_block", "Save to my blocks", "Ctrl+Alt+B", _keep_block, _block_at_hand),
    Action("File"),
    Action(
        "File",
        "reopen_tabs",
        "Reopen tabs at the start",
        "Ctrl+Alt+R",
        _switch_reopening,
        on=lambda w: reopening.wanted(),
    ),
    Action("File", "quit", "Quit", "Ctrl+Q", lambda w: w.close()),
    Action("Edit", "undo", "Undo", "Ctrl+Z", lambda w: w.undo_stack.undo(), _can_undo),
    Action("Edit", "redo", "Redo", "Ctrl+Shift+Z", lambda w: w.undo_stack.redo(), _can_redo),
    Action("Edit"),
    Action("Edit", "cut", "Cut", "Ctrl+X", lambda w: w.canvas.cut(), _selected),
    Action("Edit", "copy", "Copy", "Ctrl+C", lambda w: w.canvas.copy(), _selected),
    Action("Edit", "paste", "Paste", "Ctrl+V", lambda w: w.canvas.paste()),
    Action("Edit", "paste_linked", "Paste with links", "Ctrl+Shift+V", lambda w: w.canvas.paste_linked()),
    Action("Edit", "duplicate", "Duplicate", "Ctrl+D", lambda w: w.canvas.duplicate(), _selected),
    Action(
        "Edit",
        "duplicate_linked",
        "Duplicate linked",
        "Alt+D",
        lambda w: w.canvas.duplicate_linked(),
        _selected,
    ),
    Action("Edit", "delete", "Delete", "Del", lambda w: w.canvas.delete_selection(), _selected),
    Action("Edit", "heal", "Delete and heal the link", "Ctrl+Del", _delete_and_heal, _selected),
    Action("Edit"),
    Action("Edit", "select_all", "Select all", "Ctrl+A", lambda w: w.canvas.select_all(), _has_nodes),
    Action("Edit", "find", "Find …", "Ctrl+F", lambda w: w.canvas.find_bar.open(), _has_nodes),
    Action("Edit", "find_next", "Find next", "F3", lambda w: w.canvas.find_bar.walk(), _has_nodes),
    Action("Edit", "find_last", "Find previous", "Shift+F3", _find_last, _has_nodes),
    Action("Edit", "rename", "Rename", "F2", lambda w: w.canvas.rename_selected(), _selected),
    Action("Edit", "add", "Add a layer …", "Ctrl+Space", lambda w: w.canvas.open_quick_add()),
    Action("Edit", "replace", "Replace with …", "Shift+R", lambda w: w.canvas.open_replace(), _selected),
    Action("Edit", "connect", "Connect …", "C", lambda w: w.canvas.connect_selection(), _selected),
    Action("Edit"),
    Action("Edit", "mute", "Mute", "M", lambda w: w.canvas.commands.mute(), _selected, _all_muted),
    Action("Edit", "bypass", "Bypass", "B", lambda w: w.canvas.commands.bypass(), _selected, _all_bypassed),
    Action(
        "Edit", "freeze", "Freeze", "Shift+F", lambda w: w.canvas.commands.freeze(), _selected, _all_frozen
    ),
    Action(
        "Edit", "collapse", "Collapse", "H", lambda w: w.canvas.commands.collapse(), _selected, _all_collapsed
    ),
    Action("Edit"),
    Action("Edit", "frame", "Frame", "Ctrl+J", lambda w: w.canvas.add_frame()),
    Action("Edit", "note", "Add a note", "N", lambda w: w.canvas.add_note()),
    Action("Edit", "group", "Group into a block …", "Ctrl+G", lambda w: w.group(), _selected),
    Action("Edit", "ungroup", "Unpack the block", "Ctrl+Shift+G", lambda w: w.ungroup(), _block_selected),
    Action("Edit", "enter", "Open the block", "Ctrl+Down", _enter, _block_selected),
    Action("Edit", "leave", "Leave the block", "Ctrl+Up", lambda w: w.bench.store.leave(), _in_block),
    Action("Edit"),
    Action("Edit", "share", "Share weights", "Ctrl+L", lambda w: w.canvas.share(), _several),
    Action("Edit", "unshare", "Unlink weights", "Ctrl+Shift+L", lambda w: w.canvas.unshare(), _linked),
    Action("Edit"),
    Action("Edit", "edit_code", "Edit the code", "F4", lambda w: w.edit_code(), _has_nodes),
    *(_align(each) for each in ALIGNMENTS),
    Action("Edit", "layout", "Lay out", "L", lambda w: w.canvas.layout(), _has_nodes),
    Action("View", "fit", "Fit all", "Home", lambda w: w.canvas.fit_all(), _has_nodes),
    Action("View", "fit_selection", "Fit the selection", "F", lambda w: w.canvas.fit_selection(), _selected),
    Action("View", "expand", "Expand in place", "E", lambda w: w.canvas.expand(), _block_selected, _expanded),
    Action("View", "zoom_one", "Actual size", "Ctrl+0", lambda w: w.canvas.zoom_to(1.0)),
    Action("View", "zoom_in", "Zoom in", "Ctrl+=", lambda w: w.canvas.zoom_in()),
    Action("View", "zoom_out", "Zoom out", "Ctrl+-", lambda w: w.canvas.zoom_out()),
    Action("View"),
    Action("View", "next_part", "Next part of the window", "Ctrl+F6", lambda w: w.go_to_part(1)),
    Action("View", "last_part", "Previous part of the window", "Ctrl+Shift+F6", lambda w: w.go_to_part(-1)),
    _panel("left", "Layers and gallery", "F9"),
    _panel("bottom", "Live views", "F10"),
    _panel("right", "Inspector", "F11"),
    Action("View", "next_tab", "Next network", "Ctrl+Tab", lambda w: w.tabs.walk(1), _several_open),
    Action(
        "View", "last_tab", "Previous network", "Ctrl+Shift+Tab", lambda w: w.tabs.walk(-1), _several_open
    ),
    Action("View", "history", "History", "Ctrl+H", lambda w: w.show_history()),
    Action("View", "wheel", "Wheel moves, Ctrl+wheel zooms", "Shift+W", _switch_wheel, on=_wheel_pans),
    Action("View", "snap", "Snap to neighbors", "Shift+S", _switch_snap, on=lambda w: w.canvas.snaps),
    Action("View", "minimap", "Minimap", "Alt+M", lambda w: w.toggle_minimap(), on=lambda w: w.minimap),
    Action("View"),
    _heat("", "No heat map", "Alt+0"),
    _heat("parameters", "Heat map of parameters", "Alt+1"),
    _heat("macs", "Heat map of multiply-adds", "Alt+2"),
    _heat("memory", "Heat map of memory", "Alt+3"),
    _heat("time", "Heat map of time", "Alt+4"),
    Action(
        "View",
        "objectives",
        "Show which objective moves what",
        "Alt+5",
        lambda w: w.bench.show_objectives(not w.bench.objectives_shown),
        _has_nodes,
        lambda w: w.bench.objectives_shown,
    ),
    Action("View"),
    Action("View", "motion", "Reduce motion", "Ctrl+Alt+M", _switch_motion, on=lambda w: motion.chosen()),
    _theme("dark", "Dark", "Ctrl+Alt+D"),
    _theme("light", "Light", "Ctrl+Alt+L"),
    _theme("system", "As the system", "Ctrl+Alt+S"),
    Action("Train", "run", "Run", "F5", lambda w: w.bridge.run(), _can_run),
    Action("Train", "pause", "Pause", "F6", lambda w: w.bridge.pause(), _pausable),
    Action("Train", "step", "One step", "F8", lambda w: w.bridge.step(), _can_run),
    Action("Train", "run_on", "Run on …", "Ctrl+F5", lambda w: w.top.run_on_button.showMenu()),
    Action(
        "Train", "resume", "Resume the last run", "Ctrl+Shift+F5", lambda w: w.continuing.resume(), _can_begin
    ),
    Action("Train", "carry_on", "Continue from its weights", "Alt+F5", _carry_on, _can_begin),
    Action("Train", "stop", "Stop", "Shift+F5", lambda w: w.bridge.stop(), lambda w: w.bridge.active),
    Action("Train"),
    Action("Train", "runs", "Runs", "Ctrl+Shift+R", lambda w: w.show_runs()),
    *(_track(name, f"Ctrl+Alt+{n}") for n, name in enumerate(TRACKERS, 1)),
    Action("Train"),
    Action("Train", "find_rate", "Find a learning rate …", "Shift+F8", _find_rate, _can_begin),
    Action("Train"),
    Action("Train", "save_weights", "Save the weights …", "Ctrl+Alt+W", _save_weights, lambda w: w.has_run),
    Action("Train", "load_weights", "Run from weights …", "Ctrl+Alt+O", _load_weights, _can_begin),
    Action("Help", "commands", "Find a command …", "Ctrl+Shift+P", lambda w: w.commands.open()),
    Action("Help", "shortcuts", "Keyboard shortcuts …", "Ctrl+K", _show_shortcuts),
    Action("Help"),
    Action("Help", "tour", "Take the tour", "Shift+F1", lambda w: w.take_tour()),
    Action("Help", "about", "About Netwright", "F1", lambda w: w.about()),
)


class Actions:
    """The table as QActions in a window's menus."""

    def __init__(self, window: MainWindow):
        self._window = window
        self.actions: dict[str, tuple[Action, QAction]] = {}
        for action in ACTIONS:
            menu = window.menu(action.menu)
            if not action.text:
                menu.addSeparator()
                continue
            item = menu.addAction(action.text)
            item.setCheckable(action.on is not None)
            item.triggered.connect(lambda checked=False, action=action: action.call(self._window))
            window.addAction(item)
            self.actions[action.id] = (action, item)
        window.bench.keymap.changed.connect(self._give_keys)
        self._give_keys()
        self.refresh()

    def __getitem__(self, id: str) -> QAction:
        return self.actions[id][1]

    def _give_keys(self) -> None:
        """Put the keys that the user chose, or the declared ones, on every action."""
        for id, (action, item) in self.actions.items():
            item.setShortcut(QKeySequence(self._window.bench.keymap.keys(id, action.keys)))

    def refresh(self) -> None:
        """Enable what can be done now, and name what undo would undo."""
        for action, item in self.actions.values():
            item.setEnabled(bool(action.enabled(self._window)))
            if action.on:
                item.setChecked(action.on(self._window))
        active = self._window.bridge.active
        whose = f" {active.name}" if active and active is not self._window.bench.store.session else ""
        self["pause"].setText(f"Pause{whose}")
        self["stop"].setText(f"Stop{whose}")
        stack = self._window.undo_stack
        self["undo"].setText(f"Undo {stack.undoText()}".strip())
        self["redo"].setText(f"Redo {stack.redoText()}".strip())
