"""Where tensors enter and leave a model without data."""

from __future__ import annotations

from engine.layers.declaration import Layer, Port
from engine.layers.params import Choice, Ints

input_node = Layer(
    "Input",
    category="Data",
    doc="A tensor that comes from outside; its shape is typed by hand.",
    inputs=(),
    outputs=(Port("y", dtype="any"),),
    params=(
        Ints(
            name="shape",
            default=(1, 28, 28),
            min=1,
            empty=True,
            doc="The shape of one sample, without the batch; empty for a single number.",
        ),
        Choice(name="dtype", default="float", choices=("float", "int"), doc="Decimal numbers, or indices."),
    ),
    summary=lambda p: " × ".join(str(size) for size in p["shape"]) or "a number",
    prefix="input",
    synonyms=("placeholder",),
    role="input",
)

output = Layer(
    "Output",
    category="Data",
    doc="Marks a tensor that the model returns.",
    inputs=(Port("x", dtype="any"),),
    outputs=(),
    prefix="output",
    synonyms=("return", "result"),
    role="output",
)
