"""The sample of a variational autoencoder."""

import torch
from torch import Tensor, nn


class GaussianReparameterization(nn.Module):
    """z = mean + exp(log_variance / 2) e with e ~ N(0, 1) while training, z = mean when evaluating.

    The noise comes from outside, so gradients reach mean and variance. Kingma and Welling, "Auto-Encoding
    Variational Bayes", 2013, section 2.4.
    """

    def forward(self, mean: Tensor, log_variance: Tensor) -> Tensor:
        if not self.training:
            return mean
        return mean + torch.exp(log_variance / 2) * torch.randn_like(mean)
