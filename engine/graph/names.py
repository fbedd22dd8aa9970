"""Which words may name things: what would mean something else in generated code is taken."""

from __future__ import annotations

import keyword
import re

_ID = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_MODULE = """
add_module apply bfloat16 bmm buffers call_super_init children compile cpu cuda double dump_patches eval
extra_repr float forward get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict
modules mtia named_buffers named_children named_modules named_parameters parameters register_backward_hook
register_buffer register_forward_hook register_forward_pre_hook register_full_backward_hook
register_full_backward_pre_hook register_load_state_dict_post_hook register_load_state_dict_pre_hook
register_module register_parameter register_state_dict_post_hook register_state_dict_pre_hook requires_grad_
set_extra_state set_submodule share_memory state_dict to to_empty train training type xpu zero_grad
T_destination
"""
_RESERVED = {*_MODULE.split(), *keyword.kwlist, "self", "torch", "nn", "F", "model"}


CLASSES = frozenset({"Tensor", "NamedTuple", "Outputs", "F", "True", "False", "None"})
"""Names that generated code has another use for."""


def is_id(text: object) -> bool:
    """Return whether a text may be a node's id: an identifier that is free in a module."""
    return isinstance(text, str) and bool(_ID.fullmatch(text)) and text not in _RESERVED


def is_block_name(text: object) -> bool:
    """Return whether a text may be the name of a block's class: an identifier that begins with a capital."""
    return is_id(text) and text[0].isupper() and text not in CLASSES


def is_param_name(text: object) -> bool:
    """Return whether a text may be the name of a block's parameter; ``repeat`` belongs to every block."""
    return is_id(text) and text not in ("repeat", "range")
