"""Layers written in Python: what is read from a signature, and how a document's nodes follow it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import EditError, EngineError
from engine.graph.blocks import group, inside, layer_of, outside, palette
from engine.graph.custom import TEMPLATE, add_custom, free_name, remove_custom, set_custom
from engine.graph.diff import diff
from engine.graph.document import Document, Slot
from engine.graph.edits import add_node, connect, set_params
from engine.graph.pieces import pieces
from engine.graph.signature import LONGEST, SourceError, read_signature

MODULE = "class Gate(nn.Module):\n    {}\n    def forward(self, {}): return {}\n"


def module(forward: str = "x", init: str = "", returns: str = "x") -> str:
    made = f"def __init__(self, {init}): super().__init__()" if init else "pass"
    return MODULE.format(made, forward, returns)


TYPED = "a: int, b: float = 1, c: bool = True, d: str = 'x'"
PLAIN = "a=1, b=0.5, c=False, d='x', e=(1, 2), f=None"
LISTS = "a: tuple[int, ...] = (3, 3), b: list[int] = [1]"
SEVERAL = "a: int | None = None, b: int | tuple[int, int] = 3"
DERIVED = "class A(nn.Module):\n    def __init__(self, n: int = 1): ...\n    def forward(self, z): ...\n"


@pytest.mark.parametrize(
    ("source", "face"),
    [
        (module(), "x > y"),
        (module("x, *, mask=None"), "x mask > y"),
        (module("x: Tensor, mask: torch.Tensor | None = None"), "x mask > y"),
        (module("x: 'Tensor', m: Optional[Tensor] = None"), "x m > y"),
        (module("*xs"), "xs > y"),
        (module("x, k: int = 2"), "x > y k:Int"),
        (module("x", TYPED), "x > y a:Int b:Float c:Bool d:Text"),
        (module("x", PLAIN), "x > y a:Int b:Float c:Bool d:Text e:Ints f:Plain"),
        (module("x", LISTS), "x > y a:Ints b:Ints"),
        (module("x", "mode: Literal['sum', 'mean'] = 'sum'"), "x > y mode:Choice"),
        (module("x", SEVERAL), "x > y a:Int b:Plain"),
        (module("x", "size, act=nn.ReLU(), **kwargs"), "x > y size:Plain"),
        (module("x", "*args, k: int = 1"), "x > y k:Int"),
        (module("a, b", returns="a, b"), "a b > y1 y2"),
        ("def f(x, y): return x", "x y > y"),
        ("def f(x, k=3, *, flag: bool = False): return x", "x > y k:Int flag:Bool"),
        ("def f(x: Tensor, n: int): return x", "x > y n:Int"),
        ("def f(x) -> tuple[Tensor, Tensor]: ...", "x > y1 y2"),
        ("def f(x) -> tuple[Tensor, tuple[Tensor, Tensor]]: ...", "x > y1 y2 y3"),
        ("def f(size: int) -> Tensor: return torch.zeros(size)", "> y size:Int"),
        ("class Wide(nn.Sequential):\n    def __init__(self, n: int): pass", "x > y n:Int"),
        (DERIVED + "class B(A): pass", "z > y n:Int"),
        ("class Mix: pass\nclass A(Mix, nn.Module):\n    def forward(self, z): ...", "z > y"),
        ("def helper(q): ...\n" + DERIVED + "def late(q): ...", "z > y n:Int"),
        ("def first(a): ...\ndef last(b): ...\ndef _private(c): ...", "b > y"),
    ],
)
def test_the_face_is_the_signature(source, face):
    layer = read_signature(source)
    inputs = [port.name for port in layer.inputs]
    outputs = [port.name for port in layer.outputs]
    params = [f"{param.name}:{type(param).__name__}" for param in layer.params]
    assert " ".join([*inputs, ">", *outputs, *params]) == face


def test_details_of_ports_and_parameters():
    layer = read_signature(module("x, *xs, mask=None", "channels: int, rate: float = 1"))
    x, xs, mask = layer.inputs
    assert (x.variadic, xs.variadic, bool(x.optional), bool(mask.optional)) == (False, True, False, True)
    channels, rate = layer.params
    assert (channels.default, channels.optional) == (None, True)
    assert (rate.default, rate.optional) == (1.0, False)
    assert isinstance(rate.default, float)
    assert "dimension 1" in channels.doc


def test_the_first_line_of_the_docstring_is_what_it_does():
    assert read_signature('def f(x):\n    """Halve it.\n\n    More."""').doc == "Halve it."
    assert "Python" in read_signature("def f(x): return x").doc


@pytest.mark.parametrize(
    ("source", "line", "what"),
    [
        ("x = (", 1, "not Python"),
        ("\n\nreturn 1", 3, "not Python"),
        ("def f(x):\n  return x\n return y", 3, "not Python"),
        ("", 0, "Define a class"),
        ("x = 1", 0, "Define a class"),
        ("class A: pass", 0, "Define a class"),
        ("\nclass A(nn.Module): pass", 2, "no forward"),
        ("class A(nn.Linear):\n    def forward(self, x): ...", 1, "constructor of nn.Linear"),
        (module("x", "act: nn.Module"), 2, "nn.Module can be typed"),
        ("def f(x, *, act: Callable): ...", 1, "Callable can be typed"),
        ("def f(*ks: int): ...", 1, "only gather tensors"),
        ("def f(x, m=None, *xs): ...", 1, "cannot stay open"),
        ("def f(x: Tensor = 3): ...", 1, "default None"),
        (module("x, k: int", "k: int"), 1, "rename one"),
        ("def f(rest): ...", 1, "another word"),
        ("def f(_x): ...", 1, "another word"),
        ("class A(nn.Module):\n    async def forward(self, x): ...", 2, "async"),
        ("#" * (LONGEST + 1), 0, "letters"),
        ("(" * 500 + ")" * 500, 1, "not Python"),
        ("\0", 0, "not Python"),
    ],
)
def test_what_cannot_be_a_layer_says_why_and_where(source, line, what):
    with pytest.raises(SourceError, match=what) as caught:
        read_signature(source)
    assert caught.value.line == line
    assert not line or f"line {line}: " in caught.value.message


@given(st.text(max_size=200) | st.text("def fclass(nn.Module):*=,->[]\n \t'\"x1", max_size=120))
def test_random_text_never_breaks_the_reader(text):
    for read in (read_signature, pieces):
        try:
            read(text)
        except SourceError:
            continue


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("class Linear(nn.Module):\n    def forward(self, x): ...", "Linear has a meaning"),
        ("def forward(x): ...", "forward has a meaning"),
        ("def MaskedConv2d(x): ...", "MaskedConv2d has a meaning"),
        ("class Maxout2(nn.Module):\n    def forward(self, x): ...\nloss = 1", "loss has a meaning"),
        ("import numpy as F\ndef f(x): ...", "F stands for"),
        ("from torch.nn import *\ndef f(x): ...", "instead of"),
        ("from .other import a\ndef f(x): ...", "full name"),
        ("try:\n    import a\nexcept ImportError: pass\ndef f(x): ...", "at the top"),
        ("def Part(x): ...", "Part is a block"),
        ("def other(x): ...\nclass New(nn.Module):\n    def forward(self, x): ...", "something else"),
    ],
)
def test_names_that_mean_something_else_are_refused(source, what):
    document, id = add_node(Document(), "ReLU")
    document, _ = group(document, [id], "Part")
    document, _ = add_custom(document, "def other(x): return x")
    with pytest.raises(SourceError, match=what):
        add_custom(document, source)


@pytest.mark.parametrize(
    "source",
    [
        "import torch\nfrom torch import Tensor, nn\nimport torch.nn.functional as F\ndef f(x): ...",
        "import torch.nn as nn\nfrom torch.nn import functional as F\ndef f(x): ...",
        "import torch.utils.checkpoint\nimport math, os.path\ndef f(x): ...",
        "from copy import deepcopy\nfrom typing import NamedTuple\ndef f(x): ...",
    ],
)
def test_usual_imports_pass(source):
    assert "f" in add_custom(Document(), source)[0].customs


def test_two_layers_may_bring_the_same_helper():
    helper = "def half(x):\n    return x / 2\n"
    document, _ = add_custom(Document(), helper + "def one(x): return half(x)")
    document, _ = add_custom(document, helper + "def two(x): return half(half(x))")
    assert list(document.customs) == ["one", "two"]


def drawn(source: str) -> tuple[Document, str]:
    """An input, the layer and a ReLU in a row."""
    document, name = add_custom(Document(), source)
    document, _ = add_node(document, "Input", {"shape": (4,)}, id="given")
    document, id = add_node(document, name)
    document, _ = add_node(document, "ReLU", id="relu")
    first = layer_of(document, name).inputs[0].name
    document = connect(document, Slot("given", "y"), Slot(id, first))
    document = connect(document, Slot(id, layer_of(document, name).outputs[0].name), Slot("relu", "x"))
    return document, id


def test_another_source_keeps_what_still_fits():
    document, id = drawn(module("x", "scale: float = 1.0, size: int = 3"))
    document = set_params(document, id, scale=2.5, size=8)
    after, name = set_custom(document, "Gate", module("signal", "size: int = 3").replace("Gate", "Door"))
    assert name == "Door"
    assert list(after.customs) == ["Door"]
    assert after.nodes[id].type == "Door"
    assert dict(after.nodes[id].params) == {"size": 8}
    assert after.edges[Slot(id, "signal")] == Slot("given", "y")
    assert after.edges[Slot("relu", "x")] == Slot(id, "y")
    assert diff(document, after).meaning


def test_an_edge_ends_where_its_port_is_gone():
    document, id = drawn(module("x, z", returns="x, z"))
    document = connect(document, Slot("given", "y"), Slot(id, "z"))
    after, _ = set_custom(document, "Gate", module("x"))
    assert set(after.edges) == {Slot(id, "x"), Slot("relu", "x")}
    assert after.edges[Slot("relu", "x")] == Slot(id, "y")


def test_a_value_that_the_new_setting_refuses_is_dropped():
    document, id = drawn(module("x", "k: float = 1.0"))
    document = set_params(document, id, k=2.5)
    after, _ = set_custom(document, "Gate", module("x", "k: int = 1"))
    assert not after.nodes[id].params


def test_nodes_in_blocks_follow_too():
    document, id = drawn(module("x"))
    document, block = group(document, [id], "Part")
    after, _ = set_custom(document, "Gate", module("x").replace("Gate", "Door"))
    assert after.blocks["Part"].nodes[id].type == "Door"
    within = inside(document, "Part")
    changed, _ = set_custom(within, "Gate", module("x").replace("Gate", "Door"))
    whole = outside(document, "Part", changed)
    assert (whole.blocks["Part"].nodes[id].type, list(whole.customs)) == ("Door", ["Door"])
    assert block in whole.nodes


def test_a_layer_in_use_stays():
    document, id = drawn(module())
    with pytest.raises(EditError, match=f"{id} uses Gate"):
        remove_custom(document, "Gate")
    empty, _ = add_custom(Document(), module())
    assert not remove_custom(empty, "Gate").customs


def test_two_layers_of_one_name_are_refused_unless_they_are_one():
    document, _ = add_custom(Document(), module())
    assert add_custom(document, module())[0].customs == document.customs
    with pytest.raises(EditError, match="already"):
        add_custom(document, module("x, z"))
    document, _ = add_custom(document, module().replace("Gate", "Door"))
    with pytest.raises(EditError, match="already"):
        set_custom(document, "Door", module("x, z"))


def test_the_template_is_a_layer_with_a_free_name():
    document = Document()
    for expected in ("Custom1", "Custom2"):
        document, name = add_custom(document, TEMPLATE.format(name=free_name(document)))
        assert name == expected
        assert name in [layer.type for layer in palette(document)]
    layer = layer_of(document, "Custom1")
    assert ([port.name for port in layer.inputs], [p.name for p in layer.params]) == (
        ["x"],
        ["features", "gate"],
    )


def test_a_block_takes_no_name_of_a_layer():
    document, id = drawn(module())
    with pytest.raises(EngineError, match="cannot name a block"):
        group(document, [id], "Gate")


def test_pieces_keep_the_text():
    source = '"""Doc."""\n\nimport math  # gone\n# about A\nA = math.pi; B = 2\n\n'
    source += "\ndef f(x):  # here\n    return x\n# end\n"
    parts = pieces(source)
    assert parts.imports == ("import math",)
    assert (
        "\n".join(piece.text for piece in parts.body) == source.replace("import math  # gone\n", "").rstrip()
    )
    assert {"A", "B", "f", "math"} == set(parts.bound)


def test_one_of_several_in_a_source_is_chosen_by_name_and_stays_chosen():
    source = "def first(a): return a\ndef last(b): return b\n"
    document, name = add_custom(Document(), source, "first")
    assert (name, [port.name for port in layer_of(document, name).inputs]) == ("first", ["a"])
    document, name = set_custom(document, name, source.replace("first(a)", "first(a, k=1)"))
    assert (name, [param.name for param in layer_of(document, name).params]) == ("first", ["k"])
    with pytest.raises(SourceError, match="no layer 'third'"):
        add_custom(document, source, "third")
