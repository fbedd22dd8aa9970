"""Layers that read a sequence step by step and remember."""

from __future__ import annotations

from engine.layers.declaration import BATCH, Layer, Port, TensorType
from engine.layers.params import Bool, Float, Int


def _lstm_types(x: tuple, hidden_size: int, num_layers: int, bidirectional: bool) -> tuple[TensorType, ...]:
    directions = 2 if bidirectional else 1
    state = TensorType((num_layers * directions, BATCH, hidden_size))
    return TensorType((BATCH, x[1], directions * hidden_size)), state, state


def _lstm_macs(x: tuple, hidden_size: int, num_layers: int, bidirectional: bool) -> int:
    """Four gates, each a product with the input and one with the last output, at every step."""
    directions = 2 if bidirectional else 1
    widths = [x[2]] + [directions * hidden_size] * (num_layers - 1)
    return x[1] * directions * sum(4 * hidden_size * (width + hidden_size) for width in widths)


lstm = Layer(
    "LSTM",
    category="Recurrent",
    doc="Reads a sequence step by step; gates decide what its cell keeps, forgets and shows.",
    inputs=(Port("x", "N L D"),),
    outputs=(
        Port("output", "N L H", doc="What it shows at every step."),
        Port("hidden", "S N H", doc="What it shows at the last step, per layer."),
        Port("cell", "S N H", doc="What it remembers after the last step, per layer."),
    ),
    params=(
        Int(name="hidden_size", default=64, min=1, label="Units", doc="Length of its memory."),
        Int(name="num_layers", default=1, min=1, label="Layers", doc="Stacked one above the other."),
        Bool(name="bias", default=True, doc="Adds learned numbers in the gates."),
        Float(name="dropout", default=0.0, min=0, max=1, doc="Between stacked layers."),
        Bool(name="bidirectional", default=False, doc="Read it from the end too."),
    ),
    infer=lambda x: {"input_size": x[2]},
    types=_lstm_types,
    macs=_lstm_macs,
    init="nn.LSTM({input_size}, {hidden_size}{rest}, batch_first=True)",
    call="{self}({x})",
    assign="{output}, ({hidden}, {cell})",
    summary=lambda p: (
        f"{p['hidden_size']} units" + (f", {p['num_layers']} layers" if p["num_layers"] > 1 else "")
    ),
    prefix="lstm",
    synonyms=("rnn", "sequence", "memory"),
)
