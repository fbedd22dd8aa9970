"""How weights begin: in the model, in its text, read back from it, and what it does to training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from engine.compiler.analyze import analyze
from engine.compiler.guard import check_source
from engine.compiler.module import compile_document
from engine.compiler.read import read_source
from engine.errors import CompileError, EditError, ParameterError, ReadError
from engine.graph.blocks import inside, outside
from engine.graph.build import Builder
from engine.graph.document import BYPASSED, Document, Learning
from engine.graph.settings import set_by_name, set_init, set_learning
from engine.inits import INITS, check_init

OTHERS: Mapping[str, Mapping[str, float | str]] = {
    "constant": {"val": -0.3},
    "normal": {"std": 0.4, "mean": 1.0},
    "uniform": {"a": -0.5, "b": 0.25},
    "trunc_normal": {"std": 0.1, "mean": 0.5, "cut": 1.5},
    "xavier_uniform": {"gain": 2.0},
    "xavier_normal": {"gain": 0.5},
    "kaiming_uniform": {"mode": "fan_out", "nonlinearity": "tanh"},
    "kaiming_normal": {"a": 0.2, "nonlinearity": "leaky_relu"},
    "orthogonal": {"gain": 1.5},
    "zeros": {},
}


def network() -> Document:
    """One of each kind that has weights: convolution, normalization, recurrent, embedding, linear."""
    g = Builder("Kinds")
    words = g.add("Embedding", g.add("Input", shape=(6,), dtype="int"), id="words", padding_idx=2)
    x = g.add("LSTM", words, id="lstm", hidden_size=12)
    x = g.add("LayerNorm", x["output"], id="norm", dims=2)
    x = g.add("Conv1d", g.add("Transpose", x), id="conv", out_channels=5)
    x = g.add("BatchNorm1d", x, id="batch")
    x = g.add("PReLU", x, id="bent")
    g.add("Output", g.add("Linear", g.add("Flatten", x), id="fc", out_features=3))
    return g.document()


def built(document: Document) -> nn.Module:
    torch.manual_seed(0)
    return compile_document(document).model


def deep(depth: int = 24, width: int = 256, activation: str = "ReLU") -> Document:
    g = Builder("Deep")
    x = g.add("Input", shape=(width,))
    for place in range(depth):
        x = g.add(activation, g.add("Linear", x, id=f"fc{place}", out_features=width), id=f"a{place}")
    g.add("Output", x)
    return g.document()


@pytest.mark.parametrize("type_", INITS)
def test_every_way_has_the_arguments_of_torch_and_is_read_back(type_):
    for options in ({}, OTHERS[type_]):
        document = set_init(network(), None, type_, **options)
        assert not analyze(document).errors
        text = compile_document(document).source.text
        assert f"nn.init.{type_}_" in text
        read = read_source(text, network())
        assert (read.training.init, read.training.init_options) == (type_, document.training.init_options)
        assert read_source(text).training.init == type_


def test_there_is_a_trial_of_each():
    assert OTHERS.keys() == INITS.keys()


def test_all_weights_begin_so_and_what_normalizes_stays():
    model = built(set_init(network(), None, "constant", val=0.5))
    plain = built(network())
    for name, value in model.named_parameters():
        own, kind = name.split(".")
        if own in ("batch", "bent", "norm"):
            assert torch.equal(value, plain.get_parameter(name)), name
        elif "bias" in kind:
            assert not value.any(), name
        elif own == "words":
            assert (value[[0, 1, 3]] == 0.5).all()
            assert not value[2].any(), "the vector for padding"
        else:
            assert (value == 0.5).all(), name


def test_a_layer_of_its_own_way_beside_the_documents():
    document = set_init(set_init(network(), None, "zeros"), ["fc"], "constant", val=2.0)
    model = built(document)
    assert (model.fc.weight == 2).all()
    assert not model.conv.weight.any()
    document = set_init(network(), ["fc"], "constant", val=2.0)
    model = built(document)
    assert (model.fc.weight == 2).all()
    assert model.conv.weight.unique().numel() > 5
    assert model.conv.bias.any()


def test_numbers_are_those_of_torch():
    model = built(set_init(network(), None, "kaiming_normal"))
    torch.manual_seed(0)
    expected = compile_document(network()).model
    for name, value in expected.named_parameters():
        if "weight" in name and value.dim() > 1 and "norm" not in name:
            nn.init.kaiming_normal_(value, nonlinearity="relu")
    assert torch.equal(model.fc.weight, expected.fc.weight)
    assert torch.equal(model.lstm.weight_hh_l0, expected.lstm.weight_hh_l0)


def test_without_it_nothing_changes():
    before = compile_document(network()).source.text
    assert "initialize" not in before
    document = set_init(set_init(network(), None, "zeros"), ["fc"], "zeros")
    document = set_init(set_init(document, None, ""), ["fc"], "")
    assert compile_document(document).source.text == before


def test_lines_belong_to_their_nodes():
    document = set_init(set_init(network(), None, "zeros"), ["conv"], "orthogonal")
    source = compile_document(document).source
    line = source.text.splitlines().index("    initialize_weights(model.conv, nn.init.orthogonal_)") + 1
    assert line in source.lines["conv"]
    assert source.text.count("def initialize_weights(") == 1


def test_the_text_alone_gives_the_same_weights():
    document = set_init(set_init(network(), None, "xavier_uniform"), ["conv"], "trunc_normal", std=0.3)
    space: dict[str, object] = {"__name__": "exported"}
    exec(compile(compile_document(document).source.text, "exported.py", "exec"), space)
    torch.manual_seed(0)
    model = space["Kinds"]()
    space["initialize"](model)
    for name, value in built(document).state_dict().items():
        assert torch.equal(value, model.state_dict()[name]), name


# --- blocks, links, copies ------------------------------------------------------------------------------


def towers() -> Document:
    g = Builder("Towers")
    with g.block("Tower", width=None) as b:
        x = b.add("Linear", b.input(), id="first", out_features=b["width"])
        b.output(b.add("Linear", x, id="second", out_features=b["width"]))
    x = g.add("Input", shape=(6,))
    x = g.add("Tower", x, id="row", width=6, repeat=3)
    g.add("Output", g.add("Tower", x, id="alone", width=4))
    return g.document()


def in_block(document: Document, id: str, type_: str, **options: float) -> Document:
    return outside(document, "Tower", set_init(inside(document, "Tower"), [id], type_, **options))


def test_a_node_in_a_block_begins_so_in_every_use():
    document = in_block(towers(), "second", "constant", val=0.25)
    model = built(document)
    uses = [*model.row, model.alone]
    assert len(uses) == 4
    for tower in uses:
        assert (tower.second.weight == 0.25).all()
        assert tower.first.weight.unique().numel() > 5
    text = compile_document(document).source.text
    assert "initialize_weights(model.row[2].second, nn.init.constant_, val=0.25)" in text


def test_a_use_of_a_block_begins_as_it_says_and_what_is_inside_says_it_better():
    document = in_block(set_init(towers(), ["row"], "zeros"), "second", "constant", val=0.25)
    model = built(document)
    assert not any(tower.first.weight.any() for tower in model.row)
    assert all((tower.second.weight == 0.25).all() for tower in [*model.row, model.alone])
    assert model.alone.first.weight.any()


def test_a_block_is_read_back():
    document = in_block(set_init(towers(), ["row"], "zeros"), "second", "constant", val=0.25)
    text = compile_document(document).source.text
    read = read_source(text, towers())
    assert read.nodes["row"].learning.init == "zeros"
    assert read.nodes["alone"].learning.init == ""
    assert read.blocks["Tower"].nodes["second"].learning == document.blocks["Tower"].nodes["second"].learning
    assert read.blocks["Tower"].nodes["first"].learning.init == ""
    assert compile_document(read).source.text == text


def test_shared_weights_begin_once_and_a_copy_begins_as_its_source():
    g = Builder("Twins")
    left, right = g.add("Input", id="left", shape=(4,)), g.add("Input", id="right", shape=(4,))
    q = g.add("Linear", left, id="q", out_features=4)
    twin = g.again(q, right, id="twin")
    slow = g.again(q, right, id="slow", follow="average", amount=0.1)
    g.add("Output", g.add("Add", g.add("Add", q, twin), slow))
    document = set_init(g.document(), ["q", "twin"], "normal", std=1.0)
    text = compile_document(document).source.text
    assert text.count("initialize_weights(model.") == 1
    assert "model.slow.layer.load_state_dict(model.q.state_dict())" in text
    model = built(document)
    assert torch.equal(model.slow.layer.weight, model.q.weight)
    assert not model.slow.layer.weight.requires_grad
    assert read_source(text, document) == document


def test_a_bypassed_node_writes_no_line():
    document = set_init(network(), ["conv", "fc"], "zeros")
    nodes = {**document.nodes, "conv": replace(document.nodes["conv"], mode=BYPASSED)}
    text = compile_document(document.with_(nodes=nodes)).source.text
    assert "model.fc" in text
    assert "model.conv" not in text


# --- reading code ---------------------------------------------------------------------------------------


def edited(old: str, new: str) -> Document:
    document = set_init(set_init(network(), None, "kaiming_normal"), ["fc"], "zeros")
    text = compile_document(document).source.text
    assert old in text
    return read_source(text.replace(old, new), document)


def test_what_is_typed_becomes_settings():
    assert edited("kaiming_normal_, nonlinearity='relu'", "xavier_normal_, gain=3").training.init_options == {
        "gain": 3.0
    }
    document = edited("    initialize_weights(model.fc, nn.init.zeros_)\n", "")
    assert document.nodes["fc"].learning.init == ""
    assert document.training.init == "kaiming_normal"
    line = "initialize_weights(model.fc, nn.init.zeros_)"
    document = edited(line, f"{line}\n    initialize_weights(model.conv, nn.init.uniform_, a=-1, b=1)")
    assert document.nodes["conv"].learning.init_options == {"a": -1.0, "b": 1.0}
    assert document.nodes["fc"].learning.init == "zeros"


def test_a_layer_renamed_in_the_text_keeps_its_way():
    document = set_init(network(), ["fc"], "zeros")
    text = compile_document(document).source.text.replace(".fc", ".last")
    read = read_source(text, document)
    assert read.nodes["last"].learning.init == "zeros"
    assert "fc" not in read.nodes


def test_another_size_in_the_text_keeps_how_a_node_learns():
    document = set_learning(set_init(network(), ["fc"], "zeros"), ["fc"], frozen=True, rate=2.0)
    text = compile_document(document).source.text.replace("nn.Linear(20, 3)", "nn.Linear(20, 4)")
    read = read_source(text, document).nodes["fc"]
    assert read.params == {"out_features": 4}
    assert read.learning == document.nodes["fc"].learning


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("initialize_weights(model.nothing, nn.init.zeros_)", "model.nothing, which is no layer"),
        ("initialize_weights(model.fc, nn.init.dirac_)", "holds lines such as"),
        ("model.fc.weight.zero_()", "holds lines such as"),
        ("for each in model: pass", "holds lines such as"),
        ("initialize_weights(model.fc, nn.init.constant_)", "needs val"),
        ("initialize_weights(model.fc, nn.init.zeros_, val=1)", "takes no val"),
        ("initialize_weights(model.fc, nn.init.normal_, std=-1)", "takes a number"),
        ("initialize_weights(model.fc, nn.init.trunc_normal_, a=0.0)", "as far below"),
    ],
)
def test_what_no_setting_can_say_is_refused_with_its_line(line, words):
    with pytest.raises(ReadError, match=words) as caught:
        edited("initialize_weights(model.fc, nn.init.zeros_)", line)
    assert caught.value.line


# --- the guard ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "import os",
        "open('x')",
        "initialize_weights(model, nn.init.zeros_, val=open('x'))",
        "initialize_weights(model, open)",
        "initialize_weights(model.__class__, nn.init.zeros_)",
        "initialize_weights(open('x'), nn.init.zeros_)",
        "initialize_weights(model, nn.init.zeros_, *model)",
        "initialize_weights(model, nn.init.zeros_, **model)",
        "model.load_state_dict(torch.load('x'))",
        "model.q.layer.load_state_dict(torch.load('x').state_dict())",
        "model = 3",
        "return nn.init.zeros_(model)",
    ],
)
def test_the_guard_lets_nothing_else_through(body):
    with pytest.raises(CompileError):
        check_source(f"def initialize(model: nn.Module) -> None:\n    {body}\n")


@pytest.mark.parametrize(
    "head",
    [
        "def initialize(model: nn.Module = open('x')) -> None:",
        "def initialize(model: open('x')) -> None:",
        "@open\ndef initialize(model: nn.Module) -> None:",
        "class initialize(open('x')):",
    ],
)
def test_the_guard_looks_at_the_head_too(head):
    with pytest.raises(CompileError):
        check_source(f"{head}\n    initialize_weights(model, nn.init.zeros_)\n")


# --- what people ask for --------------------------------------------------------------------------------


def test_settings_by_name():
    document = set_by_name(set_by_name(network(), "init", "xavier_uniform"), "conv.init", "orthogonal")
    assert document.training.init == "xavier_uniform"
    assert document.nodes["conv"].learning.init == "orthogonal"
    document = set_by_name(set_by_name(document, "init.gain", "2"), "conv.init.gain", "0.5")
    assert document.training.init_options == {"gain": 2.0}
    assert document.nodes["conv"].learning.init_options == {"gain": 0.5}
    assert set_by_name(document, "conv.init", "none").nodes["conv"].learning == Learning()
    with pytest.raises(EditError, match="set init first"):
        set_by_name(document, "fc.init.gain", "2")
    with pytest.raises(EditError, match="no option 'std'; it has gain"):
        set_by_name(document, "init.std", "2")
    with pytest.raises(ParameterError, match="Did you mean 'orthogonal'"):
        set_by_name(document, "init", "orthogonl")


@pytest.mark.parametrize(
    ("type_", "options", "words"),
    [
        ("uniform", {"a": 1.0, "b": 0.0}, "should not be above"),
        ("normal", {"std": -1.0}, "at least"),
        ("zeros", {"val": 1.0}, "no parameter 'val'"),
        ("he", {}, "There is no initialization"),
    ],
)
def test_what_cannot_be_is_refused(type_, options, words):
    with pytest.raises(ParameterError, match=words):
        check_init(type_, options)


def test_a_truncated_normal_stays_within_its_cut():
    model = built(set_init(deep(1), None, "trunc_normal", std=0.1, mean=0.5, cut=1.5))
    weight = model.fc0.weight
    assert 0.35 <= weight.min() < 0.36
    assert 0.64 < weight.max() <= 0.65


def test_zeros_leave_the_units_of_a_layer_alike_however_long_they_learn():
    g = Builder("Alike")
    data = g.add("Spirals", id="data")
    x = g.add("Tanh", g.add("Linear", data, id="fc1", out_features=8))
    x = g.add("Tanh", g.add("Linear", x, id="fc2", out_features=8))
    g.add("CrossEntropyLoss", g.add("Linear", x, id="out", out_features=2), data["label"])

    def trained(type_: str) -> nn.Module:
        torch.manual_seed(0)
        one = compile_document(
            set_init(g.document(), None, type_, **({"val": 0.1} if type_ == "constant" else {}))
        )
        fields = {"point": torch.randn(64, 2), "label": torch.randint(0, 2, (64,))}
        optimizer = torch.optim.Adam(one.model.parameters(), lr=0.01)
        for _ in range(20):
            optimizer.zero_grad()
            one.evaluate(one.model, fields)["loss"].backward()
            optimizer.step()
        return one.model

    for type_ in ("zeros", "constant"):
        model = trained(type_)
        assert all(torch.equal(row, model.fc1.weight[0]) for row in model.fc1.weight)
        assert all(torch.equal(row, model.fc2.weight[0]) for row in model.fc2.weight)
    model = trained("xavier_normal")
    assert not torch.equal(model.fc1.weight[1], model.fc1.weight[0])


def variances(document: Document, x: Tensor) -> list[float]:
    """The mean square of what each activation gives, on the way up."""
    torch.manual_seed(1)
    one = compile_document(document)
    (name,) = one.plan.arguments.values()
    with torch.no_grad():
        return [
            value.square().mean().item()
            for node, outputs in one.steps(one.model, {name: x})
            for value in outputs.values()
            if node.startswith("a")
        ]


@pytest.mark.parametrize(
    ("type_", "activation"),
    [("kaiming_normal", "ReLU"), ("kaiming_uniform", "ReLU"), ("xavier_normal", ""), ("xavier_uniform", "")],
)
def test_variances_stay_within_a_factor_of_two_through_a_deep_network(type_, activation):
    document = deep(24, 512, activation or "Identity")
    torch.manual_seed(0)
    told = variances(set_init(document, None, type_), torch.randn(256, 512))
    assert len(told) == 24
    assert all(0.5 < each / told[0] < 2 for each in told)
    usual = variances(document, torch.randn(256, 512))  # torch's own way shrinks by a third of it every layer
    assert usual[-1] / usual[0] < 0.01


def test_an_orthogonal_layer_keeps_lengths():
    model = built(set_init(deep(1, 64), None, "orthogonal"))
    weight = model.fc0.weight
    assert torch.allclose(weight @ weight.T, torch.eye(64), atol=1e-5)


def test_he_is_what_its_paper_says():
    model = built(set_init(deep(1, 1024), None, "kaiming_normal"))
    assert model.fc0.weight.std().item() == pytest.approx(math.sqrt(2 / 1024), rel=0.02)
