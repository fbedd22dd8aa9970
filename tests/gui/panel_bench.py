"""A bench with a small network and what an analysis of it says, for the tests of panels."""

from __future__ import annotations

from engine.compiler.analysis import Analysis, SourceText
from engine.graph.build import Builder
from engine.graph.document import Document, Slot
from engine.layers.declaration import TensorType
from gui.bench import Bench
from gui.store import Store

SOURCE = SourceText(
    "class Net(nn.Module):\n"
    "    def __init__(self):\n"
    "        self.conv = nn.Conv2d(1, 6, 5)\n"
    "        self.fc = nn.Linear(3456, 10)\n"
    "\n"
    "    def forward(self, image):\n"
    "        conv = self.conv(image)\n"
    "        flat = conv.flatten(1)\n"
    "        return self.fc(flat)\n",
    {"conv": (3, 7), "fc": (4, 9), "flat": (8,)},
)


def small_document() -> Document:
    """Return image -> conv -> flat -> fc -> out."""
    g = Builder("Net", "A small one.")
    image = g.add("Input", id="image", shape=(1, 28, 28))
    conv = g.add("Conv2d", image, id="conv", out_channels=6, kernel_size=5)
    flat = g.add("Flatten", conv, id="flat")
    g.add("Output", g.add("Linear", flat, id="fc", out_features=10), id="out")
    g.train("SGD", epochs=10, batch_size=64, lr=0.05)
    return g.document()


def analysis_of(document: Document, **changes: object) -> Analysis:
    """Return what an analysis says about the small document, or with other fields."""
    types = {
        Slot("image", "y"): TensorType(("N", 1, 28, 28)),
        Slot("conv", "y"): TensorType(("N", 6, 24, 24)),
        Slot("flat", "y"): TensorType(("N", 3456)),
        Slot("fc", "y"): TensorType(("N", 10)),
    }
    fields = {
        "types": types,
        "parameters": {"conv": 156, "fc": 34_570},
        "macs": {"conv": 86_400, "fc": 34_560},
        "source": SOURCE,
    }
    return Analysis(document, **{**fields, **changes})


def small_bench() -> Bench:
    """Return a bench that shows the small document."""
    bench = Bench(Store(small_document()))
    tell(bench)
    return bench


def tell(bench: Bench, **changes: object) -> None:
    """Hand the bench an analysis, as the analyst does."""
    bench.analysis = analysis_of(bench.store.document, **changes)
    bench.analyzed.emit(bench.analysis)
