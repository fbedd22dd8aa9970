"""The canvas' commands, and how it follows the document; the pointer and the keyboard are in the view."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QWidget

from engine.graph.diff import Diff
from engine.graph.document import Document, Edge, Slot
from engine.training.events import Failed
from gui.bench import Bench
from gui.canvas import fitting
from gui.canvas.aligning import Alignment
from gui.canvas.commands import Commands
from gui.canvas.connect import ConnectPopup
from gui.canvas.face import TITLE_LEFT
from gui.canvas.find_bar import FindBar
from gui.canvas.heat import HeatControl
from gui.canvas.layout_worker import Arranger
from gui.canvas.legend import ObjectiveLegend
from gui.canvas.link import Link
from gui.canvas.navigation import Navigator
from gui.canvas.node_paint import TEXT_FROM
from gui.canvas.notice import Notice
from gui.canvas.overlays import Caption, Minimap, Trail
from gui.canvas.quick_add import QuickAdd
from gui.canvas.rename import TitleField
from gui.canvas.replacing import Replacing
from gui.canvas.wire_item import WireItem
from gui.canvas.wires import wire_between
from gui.spoken import node_words


class Editor(Navigator):
    """A view of the scene with commands: each is one step of undo."""

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__(bench, parent)
        self.commands = Commands(bench)
        self.arranger = Arranger(self)
        self._chosen_wire: Slot | None = None
        self._adding: Link | Edge | Replacing | None = None
        self._adding_at = QPointF()
        self._hangs, self._added = False, 0
        self.caption = Caption(self)
        self.trail = Trail(self)
        self.minimap = Minimap(self)
        self.heat = HeatControl(self, bench)
        self.heat.resized.connect(self.caption.leave_room)
        self.trail.resized.connect(self.heat.leave_room)
        self.heat.fit()
        self.legend = ObjectiveLegend(self, bench)
        self.notice = Notice(self, bench)
        self.quick_add = QuickAdd(self)
        self.quick_add.set_theme(bench.theme)
        self.quick_add.chosen.connect(self._add_chosen)
        self.quick_add.offer = lambda: bench.library.offer(bench.store.document, bench.store.scope)
        self.connect_popup = ConnectPopup(self)
        self.connect_popup.set_theme(bench.theme)
        self.find_bar = FindBar(self, bench)
        self.title_field = TitleField(self)
        self.title_field.renamed.connect(self.commands.rename)
        self.setAccessibleName("Network canvas")
        self.graph.arranged.connect(self.minimap.fit)
        bench.store.changed.connect(self._follow)
        bench.store.leaving.connect(self._keep_place)
        bench.store.replaced.connect(self._replace)
        bench.store.arrived.connect(self._find_place)
        bench.store.scope_changed.connect(self._replace)
        bench.analyzed.connect(lambda _: self._describe())
        bench.store.selection_changed.connect(self._show_selection)
        bench.analyzed.connect(lambda _: self.graph.show_analysis())
        bench.snapshot_taken.connect(self.graph.show_snapshot)
        for signal in (bench.heat_changed, bench.timed):
            signal.connect(self._show_heat)
        for signal in (bench.objectives_changed, bench.store.edited):
            signal.connect(self._show_objectives)
        bench.run_reset.connect(self.graph.clear_live)
        bench.failed.connect(self._show_failure)
        bench.theme_changed.connect(lambda _: self._show_theme())
        bench.reveal.connect(self.show_node)
        self._describe()

    def forget_pointer(self) -> None:
        """Let go of what the pointer holds and is over: items may be gone. Subclasses know what that is."""

    # -- following the bench -----------------------------------------------------------------------------

    def _follow(self, change: Diff) -> None:
        self.forget_pointer()
        self.graph.follow(change)
        if change.name or change.added or change.removed:
            self.caption.show_document()
        self._describe()

    def _replace(self) -> None:
        self.forget_pointer()
        self.quick_add.close_palette()
        self.connect_popup.close_palette()
        self.graph.rebuild()
        self.caption.show_document()
        self.show_all()
        self._describe()

    def _keep_place(self) -> None:
        self.bench.store.session.place = self.place()

    def _find_place(self) -> None:
        """Look where one looked when this document was in front last."""
        if (place := self.bench.store.session.place) is not None:
            self.go_to(place)

    def _show_selection(self, selection: frozenset[str]) -> None:
        self.graph.show_selection(selection)
        if selection:
            self.choose_wire(None)
        self._describe()
        if self.far():
            self.viewport().update()

    def _show_failure(self, failed: Failed) -> None:
        self.graph.show_failure(failed.node, failed.message)

    def _show_heat(self, *_: object) -> None:
        self.graph.show_heat()
        self.viewport().update()

    def _show_objectives(self) -> None:
        if self.graph.show_objectives():
            self.viewport().update()

    def _show_theme(self) -> None:
        self.graph.show_theme()
        self.quick_add.set_theme(self.bench.theme)
        self.connect_popup.set_theme(self.bench.theme)
        for widget in (self.caption, self.minimap, self.viewport()):
            widget.update()

    def _describe(self) -> None:
        """Say in words what is there, for screen readers."""
        document, chosen = self.bench.store.document, self.bench.store.selection
        text = f"{document.name}: {len(document.nodes)} nodes, {len(document.edges)} wires"
        node = document.nodes.get(next(iter(chosen), "")) if len(chosen) == 1 else None
        if node is not None:  # the selection follows a deletion one signal later
            problems = " ".join(p.message for p in self.bench.analysis.problems_of(node.id))
            text += f". {node_words(self.bench, node.id)}. {problems}"
        self.setAccessibleDescription(text.strip())

    def moved(self) -> None:
        super().moved()
        if hasattr(self, "title_field"):  # the base class moves while it is being made
            self.title_field.clearFocus()  # it would not move along
            self.caption.fit()
            self.minimap.fit()
            self.heat.fit()
            self.legend.fit()
            self.notice.fit()
            self.find_bar.fit()

    # -- commands ----------------------------------------------------------------------------------------

    def edit(self, text: str, change: Callable[[Document], Document]) -> bool:
        """Make an edit as one step; a refusal is shown as a message. Return whether it was made."""
        return self.commands.edit(text, change)

    def delete_selection(self, heal: bool = False) -> None:
        """Delete the selected nodes, or the wire that was clicked; ``heal`` links across the nodes."""
        if self._chosen_wire is not None:
            self.commands.disconnect(self._chosen_wire)
        else:
            self.commands.delete(heal)

    def copy(self) -> None:
        """Put the selected nodes and comments on the clipboard."""
        self.commands.copy()

    def cut(self) -> None:
        """Put the selected nodes on the clipboard and delete them."""
        self.commands.cut()

    def paste(self) -> None:
        """Add the nodes on the clipboard, at the pointer if it is over the canvas."""
        at = self._pointer()
        self.commands.paste(self.map_to_canvas(at) if at is not None else None)

    def paste_linked(self) -> None:
        """Add the nodes on the clipboard; they read what their originals read."""
        at = self._pointer()
        self.commands.paste(self.map_to_canvas(at) if at is not None else None, keep=True)

    def take_text(self, text: str) -> None:
        """Add the nodes of a text in the middle of what is seen."""
        self.commands.paste(self.map_to_canvas(QRectF(self.viewport().rect()).center()), text)

    def duplicate(self) -> None:
        """Copy the selected nodes beside themselves."""
        self.commands.duplicate()

    def duplicate_linked(self) -> None:
        """Copy the selected nodes beside themselves; the copies share the weights."""
        self.commands.duplicate(linked=True)

    def share(self) -> None:
        """Let the selected nodes of one type share weights."""
        self.commands.share()

    def unshare(self) -> None:
        """Give the selected nodes weights of their own."""
        self.commands.unshare()

    def select_all(self) -> None:
        """Select every node, comment and dot."""
        self.bench.store.select((*self.graph.nodes, *self.graph.marks.items))

    def layout(self) -> None:  # hides QWidget.layout(), which a view never has
        """Lay out the selected nodes, or all."""
        self.arranger.start()

    def align(self, alignment: Alignment) -> None:
        """Line the selected nodes up, or spread them evenly."""
        chosen = sorted(self.bench.store.selection)
        self.commands.align(alignment, {id: self.graph.nodes[id].body().getRect() for id in chosen})

    def nudge(self, dx: float, dy: float) -> None:
        """Move what is selected a little, frames with all that stands in them."""
        self.commands.nudge(dx, dy, self.graph.marks.carried(self.bench.store.chosen))

    def rename_selected(self) -> None:
        """Edit the title of the selected node in place."""
        if len(self.bench.store.selection) == 1:
            self.rename(next(iter(self.bench.store.selection)))

    def rename(self, id: str) -> None:
        """Edit a node's title in place."""
        if self.zoom < TEXT_FROM:
            self.zoom_to(1.0, self.viewportTransform().map(self.graph.nodes[id].body().center()))
        body = self.graph.nodes[id].body()
        left = self.viewportTransform().map(QPointF(body.left() + TITLE_LEFT - 6, body.top() + 18))
        width = max((body.width() - TITLE_LEFT) * self.zoom, 96)
        size = QRectF(left.x(), left.y() - 13, width, 26)
        self.title_field.open(id, self.bench.store.document.nodes[id].title, size, self.bench.theme)

    def show_minimap(self, wanted: bool) -> None:
        """Switch the minimap on or off."""
        self.minimap.set_wanted(wanted)

    def open_quick_add(self, at: QPointF | None = None, link: Link | Edge | None = None) -> None:
        """Open the palette at a point of the viewport, at the pointer, or in the middle.

        A ``link`` is a loose wire that the new node takes, an edge is where it is inserted.
        """
        at = at or self._pointer()
        self._hangs = at is not None and link is None
        at = at or QRectF(self.viewport().rect()).center()
        self._adding, self._adding_at = link, self.map_to_canvas(at)
        if isinstance(link, Link):
            self.quick_add.open(at.toPoint(), link.fits, link.title())
        elif isinstance(link, Edge):
            self.quick_add.open(at.toPoint(), fitting.fits_between, "Insert into the wire")
        else:
            self.quick_add.open(at.toPoint())

    def open_replace(self) -> None:
        """Ask what the selected nodes should be instead."""
        chosen = [id for id in self.bench.store.document.nodes if id in self.bench.store.selection]
        if not chosen:
            return
        replacing = Replacing(self.bench, tuple(chosen))
        body = self.graph.nodes[chosen[0]].body()
        at = self._pointer() or self.viewportTransform().map(body.bottomLeft())
        self._adding, self._adding_at = replacing, body.center()
        self.quick_add.open(at.toPoint(), replacing.fits, replacing.title())

    def connect_selection(self) -> None:
        """Ask where a wire of the selected node should go; with two selected, connect them."""
        document, chosen = self.bench.store.document, self.bench.store.selection
        names = " and ".join(node.title for id, node in document.nodes.items() if id in chosen)
        if len(chosen) == 2:
            wire = wire_between(document, self.bench.analysis.types, chosen)
            if wire is None:
                text = f"No wire fits between {names}: no input is open, or it would close a cycle."
                self.bench.message.emit(text)
            else:
                self.edit("Connect", lambda d: fitting.connect(d, wire.source, wire.target))
        elif len(chosen) == 1 and not self.connect_popup.open(next(iter(chosen))):
            self.bench.message.emit(f"There is no open port that {names} could be connected with.")

    def add_layer(self, type_: str) -> None:
        """Add a layer without a place, as from a list: behind the selected node, or in the middle."""
        self._adding, self._hangs = None, False
        self._adding_at = self.map_to_canvas(QRectF(self.viewport().rect()).center())
        self._add_chosen(type_)

    def _add_chosen(self, type_: str) -> None:
        at, link = self._adding_at, self._adding
        chosen, document = self.bench.store.selection, self.bench.store.document
        self.setFocus()
        if isinstance(link, Replacing):
            self.commands.replace([id for id in link.ids if id in document.nodes], type_)
            return
        if isinstance(link, Link) and link.fixed.node in document.nodes:
            add = self.commands.add_behind if link.forward else self.commands.add_before
            id = add(type_, link.fixed, at)
        elif isinstance(link, Edge) and document.edges.get(link.target) == link.source:
            id = self.commands.insert(type_, link, at)
        elif len(chosen) == 1 and (source := self._loose_end(next(iter(chosen)), type_)) is not None:
            id = self.commands.add_behind(type_, source)
        else:
            self._added += 1
            merge = f"add {self._added}" if self._hangs else ""
            id = self.commands.add(type_, at, merge)
            if id and merge:
                self.hang(id, at, merge)
                return
        if id:
            self._keep_in_view(id)

    def hang(self, id: str, at: QPointF, merge: str) -> None:
        """Let a new node follow the pointer until a button is pressed. The view knows how."""

    def _loose_end(self, id: str, type_: str) -> Slot | None:
        """Return the output of the selected node that a new node of a type can read, or None."""
        document, types = self.bench.store.document, self.bench.analysis.types
        layer = self.bench.library.layer_of(document, type_)
        for spot in self.graph.nodes[id].face.outputs:
            slot = Slot(id, spot.name)
            if fitting.fits_behind(layer, types.get(slot), fitting.port_of(document, slot, False)):
                return slot
        return None

    def _keep_in_view(self, id: str) -> None:
        body = self.graph.nodes[id].body()
        port = self.visible_rect()
        if not port.contains(body):
            dx = min(body.left() - port.left() - 30, 0) + max(body.right() - port.right() + 30, 0)
            dy = min(body.top() - port.top() - 30, 0) + max(body.bottom() - port.bottom() + 30, 0)
            self.pan(QPointF(-dx, -dy) * self.zoom)

    def _pointer(self) -> QPointF | None:
        at = self.viewport().mapFromGlobal(QCursor.pos())
        return QPointF(at) if self.viewport().rect().contains(at) and self.underMouse() else None

    def choose_wire(self, wire: WireItem | None) -> None:
        """Select a wire, so that Delete means it."""
        before = self.graph.wires.get(self._chosen_wire) if self._chosen_wire is not None else None
        self._chosen_wire = wire.edge.target if wire is not None else None
        for each in (before, wire):
            if each is not None:
                each.lit = each is wire
                each.set_theme(self.bench.theme)
        self.graph.labels.look()
