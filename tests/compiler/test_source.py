"""Generated code: what a person would write, bit for bit what is stepped, each line with its node."""

from __future__ import annotations

import ast
import traceback
from math import prod

import pytest
import torch

from engine.compiler.analyze import analyze
from engine.compiler.module import compile_document
from engine.compiler.plan import class_name
from engine.errors import CompileError
from engine.graph import edits
from engine.graph.build import Builder
from engine.graph.document import Slot
from presets import presets


def residual() -> Builder:
    g = Builder("Residual block", "Adds what came in.")
    image = g.add("Input", id="image", shape=(8, 6, 6))
    x = g.add("Conv2d", image, id="conv1", out_channels=8, padding=1, bias=False)
    x = g.add("BatchNorm2d", x, id="bn1")
    x = g.add("ReLU", x, id="relu1")
    x = g.add("Conv2d", x, id="conv2", out_channels=8, padding=1, bias=False)
    x = g.add("Add", x, image, id="sum")
    g.add("ReLU", x, id="relu2")
    return g


def test_reads_as_a_person_would_write_it():
    assert (
        analyze(residual().document()).source.text
        == '''\
import torch.nn.functional as F
from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """Adds what came in.

    image N×8×6×6 → relu2 N×8×6×6
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 8, 3, padding=1, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        x = self.conv1(image)  # N×8×6×6
        x = self.bn1(x)  # N×8×6×6
        x = F.relu(x)  # N×8×6×6
        x = self.conv2(x)  # N×8×6×6
        x = x + image  # N×8×6×6
        return F.relu(x)
'''
    )


@pytest.mark.parametrize("name", presets())
def test_stepping_equals_the_module_bit_for_bit(name):
    document = presets()[name].document()
    built = compile_document(document)
    types = analyze(document).types
    fields = {}
    for slot, word in {**built.plan.arguments, **built.plan.fields}.items():
        big = prod(size for size in types[slot].shape if isinstance(size, int)) > 10_000
        shape = [(2 if big else 5) if size == "N" else size for size in types[slot].shape]
        whole = types[slot].dtype == "int"
        fields[word] = torch.zeros(shape, dtype=torch.int64) if whole else torch.rand(shape)
    values = {}
    with torch.no_grad():
        torch.manual_seed(1)  # dropout draws the same numbers in both
        for node, outputs in built.steps(built.model, fields):
            values |= {Slot(node, port): value for port, value in outputs.items()}
        torch.manual_seed(1)
        for slot, output in zip(built.plan.outputs, built.outputs(built.model, fields), strict=True):
            assert torch.equal(values[slot], output)
    if not built.objectives:
        return
    torch.manual_seed(1)
    loss = built.objectives[0](built.model, fields)
    assert torch.equal(sum(values[slot] for slot in built.plan.totals), loss)
    torch.manual_seed(1)
    assert torch.equal(built.evaluate(built.model, fields)["loss"], loss)


def test_every_line_of_the_body_belongs_to_its_node():
    source = analyze(residual().document()).source
    lines = source.text.splitlines()
    assert [lines[n - 1].strip() for n in source.lines["conv2"]] == [
        "self.conv2 = nn.Conv2d(8, 8, 3, padding=1, bias=False)",
        "x = self.conv2(x)  # N×8×6×6",
    ]
    assert source.node_at(lines.index("        x = x + image  # N×8×6×6") + 1) == "sum"
    assert source.node_at(1) is None


def test_an_error_leads_back_to_its_node_and_shows_its_line():
    built = compile_document(residual().document())
    with pytest.raises(RuntimeError) as caught:
        built.model(torch.zeros(2, 5, 6, 6))
    assert built.locate(caught.value) == "conv1"
    assert "x = self.conv1(image)" in "".join(traceback.format_exception(caught.value))
    with pytest.raises(RuntimeError) as caught:
        list(built.steps(built.model, {"image": torch.zeros(2, 8, 6, 7, 1)}))
    assert built.locate(caught.value) == "conv1"
    assert built.locate(ValueError()) == ""


def test_several_outputs_come_as_a_named_tuple():
    g = Builder("Two heads")
    tokens = g.add("Input", id="tokens", shape=(7,), dtype="int")
    x = g.add("Embedding", tokens, num_embeddings=11, embedding_dim=6)
    x = g.add("LSTM", x, hidden_size=5, bidirectional=True)
    g.add("Output", x, id="states")
    g.add("Output", x["cell"], id="memory")
    built = compile_document(g.document())
    result = built.model(torch.zeros(3, 7, dtype=torch.int64))
    assert result._fields == ("states", "memory")
    assert result.states.shape == (3, 7, 10)
    assert result.memory.shape == (2, 3, 5)
    assert "_, (" not in built.source.text or "memory" in built.source.text


def test_two_outputs_for_the_next_step_are_two_variables():
    g = Builder("Two states")
    x, y = g.add("Input", id="x", shape=(3, 5)), g.add("Input", id="y", shape=(3, 5))
    one = g.add("LSTM", x, id="one", hidden_size=4)
    g.add("LSTM", y, one["hidden"], one["cell"], id="two", hidden_size=4)
    text = analyze(g.document()).source.text
    assert "_, (one_hidden, one_cell) = self.one(x)" in text
    assert "self.two(y, (one_hidden, one_cell))" in text


def test_names_of_arguments_and_nodes_do_not_clash():
    g = Builder("x")
    x, y = (g.add("Input", id=name, shape=(3,)) for name in "xy")
    d = g.add("Add", x, y, id="d")
    f = g.add("Multiply", d, x, id="f")
    g.add("Output", g.add("Add", f, d, id="z"))
    built = compile_document(g.document())
    a, b = torch.rand(2, 3), torch.rand(2, 3)
    assert torch.equal(built.model(a, b), (a + b) * a + (a + b))


def test_a_half_drawn_graph_says_what_is_missing():
    g = Builder()
    x = g.add("Input", shape=(1, 8, 8))
    g.add("Linear", x, id="fc", out_features=3)
    analysis = analyze(g.document())
    (problem,) = analysis.problems
    assert problem.node == "fc"
    assert problem.port == "x"
    assert "expects N×D or N×L×D, N×1×8×8 arrives" in problem.message
    assert analysis.types[Slot("input1", "y")].shape == ("N", 1, 8, 8)
    assert problem.fix.title == "Insert Flatten"
    mended = analyze(problem.fix.edit(g.document()))
    assert mended.problems == ()
    assert mended.types[Slot("fc", "y")].shape == ("N", 3)
    with pytest.raises(CompileError) as caught:
        compile_document(g.document())
    assert caught.value.node == "fc"


def test_an_open_target_is_offered_the_label():
    g = Builder()
    points = g.add("Spirals", id="points")
    g.add("CrossEntropyLoss", g.add("Linear", points, out_features=3), id="loss")
    (problem,) = analyze(g.document()).problems
    assert (problem.node, problem.port, problem.fix.title) == ("loss", "target", "Connect label of points")
    mended = problem.fix.edit(g.document())
    assert mended.edges[Slot("loss", "target")] == Slot("points", "label")
    assert analyze(mended).problems == ()


def test_a_softmax_before_cross_entropy_is_offered_to_go():
    g = Builder()
    points = g.add("Spirals")
    scores = g.add("Linear", points, id="scores", out_features=3)
    g.add("CrossEntropyLoss", g.add("Softmax", scores), points["label"], id="loss")
    (problem,) = analyze(g.document()).problems
    assert problem.severity == "warning"
    assert problem.fix.title == "Remove Softmax"
    mended = problem.fix.edit(g.document())
    assert mended.edges[Slot("loss", "logits")] == Slot("scores", "y")
    assert analyze(mended).problems == ()


def test_too_few_scores_for_the_classes_are_offered_a_mend():
    g = Builder()
    points = g.add("Spirals", arms=5)
    scores = g.add("Linear", points, id="scores", out_features=3)
    g.add("CrossEntropyLoss", scores, points["label"])
    (problem,) = analyze(g.document()).problems
    assert problem.message == "The data has 5 classes, but only 3 scores arrive."
    mended = problem.fix.edit(g.document())
    assert mended.nodes["scores"].params["out_features"] == 5
    assert analyze(mended).problems == ()


@pytest.mark.parametrize(
    ("add", "message"),
    [
        (
            lambda g, x: g.add("Conv2d", x, kernel_size=20),
            "Kernel size can't be greater than actual input size",
        ),
        (lambda g, x: g.add("LSTM", x), "expects N×L×D, N×1×8×8 arrives"),
        (lambda g, x: g.add("Embedding", x), "expects whole numbers"),
        (lambda g, x: g.add("Add", x, g.add("Input", shape=(1, 8, 7))), "expects inputs of one shape"),
        (lambda g, x: g.add("Concatenate", x, g.add("Input", shape=(1, 8, 7))), "differ only in dimension 1"),
        (
            lambda g, x: g.add("Reshape", x, shape=(3, 3)),
            "3 × 3 = 9 numbers for each sample, 1 × 8 × 8 = 64 arrive",
        ),
        (lambda g, x: g.add("ReLU"), "Nothing is connected to its input"),
        (lambda g, x: g.add("MSELoss", x), "Nothing is connected to its input target"),
    ],
)
def test_a_wrong_node_says_what_it_expected_and_what_came(add, message):
    g = Builder()
    add(g, g.add("Input", id="image", shape=(1, 8, 8)))
    analysis = analyze(g.document())
    assert message in analysis.errors[0].message
    assert analysis.types[Slot("image", "y")].shape == ("N", 1, 8, 8)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("LeNet-5", "LeNet5"),
        ("", "Net"),
        ("7 net", "Net7Net"),
        ("tensor", "NetTensor"),
        ('"; import os', "ImportOs"),
    ],
)
def test_class_names(title, name):
    assert class_name(title) == name
    ast.parse(f"class {class_name(title)}: pass")


def test_second_analysis_of_a_known_document_runs_no_layer(monkeypatch):
    document = presets()["lenet5"].document()
    analyze(document)
    for name in ("meta", "memory"):
        run = f"engine.compiler.{name}.empty"
        monkeypatch.setattr(run, lambda tensor: pytest.fail("a layer was run again"))
    moved = edits.move(document, {"conv1": (5, 5)})
    assert analyze(moved).total_parameters == 61_706
