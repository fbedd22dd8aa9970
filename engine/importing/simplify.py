"""Detours that compilers and exporters make and no person would draw, taken back."""

from __future__ import annotations

import re

import torch

from engine.importing.calls import About, Call, Trace, all_names
from engine.importing.normalize import called

_RESHAPES = {"reshape", "view"}
_PRODUCTS = {"addmm", "mm", "linear", "matmul"}


def simplify(trace: Trace) -> None:
    """Rewrite a trace that has run: products of matrices keep the shape of their input and take in a bias."""
    readers = _readers(trace)
    for call in trace.calls:
        _keep_shape(call, trace.by_name(), readers)
    readers = _readers(trace)
    for call in trace.calls:
        _take_in_bias(call, trace.by_name(), readers)


def _readers(trace: Trace) -> dict[str, list[Call]]:
    found: dict[str, list[Call]] = {}
    for call in trace.calls:
        for name in all_names(call.expression) if call.text else ():
            found.setdefault(name, []).append(call)
    for text in trace.outputs.values():
        found.setdefault(text, []).append(Call("output"))
    return found


def _keep_shape(product: Call, calls: dict[str, Call], readers: dict[str, list[Call]]) -> None:
    """Undo ``linear(x.reshape(-1, d)).reshape(n, l, e)``: a linear layer takes any number of dimensions."""
    if product.role != "call" or product.module is not None or "input" not in product.depends:
        return
    name, _ = called(product.expression)
    if name not in _PRODUCTS:
        return
    read = [calls[name] for name in all_names(product.expression) & calls.keys()]
    flat = next((each for each in read if "input" in each.depends), None)
    if flat is None or not _is_reshape(flat):
        return
    after = [reader.shapes for reader in readers.get(product.name, ()) if _is_reshape(reader)]
    if (
        len(flat.shapes[0].shape) != 2
        or not isinstance(product.shapes[0], About)
        or len(readers[flat.name]) != 1
    ):
        return
    if len(after) != len(readers[product.name]) or any(shapes != after[0] for shapes in after):
        return
    rows = [(*shape.shape[:-1],) for shape in after[0]]
    before = calls.get(getattr(called(flat.expression)[1][0], "id", ""))
    starts = [shape.shape[:1] for shape in before.shapes] if before else []
    if starts != [lead[:1] for lead in rows] or any(lead[1:] != rows[0][1:] for lead in rows):
        return  # the batch is somewhere else than in front
    if any(
        torch.Size(lead).numel() != shape.shape[0] or wanted.shape[-1] != shape.shape[-1]
        for lead, shape, wanted in zip(rows, product.shapes, after[0], strict=True)
    ):
        return
    for call in (flat, product):
        pairs = zip(rows, call.shapes, strict=True)
        call.shapes = tuple(About((*lead, about.shape[-1]), about.dtype) for lead, about in pairs)


def _is_reshape(call: Call) -> bool:
    return bool(call.text) and called(call.expression)[0] in _RESHAPES


def _take_in_bias(total: Call, calls: dict[str, Call], readers: dict[str, list[Call]]) -> None:
    """Make one layer of ``x @ weight + bias``."""
    if total.role != "call" or total.module is not None:
        return
    match = re.fullmatch(r"(?:torch\.add\((\w+), (\w+)\)|(\w+) \+ (\w+))", total.text)
    names = [name for name in match.groups() if name] if match else []
    if len(names) != 2 or any(name not in calls for name in names):
        return
    product, bias = sorted((calls[name] for name in names), key=lambda call: "input" not in call.depends)
    match = re.fullmatch(r"(?:torch\.matmul\((\w+), (\w+)\)|(\w+) @ (\w+))", product.text)
    if not match or "input" in bias.depends or len(readers.get(product.name, ())) != 1:
        return
    x, weight = (calls.get(name) for name in match.groups() if name)
    if x is None or weight is None or "input" in weight.depends or not bias.shapes:
        return
    if len(weight.shapes[0].shape) == 2 and bias.shapes[0].shape == weight.shapes[0].shape[1:]:
        total.text = f"torch.addmm({bias.name}, {x.name}, {weight.name})"
        total.path, total.places = product.path or total.path, product.places
