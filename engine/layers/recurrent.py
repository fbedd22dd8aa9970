"""Layers that read a sequence step by step and remember."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from engine.layers.declaration import BATCH, Layer, Port, TensorType
from engine.layers.params import Bool, Choice, Float, Int, Param
from engine.layers.text import shown_shape

_UNITS = Int(name="hidden_size", default=64, min=1, label="Units", doc="Length of its memory.")
_BIAS = Bool(name="bias", default=True, doc="Adds learned numbers to the sums.")
_BEND = Choice(name="nonlinearity", default="tanh", choices=("tanh", "relu"), doc="The bend after each sum.")
_STACK = (
    Int(name="num_layers", default=1, min=1, label="Layers", doc="Stacked one above the other."),
    _BIAS,
    Float(name="dropout", default=0.0, min=0, max=1, doc="Between stacked layers."),
    Bool(name="bidirectional", default=False, doc="Read it from the end too."),
)

_SEQUENCE = Port("x", "N L D", doc="A vector for each step.")
_OUTPUT = Port("output", "N L H", doc="What it shows at every step.")
_HIDDEN = Port("hidden", "S N H", doc="What it shows at the last step, per layer.")
_CELL = Port("cell", "S N H", doc="What it remembers after the last step, per layer.")
_INITIAL = Port("initial", "S N H", optional=", {initial}", doc="What it begins with; zeros when open.")
_INITIALS = (
    replace(_INITIAL, optional=", ({initial}"),
    Port("initial_cell", "S N H", optional=", {initial_cell})", doc="What its cell begins with."),
)


def _output(
    x: tuple, hidden_size: int, num_layers: int, bidirectional: bool, initial: tuple | None
) -> tuple[TensorType, ...]:
    """Everything that is shown, and the last state."""
    directions = 2 if bidirectional else 1
    state = TensorType((num_layers * directions, BATCH, hidden_size))
    if initial is not None and tuple(initial) != state.shape:
        raise ValueError(f"expects to begin with {state}, {shown_shape(initial)} arrives")
    return TensorType((BATCH, x[1], directions * hidden_size)), state


def _output_and_cell(
    x: tuple,
    hidden_size: int,
    num_layers: int,
    bidirectional: bool,
    initial: tuple | None,
    initial_cell: tuple | None,
) -> tuple[TensorType, ...]:
    _output(x, hidden_size, num_layers, bidirectional, initial_cell)
    output, state = _output(x, hidden_size, num_layers, bidirectional, initial)
    return output, state, state


def _cost(gates: int) -> Callable[..., int]:
    """The rule that counts, for each gate and step, a product with the input and one with the last output."""

    def macs(x: tuple, hidden_size: int, num_layers: int, bidirectional: bool) -> int:
        directions = 2 if bidirectional else 1
        widths = [x[2]] + [directions * hidden_size] * (num_layers - 1)
        return x[1] * directions * sum(gates * hidden_size * (width + hidden_size) for width in widths)

    return macs


def _kept(numbers: int, before: int = 0) -> Callable[..., int]:
    """The rule that counts, for each unit, the numbers kept at each step and before the first."""

    def kept(x: tuple, hidden_size: int, num_layers: int, bidirectional: bool) -> int:
        directions = 2 if bidirectional else 1
        between = (num_layers - 1) * x[1]
        return directions * hidden_size * (num_layers * (numbers * x[1] + before) + between)

    return kept


def _both_or_none(x: tuple, initial: tuple | None, initial_cell: tuple | None) -> dict[str, object]:
    if (initial is None) != (initial_cell is None):
        raise ValueError("expects both initial and initial cell, or neither")
    return {"input_size": x[2]}


def _summary(p: dict) -> str:
    return f"{p['hidden_size']} units" + (f", {p['num_layers']} layers" if p.get("num_layers", 1) > 1 else "")


def _recurrent(type_: str, doc: str, gates: int, *params: Param, synonyms: tuple[str, ...]) -> Layer:
    """A layer of torch that runs over the whole sequence."""
    return Layer(
        type_,
        category="Recurrent",
        doc=doc,
        inputs=(_SEQUENCE, _INITIAL),
        outputs=(_OUTPUT, _HIDDEN),
        params=(_UNITS, *params, *_STACK),
        infer=lambda x: {"input_size": x[2]},
        types=_output,
        macs=_cost(gates),
        kept=_kept(7) if gates > 1 else _kept(1, before=1),  # gates, their bends, cell and output
        init=f"nn.{type_}({{input_size}}, {{hidden_size}}{{rest}}, batch_first=True)",
        call="{self}({x}{options})",
        assign="{output}, {hidden}",
        summary=_summary,
        prefix=type_.lower(),
        synonyms=("sequence", "memory", *synonyms),
    )


lstm = replace(
    _recurrent(
        "LSTM",
        "Reads a sequence step by step; gates decide what its cell keeps, forgets and shows.",
        4,
        synonyms=("rnn", "long short-term memory"),
    ),
    inputs=(_SEQUENCE, *_INITIALS),
    outputs=(_OUTPUT, _HIDDEN, _CELL),
    infer=_both_or_none,
    types=_output_and_cell,
    assign="{output}, ({hidden}, {cell})",
)
gru = _recurrent(
    "GRU",
    "Reads a sequence step by step; two gates decide what it keeps and what it takes in.",
    3,
    synonyms=("rnn", "gated recurrent unit"),
)
rnn = _recurrent(
    "RNN",
    "Reads a sequence step by step and mixes each vector with what it showed before (Elman).",
    1,
    _BEND,
    synonyms=("elman", "vanilla", "simple recurrent"),
)


def _variant(type_: str, title: str, doc: str, gates: int, module: str, *synonyms: str) -> Layer:
    """One LSTM layer whose gates torch lacks."""
    cost = _cost(gates)
    return replace(
        lstm,
        type=type_,
        doc=doc,
        params=(_UNITS,),
        types=lambda x, hidden_size, initial, initial_cell: _output_and_cell(
            x, hidden_size, 1, False, initial, initial_cell
        ),
        macs=lambda x, hidden_size: cost(x, hidden_size, 1, False),
        kept=lambda x, hidden_size: _kept(7)(x, hidden_size, 1, False),
        init=f"{type_}({{input_size}}, {{hidden_size}})",
        module=module,
        prefix="lstm",
        title=title,
        synonyms=synonyms,
    )


peephole_lstm = _variant(
    "PeepholeLSTM",
    "Peephole LSTM",
    "An LSTM whose gates also see its cell.",
    4,
    "peephole_lstm",
    "peephole connections",
)
coupled_gate_lstm = _variant(
    "CoupledGateLSTM",
    "Coupled-gate LSTM",
    "An LSTM that forgets exactly as much as it takes in.",
    3,
    "coupled_gate_lstm",
    "cifg",
    "coupled input and forget gate",
)


def _cell(type_: str, doc: str, *params: Param, synonyms: tuple[str, ...] = ()) -> Layer:
    """One step, for networks that are unrolled by hand."""
    return Layer(
        type_,
        category="Recurrent",
        doc=doc,
        inputs=(
            Port("x", "N D", doc="The vector of this step."),
            Port("before", "N H", optional=", {before}", doc="What the step before showed; zeros when open."),
        ),
        outputs=(Port("hidden", "N H", doc="What it shows."),),
        params=(_UNITS, _BIAS, *params),
        infer=lambda x: {"input_size": x[1]},
        init=f"nn.{type_}({{input_size}}, {{hidden_size}}{{rest}})",
        call="{self}({x}{options})",
        summary=_summary,
        prefix="cell",
        synonyms=("step", "unrolled", *synonyms),
    )


def _both_before(x: tuple, before: tuple | None, cell_before: tuple | None) -> dict[str, object]:
    if (before is None) != (cell_before is None):
        raise ValueError("expects both before and cell before, or neither")
    return {"input_size": x[1]}


lstm_cell = _cell("LSTMCell", "One step of an LSTM.")
lstm_cell = replace(
    lstm_cell,
    inputs=(
        lstm_cell.inputs[0],
        replace(lstm_cell.inputs[1], optional=", ({before}"),
        Port("cell_before", "N H", optional=", {cell_before})", doc="What its cell held before."),
    ),
    outputs=(*lstm_cell.outputs, Port("cell", "N H", doc="What it remembers.")),
    infer=_both_before,
)
gru_cell = _cell("GRUCell", "One step of a GRU.")
rnn_cell = _cell("RNNCell", "One step of a simple recurrent network (Elman).", _BEND, synonyms=("elman",))
