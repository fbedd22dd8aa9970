"""The menus under the right button."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QMenu

from engine.graph.document import BYPASSED, COLORS, MUTED
from gui import sharing
from gui.canvas.aligning import ALIGNMENTS
from gui.canvas.frame_item import CommentItem
from gui.canvas.mark import MarkItem
from gui.canvas.wire_item import WireItem

if TYPE_CHECKING:
    from gui.canvas.view import CanvasView


def node_menu(view: CanvasView, id: str) -> QMenu:
    """Return what can be done with a node, and with the others that are selected."""
    menu = QMenu(view)
    document = view.bench.store.document
    type_ = document.nodes[id].type
    if type_ in document.blocks:
        menu.addAction("Open the block", lambda: view.node_activated.emit(id))
        inside = menu.addAction("Expand in place", view.expand)
        inside.setCheckable(True)
        inside.setChecked(document.nodes[id].expanded is not None)
        menu.addAction("Save to my blocks", lambda: sharing.keep(view.bench, type_))
        menu.addSeparator()
    if type_ in document.customs:
        menu.addAction("Edit the code", lambda: view.bench.code_wanted.emit(type_))
        menu.addSeparator()
    menu.addAction("Rename", lambda: view.rename(id))
    menu.addAction("Replace with …", view.open_replace)
    menu.addAction("Duplicate", view.duplicate)
    menu.addAction("Copy", view.copy)
    menu.addAction("Cut", view.cut)
    menu.addSeparator()
    chosen = [document.nodes[each] for each in view.bench.store.selection]
    for text, call, on in (
        ("Mute", view.commands.mute, all(node.mode == MUTED for node in chosen)),
        ("Bypass", view.commands.bypass, all(node.mode == BYPASSED for node in chosen)),
        ("Freeze", view.commands.freeze, all(node.learning.frozen for node in chosen)),
        ("Collapse", view.commands.collapse, all(node.collapsed for node in chosen)),
    ):
        action = menu.addAction(text, call)
        action.setCheckable(True)
        action.setChecked(on)
    menu.addSeparator()
    joined = bool(document.incoming(id) or document.outgoing(id))
    menu.addAction("Disconnect", lambda: view.commands.disconnect_node(id)).setEnabled(joined)
    menu.addAction("Lay out selection", view.layout).setEnabled(len(view.bench.store.selection) > 1)
    if len(view.bench.store.selection) > 1:
        lines = menu.addMenu("Align")
        for each in ALIGNMENTS:
            action = lines.addAction(each.text)
            action.triggered.connect(lambda _=False, each=each: view.align(each))
            action.setEnabled(len(view.bench.store.selection) >= each.least)
    fix = view.graph.nodes[id].face.note.fix if view.graph.nodes[id].face.note is not None else None
    if fix is not None:
        menu.addAction(fix.title, lambda: view.edit(fix.title, fix.edit))
    menu.addSeparator()
    menu.addAction("Delete and heal", lambda: view.delete_selection(heal=True)).setEnabled(joined)
    menu.addAction("Delete", view.delete_selection)
    return menu


def wire_menu(view: CanvasView, wire: WireItem, at: QPointF) -> QMenu:
    """Return what can be done with a wire."""
    menu, edge = QMenu(view), wire.edge
    menu.addAction("Insert layer", lambda: view.open_quick_add(at, edge))
    menu.addAction("Add a dot here", lambda: view.add_dot(wire, at))
    if view.bench.store.document.bends.get(edge.target):
        menu.addAction("Straighten", lambda: view.commands.straighten(edge.target))
    menu.addSeparator()
    menu.addAction("Disconnect", lambda: view.commands.disconnect(edge.target))
    return menu


def mark_menu(view: CanvasView, mark: MarkItem) -> QMenu:
    """Return what can be done with a frame, a note or a dot, and with the others that are selected."""
    menu = QMenu(view)
    chosen = view.bench.store.marks & view.bench.store.document.comments.keys()
    if isinstance(mark, CommentItem):
        frame = mark.comment.kind == "frame"
        if frame:
            menu.addAction("Rename", lambda: view.rename(mark.id))
            menu.addAction("Select what stands in it", lambda: view.select_in_frame(mark.id))
        menu.addAction("Edit the text", lambda: view.write(mark.id))
        colors = menu.addMenu("Color")
        for color in COLORS:
            action = colors.addAction(color.capitalize())
            action.triggered.connect(
                lambda _=False, color=color: view.commands.change_comments("Color", chosen, color=color)
            )
            action.setCheckable(True)
            action.setChecked(mark.comment.color == color)
        menu.addSeparator()
        menu.addAction("Duplicate", view.duplicate)
        menu.addAction("Copy", view.copy)
        menu.addAction("Cut", view.cut)
        menu.addSeparator()
    menu.addAction("Delete", view.delete_selection)
    return menu
