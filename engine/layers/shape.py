"""The same numbers in another shape, and parts of them."""

from __future__ import annotations

from math import prod

from engine.layers.declaration import Layer, Port, Ports
from engine.layers.params import Int, Ints
from engine.layers.text import along, by, shown_shape

_ANY = (Port("x", dtype="any"),)


def _dim(doc: str, default: int = 1, name: str = "dim") -> Int:
    return Int(name=name, default=default, min=-8, max=7, doc=doc)


flatten = Layer(
    "Flatten",
    category="Shape",
    doc="Lays all numbers of a sample in one row.",
    inputs=_ANY,
    params=(
        _dim("First dimension that is merged; 0 is the batch.", 1, "start_dim"),
        _dim("Last dimension that is merged.", -1, "end_dim"),
    ),
    call="torch.flatten({x}, {start_dim}{rest})",
    summary=lambda p: f"from dimension {p['start_dim']}",
    prefix="flatten",
    synonyms=("ravel",),
)


def _same_count(x: tuple, shape: tuple) -> dict[str, object]:
    if prod(x[1:]) != prod(shape):
        raise ValueError(
            f"expects {' × '.join(map(str, shape))} = {prod(shape)} numbers for each sample, "
            f"{' × '.join(map(str, x[1:]))} = {prod(x[1:])} arrive"
        )
    return {}


reshape = Layer(
    "Reshape",
    category="Shape",
    doc="Gives each sample a new shape with the same number of values.",
    inputs=(Port("x", "N ...", dtype="any"),),
    params=(
        Ints(name="shape", default=(1, 28, 28), min=1, doc="The shape of one sample, without the batch."),
    ),
    infer=_same_count,
    fits=("shape",),
    call="{x}.reshape(-1, {shape:, })",
    summary=lambda p: "to " + by(p["shape"]),
    prefix="reshape",
    synonyms=("view",),
)


def _same_but(xs: tuple, dim: int) -> dict[str, object]:
    rank = len(xs[0])
    if not -rank <= dim < rank:
        raise ValueError(f"joins along dimension {dim}, but the inputs have {rank} dimensions")
    for other in xs[1:]:
        if len(other) != rank or any(
            a != b for i, (a, b) in enumerate(zip(xs[0], other, strict=True)) if i != dim % rank
        ):
            raise ValueError(
                f"expects inputs that differ only in dimension {dim}, "
                f"{' and '.join(map(shown_shape, (xs[0], other)))} arrive"
            )
    return {}


concatenate = Layer(
    "Concatenate",
    category="Shape",
    doc="Joins tensors along one dimension.",
    inputs=(Port("xs", dtype="any", variadic=True),),
    params=(_dim("The dimension that grows; 1 is channels or features."),),
    infer=_same_but,
    call="torch.cat([{xs}], {dim})",
    summary=along(),
    prefix="cat",
    synonyms=("cat", "join", "merge"),
)


def _all_same(xs: tuple) -> dict[str, object]:
    if len(set(map(tuple, xs))) > 1:
        raise ValueError(f"expects inputs of one shape, {' and '.join(map(shown_shape, xs))} arrive")
    return {}


stack = Layer(
    "Stack",
    category="Shape",
    doc="Lays tensors of one shape behind each other in a new dimension.",
    inputs=(Port("xs", dtype="any", variadic=True),),
    params=(_dim("Where the new dimension stands."),),
    infer=_all_same,
    call="torch.stack([{xs}], {dim})",
    summary=along(),
    prefix="stack",
    synonyms=("join", "pile"),
)


def _size(x: tuple, dim: int, does: str) -> int:
    """The size of a dimension, which must be known: the batch is not."""
    if not -len(x) <= dim < len(x):
        raise ValueError(f"{does} dimension {dim}, but {shown_shape(x)} has {len(x)}")
    if not isinstance(x[dim], int):
        raise ValueError(f"{does} dimension {dim}, but that is the batch; choose another one")
    return x[dim]


def _parts(count: int) -> Ports:
    return tuple(Port(f"part{place}", dtype="any") for place in range(1, count + 1))


def _even(x: tuple, chunks: int, dim: int) -> dict[str, object]:
    size = _size(x, dim, "divides")
    if size % chunks:
        raise ValueError(
            f"divides {size} into {chunks} equal parts, which leaves a rest; Split takes any sizes"
        )
    return {}


chunk = Layer(
    "Chunk",
    category="Shape",
    doc="Divides a dimension into equal parts, each an output of its own.",
    inputs=_ANY,
    outputs=lambda p: _parts(p["chunks"]),
    params=(
        Int(name="chunks", default=2, min=2, max=16, label="Parts", doc="How many equal parts."),
        _dim("The dimension that is divided."),
    ),
    infer=_even,
    fits=("chunks",),
    call="torch.chunk({x}, {chunks}, {dim})",
    summary=lambda p: f"{p['chunks']} parts of dimension {p['dim']}",
    prefix="chunk",
    synonyms=("divide", "equal parts"),
)


def _whole(x: tuple, sizes: tuple, dim: int) -> dict[str, object]:
    size = _size(x, dim, "splits")
    if sum(sizes) != size:
        raise ValueError(
            f"expects {' + '.join(map(str, sizes))} = {sum(sizes)} in dimension {dim}, {size} arrive"
        )
    return {}


split = Layer(
    "Split",
    category="Shape",
    doc="Divides a dimension into parts of chosen sizes, each an output of its own.",
    inputs=_ANY,
    outputs=lambda p: _parts(len(p["sizes"])),
    params=(
        Ints(name="sizes", default=(1, 1), min=1, lengths=tuple(range(2, 17)), doc="The size of each part."),
        _dim("The dimension that is divided."),
    ),
    infer=_whole,
    fits=("sizes",),
    call="torch.split({x}, {sizes}, {dim})",
    summary=lambda p: " + ".join(map(str, p["sizes"])),
    prefix="split",
    synonyms=("divide", "parts"),
)


def _range(x: tuple, dim: int, start: int, stop: int | None) -> dict[str, object]:
    size = _size(x, dim, "cuts")
    first, end, _ = slice(start, stop).indices(size)
    if end <= first:
        raise ValueError(f"keeps nothing between {start} and {stop} of the {size} in dimension {dim}")
    return {"first": first, "length": end - first}


slice_ = Layer(
    "Slice",
    category="Shape",
    doc="Keeps a range of one dimension.",
    inputs=_ANY,
    params=(
        _dim("The dimension that is cut."),
        Int(name="start", default=0, doc="The first that stays; negative numbers count from the end."),
        Int(
            name="stop", default=None, optional=True, doc="The first that goes again; empty means to the end."
        ),
    ),
    infer=_range,
    restore=lambda first, length: {"start": first, "stop": first + length},
    call="{x}.narrow({dim}, {first}, {length})",
    summary=lambda p: f"{p['start']} to {'end' if p['stop'] is None else p['stop']} of dimension {p['dim']}",
    prefix="slice",
    synonyms=("crop", "narrow", "range", "part"),
)

select = Layer(
    "Select",
    category="Shape",
    doc="Takes one place of a dimension, such as the last step of a sequence.",
    inputs=_ANY,
    params=(
        _dim("The dimension that goes away; 1 is time in a sequence."),
        Int(name="index", default=-1, label="Place", doc="Which place; -1 is the last."),
    ),
    call="{x}.select({dim}, {index})",
    summary=lambda p: f"{'last' if p['index'] == -1 else p['index']} of dimension {p['dim']}",
    prefix="select",
    synonyms=("index", "last step", "pick", "row", "column"),
)

permute = Layer(
    "Permute",
    category="Shape",
    doc="Puts the dimensions in another order.",
    inputs=_ANY,
    params=(
        Ints(
            name="dims",
            default=(0, 2, 1),
            min=0,
            max=15,
            label="Order",
            doc="The old places in their new order.",
        ),
    ),
    call="{x}.permute({dims:, })",
    summary=lambda p: ", ".join(map(str, p["dims"])),
    prefix="permute",
    synonyms=("transpose", "channels last", "reorder"),
)

transpose = Layer(
    "Transpose",
    category="Shape",
    doc="Exchanges two dimensions.",
    inputs=_ANY,
    params=(_dim("One of them.", 1, "dim0"), _dim("The other.", 2, "dim1")),
    call="{x}.transpose({dim0}, {dim1})",
    summary=lambda p: f"{p['dim0']} and {p['dim1']}",
    prefix="transpose",
    synonyms=("swap", "flip axes"),
)

unsqueeze = Layer(
    "Unsqueeze",
    category="Shape",
    doc="Adds a dimension of size 1.",
    inputs=_ANY,
    params=(_dim("Where it stands."),),
    call="{x}.unsqueeze({dim})",
    summary=lambda p: f"at {p['dim']}",
    prefix="unsqueeze",
    synonyms=("expand dims", "new axis"),
)


def _is_one(x: tuple, dim: int) -> dict[str, object]:
    if _size(x, dim, "removes") != 1:
        raise ValueError(f"removes a dimension of size 1, but dimension {dim} of {shown_shape(x)} is larger")
    return {}


squeeze = Layer(
    "Squeeze",
    category="Shape",
    doc="Removes a dimension of size 1.",
    inputs=_ANY,
    params=(_dim("Which one."),),
    infer=_is_one,
    call="{x}.squeeze({dim})",
    summary=lambda p: f"dimension {p['dim']}",
    prefix="squeeze",
    synonyms=("drop dimension",),
)


def _factors(x: tuple, dim: int, sizes: tuple) -> dict[str, object]:
    size = _size(x, dim, "divides")
    if prod(sizes) != size:
        raise ValueError(f"expects {by(sizes)} = {prod(sizes)} in dimension {dim}, {size} arrive")
    return {}


unflatten = Layer(
    "Unflatten",
    category="Shape",
    doc="Turns one dimension into several.",
    inputs=_ANY,
    params=(
        _dim("The dimension that is divided."),
        Ints(
            name="sizes",
            default=(1, 1),
            min=1,
            doc="The sizes that it becomes; their product is the old one.",
        ),
    ),
    infer=_factors,
    fits=("sizes",),
    call="{x}.unflatten({dim}, {sizes})",
    summary=lambda p: f"dimension {p['dim']} to {by(p['sizes'])}",
    prefix="unflatten",
    synonyms=("heads", "split dimension"),
)


def _each(x: tuple, numbers: tuple) -> dict[str, object]:
    if len(numbers) != len(x) - 1:
        raise ValueError(
            f"expects {len(x) - 1} numbers, one for each dimension of a sample, not {len(numbers)}"
        )
    return {}


expand = Layer(
    "Expand",
    category="Shape",
    doc="Repeats dimensions of size 1 without copying them.",
    inputs=(Port("x", "N ...", dtype="any"),),
    params=(
        Ints(
            name="sizes", default=(1,), min=-1, doc="The shape of one sample; -1 leaves a dimension as it is."
        ),
    ),
    infer=lambda x, sizes: _each(x, sizes),
    call="{x}.expand(-1, {sizes:, })",
    summary=lambda p: "to " + by(p["sizes"]),
    prefix="expand",
    synonyms=("broadcast", "repeat"),
)

expand_like = Layer(
    "ExpandLike",
    category="Shape",
    doc="Repeats one sample for each sample of another tensor, such as a class token before it is joined.",
    inputs=(
        Port("x", dtype="any", doc="One sample: its first size is 1."),
        Port("like", "N ...", dtype="any", doc="Only how many samples it has counts."),
    ),
    infer=lambda x, like: _one_sample(x),
    call="{x}.expand({like}.size(0), {sizes:, })",
    title="Expand to the batch",
    prefix="expand",
    synonyms=("broadcast", "class token", "repeat for each sample"),
)


def _one_sample(x: tuple) -> dict[str, object]:
    if len(x) < 2 or x[0] != 1:
        raise ValueError(f"expects one sample, whose first size is 1, {shown_shape(x)} arrives")
    return {"sizes": tuple(x[1:])}


repeat = Layer(
    "Repeat",
    category="Shape",
    doc="Lays copies of each sample beside each other.",
    inputs=(Port("x", "N ...", dtype="any"),),
    params=(
        Ints(name="repeats", default=(1,), min=1, doc="How many copies along each dimension of a sample."),
    ),
    infer=lambda x, repeats: _each(x, repeats),
    call="{x}.repeat(1, {repeats:, })",
    summary=lambda p: by(p["repeats"], 1) + " times",
    prefix="repeat",
    synonyms=("tile", "copy"),
)

gather = Layer(
    "Gather",
    category="Shape",
    doc="Takes the numbers at given places of a dimension, such as the score of the chosen action.",
    inputs=(
        Port("x", dtype="any"),
        Port("index", dtype="int", doc="The places, one for each number that comes out."),
    ),
    params=(_dim("The dimension in which the places count."),),
    infer=lambda x, index: _same_rank(x, index),
    call="torch.gather({x}, {dim}, {index})",
    summary=along(),
    prefix="gather",
    synonyms=("index", "lookup", "pick"),
)


def _same_rank(x: tuple, index: tuple) -> dict[str, object]:
    if len(x) != len(index):
        raise ValueError(f"expects places in {len(x)} dimensions, {shown_shape(index)} arrives")
    return {}


flip = Layer(
    "Flip",
    category="Shape",
    doc="Turns the order of a dimension around.",
    inputs=_ANY,
    params=(_dim("The dimension that is turned."),),
    call="{x}.flip({dim})",
    summary=along(),
    prefix="flip",
    synonyms=("reverse", "mirror"),
)

roll = Layer(
    "Roll",
    category="Shape",
    doc="Moves everything along a dimension; what leaves at one end enters at the other.",
    inputs=_ANY,
    params=(Int(name="shift", default=1, doc="By how many places."), _dim("Along which dimension.")),
    call="{x}.roll({shift}, {dim})",
    summary=lambda p: f"by {p['shift']} along dimension {p['dim']}",
    prefix="roll",
    synonyms=("shift", "rotate", "wrap"),
)

to_float = Layer(
    "ToFloat",
    category="Shape",
    doc="Turns indices, or yes and no, into decimal numbers.",
    inputs=_ANY,
    outputs=(Port("y"),),
    call="{x}.float()",
    title="To float",
    prefix="tofloat",
    synonyms=("cast", "convert", "decimal"),
)

to_integer = Layer(
    "ToInteger",
    category="Shape",
    doc="Cuts off what stands behind the point: decimal numbers become indices.",
    inputs=_ANY,
    outputs=(Port("y", dtype="int"),),
    call="{x}.long()",
    title="To integer",
    prefix="toint",
    synonyms=("cast", "convert", "index"),
)
