"""What a layer is: one value from which palette, form, checks, shapes, code and tests all derive."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from engine.layers.params import Param, Value

_PLACE = re.compile("0|[1-9][0-9]{0,3}")

BATCH = "N"
"""How the batch size is written in a shape."""

CATEGORIES = (
    "Data",
    "Augmentation",
    "Blocks",
    "Custom",
    "Convolution",
    "Pooling",
    "Linear",
    "Activation",
    "Normalization",
    "Regularization",
    "Recurrent",
    "Attention",
    "Shape",
    "Arithmetic",
    "Loss",
)
"""The palette's groups in their order."""


class TensorType(NamedTuple):
    """The shape of a tensor, its batch written ``"N"``, and its dtype: ``float``, ``int`` or ``bool``.

    ``classes`` is how many different whole numbers occur, where a source of data knows it.
    """

    shape: tuple[int | str, ...]
    dtype: str = "float"
    classes: int = 0

    def __str__(self) -> str:
        return "×".join(str(size) for size in self.shape) or "number"

    @property
    def sample(self) -> str:
        """The shape of one sample, as a wire shows it: the batch is left away."""
        shape = self.shape[1:] if self.shape[:1] == (BATCH,) else self.shape
        return "×".join(str(size) for size in shape) or (BATCH if self.shape else "number")


@dataclass(frozen=True)
class Port:
    """Where an edge ends or begins.

    ``dims`` names the dimensions that a tensor here has, alternatives separated by ``|``: ``"N C H W"``; a
    leading or trailing ``...`` stands for any number of dimensions; an empty text takes any tensor. ``dtype``
    is ``float``, ``int`` or ``any``. A ``variadic`` port takes any number of edges; a port with a
    ``fallback`` may stay open and then reads what that other port reads; a port with ``optional`` code may
    stay open too, and where it does not, that code enters the call in place of ``{options}``. ``indexes``
    names the port whose scores (dimension 1) the whole numbers here choose from, ``entries`` the parameter
    that says how many different ones there may be. ``inside`` are the layers that the node applies itself, so
    that they should not stand before it.
    """

    name: str
    dims: str = ""
    dtype: str = "float"
    variadic: bool = False
    fallback: str = ""
    optional: str = ""
    indexes: str = ""
    entries: str = ""
    inside: tuple[str, ...] = ()
    doc: str = ""

    def refuse(self, tensor: TensorType) -> str | None:
        """Return why a tensor cannot enter here, or None if it can."""
        if self.dtype == "int" and tensor.dtype not in ("int", "bool"):
            return "expects whole numbers (class or token indices), decimal numbers arrive"
        if self.dtype == "float" and tensor.dtype in ("int", "bool"):
            return "expects decimal numbers, whole numbers (indices) arrive"
        if self.dims and not any(_fits(dims.split(), len(tensor.shape)) for dims in self.dims.split("|")):
            expected = " or ".join("×".join(dims.split()) for dims in self.dims.split("|"))
            return f"expects {expected}, {tensor} arrives"
        return None


def _fits(dims: list[str], rank: int) -> bool:
    return rank >= len(dims) - 1 if "..." in dims else rank == len(dims)


Ports = tuple[Port, ...]
Inferred = Mapping[str, Any]


@dataclass(frozen=True)
class Layer:
    """One kind of node.

    ``init`` and ``call`` are the code, with ``{names}`` of parameters, inferred sizes and inputs; ``{rest}``
    stands for the parameters that are not named otherwise and differ from their defaults, as keyword
    arguments; ``{self}`` is the layer's own attribute. A layer without ``init`` holds no weights.

    ``module`` names the file in ``engine.modules`` that defines the class of this type, where torch has none.

    ``infer`` receives the input tensors' shapes by port (the batch is ``"N"``, a variadic port's are one
    tuple, an open optional port's is None) and the parameters, those that its signature names, and
    returns sizes that ``init`` and ``call`` use; a ``ValueError`` it raises is shown to the user as the
    node's problem. Where it uses up parameters that no template names, ``restore`` is the way back, for
    reading code: it receives those of its sizes that stand in the code and returns the parameters.
    ``types`` receives the same and returns the output types where running the layer on the meta device
    would be slow, ``macs`` likewise the multiply-adds for one sample, and ``kept`` how many numbers of
    one sample are kept until the gradients are computed, beside the first input. ``assign`` is the left
    side of the call's line where it is more than the outputs in a row.

    For mends: ``fits`` names the parameters that have to fit what arrives, so that a nearer value of one may
    help; ``same_shape`` says that the inputs have to be alike; ``many`` that learning takes more than one
    sample at a time.

    ``role`` is ``layer``, ``data`` (a source of fields), ``input``, ``output`` or ``loss``; ``block`` and
    ``missing`` stand for what a document brings along, or lacks here. ``metrics`` of a loss are further
    numbers worth watching, as code over the same inputs.
    """

    type: str
    category: str
    doc: str
    inputs: Ports = (Port("x"),)
    outputs: Ports | Callable[[Mapping[str, Value]], Ports] = (Port("y"),)
    params: tuple[Param, ...] = ()
    init: str = ""
    module: str = ""
    call: str = ""
    assign: str = ""
    infer: Callable[..., Inferred] | None = None
    restore: Callable[..., Mapping[str, Any]] | None = None
    types: Callable[..., tuple[TensorType, ...]] | None = None
    macs: Callable[..., int] | None = None
    kept: Callable[..., int] | None = None
    fits: tuple[str, ...] = ()
    same_shape: bool = False
    many: bool = False
    summary: Callable[[Mapping[str, Value]], str] = field(default=lambda p: "")
    title: str = ""
    prefix: str = ""
    synonyms: tuple[str, ...] = ()
    role: str = "layer"
    metrics: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    """The Python text that defines it, where the document brings it along; run only if it is trusted."""

    @property
    def label(self) -> str:
        """The name that palettes and nodes show."""
        return self.title or self.type

    def param(self, name: str) -> Param | None:
        """Return a parameter by name, or None."""
        return next((param for param in self.params if param.name == name), None)

    def values(self, params: Mapping[str, Value]) -> dict[str, Value]:
        """Return the value of every parameter, defaults filled in."""
        return {param.name: params.get(param.name, param.default) for param in self.params}

    def unknown(self, params: Mapping[str, Value]) -> dict[str, Value]:
        """Return the values that no parameter takes: those of a newer version or a layer that is not here."""
        known = {param.name for param in self.params}
        return {name: value for name, value in params.items() if name not in known}

    def outputs_of(self, params: Mapping[str, Value]) -> Ports:
        """Return the output ports, which may depend on the parameters."""
        return self.outputs(self.values(params)) if callable(self.outputs) else self.outputs

    def input(self, port: str) -> Port | None:
        """Return the input port that a slot name means: ``xs.2`` is the third place of ``xs``."""
        base, dot, index = port.partition(".")
        found = next((each for each in self.inputs if each.name == base), None)
        if found is None or bool(dot) != found.variadic or (dot and not _PLACE.fullmatch(index)):
            return None
        return found
