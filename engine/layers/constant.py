"""Numbers that come from nowhere: fixed, or learned."""

from __future__ import annotations

from engine.layers.declaration import Layer, Port
from engine.layers.params import Choice, Float, Ints

constant = Layer(
    "Constant",
    category="Arithmetic",
    doc="One fixed number.",
    inputs=(),
    params=(Float(name="value", default=1.0, doc="The number."),),
    call="torch.tensor({value})",
    summary=lambda p: f"{p['value']:g}",
    prefix="constant",
    synonyms=("number", "literal"),
)

learned_tensor = Layer(
    "LearnedTensor",
    category="Arithmetic",
    doc="Numbers that are learned and read no input, such as a class token or a temperature.",
    inputs=(),
    outputs=(Port("y"),),
    params=(
        Ints(name="shape", default=(), min=1, empty=True, doc="Its shape; empty for a single number."),
        Choice(
            name="start",
            default="zeros",
            choices=("zeros", "ones", "normal"),
            doc="What it holds before training.",
        ),
    ),
    init="LearnedTensor({shape}{rest})",
    module="learned_tensor",
    call="{self}()",
    summary=lambda p: " × ".join(map(str, p["shape"])) or "a number",
    title="Parameter",
    prefix="parameter",
    synonyms=("weight", "class token", "learned", "variable"),
)

fixed_tensor = Layer(
    "FixedTensor",
    category="Arithmetic",
    doc="Numbers that come with the weights and do not learn, such as a mask or positions.",
    inputs=(),
    outputs=(Port("y", dtype="any"),),
    params=(
        Ints(name="shape", default=(), min=1, empty=True, doc="Its shape; empty for a single number."),
        Choice(
            name="dtype", default="float", choices=("float", "int", "bool"), doc="Decimal numbers, or others."
        ),
    ),
    init="FixedTensor({shape}{rest})",
    module="fixed_tensor",
    call="{self}()",
    summary=lambda p: " × ".join(map(str, p["shape"])) or "a number",
    title="Fixed tensor",
    prefix="fixed",
    synonyms=("buffer", "constant", "mask"),
)
