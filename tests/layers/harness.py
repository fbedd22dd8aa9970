"""What every layer is put through: a small document around it, with default and with other parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine import catalogue
from engine.graph.build import Builder, Ref
from engine.graph.document import Document
from engine.layers.declaration import Layer, Port
from engine.layers.params import Bool, Choice, Float, Int, Ints, Param, Sizes

SHAPES = {
    "N C H W": (4, 9, 9),
    "N H W": (9, 9),
    "N C L": (4, 12),
    "N L": (5,),
    "N L ...": (5, 12),
    "N C ...": (4, 6),
    "N C D H W": (4, 5, 6, 7),
    "N C": (12,),
    "N D": (12,),
    "N H": (64,),
    "N L D": (5, 12),
    "N L C": (5, 12),
    "N D L": (18, 49),
    "N R D": (3, 4),
    "N ...": (3, 8),
    "N": (),
    "": (6, 12),
}
"""A sample's shape for every wording of dimensions in the catalogue."""


@dataclass(frozen=True)
class Trial:
    """What one layer needs to fit: shapes by port, parameters that are no defaults, and other values.

    ``base`` are parameters of every variant, ``others`` the values that stand in for the next one, and
    ``beside`` what another value of a parameter needs beside it. ``sources`` make what a port reads;
    ``after`` is what stands between a model and its loss, ``asks`` the optional input that a parameter needs.
    """

    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    base: Mapping[str, Any] = field(default_factory=dict)
    others: Mapping[str, Any] = field(default_factory=dict)
    beside: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sources: Mapping[str, Callable[[Builder], Ref]] = field(default_factory=dict)
    after: str = ""
    asks: Mapping[str, str] = field(default_factory=dict)


def _indices(axes: int) -> Callable[[Builder], Ref]:
    """Where the maxima stand in a picture whose pooling has 4 channels of 4, 4 × 4 or 4 × 4 × 4 numbers."""

    def source(g: Builder) -> Ref:
        pooled = g.add(f"MaxPool{axes}d", g.add("Input", shape=(4, *(8,) * axes)), return_indices=True)
        g.add("Output", pooled)
        return pooled["indices"]

    return source


def _unpool(axes: int) -> Trial:
    return Trial(
        shapes={"x": (4, *(4,) * axes)},
        others={"kernel_size": 3, "stride": 3, "padding": 1},
        beside={"kernel_size": {"stride": 2}, "padding": {"kernel_size": 4}},
        sources={"indices": _indices(axes)},
    )


_WINDOW = Trial(
    others={"padding": 1, "dilation": 2, "groups": 2, "out_channels": 6, "output_padding": 1},
    beside={"groups": {"out_channels": 6}, "output_padding": {"stride": 2}},
)

_POSITIVE = Trial(sources={"x": lambda g: _positive(g)})


def _mask(g: Builder) -> Ref:
    return g.add("CausalMask", g.add("Input", shape=(5, 12)))


def _state(g: Builder) -> Ref:
    """A state of one layer has its batch second: 1×N×64."""
    return g.add("Unsqueeze", g.add("Input", shape=(64,)), dim=0)


_BLOCK = Trial(
    base={"dim_feedforward": 16},
    others={"dim_feedforward": 24, "nhead": 3, "dropout": 0.2},
    sources={"mask": _mask, "memory_mask": _mask},
)
_RECURRENT = Trial(beside={"dropout": {"num_layers": 2}}, sources={"initial": _state, "initial_cell": _state})


def _signs(shape: tuple[int, ...]) -> Callable[[Builder], Ref]:
    return lambda g: g.add("Sign", g.add("Input", shape=shape))


def _positive(g: Builder) -> Ref:
    return g.add("Exp", g.add("Input", shape=(6, 12)))


def _all(number: int, shape: tuple[int, ...]) -> Callable[[Builder], Ref]:
    """One whole number everywhere."""
    return lambda g: g.add("ToInteger", g.add("Scale", g.add("Input", shape=shape), scale=0, shift=number))


TRIALS: dict[str, Trial] = {
    "Reshape": Trial(base={"shape": (24,)}, others={"shape": (4, 6)}),
    "MultiheadAttention": Trial(base={"num_heads": 4}, others={"num_heads": 3}, sources={"mask": _mask}),
    "ScaledDotProductAttention": Trial(sources={"mask": _mask}),
    "TransformerEncoderLayer": _BLOCK,
    "TransformerDecoderLayer": _BLOCK,
    **dict.fromkeys(("RNN", "GRU", "LSTM", "PeepholeLSTM", "CoupledGateLSTM"), _RECURRENT),
    "Flatten": Trial(others={"end_dim": 2}),
    "MaxUnpool1d": _unpool(1),
    "MaxUnpool2d": _unpool(2),
    "MaxUnpool3d": _unpool(3),
    "LPPool1d": Trial(others={"norm_type": 4.0}),
    "LPPool2d": Trial(others={"norm_type": 4.0}),
    "LPPool3d": Trial(others={"norm_type": 4.0}),
    "Fold": Trial(
        base={"output_size": 7, "padding": 1},
        others={"output_size": (9, 7), "kernel_size": (1, 3), "dilation": 2, "padding": 0, "stride": 2},
        beside={
            "output_size": {"padding": (0, 1)},
            "kernel_size": {"padding": (0, 1)},
            "dilation": {"padding": 2},
            "padding": {"output_size": 9},
            "stride": {"output_size": 13},
        },
    ),
    "PixelUnshuffle": Trial(shapes={"x": (4, 6, 6)}, others={"downscale_factor": 3}),
    "PixelShuffle": Trial(shapes={"x": (36, 3, 3)}, others={"upscale_factor": 3}),
    "ChannelShuffle": Trial(others={"groups": 4}),
    "Bilinear": Trial(shapes={"x2": (7,)}),
    "ColorJitter": Trial(shapes={"x": (3, 9, 9)}),
    "RandomGrayscale": Trial(shapes={"x": (3, 9, 9)}),
    "GaussianBlur": Trial(others={"kernel_size": 3}),
    **dict.fromkeys(("RandomHorizontalFlip", "RandomVerticalFlip", "RandomCrop", "RandomRotation",
                     "RandomAffine"), Trial(asks={"masks": "mask"})),
    "GLU": Trial(others={"dim": 1}),
    "OneHot": Trial(base={"num_classes": 6}, others={"num_classes": 9}),
    "PairwiseDistance": Trial(others={"p": 1.5}),
    "DistanceMatrix": Trial(others={"p": 1.5}),
    "MatMul": Trial(shapes={"a": (5, 12), "b": (12, 4)}),
    "Einsum": Trial(base={"equation": "bij,bij->bi"}, others={"equation": "bij, bkj->bik"}),
    "Log": _POSITIVE,
    "Sqrt": _POSITIVE,
    "Norm": Trial(others={"dim": (1, 2)}),
    **dict.fromkeys(("Mean", "Sum", "Max", "Min", "Variance", "StandardDeviation", "LogSumExp"),
                    Trial(others={"dim": (1, -1)})),
    "LearnedTensor": Trial(others={"shape": (3, 4)}),
    "FixedTensor": Trial(others={"shape": (3, 4)}),
    "ExpandLike": Trial(sources={"x": lambda g: g.add("LearnedTensor", shape=(1, 4))}),
    "GroupNorm": Trial(shapes={"x": (12, 5)}, others={"num_groups": 6}),
    "Chunk": Trial(others={"chunks": 3, "dim": 2}),
    "Split": Trial(base={"sizes": (2, 4)}, others={"sizes": (1, 3, 2), "dim": 2},
                   beside={"dim": {"sizes": (4, 8)}}),
    "Slice": Trial(others={"stop": -2}),
    "Permute": Trial(others={"dims": (1, 2, 0)}),
    "Transpose": Trial(others={"dim1": 0}),
    "Squeeze": Trial(shapes={"x": (1, 1, 4)}),
    "Unflatten": Trial(base={"sizes": (2, 3)}, others={"dim": 2, "sizes": (3, 1, 2)},
                       beside={"dim": {"sizes": (3, 4)}}),
    "Expand": Trial(shapes={"x": (1, 8)}, base={"sizes": (4, 8)}, others={"sizes": (3, -1)}),
    "Repeat": Trial(base={"repeats": (1, 2)}, others={"repeats": (2, 3)}),
    "Gather": Trial(others={"dim": 2}),
    "CrossEntropyLoss": Trial(others={"class_weights": tuple(0.5 + n for n in range(12))}),
    "NLLLoss": Trial(after="LogSoftmax"),
    "BCELoss": Trial(sources={"target": lambda g: g.add("HardStep", g.add("Input", shape=(6, 12)))},
                     after="Sigmoid"),
    "KLDivLoss": Trial(sources={"target": lambda g: g.add("Softmax", g.add("Input", shape=(6, 12)))},
                       after="LogSoftmax"),
    "PoissonNLLLoss": Trial(sources={"target": _positive}, after="Sigmoid"),
    "GaussianNLLLoss": Trial(sources={"variance": _positive}),
    "HingeEmbeddingLoss": Trial(sources={"target": _signs((6, 12))}),
    "SoftMarginLoss": Trial(sources={"target": _signs((6, 12))}),
    "CosineEmbeddingLoss": Trial(sources={"target": _signs(())}),
    "MarginRankingLoss": Trial(sources={"target": _signs((6, 12))}),
    "TripletMarginLoss": Trial(others={"p": 1.0}),
    "CTCLoss": Trial(
        sources={"target": _all(3, (2,)), "input_lengths": _all(5, ()), "target_lengths": _all(2, ())},
        after="LogSoftmax",
    ),
    "Threshold": Trial(others={"threshold": -0.5}),
    "Upsample": Trial(others={"mode": "bicubic"}, beside={"align_corners": {"mode": "bilinear"}}),
    "Resize": Trial(others={"mode": "area", "size": (4, 20)}, beside={"align_corners": {"mode": "bicubic"}}),
    **dict.fromkeys(("ZeroPad", "ReflectionPad", "ReplicationPad", "CircularPad", "ConstantPad"),
                    Trial(others={"padding": (1, 2, 0, 3)})),
    **{name: _WINDOW for name in (*(f"{kind}{axes}d" for axes in (1, 2, 3) for kind in
       ("Conv", "ConvTranspose", "MaxPool", "AvgPool")), "MaskedConv2d")},
}  # fmt: skip
"""Where the rules below do not do."""


def trial(layer: Layer) -> Trial:
    return TRIALS.get(layer.type, Trial())


def other(layer: Layer, param: Param) -> Any:
    """Return a value that is not the default."""
    if param.name in trial(layer).others:
        return trial(layer).others[param.name]
    if isinstance(param, Bool):
        return not param.default
    if isinstance(param, Choice):
        return param.choices[-1] if param.choices[-1] != param.default else param.choices[0]
    if isinstance(param, Float):
        return (param.default or 0) * 0.5 or 0.25
    if isinstance(param, Int):
        value = 1 if param.default is None else param.default + 1
        return value if param.max is None or value <= param.max else param.default - 1
    if isinstance(param, Sizes):
        return tuple(range(1, param.axes + 1)) if param.default is None else (
            tuple(param.default + 1 + place for place in range(param.axes)))  # fmt: skip
    if isinstance(param, Ints) and isinstance(param.default, int):
        return param.default + 1
    raise AssertionError(f"say what another value of {param} of {layer.type} is")


def variants(layer: Layer) -> Iterator[dict[str, Any]]:
    """Yield the default parameters, then each one changed alone, with what it needs to fit."""
    base = dict(trial(layer).base)
    yield base
    for param in layer.params:
        value = other(layer, param)
        assert param.check(value) != base.get(param.name, param.default), "another value, please"
        yield {**base, **trial(layer).beside.get(param.name, {}), param.name: value}
        for word in param.words:
            yield {**base, param.name: word}


def cases() -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Yield every layer of the catalogue that is a call, with every variant of its parameters.

    The third is whether its optional inputs are connected, which happens with the default parameters.
    """
    for layer in catalogue.layers().values():
        if layer.role in ("layer", "loss"):
            for params in variants(layer):
                yield layer.type, params, False
            if any(port.optional for port in layer.inputs):
                yield layer.type, dict(trial(layer).base), True


def _source(g: Builder, layer: Layer, port: Port) -> Ref:
    chosen = trial(layer)
    if port.name in chosen.sources:
        return chosen.sources[port.name](g)
    first = any(other.indexes == port.name for other in layer.inputs)
    shape = () if port.indexes else (12,) if first else SHAPES[port.dims.split("|")[0]]
    return g.add(
        "Input", shape=chosen.shapes.get(port.name, shape), dtype="int" if port.dtype == "int" else "float"
    )


def around(type_: str, params: dict[str, Any], options: bool = False) -> Document:
    """Return a document with one node of a layer between Input nodes and an Output."""
    layer = catalogue.layer(type_)
    g = Builder(f"Around {type_}")
    sources: dict[str, Ref] = {}
    for port in layer.inputs:
        asked = any(params.get(name) for name, each in trial(layer).asks.items() if each == port.name)
        if port.optional and not options and not asked:
            continue
        for place in range(2 if port.variadic else 1):
            sources[f"{port.name}.{place}" if port.variadic else port.name] = _source(g, layer, port)
    if layer.role == "loss":  # a loss needs a model before it
        first = next(iter(sources))
        sources[first] = g.add("Linear", sources[first], out_features=12)
        if trial(layer).after:
            sources[first] = g.add(trial(layer).after, sources[first])
    result = g.add(type_, *sources.values(), id="tested", **params)
    if layer.role == "layer":
        for port in layer.outputs_of(params):
            g.add("Output", result[port.name])
    return g.document()
