"""Each module against its equation, written out in loops and in double precision."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from engine.modules.gaussian_noise import GaussianNoise
from engine.modules.gaussian_reparameterization import GaussianReparameterization
from engine.modules.learned_tensor import LearnedTensor
from engine.modules.masked_convolution import MaskedConv2d
from engine.modules.position_embedding import PositionEmbedding
from engine.modules.region_align import RoIAlign
from engine.modules.region_pool import RoIPool

FEATURES = np.random.default_rng(0).standard_normal((2, 3, 8, 10))
BOXES = np.array(
    [
        [[0, 0, 9, 7], [2.3, 1.1, 7.9, 6.4], [5, 5, 5, 5], [-3, -2, 4, 3.5]],
        [[7.5, 3.2, 14, 11], [0.6, 0.6, 1.4, 1.4], [3, 2, 9.9, 7.9], [20, 20, 30, 30]],
    ]
)


def bilinear(image: np.ndarray, y: float, x: float) -> np.ndarray:
    """One sample; 0 more than a pixel outside, the border's value nearer."""
    height, width = image.shape[1:]
    if not (-1 <= y <= height and -1 <= x <= width):
        return np.zeros(image.shape[0])
    y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
    top, left = int(y), int(x)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    b, a = y - top, x - left
    return (
        (1 - b) * (1 - a) * image[:, top, left]
        + (1 - b) * a * image[:, top, right]
        + b * (1 - a) * image[:, bottom, left]
        + b * a * image[:, bottom, right]
    )


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("samples", [1, 2, 3])
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_roi_align(aligned, samples, scale):
    rows, columns = 3, 2
    module = RoIAlign((rows, columns), scale, samples, aligned)
    result = module(torch.from_numpy(FEATURES), torch.from_numpy(BOXES)).numpy()
    assert result.shape == (2, 4, 3, rows, columns)
    for n, r in np.ndindex(2, 4):
        x1, y1, x2, y2 = BOXES[n, r] * scale - (0.5 if aligned else 0)
        height = y2 - y1 if aligned else max(y2 - y1, 1)
        width = x2 - x1 if aligned else max(x2 - x1, 1)
        for row, column in np.ndindex(rows, columns):
            points = [
                bilinear(
                    FEATURES[n],
                    y1 + (row + (i + 0.5) / samples) * height / rows,
                    x1 + (column + (j + 0.5) / samples) * width / columns,
                )
                for i, j in np.ndindex(samples, samples)
            ]
            assert np.allclose(result[n, r, :, row, column], np.mean(points, 0), atol=1e-10)


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_roi_pool(scale):
    rows, columns = 3, 2
    result = RoIPool((rows, columns), scale)(torch.from_numpy(FEATURES), torch.from_numpy(BOXES)).numpy()
    for n, r in np.ndindex(2, 4):
        x1, y1, x2, y2 = (math.floor(each * scale + 0.5) for each in BOXES[n, r])
        height, width = max(y2 - y1 + 1, 1), max(x2 - x1 + 1, 1)
        for row, column in np.ndindex(rows, columns):
            top = y1 + math.floor(row * height / rows)
            bottom = y1 + math.ceil((row + 1) * height / rows)
            left = x1 + math.floor(column * width / columns)
            right = x1 + math.ceil((column + 1) * width / columns)
            part = FEATURES[n, :, max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
            expected = part.max((1, 2)) if part.size else np.zeros(3)
            assert np.array_equal(result[n, r, :, row, column], expected)


@pytest.mark.parametrize("module", [RoIAlign(2), RoIPool(2)])
def test_regions_pass_gradients_to_the_features(module):
    """The gradient is that of finite differences."""
    features = torch.from_numpy(FEATURES[:, :1]).requires_grad_()
    assert torch.autograd.gradcheck(lambda each: module(each, torch.from_numpy(BOXES)), [features])


def seen(layers: nn.Module, size: int) -> torch.Tensor:
    """Which pixels the middle one of the result depends on."""
    x = torch.randn(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    layers.double()(x)[0, :, size // 2, size // 2].sum().backward()
    return x.grad[0, 0] != 0


@pytest.mark.parametrize("kernel", [3, 5, (3, 5)])
def test_a_masked_convolution_sees_no_future(kernel):
    size = 9
    before = (torch.arange(size * size) < size * size // 2).reshape(size, size)
    here = (torch.arange(size * size) == size * size // 2).reshape(size, size)
    first = MaskedConv2d("A", 1, 4, kernel, padding="same")
    later = MaskedConv2d("B", 4, 4, kernel, padding="same")
    assert not (seen(first, size) & ~before).any()
    assert not (seen(nn.Sequential(first, later, later), size) & ~before).any()
    second = seen(MaskedConv2d("B", 1, 4, kernel, padding="same"), size)
    assert second[size // 2, size // 2]
    assert not (second & ~(before | here)).any()
    rows, columns = first.kernel_size
    assert seen(first, size).sum() == (rows // 2) * columns + columns // 2


def test_a_masked_convolution_keeps_the_weights_of_a_convolution():
    assert set(MaskedConv2d("A", 1, 4, 3).state_dict()) == {"weight", "bias"}


def test_noise_only_while_training():
    torch.manual_seed(0)
    module, x = GaussianNoise(0.3), torch.zeros(100_000)
    noisy = module(x)
    assert noisy.std().item() == pytest.approx(0.3, rel=0.02)
    assert noisy.mean().item() == pytest.approx(0, abs=0.01)
    assert module.eval()(x) is x


def test_a_gaussian_sample_has_its_mean_and_variance_and_lets_both_learn():
    torch.manual_seed(0)
    module = GaussianReparameterization()
    mean = torch.full((100_000,), 2.0, requires_grad=True)
    log_variance = torch.full((100_000,), math.log(0.25), requires_grad=True)
    sample = module(mean, log_variance)
    assert sample.mean().item() == pytest.approx(2, abs=0.01)
    assert sample.std().item() == pytest.approx(0.5, rel=0.02)
    sample.sum().backward()
    assert torch.equal(mean.grad, torch.ones_like(mean))
    assert torch.allclose(
        log_variance.grad, (sample - mean).detach() / 2, atol=1e-6
    )  # d exp(v/2) e = e exp(v/2) / 2
    assert module.eval()(mean, log_variance) is mean


@pytest.mark.parametrize(("start", "check"), [("zeros", 0.0), ("ones", 1.0)])
def test_learned_tensor(start, check):
    module = LearnedTensor((2, 3), start)
    assert module().shape == (2, 3)
    assert (module() == check).all()
    assert module().requires_grad
    assert LearnedTensor((), "ones")().item() == 1
    torch.manual_seed(0)
    assert LearnedTensor((10_000,), "normal")().std().item() == pytest.approx(0.02, rel=0.05)


def test_positions_are_learned_by_place():
    module = PositionEmbedding(4, 6)
    x = torch.zeros(3, 5, 4)
    assert torch.equal(module(x)[1], module.weight[:5])
    module(x).sum().backward()
    assert module.weight.grad[:, 0].tolist() == [3, 3, 3, 3, 3, 0]
