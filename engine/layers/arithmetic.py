"""Arithmetic, element by element, and products of tensors."""

from __future__ import annotations

from engine.layers.declaration import Layer, Port
from engine.layers.params import Equation, Float, Int
from engine.layers.text import along, shown_shape


def _broadcast(xs: tuple) -> dict[str, object]:
    widest = max(len(shape) for shape in xs)
    for sizes in zip(*((1,) * (widest - len(shape)) + tuple(shape) for shape in xs), strict=True):
        if len(set(sizes) - {1}) > 1:
            raise ValueError(f"expects inputs of one shape, {' and '.join(map(shown_shape, xs))} arrive")
    return {}


def _several(type_: str, doc: str, sign: str, prefix: str, *synonyms: str) -> Layer:
    return Layer(
        type_,
        category="Arithmetic",
        doc=doc,
        inputs=(Port("xs", dtype="any", variadic=True),),
        infer=_broadcast,
        same_shape=True,
        call=f"{{xs: {sign} }}",
        prefix=prefix,
        synonyms=synonyms,
    )


def _two(type_: str, doc: str, call: str, prefix: str, *synonyms: str) -> Layer:
    return Layer(
        type_,
        category="Arithmetic",
        doc=doc,
        inputs=(Port("a", dtype="any", doc="The first."), Port("b", dtype="any", doc="The second.")),
        infer=lambda a, b: _broadcast((a, b)),
        same_shape=True,
        call=call,
        prefix=prefix,
        synonyms=synonyms,
    )


def _one(type_: str, doc: str, call: str, *synonyms: str, **more: object) -> Layer:
    return Layer(
        type_,
        category="Arithmetic",
        doc=doc,
        call=call,
        prefix=type_.lower() if type_ not in ("Abs", "Exp", "Log") else f"{type_.lower()}_",
        synonyms=synonyms,
        **more,
    )


add = _several("Add", "Adds its inputs, element by element.", "+", "add", "sum", "plus", "residual", "skip")
multiply = _several(
    "Multiply", "Multiplies its inputs, element by element.", "*", "mul", "times", "gate", "product"
)
subtract = _two("Subtract", "a - b, element by element.", "{a} - {b}", "sub", "minus", "difference")
divide = _two("Divide", "a / b, element by element.", "{a} / {b}", "div", "quotient", "ratio")
matmul = Layer(
    "MatMul",
    category="Arithmetic",
    doc="The matrix product of the last two dimensions, for each sample.",
    inputs=(Port("a", "N L D|N H L D|N D|L D", doc="The left matrix."), Port("b", doc="The right matrix.")),
    call="{a} @ {b}",
    prefix="matmul",
    synonyms=("dot", "bmm", "matrix product", "@"),
)
scale = _one(
    "Scale",
    "Multiplies by one number and adds another: a x + b.",
    "{x} * {scale} + {shift}",
    "affine",
    "shift",
    "multiply by a number",
    "normalize",
    title="Scale and shift",
    params=(
        Float(name="scale", default=1.0, doc="The factor."),
        Float(name="shift", default=0.0, doc="What is added."),
    ),
    summary=lambda p: f"{p['scale']:g} x + {p['shift']:g}".replace("+ -", "- "),
)
power = _one(
    "Power",
    "Raises every number to a power.",
    "{x} ** {exponent}",
    "square",
    "pow",
    params=(Float(name="exponent", default=2.0, doc="2 squares, 0.5 is the square root."),),
    summary=lambda p: f"x to the {p['exponent']:g}",
)


def _letters(xs: tuple, equation: str) -> dict[str, object]:
    wanted = equation.partition("->")[0].split(",")
    if len(wanted) != len(xs):
        raise ValueError(f"expects {len(wanted)} inputs for {equation}, {len(xs)} arrive")
    sizes: dict[str, object] = {}
    for letters, shape in zip(wanted, xs, strict=True):
        if len(letters) != len(shape):
            raise ValueError(f"expects {len(letters)} dimensions for {letters}, {shown_shape(shape)} arrives")
        for letter, size in zip(letters, shape, strict=True):
            if sizes.setdefault(letter, size) != size:
                raise ValueError(f"finds two sizes for the letter {letter}: {sizes[letter]} and {size}")
    return {}


einsum = Layer(
    "Einsum",
    category="Arithmetic",
    doc="A sum of products told by letters: those that the result lacks are summed over.",
    inputs=(Port("xs", variadic=True),),
    params=(
        Equation(
            name="equation",
            default="bij,bjk->bik",
            doc="A letter for each dimension of each input, then those of the result.",
        ),
    ),
    infer=_letters,
    call="torch.einsum({equation}, {xs})",
    summary=lambda p: p["equation"].replace("->", " → "),
    prefix="einsum",
    synonyms=("tensor product", "contraction"),
)
negative = _one("Negative", "Turns the sign of every number.", "-{x}", "minus")
exp = _one("Exp", "e to the power of every number.", "torch.exp({x})", "exponential")
log = _one("Log", "The natural logarithm of every number.", "torch.log({x})", "logarithm", "ln")
sqrt = _one("Sqrt", "The square root of every number.", "torch.sqrt({x})", "square root", "root")
abs_ = _one("Abs", "The size of every number without its sign.", "torch.abs({x})", "absolute", "magnitude")
sin = _one("Sin", "The sine of every number.", "torch.sin({x})", "sine", "wave")
cos = _one("Cos", "The cosine of every number.", "torch.cos({x})", "cosine", "wave")
clamp = _one(
    "Clamp",
    "Cuts off every number below one bound and above another.",
    "torch.clamp({x}, {min}, {max})",
    "clip",
    "bounds",
    params=(
        Float(name="min", default=-1.0, optional=True, label="Minimum", doc="The lower bound, if any."),
        Float(name="max", default=1.0, optional=True, label="Maximum", doc="The upper bound, if any."),
    ),
    summary=lambda p: " to ".join("…" if p[each] is None else f"{p[each]:g}" for each in ("min", "max")),
)
maximum = _two("Maximum", "The larger of a and b, element by element.", "torch.maximum({a}, {b})", "larger")
minimum = _two("Minimum", "The smaller of a and b, element by element.", "torch.minimum({a}, {b})", "smaller")
greater = _two("Greater", "Yes where a is greater than b.", "{a} > {b}", "greater", "compare", ">", "less")
equal = _two("Equal", "Yes where a equals b.", "{a} == {b}", "equal", "compare", "same")
where = Layer(
    "Where",
    category="Arithmetic",
    doc="Takes a where the condition holds, else b.",
    inputs=(
        Port("condition", dtype="any", doc="Yes or no, or numbers: 0 means no."),
        Port("a", dtype="any", doc="Where it holds."),
        Port("b", dtype="any", doc="Where it does not."),
    ),
    infer=lambda condition, a, b: _broadcast((condition, a, b)),
    call="torch.where({condition}.bool(), {a}, {b})",
    prefix="where",
    synonyms=("if", "choose"),
)
cumulative_sum = _one(
    "CumulativeSum",
    "Each number becomes the sum of all up to it.",
    "torch.cumsum({x}, {dim})",
    "cumsum",
    "running total",
    title="Cumulative sum",
    params=(Int(name="dim", default=1, min=-8, max=7, doc="The dimension along which is summed."),),
    summary=along(),
)
