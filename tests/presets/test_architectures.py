"""The convolutional architectures in their published sizes: parameters, shapes, code and drawing."""

from __future__ import annotations

import ast
from itertools import combinations, pairwise

import pytest
import torch

from engine.compiler.analyze import analyze
from engine.compiler.module import compile_document
from engine.graph import edits
from engine.graph.blocks import inside
from engine.graph.document import Document, Slot
from presets import presets
from tests.presets.test_presets import trained

PARAMETERS = {
    "alexnet": 61_100_840,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
    "googlenet": 13_004_888,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
}

SHAPES = {
    "alexnet": {
        "conv1": (64, 55, 55),
        "lrn1": (64, 55, 55),
        "pool1": (64, 27, 27),
        "conv2": (192, 27, 27),
        "lrn2": (192, 27, 27),
        "pool2": (192, 13, 13),
        "conv3": (384, 13, 13),
        "conv4": (256, 13, 13),
        "conv5": (256, 13, 13),
        "pool3": (256, 6, 6),
        "flatten1": (9216,),
        "fc1": (4096,),
        "fc2": (4096,),
        "fc3": (1000,),
    },
    "zfnet": {
        "conv1": (96, 110, 110),
        "pool1": (96, 55, 55),
        "conv2": (256, 26, 26),
        "pool2": (256, 13, 13),
        "conv3": (384, 13, 13),
        "conv4": (384, 13, 13),
        "conv5": (256, 13, 13),
        "pool3": (256, 6, 6),
        "fc1": (4096,),
        "fc2": (4096,),
        "fc3": (1000,),
    },
    "vgg16": {
        "stage1": (64, 112, 112),
        "stage2": (128, 56, 56),
        "stage3": (256, 28, 28),
        "stage4": (512, 14, 14),
        "stage5": (512, 7, 7),
        "flatten1": (25088,),
        "fc1": (4096,),
        "fc2": (4096,),
        "fc3": (1000,),
    },
    "googlenet": {
        "conv1": (64, 112, 112),
        "pool1": (64, 56, 56),
        "conv3": (192, 56, 56),
        "pool2": (192, 28, 28),
        "mixed3a": (256, 28, 28),
        "mixed3b": (480, 28, 28),
        "pool3": (480, 14, 14),
        "mixed4a": (512, 14, 14),
        "mixed4b": (512, 14, 14),
        "mixed4c": (512, 14, 14),
        "mixed4d": (528, 14, 14),
        "mixed4e": (832, 14, 14),
        "pool4": (832, 7, 7),
        "mixed5a": (832, 7, 7),
        "mixed5b": (1024, 7, 7),
        "pool5": (1024, 1, 1),
        "fc": (1000,),
        "head4a": (1000,),
        "head4d": (1000,),
    },
    "resnet18": {
        "conv1": (64, 112, 112),
        "pool1": (64, 56, 56),
        "stage1": (64, 56, 56),
        "project2": (128, 28, 28),
        "stage2": (128, 28, 28),
        "project3": (256, 14, 14),
        "stage3": (256, 14, 14),
        "project4": (512, 7, 7),
        "stage4": (512, 7, 7),
        "pool2": (512, 1, 1),
        "fc": (1000,),
    },
    "resnet50": {
        "conv1": (64, 112, 112),
        "pool1": (64, 56, 56),
        "project1": (256, 56, 56),
        "stage1": (256, 56, 56),
        "project2": (512, 28, 28),
        "stage2": (512, 28, 28),
        "project3": (1024, 14, 14),
        "stage3": (1024, 14, 14),
        "project4": (2048, 7, 7),
        "stage4": (2048, 7, 7),
        "pool2": (2048, 1, 1),
        "fc": (1000,),
    },
}
SHAPES["vgg19"] = SHAPES["vgg16"]
SHAPES["resnet34"] = SHAPES["resnet18"]
SHAPES["resnet101"] = SHAPES["resnet152"] = SHAPES["resnet50"]

SMALL = [name for name in presets() if name.endswith("-small")]


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_are_the_published_ones(name):
    """C3, C5 to C8, once by the analysis and once by the module itself."""
    document = presets()[name].document()
    assert analyze(document).total_parameters == PARAMETERS[name]
    with torch.device("meta"):
        model = compile_document(document).model
    assert sum(parameter.numel() for parameter in model.parameters()) == PARAMETERS[name]


def test_zfnet_has_the_parameters_that_its_table_implies():
    """C4: weights and biases of 7×7, 5×5 and three 3×3 convolutions, and of three linear layers."""
    convolutions = [(3, 96, 7), (96, 256, 5), (256, 384, 3), (384, 384, 3), (384, 256, 3)]
    linear = pairwise([256 * 6 * 6, 4096, 4096, 1000])
    expected = sum(a * b * k * k + b for a, b, k in convolutions) + sum(a * b + b for a, b in linear)
    assert analyze(presets()["zfnet"].document()).total_parameters == expected == 62_357_608


def test_googlenet_loses_half_its_parameters_with_its_heads():
    """C7: 6,624,904 remain."""
    document = presets()["googlenet"].document()
    document = edits.delete(document, ["head4a", "head4d", "scores4a", "scores4d"])
    analysis = analyze(document)
    assert analysis.problems == ()
    assert analysis.total_parameters == 6_624_904


def test_inception_in_both_forms():
    """C7: the naive block passes its input's channels on, the other narrows them; both count as computed."""
    document = presets()["inception"].document()
    analysis = analyze(document)
    assert analysis.types[Slot("naive", "output")].shape == ("N", 64 + 128 + 32 + 192, 28, 28)
    assert analysis.types[Slot("reduced", "output")].shape == ("N", 64 + 128 + 32 + 32, 28, 28)
    naive = [(192, 64, 1), (192, 128, 3), (192, 32, 5)]
    reduced = [(192, 64, 1), (192, 96, 1), (96, 128, 3), (192, 16, 1), (16, 32, 5), (192, 32, 1)]
    for node, convolutions in (("naive", naive), ("reduced", reduced)):
        assert analysis.parameters[node] == sum(a * b * k * k + 2 * b for a, b, k in convolutions)


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_are_those_of_the_paper(name):
    types = analyze(presets()[name].document()).types
    found = {slot.node: tensor.shape[1:] for slot, tensor in types.items()}
    assert found["image"] == (3, 224, 224)
    assert {node: found[node] for node in SHAPES[name]} == SHAPES[name]


@pytest.mark.parametrize(
    ("name", "layers"), [("resnet18", 18), ("resnet34", 34), ("resnet50", 50), ("resnet101", 101)]
)
def test_a_residual_network_has_as_many_layers_as_it_is_called(name, layers):
    """Convolutions and the linear layer, without those of the shortcuts."""
    with torch.device("meta"):
        model = compile_document(presets()[name].document()).model
    kinds = (torch.nn.Conv2d, torch.nn.Linear)
    counted = [path for path, each in model.named_modules() if isinstance(each, kinds)]
    assert len([path for path in counted if "shortcut" not in path]) == layers


def test_alexnet_normalizes_and_pools_as_its_paper_says():
    """Torch averages over the five channels where the paper sums, so its alpha is 5 × 1e-4."""
    text = analyze(presets()["alexnet"].document()).source.text
    assert text.count("F.local_response_norm(x, 5, alpha=0.0005, k=2.0)") == 2
    assert text.count("F.max_pool2d(x, 3, stride=2)") == 3
    assert text.count("nn.Dropout(0.5)") == 2


@pytest.mark.parametrize("name", [*PARAMETERS, "zfnet", "inception"])
def test_code_is_short_and_wraps(name):
    text = analyze(presets()[name].document()).source.text
    lines = text.splitlines()
    assert len(lines) < 150
    assert max(map(len, lines)) <= 110
    assert all(ast.get_docstring(each) for each in ast.parse(text).body if _is_module(each))


def _is_module(node: ast.stmt) -> bool:
    return isinstance(node, ast.ClassDef) and ast.unparse(node.bases[0]) == "nn.Module"


@pytest.mark.parametrize("name", [*PARAMETERS, *SMALL])
def test_names_of_weights_do_not_depend_on_titles(name):
    document = presets()[name].document()
    renamed = document
    for id in document.nodes:
        renamed = edits.rename(renamed, id, f"The {id} – «eins» 🙂")
    with torch.device("meta"):
        before, after = (compile_document(each).model.state_dict() for each in (document, renamed))
    assert list(before) == list(after)


@pytest.mark.parametrize("name", [*SHAPES, "inception"])
def test_the_drawing_is_legible(name):
    """Nothing overlaps, outside and in every block, and what follows in a row stands to the right."""
    document = presets()[name].document()
    for each in (document, *(inside(document, block) for block in document.blocks)):
        places = {id: node.position for id, node in each.nodes.items()}
        for a, b in combinations(places.values(), 2):
            assert abs(a[0] - b[0]) >= 176 or abs(a[1] - b[1]) >= 128
        assert _width(each) <= 7 * 218, "more than eight nodes beside each other are hard to read"
        for target, source in each.edges.items():
            (x, y), (x_after, y_after) = places[source.node], places[target.node]
            assert x_after > x or y_after > y


def _width(document: Document) -> float:
    across = [node.position[0] for node in document.nodes.values()]
    return max(across) - min(across)


@pytest.mark.parametrize("name", SMALL)
def test_a_small_variant_learns_digits(name):
    """The same architecture, narrow: more than 90 % of the held-out digits."""
    assert trained(name).last.metrics["val_accuracy"] > 0.90


def test_small_variants_follow_their_networks():
    names = list(presets())
    for name in SMALL:
        big, small = presets()[name.removesuffix("-small")], presets()[name]
        assert names.index(small.name) == names.index(big.name) + 1
        assert small.title == f"{big.title} small"
        assert small.time
        assert not big.time
        assert small.document().blocks.keys() == big.document().blocks.keys()


def test_networks_of_one_row_stand_in_the_order_of_their_numbers():
    found = [name for name in presets() if name.startswith("resnet") and name not in SMALL]
    assert found == ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]
