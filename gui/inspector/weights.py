"""Whose weights a node uses: its own, those of another node, or a copy that follows them."""

from __future__ import annotations

from dataclasses import replace

from engine.graph import edits
from engine.graph.blocks import ROLE, layer_of
from engine.graph.document import FOLLOWS, Document, Node, Share
from engine.graph.links import can_share
from engine.layers.params import Choice, Float, Int, Param, Value
from gui.bench import Bench
from gui.inspector.form import Form
from gui.inspector.sections import Section
from gui.widgets.basic import label

OWN = "Its own"
_WORDS = {"": "Same layer", "frozen": "Frozen", "average": "Average", "copy": "Renewed"}
_HELP = {
    "": "One layer, called more than once: it learns from every call.",
    "frozen": "A copy of the weights as they were at the start.",
    "average": "A copy that moves toward the weights by this fraction after every step.",
    "copy": "A copy that is made anew every so many steps.",
}
_AMOUNTS: dict[str, Param] = {
    "average": Float(name="amount", default=FOLLOWS["average"], min=0.0, max=1.0, label="Fraction per step"),
    "copy": Int(name="amount", default=int(FOLLOWS["copy"]), min=1, label="Steps between copies"),
}


class WeightsSection(Section):
    """Chooses the node whose weights this one shares; shown where there is one to choose."""

    def __init__(self, bench: Bench, node: str):
        super().__init__("Weights")
        self._bench, self._node = bench, node
        self._shown: tuple[Share | None, tuple[str, ...]] | None = None
        self.form: Form | None = None
        self._help = label("", "muted", wrap=True)
        self.layout_.addWidget(self._help)

    def show_node(self, document: Document) -> None:
        """Show the node as the document holds it now."""
        node = document.nodes[self._node]
        offered = _offered(document, node)
        self.setVisible(bool(offered))
        if not offered or self._shown == (node.share, tuple(offered)):
            return
        self._shown = (node.share, tuple(offered))
        self._ids = offered
        if self.form is not None:
            self.layout_.removeWidget(self.form)
            self.form.hide()
            self.form.deleteLater()
        params: list[Param] = [
            Choice(name="node", default=OWN, choices=(OWN, *offered), label="From", doc="Whose weights.")
        ]
        values: dict[str, Value] = {"node": OWN}
        if node.share:
            follow = node.share.follow
            params.append(
                Choice(name="follow", default=_WORDS[""], choices=tuple(_WORDS.values()), label="As")
            )
            values |= {"node": _title(document, node.share.node), "follow": _WORDS[follow]}
            if follow in _AMOUNTS:
                params.append(_AMOUNTS[follow])
                values["amount"] = _AMOUNTS[follow].check(node.share.amount)
        self.form = Form(params, self._set)
        self.form.show_values(values)
        self.layout_.insertWidget(self.layout_.count() - 1, self.form)
        self._help.setText(_HELP[node.share.follow] if node.share else "")
        self._help.setVisible(bool(node.share))

    def _set(self, param: Param, value: Value, word: str) -> None:
        document = self._bench.store.document
        node = document.nodes[self._node]
        if param.name == "node" and value == OWN:
            self._bench.store.apply(f"Unlink {node.title}", lambda d: edits.unshare(d, self._node))
            return
        link = node.share or Share("")
        if param.name == "node":
            link = replace(link, node=self._ids[str(value)])
        elif param.name == "follow":
            follow = next(key for key, text in _WORDS.items() if text == value)
            link = replace(link, follow=follow, amount=FOLLOWS[follow])
        else:
            link = replace(link, amount=value)
        self._bench.store.apply(
            f"Share the weights of {document.nodes[link.node].title}",
            lambda d: edits.share(d, self._node, link.node, link.follow, link.amount),
            merge=f"{self._node}.{word}" if param.name == "amount" else "",
        )


def _title(document: Document, id: str) -> str:
    title = document.nodes[id].title
    return title if title == id else f"{title} ({id})"


def _offered(document: Document, node: Node) -> dict[str, str]:
    """Return the nodes whose weights this one could use, by what they are called."""
    layer = layer_of(document, node.type)
    if not layer.init and layer.role != ROLE:
        return {}
    found: dict[str, str] = {}
    for id, other in document.nodes.items():
        if id != node.id and other.attribute == id and can_share(document, node.id, id):
            found[_title(document, id)] = id
    return found
