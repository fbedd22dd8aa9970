"""How the weights of one node, or of several, are trained: frozen, slower or faster, and how they begin."""

from __future__ import annotations

from collections.abc import Collection

from engine.graph.blocks import ROLE, layer_of
from engine.graph.document import Document, Learning
from engine.graph.settings import LEARNING, set_init, set_learning
from engine.inits import INITS
from engine.layers.params import Param, Value
from gui.bench import Bench
from gui.inspector.form import Form
from gui.inspector.init_part import InitPart
from gui.inspector.kinds import told
from gui.widgets.fold import Fold

BLOCKS_ONLY = ("checkpoint",)
"""What only a block can be told."""
AS_DOCUMENT = "As the document"


class LearningSection(Fold):
    """A fold over one node or several; hidden where none of them has weights."""

    def __init__(self, bench: Bench, nodes: Collection[str]):
        super().__init__("Learning", "node.learning")
        self._bench, self.nodes = bench, sorted(nodes)
        document = bench.store.document
        blocks = all(layer_of(document, document.nodes[id].type).role == ROLE for id in self.nodes)
        self.form = Form([each for each in LEARNING if blocks or each.name not in BLOCKS_ONLY], self._set)
        self.init = InitPart(self._begin, AS_DOCUMENT)
        self.add(self.form)
        self.add(self.init)
        bench.steerable_changed.connect(self.show_live)
        self.show_live()

    def show_document(self) -> None:
        """Show how the nodes learn; where they differ a field says so."""
        nodes = self._bench.store.document.nodes
        learning = [nodes[id].learning for id in self.nodes if id in nodes]
        if not learning:
            return
        for name, field in self.form.fields.items():
            values = {getattr(each, name) for each in learning}
            field.show_value(values.pop()) if len(values) == 1 else field.show_mixed()
        first = learning[0]
        begins = [(each.init, dict(each.init_options)) for each in learning]
        if all(each == begins[0] for each in begins):
            self.init.show_init(first.init, first.init_options)
        else:
            self.init.show_mixed()
        said = {_told(each) for each in learning}
        self.say(said.pop() if len(said) == 1 else "several values", any(e != Learning() for e in learning))
        counts = self._bench.analysis.parameters
        learns = any(counts.get(id) for id in self.nodes) or any(each != Learning() for each in learning)
        self.setVisible(learns or any(id in self._blocks() for id in self.nodes))

    def show_live(self) -> None:
        """Mark what a run takes at once."""
        names = self._bench.steerable
        live = None
        if names is not None and self._bench.store.scope:  # the run knows blocks as a whole
            live = set()
        elif names is not None:
            live = {each.name for each in LEARNING if all(f"{id}.{each.name}" in names for id in self.nodes)}
        self.form.show_live(live)
        self.init.choice.show_live(live)
        self.init.options.show_live(live)

    def _blocks(self) -> frozenset[str]:
        document = self._bench.store.document
        return frozenset(id for id, node in document.nodes.items() if node.type in document.blocks)

    def _named(self, document: Document) -> str:
        one = len(self.nodes) == 1
        return document.nodes[self.nodes[0]].title if one else f"{len(self.nodes)} nodes"

    def _set(self, param: Param, value: Value, word: str) -> None:
        store = self._bench.store
        self._apply(
            f"Set {param.title.lower()} of {self._named(store.document)}"
            if param.name != "frozen"
            else f"{'Freeze' if value else 'Unfreeze'} {self._named(store.document)}",
            lambda document: set_learning(document, self.nodes, **{param.name: value}),
            word,
        )

    def _begin(self, type_: str, options: dict[str, Value], word: str) -> None:
        text = f"Choose how {self._named(self._bench.store.document)} begins"
        self._apply(text, lambda document: set_init(document, self.nodes, type_, **options), word)

    def _apply(self, text: str, edit: object, word: str) -> None:
        merge = f"learning.{','.join(self.nodes)}.{word}" if word else ""
        self._bench.store.apply(text, edit, merge=merge)


def _told(learning: Learning) -> str:
    values = {each.name: getattr(learning, each.name) for each in LEARNING}
    begins = INITS[learning.init].title.lower() if learning.init in INITS else learning.init
    return ", ".join(word for word in (told(LEARNING, values), begins) if word)
