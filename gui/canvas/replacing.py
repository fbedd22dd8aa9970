"""Another layer in the place of nodes: what the palette offers for them."""

from __future__ import annotations

from dataclasses import dataclass

from engine.graph.document import Document, Slot
from engine.layers.declaration import Layer
from gui.bench import Bench
from gui.canvas import fitting


@dataclass(frozen=True)
class Replacing:
    """The nodes that another layer will stand for."""

    bench: Bench
    ids: tuple[str, ...]

    def title(self) -> str:
        """Return what the palette is asked for."""
        nodes = self.bench.store.document.nodes
        return f"Replace {nodes[self.ids[0]].title if len(self.ids) == 1 else f'{len(self.ids)} nodes'} with"

    def fits(self, layer: Layer) -> bool:
        """Return whether a layer takes what enters every node, and gives something where one is read."""
        document = self.bench.store.document
        return all(self._fits(document, id, layer) for id in self.ids)

    def _fits(self, document: Document, id: str, layer: Layer) -> bool:
        if document.nodes[id].type == layer.type or (document.outgoing(id) and not layer.outputs_of({})):
            return False
        sources = [source for source in document.incoming(id).values()]
        return not sources or self._reads(document, layer, sources[0])

    def _reads(self, document: Document, layer: Layer, source: Slot) -> bool:
        tensor = self.bench.analysis.types.get(source)
        return fitting.fits_behind(layer, tensor, fitting.port_of(document, source, False))
