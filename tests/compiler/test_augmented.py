"""What augmentation makes of some rows of the data, without a model and beside a run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from engine import catalogue
from engine.compiler.augmented import augmentations, augmented
from engine.compiler.data import load_node
from engine.compiler.resolve import resolve
from engine.graph.build import Builder
from engine.graph.document import BYPASSED, MUTED, Document, Slot
from engine.layers.declaration import Layer


def drawn() -> Document:
    """Digits through two layers in a row and a branch of one; no model follows yet."""
    g = Builder("Drawn")
    data = g.add("Digits", id="data", size=8)
    flip = g.add("RandomHorizontalFlip", data, id="flip", p=1.0)
    g.add("GaussianNoise", flip, id="noise", std=0.5)
    g.add("RandomVerticalFlip", data, id="other", p=1.0)
    return g.document()


def ways(document: Document, until: str = "") -> dict[str, list[str]]:
    found = augmentations(document, "data", until)
    return {port: [slot.node for slot in chain] for port, chain in found.items()}


def some(document: Document, count: int = 6) -> dict[str, np.ndarray]:
    return load_node(document.nodes["data"]).first(count)


def test_the_longest_way_is_taken_or_the_one_that_is_asked_for():
    document = drawn()
    assert ways(document) == {"image": ["flip", "noise"]}
    assert ways(document, "flip") == {"image": ["flip"]}
    assert ways(document, "other") == {"image": ["other"]}
    assert ways(document, "data") == {"image": ["flip", "noise"]}


def test_rows_are_those_that_training_would_see():
    document = drawn()
    rows = some(document)
    resolution = resolve(document)
    seen = augmented(resolution, "data", augmentations(document, "data", "flip"), rows, seed=0)
    assert seen.keys() == {"image"}
    assert np.array_equal(seen["image"], rows["image"][..., ::-1])
    noisy = augmented(resolution, "data", augmentations(document, "data"), rows, seed=0)["image"]
    assert 0.4 < (noisy - rows["image"][..., ::-1]).std() < 0.6


def test_a_seed_draws_the_same_and_another_one_differs():
    document = drawn()
    chains, rows, resolution = augmentations(document, "data"), some(document), resolve(document)
    first, again, other = (augmented(resolution, "data", chains, rows, seed)["image"] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


LAYERS = [each for each in catalogue.layers().values() if each.category == "Augmentation"]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.type)
def test_a_run_beside_it_draws_what_it_would_have_drawn(layer: Layer):
    """Nothing is taken from the generator that all share."""
    g = Builder("Beside")
    port = layer.inputs[0]
    shape = {"N L": (12,), "": (4,)}.get(port.dims, (3, 12, 12))
    x = g.add("Input", id="x", shape=shape, dtype="int" if port.dtype == "int" else "float")
    g.add(layer.type, x, id="tested")
    document = g.document()
    values = np.random.default_rng(0).integers(1, 9, (64, *shape))
    rows = {"y": values if port.dtype == "int" else values.astype(np.float32)}
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    seen = augmented(resolve(document), "x", {"y": (Slot("tested", "y"),)}, rows, seed=3)["y"]
    assert torch.equal(torch.rand(3), expected)
    assert seen.shape == rows["y"].shape
    assert not np.array_equal(seen, rows["y"])


def test_what_is_switched_off_is_left_out():
    document = drawn()

    def without_flip(mode: str) -> Document:
        nodes = {**document.nodes, "flip": replace(document.nodes["flip"], mode=mode)}
        return document.with_(nodes=nodes)

    assert ways(without_flip(MUTED)) == {"image": ["other"]}
    assert ways(without_flip(BYPASSED), "noise") == {"image": ["noise"]}


def test_a_layer_that_cannot_be_ends_the_chain():
    g = Builder("Broken")
    data = g.add("Digits", id="data", size=8)
    flip = g.add("RandomHorizontalFlip", data, id="flip", p=1.0)
    g.add("RandomGrayscale", flip, id="gray")  # a digit has one channel
    document = g.document()
    rows = some(document)
    seen = augmented(resolve(document), "data", augmentations(document, "data"), rows, seed=0)
    assert np.array_equal(seen["image"], rows["image"][..., ::-1])


def test_a_mask_and_its_image_go_through_one_draw():
    g = Builder("Masks")
    data = g.add("Digits", id="data", size=8)
    moved = g.add("RandomCrop", data, data, id="crop", padding=3, masks=True)
    g.add("GaussianNoise", moved, id="noise")
    document = g.document()
    assert ways(document) == {"image": ["crop", "noise"]}
    rows = some(document)
    # the same pixels enter twice: what leaves is the same twice
    both = {"image": (Slot("crop", "y"),), "twin": (Slot("crop", "mask"),)}
    seen = augmented(
        resolve(document), "data", both | {"image": both["image"]}, rows | {"twin": rows["image"]}, 0
    )
    assert np.array_equal(seen["image"], seen["twin"])
    assert not np.array_equal(seen["image"], rows["image"])
