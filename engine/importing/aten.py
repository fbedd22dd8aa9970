"""Operators of torch.export in the words that people write: one line for each whose name is not enough.

An operator without a line is the function of that name in ``torch`` or ``torch.nn.functional``, or the
tensor's method. ``{0}`` is an argument by its place, ``{name}`` by its name in the operator's declaration;
what is not given stands there as its default.
"""

from __future__ import annotations

from collections.abc import Mapping

SKIPPED = frozenset(
    {
        "_assert_tensor_metadata", "_assert_scalar", "_assert_async", "sym_constrain_range",
        "sym_constrain_range_for_size", "_functional_assert_async",
    }
)  # fmt: skip
"""Operators that check something and compute nothing."""

TEMPLATES: Mapping[str, str] = {
    "alias": "{0}",
    "lift_fresh_copy": "{0}",
    "detach": "{0}",
    "detach_": "{0}",
    "contiguous": "{0}",
    "view": "{0}.reshape({1})",
    "_unsafe_view": "{0}.reshape({1})",
    "reshape": "{0}.reshape({1})",
    "expand": "{0}.expand({1})",
    "repeat": "{0}.repeat({1})",
    "permute": "{0}.permute({1})",
    "to": "{0}.to({dtype})",
    "_to_copy": "{0}.to({dtype})",
    "sym_size": "{0}.size({1})",
    "embedding": "F.embedding({1}, {0}, {padding_idx})",
    "slice": "{0}[{slice}]",
    "index": "{0}[{indices}]",
    "batch_norm": "F.batch_norm({0}, {3}, {4}, {1}, {2}, {5}, {6}, {7})",
    "_native_batch_norm_legit_no_training": "(F.batch_norm({0}, {3}, {4}, {1}, {2}, False, {5}, {6}),)",
    "native_layer_norm": "(F.layer_norm({0}, {1}, {2}, {3}, {4}),)",
    "native_group_norm": "(F.group_norm({0}, {6}, {1}, {2}, {7}),)",
    "layer_norm": "F.layer_norm({0}, {1}, {2}, {3}, {4})",
    "group_norm": "F.group_norm({0}, {1}, {2}, {3}, {4})",
    "linear": "F.linear({0}, {1}, {2})",
    "convolution": "torch.convolution({0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, {8})",
    "scaled_dot_product_attention":
        "F.scaled_dot_product_attention({0}, {1}, {2}, attn_mask={3}, is_causal={5}, scale={scale})",
    "_scaled_dot_product_flash_attention_for_cpu":
        "(F.scaled_dot_product_attention({0}, {1}, {2}, attn_mask={attn_mask}, is_causal={4}, "
        "scale={scale}),)",
    "_softmax": "F.softmax({0}, {1})",
    "softmax": "F.softmax({0}, {1})",
    "_log_softmax": "F.log_softmax({0}, {1})",
    "log_softmax": "F.log_softmax({0}, {1})",
    "relu": "F.relu({0})",
    "__and__": "{0} & {1}",
    "__or__": "{0} | {1}",
    "bitwise_and": "{0} & {1}",
    "bitwise_or": "{0} | {1}",
    "bitwise_not": "~{0}",
    "reciprocal": "1 / {0}",
    "constant_pad_nd": "F.pad({0}, {1}, value={2})",
    "pad": "F.pad({0}, {1}, {2}, {3})",
    "upsample_nearest2d": "F.interpolate({0}, size={1}, scale_factor={scale_factors}, mode='nearest')",
    "upsample_nearest1d": "F.interpolate({0}, size={1}, scale_factor={scale_factors}, mode='nearest')",
    "upsample_bilinear2d":
        "F.interpolate({0}, size={1}, scale_factor={scale_factors}, mode='bilinear', align_corners={2})",
    "upsample_bicubic2d":
        "F.interpolate({0}, size={1}, scale_factor={scale_factors}, mode='bicubic', align_corners={2})",
    "_adaptive_avg_pool2d": "F.adaptive_avg_pool2d({0}, {1})",
    "adaptive_avg_pool2d": "F.adaptive_avg_pool2d({0}, {1})",
    "adaptive_avg_pool1d": "F.adaptive_avg_pool1d({0}, {1})",
    "max_pool2d": "F.max_pool2d({0}, {1}, {stride}, {padding}, {dilation}, {ceil_mode})",
    "max_pool1d": "F.max_pool1d({0}, {1}, {stride}, {padding}, {dilation}, {ceil_mode})",
    "max_pool2d_with_indices": "(F.max_pool2d({0}, {1}, {stride}, {padding}, {dilation}, {ceil_mode}),)",
    "lstm": "torch.lstm({0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, {8})",
    "gru": "torch.gru({0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, {8})",
    "rnn_tanh": "torch.rnn_tanh({0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, {8})",
    "rnn_relu": "torch.rnn_relu({0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, {8})",
}  # fmt: skip
