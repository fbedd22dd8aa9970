"""The menus under the right button."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QMenu

from engine.graph.document import BYPASSED, MUTED, Edge
from gui import sharing

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
    menu.addAction("Duplicate", view.duplicate)
    menu.addAction("Copy", view.copy)
    menu.addAction("Cut", view.cut)
    menu.addSeparator()
    chosen = [document.nodes[each] for each in view.bench.store.selection]
    for text, call, on in (
        ("Mute", view.commands.mute, all(node.mode == MUTED for node in chosen)),
        ("Bypass", view.commands.bypass, all(node.mode == BYPASSED for node in chosen)),
        ("Collapse", view.commands.collapse, all(node.collapsed for node in chosen)),
    ):
        action = menu.addAction(text, call)
        action.setCheckable(True)
        action.setChecked(on)
    menu.addSeparator()
    joined = bool(document.incoming(id) or document.outgoing(id))
    menu.addAction("Disconnect", lambda: view.commands.disconnect_node(id)).setEnabled(joined)
    menu.addAction("Lay out selection", view.layout).setEnabled(len(view.bench.store.selection) > 1)
    fix = view.graph.nodes[id].face.note.fix if view.graph.nodes[id].face.note is not None else None
    if fix is not None:
        menu.addAction(fix.title, lambda: view.edit(fix.title, fix.edit))
    menu.addSeparator()
    menu.addAction("Delete and heal", lambda: view.delete_selection(heal=True)).setEnabled(joined)
    menu.addAction("Delete", view.delete_selection)
    return menu


def wire_menu(view: CanvasView, edge: Edge, at: QPointF) -> QMenu:
    """Return what can be done with a wire."""
    menu = QMenu(view)
    menu.addAction("Insert layer", lambda: view.open_quick_add(at, edge))
    menu.addSeparator()
    menu.addAction("Disconnect", lambda: view.commands.disconnect(edge.target))
    return menu
