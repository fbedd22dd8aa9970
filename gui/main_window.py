"""The window: how its parts are connected, and what the menus ask for."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt, QTimer
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QKeyEvent,
    QUndoStack,
)
from PySide6.QtWidgets import (
    QApplication,
    QMenu,
    QMessageBox,
)

from gui import style
from gui.frame import Frame

if TYPE_CHECKING:
    from gui.actions import Actions
    from gui.analyst import Analyst
    from gui.announcer import Announcer
    from gui.bench import Bench
    from gui.bridge import Bridge
    from gui.broken_off import BrokenOff
    from gui.canvas.view import CanvasView
    from gui.commands.palette import CommandPalette
    from gui.commands.tips import KeyTips
    from gui.compare.page import ComparePage
    from gui.continuing import Continuing
    from gui.data.hub import Hub
    from gui.drop_hint import DropHint
    from gui.exports import Exports
    from gui.files import Files
    from gui.focus import FocusRing
    from gui.gallery.gallery import GalleryPanel
    from gui.gallery.welcome import WelcomePage
    from gui.grouping import Grouping
    from gui.imports import Imports
    from gui.inspector.inspector import Inspector
    from gui.panels.code import CodePanel
    from gui.panels.history import HistoryPanel
    from gui.panels.outline import OutlinePanel
    from gui.panels.palette import PalettePanel
    from gui.panels.problems import ProblemsPanel
    from gui.panels.status_bar import StatusBar
    from gui.panels.top_bar import TopBar
    from gui.recovery import Recovery
    from gui.run_on import RunOn
    from gui.runs_panel.page import RunsPage
    from gui.steering import Steering
    from gui.tabs import DocumentTabs
    from gui.theme import Theme
    from gui.tour.guide import Guide
    from gui.trouble import Trouble
    from gui.widgets.segmented import SegmentedStack

# Nothing that takes long is imported above: the frame is painted first, then the parts are loaded.


class MainWindow(Frame):
    """Connects the parts around the canvas and hands the menus what they call."""

    bench: Bench
    analyst: Analyst
    bridge: Bridge
    broken_off: BrokenOff
    files: Files
    recovery: Recovery
    exports: Exports
    imports: Imports
    grouping: Grouping
    run_on: RunOn
    steering: Steering
    continuing: Continuing
    trouble: Trouble
    actions_: Actions
    commands: CommandPalette
    key_tips: KeyTips
    focus_ring: FocusRing
    announcer: Announcer
    guide: Guide
    drop_hint: DropHint
    top: TopBar
    status: StatusBar
    tabs: DocumentTabs
    canvas: CanvasView
    palette_: PalettePanel
    gallery: GalleryPanel
    outline: OutlinePanel
    history: HistoryPanel
    inspector: Inspector
    welcome: WelcomePage
    code: CodePanel
    problems: ProblemsPanel
    left: SegmentedStack

    def __init__(self) -> None:
        super().__init__()
        self._menus: dict[str, QMenu] = {}
        self._minimap = True
        self.recent = QMenu("Open recent", self)
        self._drawn: Theme | None = None

    def furnish(self, bench: Bench) -> None:
        """Load the program and put everything into the window."""
        from gui import parts

        parts.furnish(self, bench)
        self.furnished = True
        self.setAcceptDrops(True)
        self._restore()
        self.show_welcome()
        self.ready.emit()

    # What the menus ask for.

    @property
    def undo_stack(self) -> QUndoStack:
        """The history of the document."""
        return self.bench.store.undo_stack

    @property
    def has_run(self) -> bool:
        """Whether there are weights to save."""
        return bool(self.bridge.runner and self.bridge.runner.model is not None)

    @property
    def minimap(self) -> bool:
        """Whether the minimap is shown."""
        return self._minimap

    @property
    def theme_choice(self) -> str:
        """``system``, ``dark`` or ``light``."""
        return style.chosen()

    def menu(self, title: str) -> QMenu:
        """Return a menu of the menu bar, made when first asked for."""
        if title not in self._menus:
            self._menus[title] = self.menuBar().addMenu(title)
        return self._menus[title]

    def fill_recent(self) -> None:
        """List the files that were open lately in their menu."""
        self.recent.clear()
        for path in self.files.recent():
            self.recent.addAction(f"{path.stem}  –  {path.parent}", lambda path=path: self.files.open(path))
        self.recent.setEnabled(not self.recent.isEmpty())

    def choose_theme(self, choice: str) -> None:
        """Change the colors and remember the choice."""
        style.choose(QApplication.instance(), self.bench, choice)
        self.actions_.refresh()

    def toggle(self, name: str) -> None:
        """Show or hide ``left``, ``right`` or ``bottom``."""
        super().toggle(name)
        self.actions_.refresh()

    def toggle_minimap(self) -> None:
        """Show or hide the minimap."""
        self._minimap = not self._minimap
        self.canvas.show_minimap(self._minimap)

    def show_heat(self, key: str) -> None:
        """Tint the nodes by a cost, or by none."""
        self.bench.show_heat(key)

    def show_welcome(self) -> None:
        """Show the page of examples and recent files."""
        self.welcome.set_recent([(str(path), _about(path)) for path in self.files.recent()])
        self.welcome.set_tour(self.guide.resumable)
        self.pages.setCurrentWidget(self.welcome)
        self.welcome.setFocus()
        QTimer.singleShot(0, self.draw_cards)

    def show_workbench(self) -> None:
        """Show the canvas with everything around it."""
        self.pages.setCurrentWidget(self.workbench)
        QTimer.singleShot(0, self._show_all)
        self.canvas.setFocus()

    @cached_property
    def hub(self) -> Hub:
        """The browser of the Hugging Face hub, made when it is first wanted."""
        from gui.data.hub import Hub

        return Hub(self)

    @cached_property
    def compare(self) -> ComparePage:
        """The page of two networks side by side, made when it is first wanted."""
        from gui.compare.page import ComparePage

        page = ComparePage(self)
        self.pages.addWidget(page)
        page.closed.connect(self.show_workbench)
        return page

    def show_compare(self) -> None:
        """Show two networks side by side."""
        self.pages.setCurrentWidget(self.compare)

    @cached_property
    def runs(self) -> RunsPage:
        """The page of all runs, made when it is first wanted."""
        from gui.runs_panel.page import RunsPage

        page = RunsPage(self)
        self.pages.addWidget(page)
        page.closed.connect(self.show_workbench)
        return page

    def show_runs(self) -> None:
        """Show all runs."""
        self.pages.setCurrentWidget(self.runs)

    def _show_all(self) -> None:
        """Fit what has just been opened; a document that was here before is as it was left."""
        if self.bench.store.session.place is None:
            self.canvas.fit_all()

    def show_page(self, name: str) -> None:
        """Bring a page of the bottom dock to the front."""
        self.bottom.show()
        self.bottom.setCurrentWidget(self.views[name])

    def show_history(self) -> None:
        """Bring the steps of the document to the front and give them the keyboard."""
        self.left.show()
        self.left.show_page("history")
        self.history.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.actions_.refresh()

    def edit_custom(self, name: str) -> None:
        """Show the code of a layer written in Python."""
        from gui.custom.editor import CustomEditor

        editor = next((each for each in self.findChildren(CustomEditor) if each.name == name), None)
        editor = editor or CustomEditor(self.bench, name, self)
        editor.show()
        editor.raise_()
        editor.activateWindow()

    def edit_code(self) -> None:
        """Type into the generated code."""
        self.show_page("code")
        self.code.edit()

    def go_to_part(self, step: int) -> None:
        """Give the keyboard to the next part of the window, or with -1 to the one before."""
        from gui.focus import next_part

        parts = (self.top, self.left, self.tabs, self.canvas, self.bottom, self.inspector, self.status)
        next_part(parts if self.at_work else (self.welcome,), step)
        self.focus_ring.follow()

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Ring what Tab has reached."""
        found = super().focusNextPrevChild(forward)
        if self.furnished:
            self.focus_ring.follow()
        return found

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take Escape, which nothing else wanted, as the way back to the canvas."""
        if event.key() == Qt.Key.Key_Escape and self.furnished and self.at_work:
            self.canvas.setFocus(Qt.FocusReason.ShortcutFocusReason)
            self.focus_ring.follow()
        else:
            super().keyPressEvent(event)

    @property
    def at_work(self) -> bool:
        """Whether the canvas is shown, and not the welcome page."""
        return self.pages.currentWidget() is self.workbench

    def take_tour(self) -> None:
        """Begin the tour, go on with it, or leave it."""
        from gui.tour.steps import FIRST_NETWORK

        self.guide.leave() if self.guide.active else self.guide.start(FIRST_NETWORK)

    def about(self) -> None:
        """Tell what this is."""
        QMessageBox.about(
            self,
            "About Netwright",
            "<b>Netwright</b><p>Draw a neural network, press Run, and watch it learn on the graph itself.</p>"
            "<p>MIT licence.</p>",
        )

    # What its parts ask for.

    def settle_room(self, short: object) -> None:
        """Ask what to do about a run that will not fit into memory."""
        from gui import room

        room.settle(self, self.bench.store, self.bridge, short)

    def refresh_actions(self, *_: object) -> None:
        """Enable what can be done now."""
        self.actions_.refresh()

    def open_path(self, path: str) -> bool:
        """Open a document by its path."""
        return self.files.open(Path(path))

    def activate(self, id: str) -> None:
        """Enter a block, or put the cursor into a layer's form."""
        node = self.bench.store.document.nodes.get(id)
        if node and node.type in self.bench.store.document.customs:
            self.edit_custom(node.type)
        elif node and node.type in self.bench.store.document.blocks:
            self.bench.store.enter(node.type, id)
        else:
            self.inspector.setFocus()
            self.inspector.focusNextChild()

    def group(self) -> None:
        """Put the selected nodes into a block."""
        self.grouping.group()

    def import_block(self) -> None:
        """Ask for a file and add its block in the middle of the canvas."""
        from gui import sharing

        if path := sharing.ask_for_block(self):
            middle = QRectF(self.canvas.viewport().rect()).center()
            sharing.import_block(self.bench, path, self.canvas.map_to_canvas(middle))

    def ungroup(self) -> None:
        """Put what stands in the selected blocks in their place."""
        self.grouping.ungroup()

    def draw_cards(self, *_: object) -> None:
        """Draw the pictures of the examples, while they are looked at and only once for a theme."""
        from gui.gallery.shelf import pictures

        looked_at = self.pages.currentWidget() is self.welcome or self.gallery.isVisible()
        if looked_at and self._drawn is not self.bench.theme:
            self._drawn = self.bench.theme
            drawn = pictures(self._drawn)
            self.welcome.set_pictures(drawn)
            self.gallery.set_pictures(drawn)

    def choose_device(self, key: str) -> None:
        """Let the document be trained on a device."""
        from engine.graph.settings import set_training

        self.bench.store.apply("Choose the device", lambda document: set_training(document, device=key))

    def offer_devices(self) -> None:
        """List the devices, which torch knows once it has loaded."""
        from engine.training.devices import devices

        self.top.set_devices([("auto", "Automatic"), *devices()], self.bench.store.whole.training.device)

    def show_title(self) -> None:
        """Name the document, and say whether it is saved."""
        name = self.bench.store.whole.name or "Untitled"
        self.top.set_title(name, self.files.dirty)
        self.status.set_saved(self.files.saved_text)
        self.gallery.set_current(self.files.preset)
        mark = f"{' (read-only)' if self.bench.store.session.read_only else ''}{' •' * self.files.dirty}"
        self.setWindowTitle(f"{name}{mark} – Netwright")

    def show_failure(self, event: object) -> None:
        """Tell why a run failed and lead to the node."""
        if self.bridge.retelling:
            return
        self.bench.message.emit(event.message)
        if event.node:
            self.bench.store.select([event.node])
            self.bench.reveal.emit(event.node)

    # What the system asks.

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        self.drop_hint.enter(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        self.drop_hint.move_over(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.drop_hint.leave(event)

    def dropEvent(self, event: QDropEvent) -> None:
        self.drop_hint.drop(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.furnished:
            event.accept()
            return
        if not self.code.may_leave() or not self.files.may_leave():
            event.ignore()
            return
        self._remember()
        self.exports.close()
        self.imports.close()
        if "hub" in self.__dict__:
            self.hub.close()
        if "compare" in self.__dict__:
            self.compare.wait()
        if "runs" in self.__dict__:
            self.runs.close()
        self.bridge.close()
        self.analyst.close()
        self.canvas.arranger.close()
        self.recovery.close()
        self.files.safety.close()
        self.broken_off.close()
        self.undo_stack.blockSignals(True)  # it outlives the menus that listen to it
        event.accept()


def _about(path: Path) -> str:
    """Say when a file was changed and where it lies."""
    from gui.panels.words import when

    try:
        changed = datetime.fromtimestamp(path.stat().st_mtime)
    except OSError:
        return str(path.parent)
    return f"{when(changed, datetime.now())} · {path.parent}"
