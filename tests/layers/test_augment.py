"""What the augmentation layers do to pixels, rows and tokens; all pass their input on when evaluating."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from engine import catalogue
from engine.compiler.meta import NAMESPACE
from engine.compiler.module import compile_document
from engine.graph.build import Builder
from tests.layers.harness import around
from tests.layers.test_every_layer import tensors

LAYERS = [each for each in catalogue.layers().values() if each.category == "Augmentation"]
MANY = 20_000


def make(type_: str, *args: object, **options: object) -> nn.Module:
    torch.manual_seed(0)
    return NAMESPACE[type_](*args, **options)


def images(count: int = 4, channels: int = 3, height: int = 8, width: int = 10) -> Tensor:
    return torch.rand(count, channels, height, width, dtype=torch.float64)


def always(monkeypatch: pytest.MonkeyPatch, *values: float) -> None:
    """Let every draw from 0 to 1 be these values, one for each row of the draw."""

    def rand(*sizes: object, **options: object) -> Tensor:
        shape = sizes[0] if isinstance(sizes[0], tuple) else sizes
        result = torch.empty(shape, **options)
        for place in range(shape[0]):
            result[place] = values[place % len(values)]
        return result

    monkeypatch.setattr(torch, "rand", rand)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.type)
def test_it_acts_while_training_alone_and_keeps_shape_and_type(layer):
    built = compile_document(around(layer.type, {}))
    fields = tensors(built.document)
    (before,) = fields.values()
    torch.manual_seed(0)
    seen = [built.outputs(built.model, fields)[0] for _ in range(8)]  # a chance of a tenth needs some draws
    assert all(each.shape == before.shape and each.dtype == before.dtype for each in seen)
    assert any(not torch.equal(each, before) for each in seen)
    assert any(not torch.equal(each, seen[0]) for each in seen[1:])
    built.model.eval()
    assert built.outputs(built.model, fields)[0] is before
    assert not built.model.state_dict()


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.type)
def test_the_same_seed_draws_the_same(layer):
    built = compile_document(around(layer.type, {}))
    fields = tensors(built.document)
    twice = []
    for _ in range(2):
        torch.manual_seed(7)
        twice.append(built.outputs(built.model, fields)[0])
    assert torch.equal(*twice)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.type)
def test_people_find_it_by_the_word_augmentation(layer):
    assert layer in catalogue.search("augmentation")[: len(LAYERS) + 2]


@pytest.mark.parametrize(("type_", "axis"), [("RandomHorizontalFlip", -1), ("RandomVerticalFlip", -2)])
def test_a_flip_mirrors_pixels(type_, axis):
    x = images()
    assert torch.equal(make(type_, p=1.0)(x), x.flip(axis))
    assert torch.equal(make(type_, p=0.0)(x), x)


@pytest.mark.parametrize(
    ("type_", "chance"),
    [
        ("RandomHorizontalFlip", 0.5),
        ("RandomVerticalFlip", 0.3),
        ("RandomGrayscale", 0.1),
        ("RandomErasing", 0.25),
    ],
)
def test_each_image_is_drawn_for_itself(type_, chance):
    x = images(MANY, 3, 4, 4)
    changed = (make(type_, p=chance)(x) != x).flatten(1).any(1)
    assert changed.double().mean().item() == pytest.approx(chance, abs=0.02)


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate"])
def test_a_crop_is_a_part_of_the_padded_image_and_all_parts_occur(mode):
    x = images(1).expand(600, -1, -1, -1)
    y = make("RandomCrop", 2, mode)(x)
    padded = nn.functional.pad(x[:1], (2, 2, 2, 2), mode)[0]
    parts = {(i, j): padded[:, i : i + 8, j : j + 10] for i in range(5) for j in range(5)}
    seen = [next(at for at, part in parts.items() if torch.equal(part, each)) for each in y]
    assert set(seen) == set(parts)


def test_a_quarter_turn_is_that_of_torch(monkeypatch):
    x = images(3, 2, 9, 9)
    always(monkeypatch, 0.0, 1.0, 0.5)
    y = make("RandomRotation", 90.0)(x)
    quarters = [torch.rot90(x[0], -1, (1, 2)), torch.rot90(x[1], 1, (1, 2)), x[2]]
    assert torch.allclose(y, torch.stack(quarters), atol=1e-12)


def test_a_half_turn_of_an_image_that_is_no_square(monkeypatch):
    x = images()
    always(monkeypatch, 1.0)
    assert torch.allclose(make("RandomRotation", 180.0)(x), x.flip(-1, -2), atol=1e-12)


def test_a_turn_keeps_angles_and_lengths(monkeypatch):
    """A spot three pixels right of the center stands three pixels above it, though the image is no square."""
    x = torch.zeros(1, 1, 11, 21, dtype=torch.float64)
    x[0, 0, 5, 13] = 1
    always(monkeypatch, 1.0)
    y = make("RandomRotation", 90.0)(x)
    assert y[0, 0].argmax().item() == 2 * 21 + 10
    assert y.sum().item() == pytest.approx(1)


@pytest.mark.parametrize("type_", ["RandomRotation", "RandomAffine", "GaussianBlur", "ColorJitter"])
def test_half_precision_of_a_run_moves_nothing(type_):
    """Where numbers of half the width are computed with, places of pixels keep theirs."""
    x = torch.rand(4, 3, 32, 32)
    module = make(type_, *{"RandomRotation": (20.0,), "GaussianBlur": (5,)}.get(type_, ()))
    torch.manual_seed(0)
    expected = module(x)
    torch.manual_seed(0)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.allclose(module(x).float(), expected, atol=0.01)


def test_an_affine_without_amounts_changes_nothing():
    x = images()
    assert torch.allclose(make("RandomAffine", 0, 0, 0, 0)(x), x, atol=1e-12)


def test_an_affine_turns_as_a_rotation_does(monkeypatch):
    x = images()
    always(monkeypatch, 0.9)
    assert torch.allclose(make("RandomAffine", 40, 0, 0, 0)(x), make("RandomRotation", 40)(x), atol=1e-12)


@pytest.mark.parametrize(("down", "right"), [(1.0, 0.5), (0.5, 0.0), (0.0, 1.0)])
def test_an_affine_moves_by_a_share_of_the_image(monkeypatch, down, right):
    x = images(2, 1, 8, 10)
    always(monkeypatch, 0.5, 0.5, right, down, 0.5)
    y = make("RandomAffine", 0, 0.5, 0, 0)(x)
    rows, columns = round(8 * (down - 0.5)), round(10 * (right - 0.5))
    moved = nn.functional.pad(x, (10, 10, 10, 10))[:, :, 10 + rows : 18 + rows, 10 + columns : 20 + columns]
    assert torch.allclose(y, moved, atol=1e-12)


def test_an_affine_zooms_by_a_factor(monkeypatch):
    """Twice as near: the four pixels about the center fill the image's middle, each twice as wide."""
    x = torch.zeros(1, 1, 16, 16, dtype=torch.float64)
    x[:, :, 6:10, 6:10] = 1
    for draw, area in ((1.0, 64), (0.5, 16), (0.0, 4)):
        always(monkeypatch, 0.5, 0.5, 0.5, 0.5, draw)
        assert make("RandomAffine", 0, 0, 1.0, 0)(x).sum().item() == pytest.approx(area)


def test_an_affine_slants(monkeypatch):
    """By 45 degrees a row is moved by as many pixels as it lies from the center."""
    x = torch.zeros(1, 1, 9, 9, dtype=torch.float64)
    x[:, :, :, 4] = 1
    always(monkeypatch, 0.5, 1.0, 0.5, 0.5, 0.5)
    y = make("RandomAffine", 0, 0, 0, 45)(x)
    assert torch.allclose(y[0, 0], torch.eye(9, dtype=torch.float64).flip(1), atol=1e-12)


def test_colors_vary_within_their_bounds():
    x = images(500, 3, 6, 6)
    bright = make("ColorJitter", 0.3, 0, 0)(x) / x
    factors = bright[:, 0, 0, 0]
    assert torch.allclose(bright, factors.view(-1, 1, 1, 1).expand_as(bright))
    assert 0.7 <= factors.min() < 0.75
    assert 1.25 < factors.max() <= 1.3

    contrast = make("ColorJitter", 0, 0.4, 0)(x)
    assert torch.allclose(contrast.mean((1, 2, 3)), x.mean((1, 2, 3)))
    spread = contrast.std((1, 2, 3)) / x.std((1, 2, 3))
    assert 0.6 <= spread.min() < 0.65
    assert 1.35 < spread.max() <= 1.4


def test_saturation_keeps_what_is_gray_and_the_luma():
    x = images(50)
    y = make("ColorJitter", 0, 0, 1.0)(x)
    for before, after in zip(x[:, :, 0, 0], y[:, :, 0, 0], strict=True):
        luma = [colorsys.rgb_to_yiq(*each.tolist())[0] for each in (before, after)]
        assert luma[0] == pytest.approx(luma[1], abs=0.01)
    gray = x[:, :1].expand(-1, 3, -1, -1)
    assert torch.allclose(make("ColorJitter", 0, 0, 1.0)(gray), gray)
    one = x[:, :1]
    assert torch.allclose(make("ColorJitter", 0, 0, 1.0)(one), one)


def test_gray_is_the_luma_in_all_channels():
    x = images()
    y = make("RandomGrayscale", 1.0)(x)
    weights = torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64).view(1, 3, 1, 1)
    assert torch.allclose(y, (x * weights).sum(1, keepdim=True).expand(-1, 3, -1, -1))


def test_gray_wants_colors():
    g = Builder("Gray")
    g.add("Output", g.add("RandomGrayscale", g.add("Input", shape=(1, 8, 8))))
    with pytest.raises(Exception, match="expects 3 channels, red, green and blue; 1 arrive"):
        compile_document(g.document())


def test_what_is_erased_is_one_rectangle_of_the_area_that_is_asked_for():
    x = torch.ones(2000, 2, 20, 30)
    y = make("RandomErasing", 1.0, 0.05, 0.2, -3.0)(x)
    assert set(y.unique().tolist()) == {-3.0, 1.0}
    assert torch.equal(y[:, 0], y[:, 1])
    gone = y[:, 0] == -3
    rows, columns = gone.any(2), gone.any(1)
    assert torch.equal(gone, rows[:, :, None] & columns[:, None, :]), "each is a rectangle"
    tall, broad = rows.sum(1), columns.sum(1)
    steps = nn.functional.pad(rows.int(), (1, 1)).diff(dim=1)
    assert ((steps == 1).sum(1) == 1).all(), "in one piece"
    share = (tall * broad) / 600
    assert 0.04 <= share.min() < 0.06
    assert 0.18 < share.max() <= 0.22
    assert {0, 19} <= {int(row.nonzero()[0]) for row in rows} | {int(row.nonzero()[-1]) for row in rows}
    assert (tall > broad).any()
    assert (tall < broad).any()


def test_a_blur_is_the_mean_over_a_normal_window(monkeypatch):
    x = images(2, 3, 9, 11)
    always(monkeypatch, 0.0, 1.0)
    y = make("GaussianBlur", 5, 0.5, 1.5, p=2.0)(x)
    for image, result, deviation in zip(x, y, (0.5, 1.5), strict=True):
        away = np.arange(-2, 3)
        window = np.exp(-(away**2) / (2 * deviation**2))
        window = np.outer(window, window) / window.sum() ** 2
        wide = np.pad(image.numpy(), ((0, 0), (2, 2), (2, 2)), "reflect")
        expected = [
            [(wide[:, i : i + 5, j : j + 5] * window).sum((1, 2)) for j in range(11)] for i in range(9)
        ]
        assert np.allclose(result.numpy(), np.array(expected).transpose(2, 0, 1))


def test_a_blur_keeps_what_is_even():
    x = torch.full((2, 3, 8, 8), 0.7, dtype=torch.float64)
    assert torch.allclose(make("GaussianBlur", 7, p=1.0)(x), x)


@pytest.mark.parametrize(("size", "words"), [(4, "expects an odd kernel size"), (17, "choose a smaller")])
def test_a_window_that_does_not_fit_is_refused(size, words):
    g = Builder("Blur")
    g.add("Output", g.add("GaussianBlur", g.add("Input", shape=(3, 8, 8)), kernel_size=size))
    with pytest.raises(Exception, match=words):
        compile_document(g.document())


def test_swapped_numbers_come_from_the_same_column():
    x = torch.arange(MANY, dtype=torch.float64)[:, None] + 1e6 * torch.arange(3)
    y = make("SwapNoise", 0.2)(x)
    assert torch.equal((y / 1e6).floor(), (x / 1e6).floor())
    assert (y != x).double().mean().item() == pytest.approx(0.2, abs=0.01)


def test_tokens_are_hidden_by_the_token():
    x = torch.randint(5, 50, (200, 100))
    y = make("TokenMasking", 3, 0.15)(x)
    assert ((y == x) | (y == 3)).all()
    assert (y == 3).double().mean().item() == pytest.approx(0.15, abs=0.01)


@pytest.mark.parametrize(("type_", "axis"), [("TimeMasking", -1), ("FrequencyMasking", -2)])
@pytest.mark.parametrize("shape", [(6, 12), (2, 6, 12)])
def test_a_stretch_is_hidden(type_, axis, shape):
    x = torch.ones(3000, *shape)
    y = make(type_, 4)(x)
    hidden = (y == 0).movedim(axis, -1).flatten(1, -2)
    assert (hidden == hidden[:, :1]).all(), "whole steps"
    hidden = hidden[:, 0]
    assert set(hidden.sum(1).tolist()) == {0, 1, 2, 3, 4}
    starts = (hidden.int().diff(dim=1, prepend=torch.zeros(3000, 1, dtype=torch.int)) == 1).sum(1)
    assert starts.max() == 1, "in one piece"
    assert hidden.any(0).all(), "anywhere"


MOVING = {
    "RandomHorizontalFlip": {},
    "RandomVerticalFlip": {},
    "RandomCrop": {"padding": 3, "mode": "reflect"},
    "RandomRotation": {"degrees": 60.0, "border": "border"},
    "RandomAffine": {"zoom": 0.4, "shear": 10.0},
}


@pytest.mark.parametrize("type_", MOVING)
@pytest.mark.parametrize("form", ["classes", "classes with a channel", "numbers"])
def test_a_mask_goes_where_its_image_goes(type_, form):
    """An image of two colors and its mask still agree, but for the pixels between the two."""
    g = Builder("Segments")
    image = g.add("Input", id="image", shape=(3, 12, 16))
    shape = {"classes": (12, 16), "classes with a channel": (1, 12, 16), "numbers": (2, 12, 16)}[form]
    mask = g.add("Input", id="mask", shape=shape, dtype="float" if form == "numbers" else "int")
    moved = g.add(type_, image, mask, id="moved", masks=True, **MOVING[type_])
    g.add("Output", moved)
    g.add("Output", moved["mask"])
    built = compile_document(g.document())
    torch.manual_seed(0)
    halves = (torch.rand(64, 1, 12, 16).cumsum(3) > 4).long()
    masks = halves * 3 + 1
    masks = masks[:, 0] if form == "classes" else masks.expand(-1, *shape)
    masks = masks.float() if form == "numbers" else masks
    x = (halves * 3 + 1).expand(-1, 3, -1, -1).float()
    y, after = built.outputs(built.model, {"image": x, "mask": masks})
    assert after.shape == masks.shape
    assert after.dtype == masks.dtype
    assert set(after.unique().tolist()) <= {0, 1, 4}, "no class lies between two others"
    flat = after.reshape(64, -1, 12, 16)[:, :1].float().expand_as(y)
    sure = (y == 1) | (y == 4)
    assert sure.double().mean() > 0.5
    agree = (y == flat)[sure].double().mean()
    assert agree > 0.999 if type_.endswith(("Flip", "Crop")) else agree > 0.97
    assert not torch.equal(after, masks)
    built.model.eval()
    assert all(
        a is b
        for a, b in zip(built.outputs(built.model, {"image": x, "mask": masks}), (x, masks), strict=True)
    )


@pytest.mark.parametrize(
    ("shape", "words"), [(None, "expects a mask beside the image"), ((8, 9), "expects a mask as large as")]
)
def test_a_mask_that_is_missing_or_too_small_is_told(shape, words):
    g = Builder("Lacking")
    masks = [g.add("Input", id="mask", shape=shape, dtype="int")] if shape else []
    g.add("Output", g.add("RandomCrop", g.add("Input", shape=(3, 8, 8)), *masks, masks=True))
    with pytest.raises(Exception, match=words):
        compile_document(g.document())


def test_an_export_holds_the_classes_that_it_uses_and_runs_with_torch_alone():
    g = Builder("Varied")
    x = g.add("RandomHorizontalFlip", g.add("Input", shape=(3, 8, 8)))
    g.add("Output", g.add("Conv2d", g.add("ColorJitter", x), out_channels=2))
    built = compile_document(g.document())
    text = built.source.text
    assert text.count("class Random") == 1
    assert text.count("class ColorJitter") == 1
    space: dict[str, object] = {"__name__": "exported"}
    exec(compile(text, "exported.py", "exec"), space)
    model = space[built.plan.name]()
    model.load_state_dict(built.model.state_dict())
    x = torch.rand(5, 3, 8, 8)
    for mode in (True, False):
        torch.manual_seed(3)
        expected = built.model.train(mode)(x)
        torch.manual_seed(3)
        assert torch.equal(model.train(mode)(x), expected)
