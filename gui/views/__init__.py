"""The live views under the canvas: one file per view, one line per page in ``VIEWS``."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from gui.bench import Bench


@dataclass(frozen=True)
class View:
    """A page of the dock: ``factory`` is ``module:class``, imported when the page is first made."""

    name: str
    title: str
    factory: str
    doc: str

    def make(self, bench: Bench, parent: QWidget | None = None) -> QWidget:
        """Return the page's widget."""
        module, name = self.factory.split(":")
        return getattr(import_module(module), name)(bench, parent)


VIEWS: tuple[View, ...] = (
    View(
        "learning",
        "Learning",
        "gui.views.learning:LearningView",
        "Loss curves, the selected node's activations and its filters, side by side.",
    ),
    View(
        "activations",
        "Activations",
        "gui.views.activations:ActivationsView",
        "What the selected node gives for one sample.",
    ),
    View("filters", "Filters", "gui.views.filters:FiltersView", "The selected node's weights as pictures."),
    View(
        "regions",
        "Regions and fit",
        "gui.views.function:FunctionView",
        "What the network answers everywhere: decision regions of points, the curve of one number.",
    ),
    View(
        "samples",
        "Samples",
        "gui.views.samples:SamplesView",
        "Samples of the probe batch and what the network makes of them.",
    ),
    View(
        "data",
        "Data",
        "gui.data.preview:DataView",
        "A batch before and after augmentation, who is held out, statistics of every column and class.",
    ),
)
"""Every live view, in the order of the dock's tabs."""
