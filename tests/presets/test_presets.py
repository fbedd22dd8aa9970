"""Every preset opens without a problem, trains to its check, and leaves as code that runs alone."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.compiler.analyze import analyze
from engine.compiler.data import load_node
from engine.compiler.module import compile_document
from engine.export import export
from engine.graph import edits
from engine.graph.blocks import layer_of
from engine.graph.document import Document, Slot
from engine.training.events import Failed, Finished
from engine.training.runner import Runner
from presets import Preset, presets

TRAINED: dict[str, Runner] = {}


def trained(name: str) -> Runner:
    """Return the finished run of a preset; each is trained once for all tests."""
    if name not in TRAINED:
        TRAINED[name] = run(presets()[name].document())
    return TRAINED[name]


def run(document: Document) -> Runner:
    runner = Runner(document)
    runner.start()
    assert runner.join(120)
    events = runner.events.drain()
    assert not [event.message for event in events if isinstance(event, Failed)]
    runner.last = next(event for event in events if isinstance(event, Finished))
    return runner


@pytest.mark.parametrize("name", presets())
def test_opens_without_a_problem(name):
    preset = presets()[name]
    analysis = analyze(preset.document())
    assert analysis.problems == ()
    assert analysis.source is not None
    assert preset.title
    assert preset.subtitle
    assert preset.source
    assert len(preset.notes) > 80


def test_linear_regression_meets_the_closed_solution():
    """F1: parameters within 1e-3 of (X^T X)^-1 X^T y."""
    runner = trained("linear_regression")
    data = load_node(runner.document.nodes["data"])
    x = data.fields["x"].values[data.train].astype(np.float64)
    y = data.fields["y"].values[data.train].astype(np.float64)
    ones = np.hstack([x, np.ones((len(x), 1))])
    closed = np.linalg.solve(ones.T @ ones, ones.T @ y).ravel()
    learned = [runner.model.line.weight.item(), runner.model.line.bias.item()]
    assert learned == pytest.approx(closed, abs=1e-3)


@pytest.mark.parametrize("arms", [3, 5])
def test_spirals_need_the_hidden_layer(arms):
    """F5: the network is right on more than 95 % of the held-out points, a linear model on less than 60 %."""
    document = presets()["spirals"].document()
    document = edits.set_params(document, "points", arms=arms)
    document = edits.set_params(document, "arm", out_features=arms)
    assert run(document).last.metrics["val_accuracy"] > 0.95
    linear = edits.delete(document, ["hidden", "relu1"], heal=True)
    assert linear.edges[Slot("arm", "x")] == Slot("points", "point")
    assert run(linear).last.metrics["val_accuracy"] < 0.60


def test_digits_are_read_by_the_fully_connected_network():
    """F6: more than 96 % of held-out digits."""
    assert trained("digits_mlp").last.metrics["val_accuracy"] > 0.96


def test_digits_are_read_by_lenet():
    """C2: more than 97 % of held-out digits, with the 61,706 parameters of its published form on 28 x 28."""
    runner = trained("lenet5")
    assert runner.last.metrics["val_accuracy"] > 0.97
    assert sum(parameter.numel() for parameter in runner.model.parameters()) == 61_706


def test_autoencoder_beats_principal_components_of_the_same_size():
    """A4: the held-out error is below that of PCA with as many components as the code has units."""
    runner = trained("autoencoder")
    data = load_node(runner.document.nodes["images"])
    pixels = data.fields["image"].values.reshape(len(data), -1).astype(np.float64)
    mean = pixels[data.train].mean(0)
    _, _, directions = np.linalg.svd(pixels[data.train] - mean, full_matrices=False)
    basis = directions[: runner.document.nodes["code"].params["out_features"]]
    held = pixels[data.validation] - mean
    error = np.mean((held - held @ basis.T @ basis) ** 2)
    assert runner.last.metrics["val_loss"] < error


WITH_DATA = [name for name, preset in presets().items() if preset.time]
WITHOUT_DATA = [name for name in presets() if name not in WITH_DATA]

ALONE = """
import sys
class Alone:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("engine", "presets", "gui", "main", "PySide6", "safetensors"):
            raise ImportError(name + " is not torch")
sys.meta_path.insert(0, Alone())
import torch
"""


def run_alone(script: str, folder: Path) -> str:
    """Return what a script prints that can import nothing but torch and what is exported in a folder."""
    (folder / "alone.py").write_text(ALONE + script, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "alone.py"], cwd=folder, capture_output=True, text=True, env=_clean_environment()
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("name", WITH_DATA)
def test_exported_file_runs_alone_and_gives_the_same(name, tmp_path):
    """The file runs where only torch can be imported, and agrees with the trained module.

    Up to rounding, because training lays images out channels last and so adds in another order.
    """
    runner = trained(name)
    export(runner.document, tmp_path / "model.py")
    inputs = {}
    types = analyze(runner.document).types
    for slot, word in runner.built.plan.arguments.items():
        inputs[word] = torch.rand([6 if size == "N" else size for size in types[slot].shape])
    runner.model.eval()
    with torch.no_grad():
        expected = runner.built.outputs(runner.model, inputs)
    torch.save(
        {"weights": runner.model.state_dict(), "inputs": list(inputs.values()), "expected": list(expected)},
        tmp_path / "case.pt",
    )
    class_ = runner.built.plan.name
    script = f"""
from model import {class_}
case = torch.load("case.pt", weights_only=True)
model = {class_}()
model.load_state_dict(case["weights"])
model.eval()
with torch.no_grad():
    given = model(*case["inputs"])
given = [given] if isinstance(given, torch.Tensor) else list(given)
for a, b in zip(given, case["expected"], strict=True):
    assert (a - b).abs().max() <= 1e-5 * b.abs().max()
print("same")
"""
    assert run_alone(script, tmp_path) == "same"


def test_exported_files_without_data_run_alone_and_have_the_same_weights_and_shapes(tmp_path):
    """On torch's meta device, where the largest network takes neither time nor memory."""
    cases = {}
    for name in WITHOUT_DATA:
        document = presets()[name].document()
        export(document, tmp_path / f"{name}.py")
        with torch.device("meta"):
            built = compile_document(document)
        types = built.plan.types
        cases[name] = {
            "class": built.plan.name,
            "weights": {key: tuple(value.shape) for key, value in built.model.state_dict().items()},
            "inputs": [types[slot].shape[1:] for slot in built.plan.arguments],
            "outputs": [types[slot].shape[1:] for slot in built.plan.outputs],
        }
    script = f"""
from importlib import import_module
for name, case in {cases!r}.items():
    with torch.device("meta"):
        model = getattr(import_module(name), case["class"])()
        given = model(*(torch.empty(2, *shape) for shape in case["inputs"]))
    given = [given] if isinstance(given, torch.Tensor) else given
    assert {{key: tuple(value.shape) for key, value in model.state_dict().items()}} == case["weights"]
    assert [tuple(each.shape[1:]) for each in given] == case["outputs"]
    print(name)
"""
    assert run_alone(script, tmp_path).split() == WITHOUT_DATA


def test_a_large_network_computes_alone_what_it_computes_here(tmp_path):
    """One image through ResNet-18 in its full size, with the same weights on both sides."""
    document = presets()["resnet18"].document()
    export(document, tmp_path / "model.py")
    torch.manual_seed(0)
    model = compile_document(document).model.eval()
    image = torch.rand(1, 3, 224, 224)
    with torch.no_grad():
        expected = model(image)
    torch.save((model.state_dict(), image, expected), tmp_path / "case.pt")
    script = """
from model import ResNet18
weights, image, expected = torch.load("case.pt", weights_only=True)
model = ResNet18().eval()
model.load_state_dict(weights)
with torch.no_grad():
    assert torch.allclose(model(image), expected, rtol=1e-4, atol=1e-5)
print("same")
"""
    assert run_alone(script, tmp_path) == "same"


def _clean_environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}


def test_files_and_presets_are_one_to_one():
    folder = Path(inspect.getfile(Preset)).parent
    files = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")}
    assert files == {name.removesuffix("-small") for name in presets()}
    for name, preset in presets().items():
        document = preset.document()
        roles = {layer_of(document, node.type).role for node in document.nodes.values()}
        assert bool(preset.time) == ("data" in roles), name
