"""Code read back: alone it becomes a document, with the one that it was made from an edit of it."""

from __future__ import annotations

import ast
import json
from dataclasses import replace

import pytest

from engine import catalogue
from engine.compiler import trust
from engine.compiler.analyze import analyze
from engine.compiler.read import read_source
from engine.compiler.recognize import recognize_call, recognize_init, recognize_use
from engine.errors import ReadError
from engine.graph import blocks, edits
from engine.graph.build import Builder
from engine.graph.custom import TEMPLATE, add_custom
from engine.graph.document import Document, Slot
from engine.layers.formula import Formula
from presets import preset, presets
from tests.layers.harness import around, cases


def text_of(document: Document) -> str:
    analysis = analyze(document)
    assert analysis.source is not None, analysis.problems
    return analysis.source.text


def edited(document: Document, *changes: tuple[str, str]) -> Document:
    """Return the document after its text was changed here and there."""
    text = text_of(document)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return read_source(text, document)


def said(text: str, document: Document | None = None) -> str:
    with pytest.raises(ReadError) as caught:
        read_source(text, document)
    return caught.value.message


# Single calls


def expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


@pytest.mark.parametrize(
    ("text", "type_", "params"),
    [
        ("nn.Conv2d(3, 32, 5, padding=2)", "Conv2d", {"out_channels": 32, "kernel_size": 5, "padding": 2}),
        ("nn.Conv2d(in_channels=3, out_channels=8, kernel_size=3)", "Conv2d", {"out_channels": 8}),
        ("nn.Conv2d(3, 8, 3, 2, 1, 1, 1, False)", "Conv2d", {"stride": 2, "padding": 1, "bias": False}),
        ("torch.nn.Linear(8, 10)", "Linear", {"out_features": 10}),
        ("nn.Linear(8, width * 4)", "Linear", {"out_features": Formula("width * 4")}),
        ("nn.RNN(8, 4, 1, 'relu', batch_first=True)", "RNN", {"hidden_size": 4, "nonlinearity": "relu"}),
        ("nn.LayerNorm((4, 8))", "LayerNorm", {"dims": 2}),
        ("nn.PReLU(16)", "PReLU", {"per_channel": True}),
        ("nn.Dropout()", "Dropout", {"p": 0.5}),
        ("nn.MaxPool2d(3, stride=2)", "MaxPool2d", {"kernel_size": 3, "stride": 2}),
        ("nn.ReLU(inplace=True)", "ReLU", {}),
        ("nn.ReflectionPad2d(2)", "ReflectionPad", {"padding": 2}),
        ("Maxout(8, 4, pieces=3)", "Maxout", {"out_features": 4, "pieces": 3}),
    ],
)
def test_a_constructor_is_its_layer(text, type_, params):
    found = recognize_init(expression(text))
    layer = catalogue.layer(type_)
    assert found.type == type_
    assert layer.values(found.params) == {**layer.values(found.params), **params}


@pytest.mark.parametrize(
    ("texts", "type_", "params"),
    [
        (("F.relu(x)", "torch.relu(x)", "x.relu()", "nn.functional.relu(input=x)"), "ReLU", {}),
        (("torch.cat([x, y], 1)", "torch.cat((x, y), dim=1)"), "Concatenate", {"dim": 1}),
        (("torch.flatten(x, 1)", "x.flatten(1)", "x.view(x.size(0), -1)"), "Flatten", {"start_dim": 1}),
        (("x.reshape(-1, 8, 8)", "x.view(x.shape[0], 8, 8)", "x.reshape((-1, 8, 8))"), "Reshape",
         {"shape": (8, 8)}),
        (("x + y", "torch.add(x, y)"), "Add", {}),
        (("x @ y", "torch.matmul(x, y)", "torch.bmm(x, y)"), "MatMul", {}),
        (("x * 2.0 + 1.0", "2 * x + 1"), "Scale", {"scale": 2.0, "shift": 1.0}),
        (("x[:, 1]", "x[:, 1, :]", "x.select(1, 1)"), "Select", {"dim": 1, "index": 1}),
        (("x[:, 2:4]", "x.narrow(1, 2, 2)"), "Slice", {"dim": 1, "start": 2, "stop": 4}),
        (("x[:, None]", "x.unsqueeze(1)"), "Unsqueeze", {"dim": 1}),
        (("x.permute(0, 2, 1)", "torch.permute(x, (0, 2, 1))"), "Permute", {"dims": (0, 2, 1)}),
        (("x.mean((2, 3))", "torch.mean(x, dim=[2, 3])"), "Mean", {"dim": (2, 3)}),
        (("F.max_pool2d(x, 2)", "F.max_pool2d(x, kernel_size=2)"), "MaxPool2d", {"kernel_size": 2}),
        (("F.one_hot(x, 10).float()",), "OneHot", {"num_classes": 10}),
        (("F.pad(x, (1, 1, 1, 1), mode='reflect')",), "ReflectionPad", {"padding": 1}),
        (("x < y", "y > x"), "Greater", {}),
    ],
)  # fmt: skip
def test_what_people_write_is_one_layer(texts, type_, params):
    for text in texts:
        found = recognize_call(expression(text))
        layer = catalogue.layer(type_)
        assert found.type == type_, text
        assert layer.values(found.params) == layer.values(params), text


def test_inputs_are_found_by_port():
    found = recognize_call(expression("y < x"))
    assert {port: ast.unparse(each) for port, each in found.inputs.items()} == {"a": "x", "b": "y"}
    lstm = recognize_use(catalogue.layer("LSTM"), expression("self.lstm(x, (h, c))"))
    assert list(lstm.inputs) == ["x", "initial", "initial_cell"]


def test_what_is_inferred_is_told_apart():
    assert recognize_init(expression("nn.Conv2d(3, 8, 5)")).inferred == {"in_channels": 3}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("nn.Linear(8, 4, device='cuda')", "device"),
        ("nn.LSTM(8, 4)", "batch_first=True"),
        ("nn.Linear(8, 0)", "at least 1"),
    ],
)
def test_a_layer_that_cannot_be_had_says_why(text, reason):
    with pytest.raises(ReadError, match=reason):
        recognize_init(expression(text))


def test_what_is_no_layer_is_none():
    assert recognize_call(expression("torch.fft.fft(x)")) is None
    assert recognize_init(expression("Foo(3)")) is None


# Every layer, every preset

ONE_TEXT = {
    "Slice": "first and length stand in the code, so that a stop of None or -1 comes back as a number"
}
"""Layers of which two settings have the same code, with the reason."""


@pytest.mark.parametrize(("type_", "params", "options"), list(cases()), ids=json.dumps)
def test_every_layer_comes_back(type_, params, options):
    document = around(type_, params, options)
    text = text_of(document)
    again = read_source(text)
    assert text_of(again) == text
    layer = catalogue.layer(type_)
    found = [layer.values(node.params) for node in again.nodes.values() if node.type == type_]
    assert type_ in ONE_TEXT or layer.values(document.nodes["tested"].params) in found
    assert read_source(text, document) == document


@pytest.mark.parametrize("name", list(presets()))
def test_every_preset_comes_back(name):
    document = preset(name).document()
    text = text_of(document)
    assert text_of(read_source(text)) == text
    assert read_source(text, document) == document
    assert read_source(text.replace("\n\n", "\n\n\n").replace("  # N", "  # n"), document) == document


# Following an edit


@pytest.fixture
def lenet() -> Document:
    return preset("lenet5").document()


def test_a_parameter_changes_and_the_rest_follows(lenet):
    lenet = edits.rename(lenet, "conv1", "Strokes")
    after = edited(lenet, ("nn.Conv2d(1, 6, 5, padding=2)", "nn.Conv2d(1, 64, 5, padding=2)"))
    node = lenet.nodes["conv1"]
    assert after == edits.set_params(lenet, "conv1", out_channels=64)
    assert after.nodes["conv1"].title == "Strokes"
    assert after.nodes["conv1"].position == node.position
    assert "self.conv2 = nn.Conv2d(64, 16, 5)" in text_of(after)


def test_a_layer_is_added_in_sequence_where_nobody_stands(lenet):
    after = edited(
        lenet,
        ("self.fc2 = ", "self.extra = nn.Linear(120, 50)\n        self.fc2 = "),
        ("x = self.fc2(x)", "x = F.relu(self.extra(x))\n        x = self.fc2(x)"),
    )
    added = after.nodes.keys() - lenet.nodes.keys()
    assert {after.nodes[id].type for id in added} == {"Linear", "ReLU"}
    assert after.incoming("fc2")["x"].node == "relu1"
    assert after.incoming("relu1")["x"].node == "extra"
    places = [node.position for node in after.nodes.values()]
    pairs = [(a, b) for n, a in enumerate(places) for b in places[:n]]
    assert all(abs(a[0] - b[0]) >= 176 or abs(a[1] - b[1]) >= 72 for a, b in pairs)
    kept = {id: node for id, node in after.nodes.items() if id in lenet.nodes}
    assert kept == dict(lenet.nodes)


def test_a_layer_is_removed_and_the_wires_close(lenet):
    after = edited(
        lenet,
        ("        self.conv2 = nn.Conv2d(6, 16, 5)\n", ""),
        ("        x = self.conv2(x)  # N×16×10×10\n", ""),
    )
    assert lenet.nodes.keys() - after.nodes.keys() == {"conv2"}
    assert after.incoming("tanh2")["x"] == Slot("pool1", "y")


def test_another_attribute_is_another_id_at_the_same_place(lenet):
    after = edited(lenet, ("self.fc2 = ", "self.middle = "), ("self.fc2(", "self.middle("))
    assert "fc2" not in after.nodes
    assert after.nodes["middle"].position == lenet.nodes["fc2"].position
    assert after.nodes["middle"].params == lenet.nodes["fc2"].params
    assert list(after.nodes) == ["middle" if id == "fc2" else id for id in lenet.nodes]


def test_another_activation_stands_where_the_old_one_stood(lenet):
    after = edited(lenet, ("torch.tanh(x)", "F.relu(x)"))
    (added,) = after.nodes.keys() - lenet.nodes.keys()
    assert after.nodes[added].type == "ReLU"
    assert after.nodes[added].position == lenet.nodes["tanh1"].position
    assert {"tanh2", "tanh3", "tanh4"} <= after.nodes.keys()


def test_the_result_moves_and_the_loss_with_it(lenet):
    after = edited(lenet, ("return self.digit(x)", "return F.log_softmax(self.digit(x), dim=1)"))
    source = after.incoming("loss")["logits"]
    assert after.nodes[source.node].type == "LogSoftmax"
    assert after.incoming("loss")["target"] == lenet.incoming("loss")["target"]
    assert after.training == lenet.training


def test_losses_change_and_add_up(lenet):
    smooth = edited(
        lenet, ("F.cross_entropy(digit, label)", "F.cross_entropy(digit, label, label_smoothing=0.1)")
    )
    assert smooth == edits.set_params(lenet, "loss", label_smoothing=0.1)
    both = "F.cross_entropy(digit, label) + F.multi_margin_loss(digit, label)"
    after = edited(lenet, ("F.cross_entropy(digit, label)", both))
    assert sum(node.type.endswith("Loss") for node in after.nodes.values()) == 2


def test_what_the_text_does_not_hold_stays(lenet):
    lenet, loose = edits.add_node(lenet, "GELU", id="loose", position=(900.0, 900.0))
    lenet = lenet.with_(notes="First.\n\nSecond.")
    after = edited(lenet, ('"""First.', '"""Another.'), ("nn.Linear(120, 84)", "nn.Linear(120, 85)"))
    assert after.nodes[loose] == lenet.nodes[loose]
    assert after.notes == "Another.\n\nSecond."
    assert after.name == lenet.name


def test_a_sequential_is_its_layers_in_a_row(lenet):
    row = "nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.BatchNorm2d(6))"
    after = edited(lenet, ("nn.Conv2d(1, 6, 5, padding=2)", row))
    types = {node.type for id, node in after.nodes.items() if id not in lenet.nodes}
    assert types == {"Conv2d", "BatchNorm2d"}
    norm = next(id for id, node in after.nodes.items() if node.type == "BatchNorm2d")
    assert after.incoming("tanh1")["x"].node == norm


def test_an_attribute_called_twice_shares_its_weights(lenet):
    again = "x = self.fc2(x)\n        x = self.fc2(torch.cat([x, x[:, :36]], 1))"
    after = edited(lenet, ("x = self.fc2(x)", again))
    (linked,) = [node for node in after.nodes.values() if node.share]
    assert linked.share.node == "fc2"
    assert text_of(after).count("self.fc2(") == 2
    assert text_of(after).count("self.fc2 =") == 1
    assert read_source(text_of(after), after) == after
    alone = text_of(read_source(text_of(after)))
    assert alone == text_of(after)


@pytest.mark.parametrize(("follow", "amount"), [("frozen", 0), ("average", 0.01), ("copy", 50)])
def test_a_copy_that_follows_comes_back(follow, amount):
    g = Builder("Twins")
    x = g.add("Input", id="state", shape=(4,))
    q = g.add("Linear", x, id="q", out_features=2)
    target = g.add("Linear", x, id="target", out_features=2)
    g.add("Output", q, id="value")
    g.add("Output", target, id="goal")
    document = edits.share(g.document(), "target", "q", follow, amount or None)
    text = text_of(document)
    again = read_source(text)
    assert again.nodes["target"].share == document.nodes["target"].share
    assert text_of(again) == text
    assert read_source(text, document) == document


# Blocks


def stages() -> Document:
    g = Builder("Stages")
    with g.block("Unit", "Narrow, then widen.", width=None, stride=1) as b:
        x = b.add("Conv2d", b.input("x"), id="narrow", out_channels=b["width"], stride=b["stride"], padding=1)
        x = b.add("Conv2d", b.add("ReLU", x), id="widen", out_channels=b["width"] * 4, kernel_size=1)
        b.output(x)
    x = g.add("Unit", g.add("Input", id="image", shape=(3, 16, 16)), id="first", width=4)
    x = g.add("Unit", x, id="rest", width=6, stride=2, repeat=3)
    g.add("Output", x, id="maps")
    return g.document()


def test_blocks_lose_what_the_writer_added():
    again = read_source(text_of(stages()))
    assert dict(again.blocks["Unit"].params) == {"width": None, "stride": 1}
    assert again.blocks["Unit"].nodes["widen"].params["out_channels"] == Formula("width * 4")
    assert again.nodes["rest"].params == {"width": 6, "stride": 2, "repeat": 3}
    assert again.nodes["first"].params == {"width": 4}


def test_an_edit_in_a_block_is_made_once_for_all_uses():
    document = stages()
    after = edited(document, ("F.relu(", "F.gelu("))
    types = [node.type for node in after.blocks["Unit"].nodes.values()]
    assert "GELU" in types
    assert "ReLU" not in types
    assert after.nodes == document.nodes
    inner = blocks.inside(document, "Unit")
    assert after.blocks["Unit"].nodes["narrow"] == inner.nodes["narrow"]


def test_another_use_of_a_block_and_another_count():
    document = stages()
    after = edited(
        document,
        (
            "        self.first = Unit(3, 4)\n",
            "        self.first = Unit(3, 4)\n        self.more = Unit(16, 5)\n",
        ),
        ("range(2)", "range(4)"),
        ("x = self.first(image)", "x = self.more(self.first(image))"),
    )
    assert after.nodes["more"].type == "Unit"
    assert after.nodes["more"].params == {"width": 5}
    assert after.nodes["rest"].params["repeat"] == 5
    assert after.incoming("rest")["x"].node == "more"


def test_a_new_parameter_of_a_block():
    after = edited(
        stages(),
        ("width: int, stride: int = 1", "width: int, stride: int = 1, kernel: int = 3"),
        ("nn.Conv2d(in_channels, width, 3,", "nn.Conv2d(in_channels, width, kernel,"),
    )
    assert dict(after.blocks["Unit"].params) == {"width": None, "stride": 1, "kernel": 3}
    assert after.blocks["Unit"].nodes["narrow"].params["kernel_size"] == Formula("kernel")


def test_a_block_is_renamed_with_its_uses():
    text = text_of(stages())
    after = read_source(text.replace("Unit", "Cell"), stages())
    assert list(after.blocks) == ["Cell"]
    assert after.nodes["rest"].type == "Cell"
    was = stages().blocks["Unit"]
    assert after.blocks["Cell"] == replace(was, name="Cell")


def test_a_class_that_is_typed_becomes_a_block():
    text = text_of(preset("lenet5").document())
    block = (
        "class Tail(nn.Module):\n"
        "    def __init__(self, in_features: int, width: int = 84) -> None:\n"
        "        super().__init__()\n"
        "        self.fc = nn.Linear(in_features, width)\n\n"
        "    def forward(self, x: Tensor) -> Tensor:\n"
        "        return torch.tanh(self.fc(x))\n\n\n"
    )
    text = text.replace("class LeNet5", block + "class LeNet5")
    text = text.replace("self.fc2 = nn.Linear(120, 84)", "self.fc2 = Tail(120)")
    after = read_source(text, preset("lenet5").document())
    assert dict(after.blocks["Tail"].params) == {"width": 84}
    assert after.nodes["fc2"].type == "Tail"
    assert after.nodes["fc2"].position == preset("lenet5").document().nodes["fc2"].position
    assert "self.fc2 = Tail()" in text_of(after) or "self.fc2 = Tail(" in text_of(after)


def test_an_input_of_a_block_takes_another_name():
    text = text_of(stages())
    after = read_source(text.replace("forward(self, x: Tensor)", "forward(self, image: Tensor)")
                        .replace("self.narrow(x)", "self.narrow(image)"), stages())  # fmt: skip
    assert {id for id, node in after.blocks["Unit"].nodes.items() if node.type == "Input"} == {"image"}
    assert after.incoming("rest") == {"image": Slot("first", "output")}


def test_what_is_returned_without_a_loss_is_marked():
    document = preset("googlenet-small").document()
    text = text_of(document)
    lines = [line for line in text.splitlines() if "head4d, label" not in line]
    (gone,) = set(text.splitlines()) - set(lines)
    name = gone.split("=")[0].strip()
    after = read_source("\n".join(lines).replace(f" + {name}", ""), document)
    marks = [after.incoming(id)["x"].node for id, node in after.nodes.items() if node.type == "Output"]
    assert "head4d" in marks
    assert "return Outputs(" in text_of(after)


@pytest.fixture
def trusting():
    before = trust.state()
    yield
    trust.distrust(trust.state() - before)


def test_custom_layers_of_the_document_stay(trusting):
    document, type_ = add_custom(Document("Net"), TEMPLATE.format(name="Gate"))
    document, given = edits.add_node(document, "Input", {"shape": (4,)}, id="given")
    document, gate = edits.add_node(document, type_, id="gate")
    document = edits.connect(document, Slot(given, "y"), Slot(gate, "x"))
    trust.trust_document(document)
    text = text_of(document)
    assert read_source(text + "# the same\n", document) == document
    after = read_source(text.replace("Gate(4)", "Gate(4, gate=0.25)"), document)
    assert after == edits.set_params(document, gate, gate=0.25)
    assert "Gate belongs to its layer" in said(text.replace("torch.tanh", "torch.sin"), document)


# What cannot be followed


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("x = torch.tanh(x)", "x = torch.fft.fft(x)", 22, "is no layer that Netwright knows"),
        ("x = torch.tanh(x)", "x = torch.tanh(x", 22, "not Python"),
        ("x = torch.tanh(x)", "for _ in range(3):\n            x = torch.tanh(x)", 22, "a for loop"),
        ("x = torch.tanh(x)", "if x.sum() > 0:\n            x = torch.tanh(x)", 22, "an if cannot be drawn"),
        ("x = torch.tanh(x)", "x = torch.tanh(y)", 22, "no tensor `y`"),
        ("x = torch.tanh(x)", "x = self.other(x)", 22, "self.other is not made"),
        ("x = torch.tanh(x)", "x, y = torch.tanh(x)", 22, "one tensor arrives"),
        ("x = self.conv2(x)", "x = self.conv2(x, x)", 24, "Conv2d takes x"),
        ("nn.Conv2d(6, 16, 5)", "nn.Conv2d(6, 16, 5, device='cpu')", 15, "has no device"),
        ("nn.Conv2d(6, 16, 5)", "nn.Conv2d(6, 0, 5)", 15, "at least 1"),
        ("nn.Conv2d(6, 16, 5)", "nn.Conv2d(6, 16, 50)", 15, "conv2"),
        ("nn.Linear(400, 120)", "nn.Linear(300, 120)", 16, "in_features of fc1 is 400"),
        ("nn.Conv2d(6, 16, 5)", "nn.Conv2d(6, width, 5)", 15, "`width` is no parameter"),
        ("self.fc2 = ", "self.forward = ", 17, "a module has another use"),
        ("import torch\n", "import torch\nimport numpy\n", 2, "numpy cannot be imported"),
        ("def loss", "print(1)\n\n\ndef loss", 35, "has no place here"),
        ("def forward(self, image: Tensor)", "def forward(self, picture: Tensor)", 0, "no field of the data"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused_with_its_line(lenet, old, new, line, reason):
    text = text_of(lenet)
    assert old in text
    text = text.replace(old, new, 1)
    if new.startswith("def forward"):
        text = text.replace("self.conv1(image)", "self.conv1(picture)")
    with pytest.raises(ReadError) as caught:
        read_source(text, lenet)
    assert reason in caught.value.message
    assert caught.value.line == line or line == 0


def test_classes_that_ship_cannot_be_changed():
    document = around("Maxout", {})
    text = text_of(document).replace("self.pieces = pieces", "self.pieces = pieces + 1")
    assert text != text_of(document), "the class has changed: change something else here"
    assert "Maxout belongs to Netwright" in said(text, document)


def test_nothing_is_executed(tmp_path):
    trace = tmp_path / "trace"
    text = f"import torch\nopen({str(trace)!r}, 'w')\n" + text_of(preset("spirals").document())
    said(text)
    assert not trace.exists()


def test_plain_modules_of_other_people_become_documents():
    text = """
import torch as th
import torch.nn as nn
import torch.nn.functional as fun
from torch.nn import Conv2d

class Net(nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        self.conv = Conv2d(in_channels=3, out_channels=8, kernel_size=3, padding="same")
        self.act = nn.ReLU(inplace=True)
        self.pool = nn.MaxPool2d(2)
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(8 * 16 * 16, 10))

    def forward(self, x):
        x = self.pool(self.act(self.conv(x)))
        x = x + th.sigmoid(x) * 2
        x = fun.dropout(x, 0.1, self.training)
        return self.head(x)
"""
    document = read_source(text)
    types = [node.type for node in document.nodes.values()]
    assert types == ["Input", "Conv2d", "ReLU", "MaxPool2d", "Sigmoid", "Scale", "Add", "Dropout", "Flatten",
                     "Linear", "Output"]  # fmt: skip
    assert document.nodes["x"].params == {"shape": (3, 32, 32)}
    assert not analyze(document).errors
