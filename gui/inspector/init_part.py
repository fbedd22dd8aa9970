"""How weights begin: of a document, of a node, or of several."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtWidgets import QWidget

from engine.inits import INITS
from engine.layers.params import Param, Value
from gui.inspector.kinds import KindChoice, KindOptions, told
from gui.widgets.basic import column

Change = Callable[[str, dict[str, Value], str], None]
"""Takes a way to begin and its options; edits with the same text belong to one undo step."""
TORCH = "As torch does"
"""The way to begin that is none of the table's."""


class InitPart(QWidget):
    """The choice of a way to begin and its options; ``usual`` is the word for none of them."""

    def __init__(self, change: Change, usual: str = TORCH):
        super().__init__()
        self._change, self._type = change, ""
        self._options: Mapping[str, Value] = {}
        doc = "How the weights begin, where no file gives them."
        self.choice = KindChoice("init", INITS, self._choose, none=usual, label="Weights begin", doc=doc)
        self.options = KindOptions(self._set)
        layout = column(self, 5)
        layout.addWidget(self.choice)
        layout.addWidget(self.options)

    @property
    def told(self) -> str:
        """What is chosen, in a few words; empty for the usual."""
        init = INITS.get(self._type)
        if init is None:
            return self._type
        options = told(init.params, self._options)
        return f"{init.title.lower()}, {options}" if options else init.title.lower()

    def show_init(self, type_: str, options: Mapping[str, Value]) -> None:
        """Show a way to begin."""
        self._type, self._options = type_, options
        self.choice.show_kind(type_)
        self.options.show_kind(INITS.get(type_), options)

    def show_mixed(self) -> None:
        """Show that several nodes begin differently."""
        self._type, self._options = "", {}
        self.choice.show_mixed()
        self.options.show_kind(None, {})

    def _choose(self, type_: str) -> None:
        self._change(type_, {}, "")

    def _set(self, param: Param, value: Value, word: str) -> None:
        self._change(self._type, {**self._options, param.name: value}, word)
