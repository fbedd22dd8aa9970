"""What people type finds what they mean, however many layers there are."""

from __future__ import annotations

import pytest

from engine import catalogue


@pytest.mark.parametrize("type_", catalogue.layers())
def test_its_own_name_finds_a_layer_first(type_):
    assert catalogue.search(type_)[0].type == type_
    assert catalogue.search(catalogue.layer(type_).label)[0].label == catalogue.layer(type_).label


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("conv", "Conv2d"),
        ("pool", "MaxPool2d"),
        ("downsample", "MaxPool2d"),
        ("deconvolution", "ConvTranspose2d"),
        ("dense", "Linear"),
        ("bn", "BatchNorm2d"),
        ("batch", "BatchNorm2d"),
        ("drop", "Dropout"),
        ("residual", "Add"),
        ("sum", "Sum"),
        ("plus", "Add"),
        ("rnn", "RNN"),
        ("last step", "Select"),
        ("mae", "L1Loss"),
        ("mse", "MSELoss"),
        ("loss", "CrossEntropyLoss"),
        ("mask", "CausalMask"),
        ("reparameterization", "GaussianReparameterization"),
        ("ZeroPad2d", "ZeroPad"),
        ("Softmax2d", "Softmax"),
        ("bmm", "MatMul"),
        ("cumsum", "CumulativeSum"),
        ("k-means", "Centroids"),
        ("cv2", "Conv2d"),
        ("bert", "TransformerEncoderLayer"),
        ("self-attention", "MultiheadAttention"),
    ],
)
def test_words_of_the_field(text, type_):
    assert catalogue.search(text)[0].type == type_


def test_no_two_layers_look_alike():
    labels = [layer.label.lower() for layer in catalogue.layers().values()]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize(
    "layer",
    [each for each in catalogue.layers().values() if each.role != "data"],
    ids=lambda layer: layer.type,
)
def test_words_fit_their_places(layer):
    """A line of the palette, the label in a node's corner, and the line under its title."""
    assert len(layer.doc) <= 100
    assert len(layer.label) <= 37
    assert "\n" not in layer.doc + layer.label
    assert all(param.doc.endswith(".") and len(param.doc) <= 90 for param in layer.params)
    assert len(layer.summary(layer.values({}))) <= 28
    assert all(port.doc.endswith(".") for port in layer.inputs if len(layer.inputs) > 1 and port.doc)
