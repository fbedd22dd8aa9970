"""What a layer written in Python will look like: its ports and its settings."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from engine.layers.declaration import Layer
from engine.layers.params import Param
from gui.theme import CATEGORY
from gui.widgets.basic import Box, Dot, column, empty, label, mono, row, section


class FacePreview(QWidget):
    """Name, description, inputs, outputs and settings of the layer that a source defines."""

    def __init__(self) -> None:
        super().__init__()
        self._rows = column(self, 10)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self.texts: list[str] = []

    def show_layer(self, layer: Layer) -> None:
        """Show another face."""
        empty(self._rows)
        self.texts = []
        head = row(spacing=6)
        head.addWidget(Dot(CATEGORY[layer.category]))
        head.addWidget(label(layer.label, weight=600), 1)
        self._rows.addLayout(head)
        self._rows.addWidget(label(layer.doc, "muted", 12, wrap=True))
        inputs = [(f"*{p.name}" if p.variadic else p.name, _port_hint(p)) for p in layer.inputs]
        self._part("Inputs", inputs, "none: it makes its tensor itself")
        self._part("Outputs", [(port.name, "") for port in layer.outputs_of({})], "")
        self._part("Settings", [(p.name, _param_hint(p)) for p in layer.params], "none")
        self._rows.addStretch(1)

    def _part(self, title: str, rows: list[tuple[str, str]], nothing: str) -> None:
        self._rows.addWidget(section(title))
        box = Box()
        inside = column(box, 4)
        inside.setContentsMargins(10, 7, 10, 7)
        for name, hint in rows or [("", nothing)]:
            line = row(spacing=8)
            if name:
                line.addWidget(mono(name))
            line.addWidget(label(hint, "muted", 12), 1)
            inside.addLayout(line)
            self.texts.append(f"{title}: {name} {hint}".strip())
        self._rows.addWidget(box)


def _port_hint(port: object) -> str:
    return "any number" if port.variadic else "may stay open" if port.optional else ""


def _param_hint(param: Param) -> str:
    kind = type(param).__name__.lower()
    words = {"int": "whole number", "float": "number", "bool": "yes or no", "text": "text"}
    words |= {"ints": "whole numbers", "choice": "a choice", "plain": "any value"}
    value = f" = {param.text(param.default)}" if param.default is not None else ""
    return f"{words.get(kind, kind)}{value}"
