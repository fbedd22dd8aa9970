"""Random numbers inside a network."""

from __future__ import annotations

from engine.layers.declaration import Layer, Port
from engine.layers.params import Float
from engine.layers.text import shown_shape

gaussian_noise = Layer(
    "GaussianNoise",
    category="Augmentation",
    doc="Adds normal noise while training; passes everything when evaluating.",
    params=(Float(name="std", default=0.1, min=0, label="Deviation", doc="How strong the noise is."),),
    init="GaussianNoise({std})",
    module="gaussian_noise",
    call="{self}({x})",
    summary=lambda p: f"deviation {p['std']:g}",
    title="Gaussian noise",
    prefix="noise",
    synonyms=("augmentation", "data augmentation", "denoising", "jitter", "regularization"),
)


def _pair(mean: tuple, log_variance: tuple) -> dict[str, object]:
    if tuple(mean) != tuple(log_variance):
        raise ValueError(
            f"expects a variance for each mean, {shown_shape(mean)} and {shown_shape(log_variance)} arrive"
        )
    return {}


gaussian_reparameterization = Layer(
    "GaussianReparameterization",
    category="Regularization",
    doc="Draws normal numbers whose mean and variance can learn; gives the mean when evaluating.",
    inputs=(
        Port("mean", doc="The mean of each number."),
        Port("log_variance", doc="The logarithm of its variance."),
    ),
    infer=_pair,
    init="GaussianReparameterization()",
    module="gaussian_reparameterization",
    call="{self}({mean}, {log_variance})",
    title="Gaussian sample",
    prefix="sample",
    synonyms=("reparameterization", "vae", "variational", "latent"),
)
