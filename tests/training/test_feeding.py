"""Several data nodes feed one model: row by row together, or a sentence why not."""

import numpy as np
import pytest
import torch

from engine.errors import TrainingError
from engine.graph.build import Builder
from engine.graph.settings import set_training
from engine.training.setup import prepare
from tests.training.test_runner import complete, losses, run  # noqa: F401


def arrays(folder, name: str, rows: int, width: int, kind: str) -> str:
    """Save ``x`` (rows, width) whose first column counts the rows, and ``y`` that says odd or even."""
    x = np.random.default_rng(width).normal(size=(rows, width)).astype(np.float32)
    x[:, 0] = np.arange(rows)
    path = folder / f"{name}.npz"
    np.savez(path, x=x, **({"y": np.arange(rows) % 2} if kind == "classes" else {}))
    return str(path)


def paired(folder, rows: int = 60, others: int = 60):
    b = Builder("Two sources")
    first = b.add("NPZ", id="first", path=arrays(folder, "a", rows, 3, "classes"), input="x", target="y")
    second = b.add("NPZ", id="second", path=arrays(folder, "b", others, 5, ""), input="x", target="", seed=9)
    both = b.add("Concatenate", first, second)
    b.add("CrossEntropyLoss", b.add("Linear", both, out_features=2, id="scores"), first["target"])
    b.train(epochs=2, batch_size=10, lr=0.001)
    return b.document()


def test_two_data_nodes_are_read_row_by_row_together(run, tmp_path):  # noqa: F811
    setup = prepare(paired(tmp_path))
    seen = []
    for batch in setup.batches.epoch(1):
        rows, beside = [batch[name] for name in setup.built.plan.arguments.values()]
        assert torch.equal(rows[:, 0], beside[:, 0])
        seen += rows[:, 0].tolist()
    held = [setup.held[name][:, 0] for name in setup.built.plan.arguments.values()]
    assert torch.equal(*held)
    assert sorted([*seen, *held[0].tolist()]) == list(range(60))
    curve = losses(complete(run(paired(tmp_path))))
    assert np.isfinite(curve).all()
    assert np.array_equal(curve, losses(complete(run(paired(tmp_path)))))


def test_sets_of_different_lengths_do_not_go_together(tmp_path):
    with pytest.raises(TrainingError, match="second has 50 samples, first has 60") as caught:
        prepare(paired(tmp_path, others=50))
    assert caught.value.node == "second"


def test_classes_are_known_in_every_data_node(tmp_path):
    setup = prepare(set_training(paired(tmp_path), balance="sampling"))
    label = setup.built.plan.fields.values()
    (name,) = label
    labels = torch.cat([batch[name] for batch in setup.batches.epoch(1)])
    assert abs(int((labels == 0).sum()) - len(labels) / 2) < len(labels) / 4
