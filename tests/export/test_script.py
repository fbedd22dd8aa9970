"""The exported script trains alone what a run trains here: the same losses, the same weights."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from engine.compiler.trust import trust_source
from engine.export import export
from engine.graph.build import Builder
from engine.graph.custom import add_custom
from engine.graph.document import Document, Objective, Slot
from engine.graph.edits import add_node, connect, set_params, share
from engine.graph.settings import set_init, set_training
from engine.training.events import Evaluated, Failed
from engine.training.runner import Runner
from presets import preset
from tests.export.alone import run_alone
from tests.training.documents import spirals


def ran(document: Document) -> tuple[Runner, list[Evaluated]]:
    """Train here and return the run and what it told after its epochs."""
    runner = Runner(document, "cpu")
    runner.start()
    assert runner.join(120)
    events = runner.events.drain()
    assert not [event.message for event in events if isinstance(event, Failed)]
    return runner, [event for event in events if isinstance(event, Evaluated)]


def reports(text: str) -> dict[int, dict[str, float]]:
    """Return what a script printed: the numbers by name, by epoch."""
    found = {}
    for line in text.splitlines():
        epoch, _, rest = line.removeprefix("epoch ").partition(": ")
        found[int(epoch)] = {pair.split()[0]: float(pair.split()[1]) for pair in rest.split(", ")}
    return found


def agrees(document: Document, folder: object) -> str:
    """Export, run alone, compare with our run, and return the script."""
    said = export(document, folder / "net.py", "script")
    assert "net_data.pt" in said
    told = reports(
        run_alone(folder, "import runpy; runpy.run_path('net.py', run_name='__main__')", "--device", "cpu")
    )
    runner, evaluated = ran(document)
    assert list(told) == [event.epoch for event in evaluated]
    for event in evaluated:
        assert told[event.epoch] == pytest.approx(dict(event.metrics), rel=1e-6)
    learned = torch.load(folder / "net_weights.pt", weights_only=True)
    for name, value in runner.model.state_dict().items():
        assert torch.equal(learned[name], value), name
    return (folder / "net.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "epochs"),
    [("linear_regression", 25), ("spirals", 4), ("digits_mlp", 3), ("lenet5", 2), ("autoencoder", 3)],
)
def test_a_preset_learns_the_same_alone(name, epochs, tmp_path):
    """The arithmetic is the same, so the weights are, bit for bit."""
    text = agrees(set_training(preset(name).document(), epochs=epochs), tmp_path)
    beside = text[text.index("def evaluate") :]
    assert len(beside.splitlines()) < 60


def test_dropout_and_a_single_last_row_are_the_same(tmp_path):
    """Random numbers of layers are drawn in the same order; a last batch of one row is left out."""
    rows = 1 + 64 * 4
    document = spirals(epochs=2, dropout=True)
    (points,) = (id for id, node in document.nodes.items() if node.type == "Spirals")
    document = set_params(document, points, samples=rows, validation=0.0)
    assert f"randperm({rows}, generator=generator)[:{rows - 1}]" in agrees(document, tmp_path)


@pytest.mark.parametrize("optimizer", ["SGD", "AdamW", "RMSprop"])
def test_every_optimizer_takes_its_options_along(optimizer, tmp_path):
    document = spirals(epochs=2)
    options = {"SGD": {"momentum": 0.9, "nesterov": True}, "AdamW": {"beta1": 0.8}, "RMSprop": {"alpha": 0.9}}
    objective = Objective(optimizer=optimizer, options={"lr": 0.005, **options[optimizer]})
    document = document.with_(training=replace(document.training, objectives=(objective,)))
    assert f"torch.optim.{optimizer}(model.parameters(), lr=0.005, " in agrees(document, tmp_path)


def test_two_optimizers_take_turns(tmp_path):
    document = spirals(epochs=2)
    objectives = (Objective(optimizer="SGD", options={"lr": 0.01}), Objective(options={"lr": 0.001}))
    document = document.with_(training=replace(document.training, objectives=objectives))
    assert "losses.append(last_1 + last_2)" in agrees(document, tmp_path)


def test_several_outputs_reach_the_loss(tmp_path):
    """Two heads give a named tuple, and the loss is their sum."""
    g = Builder("Two heads")
    data = g.add("Digits", size=8)
    x = g.add("ReLU", g.add("Linear", g.add("Flatten", data), out_features=16))
    g.add("CrossEntropyLoss", g.add("Linear", x, out_features=10, id="scores"), data["label"])
    g.add("MSELoss", g.add("Reshape", g.add("Linear", x, out_features=64), shape=(1, 8, 8), id="again"), data)
    g.train(epochs=2, batch_size=100)
    assert "loss(*model(" in agrees(g.document(), tmp_path)


def test_names_of_files_cannot_leave_their_quotes(tmp_path):
    document = set_training(preset("linear_regression").document(), epochs=1)
    path = tmp_path / 'it\'s "quoted" \\ so.py'
    export(document, path, "script")
    compile(path.read_text(encoding="utf-8"), "script", "exec")
    run_alone(tmp_path, f"import runpy; runpy.run_path({str(path)!r}, run_name='__main__')")
    assert len(list(tmp_path.iterdir())) == 3


def test_a_copy_follows_in_the_script_too(tmp_path):
    """The second layer is an average of the first and pulls it back."""
    g = Builder("Averaged")
    points = g.add("Spirals")
    scores = g.add("Linear", points, out_features=3, id="scores")
    slow = g.add("Linear", points, out_features=3, id="slow")
    g.add("CrossEntropyLoss", scores, points["label"])
    g.add("MSELoss", scores, slow)
    g.train(epochs=2, batch_size=64)
    assert "follow(model, step)" in agrees(share(g.document(), "slow", "scores", "average", 0.1), tmp_path)


def test_a_custom_layer_and_its_imports_come_along(tmp_path):
    source = (
        "import math\n\nimport torch\nfrom torch import Tensor, nn\n\n\n"
        "class Scaled(nn.Module):\n"
        "    def __init__(self, features: int) -> None:\n"
        "        super().__init__()\n"
        "        self.linear = nn.Linear(features, features)\n\n"
        "    def forward(self, x: Tensor) -> Tensor:\n"
        "        return torch.tanh(self.linear(x)) / math.sqrt(2)\n"
    )
    trust_source(source)
    document, kind = add_custom(Document("Custom"), source)
    document, points = add_node(document, "Spirals", {}, (0.0, 0.0))
    document, scaled = add_node(document, kind, {}, (0.0, 0.0))
    document, scores = add_node(document, "Linear", {"out_features": 3}, (0.0, 0.0))
    document, loss = add_node(document, "CrossEntropyLoss", {}, (0.0, 0.0))
    for source_, target in (
        ((points, "point"), (scaled, "x")),
        ((scaled, "y"), (scores, "x")),
        ((scores, "y"), (loss, "logits")),
        ((points, "label"), (loss, "target")),
    ):
        document = connect(document, Slot(*source_), Slot(*target))
    text = agrees(set_training(document, epochs=2), tmp_path)
    assert text.count("import math\n") == text.count("class Scaled(nn.Module):") == 1


def test_weights_that_begin_as_the_document_says(tmp_path):
    document = set_init(set_training(spirals(), epochs=2), None, "orthogonal", gain=1.4)
    text = agrees(document, tmp_path)
    assert "    initialize(model)\n" in text
    assert "initialize_weights(model, nn.init.orthogonal_, gain=1.4)" in text
