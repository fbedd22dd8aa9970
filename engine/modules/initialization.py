"""How weights begin, where a document says so."""

from torch import nn


def initialize_weights(module: nn.Module, how, **options) -> None:
    """Let weights of two dimensions and more begin as ``how`` of nn.init says, and biases with zeros.

    What normalizes stays as torch makes it, and so does an embedding's vector for padding.
    """
    for each in module.modules():
        if isinstance(each, nn.LayerNorm | nn.RMSNorm):
            continue
        for name, value in each.named_parameters(recurse=False):
            if "weight" in name and value.dim() > 1:
                how(value, **options)
            elif "bias" in name:
                nn.init.zeros_(value)
        if getattr(each, "padding_idx", None) is not None:
            nn.init.zeros_(each.weight[each.padding_idx])
