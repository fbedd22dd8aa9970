"""The editor of a block's interface: inputs, outputs and parameters, which every use follows."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from engine.compiler.analysis import Analysis
from engine.errors import EngineError
from engine.graph import interface
from engine.graph.document import About, Document, Slot
from engine.layers.params import Int, Value
from gui.bench import Bench, Offer
from gui.inspector.fields import Field, NumericField
from gui.inspector.rows import Row, Rows
from gui.widgets.basic import IconButton, column, label, mono, row
from gui.widgets.fields import LineField

Edit = Callable[[Document], Document]
_ENDS = (("min", "At least"), ("max", "At most"))


class Interface(QWidget):
    """Edits the interface of one block of a bench, from inside of it or from outside."""

    def __init__(self, bench: Bench, block: str):
        super().__init__()
        self.bench, self.block = bench, block
        self.inputs = Ports(self, "Inputs", interface.INPUT)
        self.outputs = Ports(self, "Outputs", interface.OUTPUT)
        self.parameters = Parameters(self)
        layout = column(self, 14)
        for part in (self.inputs, self.outputs, self.parameters):
            layout.addWidget(part)
        self.refresh()

    def refresh(self) -> None:
        """Show the interface as the document holds it now."""
        for part in (self.inputs, self.outputs, self.parameters):
            part.refresh()

    def show_analysis(self, analysis: Analysis) -> None:
        """Show the shapes of the ports, of the analysis of the block's own graph or of one around it."""
        own = analysis if self.bench.store.scope[-1:] == (self.block,) else analysis.blocks.get(self.block)
        for part in (self.inputs, self.outputs):
            part.show_shapes(own)

    def edit(self, text: str, change: Edit, merge: str = "") -> str:
        """Change the whole document as one step; return why not, or an empty text."""
        store = self.bench.store
        try:
            store.apply_whole(text, change(store.whole), merge)
        except EngineError as error:
            return error.message
        return ""

    def remove(self, what: str, name: str, change: Edit) -> str:
        """Remove something, and tell how many links went with it."""
        store, before = self.bench.store, interface.link_count(self.bench.store.whole)
        reason = self.edit(f"Remove the {what} {name}", change)
        lost = before - interface.link_count(store.whole)
        if lost and not reason:
            links = "one link" if lost == 1 else f"{lost} links"
            text = f"The {what} {name} is gone, and {links} with it."
            self.bench.offered.emit(Offer(text, (("Undo", store.undo_stack.undo),)))
        return reason


class Ports(Rows):
    """The inputs or the outputs."""

    def __init__(self, editor: Interface, title: str, kind: str):
        super().__init__(editor.bench, title, kind.lower())
        self._editor, self._type = editor, kind
        self.add.clicked.connect(self._add)

    def refresh(self) -> None:
        """Show the ports as the document holds them now."""
        whole = self._bench.store.whole
        self.show_names(interface.ports_of(whole.blocks[self._editor.block], self._type))

    def show_shapes(self, analysis: Analysis | None) -> None:
        """Show the shape at each port, as far as it is known."""
        for each in self.rows:
            slot = Slot(each.shown, "y")
            if analysis and self._type == interface.OUTPUT:
                slot = analysis.document.edges.get(Slot(each.shown, "x"), slot)
            tensor = analysis.types.get(slot) if analysis else None
            each.shape.setText(tensor.sample if tensor else "")

    def make_row(self) -> Row:
        return _Port(self._bench, self.kind)

    def rename(self, name: str, new: str) -> str:
        block = self._editor.block
        return self._editor.edit(
            f"Rename the {self.kind} {name}", lambda d: interface.rename_port(d, block, name, new)
        )

    def move_to(self, name: str, place: int) -> str:
        block = self._editor.block
        return self._editor.edit(
            f"Move the {self.kind} {name}", lambda d: interface.move_port(d, block, name, place)
        )

    def take_away(self, name: str) -> str:
        block = self._editor.block
        return self._editor.remove(self.kind, name, lambda d: interface.remove_port(d, block, name))

    def _add(self) -> None:
        made: list[str] = []

        def change(document: Document) -> Document:
            document, name = interface.add_port(document, self._editor.block, self._type)
            made.append(name)
            return document

        self._editor.edit(f"Add an {self.kind}", change)
        self.focus(made[-1])


class _Port(Row):
    """A port: its name, and the shape there where it is known."""

    def __init__(self, bench: Bench, kind: str):
        super().__init__(bench, kind)
        self.shape = mono("", "muted")
        self.more.addWidget(self.shape)


class Parameters(Rows):
    """The parameters: names, defaults, and below each on demand its range and a sentence."""

    def __init__(self, editor: Interface):
        super().__init__(editor.bench, "Parameters and defaults", "parameter")
        self._editor = editor
        self.add.clicked.connect(self._add)

    @property
    def fields(self) -> dict[str, Field]:
        """The fields of the defaults by the parameters' names."""
        return {each.shown: each.default for each in self.rows}

    def refresh(self) -> None:
        """Show the parameters as the document holds them now."""
        block = self._bench.store.whole.blocks[self._editor.block]
        self.show_names(list(block.params))
        for each, (name, default) in zip(self.rows, block.params.items(), strict=True):
            each.show_values(default, block.about.get(name, About()))

    def make_row(self) -> Row:
        return _Parameter(self._editor)

    def rename(self, name: str, new: str) -> str:
        block = self._editor.block
        return self._editor.edit(
            f"Rename the parameter {name}", lambda d: interface.rename_parameter(d, block, name, new)
        )

    def move_to(self, name: str, place: int) -> str:
        block = self._editor.block
        return self._editor.edit(
            f"Move the parameter {name}", lambda d: interface.move_parameter(d, block, name, place)
        )

    def take_away(self, name: str) -> str:
        block = self._editor.block
        return self._editor.remove(self.kind, name, lambda d: interface.remove_parameter(d, block, name))

    def _add(self) -> None:
        block, count = self._editor.block, 1
        taken = self._bench.store.whole.blocks[block].params
        while (name := f"size{count if count > 1 else ''}") in taken:
            count += 1
        self._editor.edit(f"Add the parameter {name}", lambda d: interface.add_parameter(d, block, name))
        self.focus(name)


class _Parameter(Row):
    """A parameter: its name and default, and on demand the range and a sentence."""

    def __init__(self, editor: Interface):
        super().__init__(editor.bench, "parameter")
        self._editor = editor
        self._words = 0
        self.default = self._field(
            "default", "no default", "Its default; empty where each use gives a value."
        )
        self.default.setFixedWidth(92)
        self.toggle = IconButton(editor.bench, "chevron", kind="flat", tip="Range and description")
        self.toggle.setCheckable(True)
        self.toggle.setFixedWidth(24)
        self.more.addWidget(self.default)
        self.more.addWidget(self.toggle)
        self.ends = {end: self._field(end, "any", f"{words} this, in every use.") for end, words in _ENDS}
        self.doc = LineField()
        self.doc.setPlaceholderText("What it is, in a sentence")
        self.doc.setMaxLength(500)
        self.details = QWidget()
        inner = column(self.details, 4)
        inner.setContentsMargins(16, 0, 28, 6)
        line = row(spacing=6)
        for end, words in _ENDS:
            line.addWidget(label(words, "muted", 12), 0, Qt.AlignmentFlag.AlignVCenter)
            line.addWidget(self.ends[end], 1)
        inner.addLayout(line)
        inner.addWidget(self.doc)
        self.below.addWidget(self.details)
        self.details.hide()
        self.toggle.toggled.connect(self.details.setVisible)
        self.doc.textEdited.connect(lambda text: self._describe("doc", text))
        self.doc.editingFinished.connect(self._end_word)

    def show_name(self, name: str) -> None:
        super().show_name(name)
        self.doc.setAccessibleName(f"What {name} is")
        self.default.focusProxy().setAccessibleName(f"Default of {name}")
        for end, words in _ENDS:
            self.ends[end].focusProxy().setAccessibleName(f"{words}, {name}")

    def show_values(self, default: int | None, about: About) -> None:
        """Show the default, the range and the sentence."""
        self.default.show_value(default)
        for end, field in self.ends.items():
            field.show_value(getattr(about, end))
        if self.doc.text().strip() != about.doc:
            self.doc.setText(about.doc)

    def _field(self, part: str, unset: str, doc: str) -> Field:
        field = NumericField(Int(name=part, default=None, optional=True, unset=unset, doc=doc))
        field.edited.connect(lambda value: self._set(field, part, value))
        field.refused.connect(self._say)
        field.done.connect(self._end_word)
        return field

    def _set(self, field: Field, part: str, value: Value) -> None:
        reason = self._describe(part, value) if part != "default" else self._set_default(value)
        if reason:
            field.reject(reason)
        else:
            self._say("")

    def _set_default(self, value: Value) -> str:
        name, block = self.shown, self._editor.block
        return self._editor.edit(
            f"Set the default of {name}",
            lambda d: interface.set_default(d, block, name, value),
            merge=f"{block}.{name}.default.{id(self)}.{self._words}",
        )

    def _describe(self, part: str, value: Value) -> str:
        name, block = self.shown, self._editor.block
        value = value.strip() if part == "doc" else value
        return self._editor.edit(
            f"Describe the parameter {name}",
            lambda d: interface.describe(d, block, name, **{part: value}),
            merge=f"{block}.{name}.{part}.{id(self)}.{self._words}",
        )

    def _say(self, reason: str) -> None:
        self.error.setText(reason)
        self.error.setVisible(bool(reason))

    def _end_word(self) -> None:
        self._words += 1
