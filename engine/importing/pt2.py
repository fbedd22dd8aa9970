"""Programs that torch.export saved: only their graph and their tensors are read.

``torch.export.load`` unpickles parts of an archive (sample inputs, constants that are no tensors) and
evaluates texts in its JSON (sizes, guards), so a foreign file could run code through it. What it gets here is
therefore a copy with none of that: numbers, operators of ``aten``, and sizes that are plain arithmetic.
"""

from __future__ import annotations

import ast
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.utils._pytree as pytree
from torch import Tensor, fx
from torch.export import ExportedProgram

from engine.errors import shown
from engine.importing.calls import BATCHES, ImportingError
from engine.importing.examples import Example, parse_example, tensors
from engine.importing.export_trace import quiet, trace_program
from engine.importing.fx_trace import Untraceable
from engine.importing.imported import Imported, build

_LARGEST = 8 * 2**30
_LARGEST_GRAPH = 256 * 2**20
_KEPT = re.compile(
    r"[^/]+/(models/model\.json|data/weights/(weight_\d+|model_weights_config\.json)"
    r"|data/constants/(tensor_\d+|model_constants_config\.json)"
    r"|archive_format|archive_version|byteorder|\.data/version|\.data/serialization_id)"
)
_SAMPLES = re.compile(r"[^/]+/data/sample_inputs/model\.pt")
_TARGET = re.compile(
    r"torch\.ops\.aten\.(?!from_file\b)\w+(\.\w+)?|_operator\.(getitem|add|sub|mul|floordiv|mod|pow|neg)"
)
_SIZES = frozenset(
    [
        "Symbol",
        "Integer",
        "Rational",
        "Float",
        "Mul",
        "Add",
        "Pow",
        "Mod",
        "Max",
        "Min",
        "FloorDiv",
        "CeilDiv",
        "CleanDiv",
        "PythonMod",
        "ModularIndexing",
        "Identity",
        "Eq",
        "Ne",
        "Lt",
        "Le",
        "Gt",
        "Ge",
        "And",
        "Or",
        "Not",
        "Equality",
        "Unequality",
        "StrictLessThan",
        "LessThan",
        "StrictGreaterThan",
        "GreaterThan",
        "true",
        "false",
        "oo",
        "int_oo",
        "IntInfinity",
        "NegativeIntInfinity",
    ]
)
"""Functions of sympy in the texts of sizes, which it evaluates: arithmetic and nothing else."""


_ARITHMETIC = (
    ast.Expression, ast.Call, ast.Name, ast.Load, ast.keyword, ast.Constant, ast.BinOp, ast.UnaryOp,
    ast.operator, ast.unaryop,
)  # fmt: skip


def import_pt2(path: Path, inputs: Sequence[str] = ()) -> Imported:
    """Return the import of a ``.pt2`` file; ``inputs`` describe its inputs where the file leaves sizes open.

    Raises ImportingError for a file that is damaged, no such program, or holds more than graph and tensors.
    """
    program = load_program(path)
    examples = _examples(program, inputs)
    fixed = [v.shape[0] for _, v in _inputs(program) if v.shape and isinstance(v.shape[0], int)]
    given = tensors(examples, fixed[0] if fixed else BATCHES[0])
    leaves = [given.get(name, name) for name in map(str, program.graph_signature.user_inputs)]
    program.example_inputs = pytree.tree_unflatten(leaves, program.call_spec.in_spec)
    batch = int(fixed[0]) if fixed else None
    try:
        trace = trace_program(program, path.stem, None, batch)
    except Untraceable as error:
        raise ImportingError(
            f"{path.name} cannot be drawn: {error.path or 'the program'}: {error.reason}."
        ) from None

    def original(given: Mapping[str, Tensor]) -> Sequence[Tensor]:
        return _run(program, given)

    return build(trace, examples, original, batches=BATCHES if batch is None else (batch,))


def load_program(path: Path) -> ExportedProgram:
    """Return the program in a file. Raises ImportingError with the reason."""
    try:
        if path.stat().st_size > _LARGEST:
            raise ImportingError(f"{path.name} has more than {_LARGEST // 2**30} GB.")
        data = _cleaned(path)
        with quiet():
            return torch.export.load(data)
    except OSError as error:
        raise ImportingError(f"{path.name} cannot be read: {error.strerror or error}.") from None
    except zipfile.BadZipFile:
        raise ImportingError(f"{path.name} is no torch.export program, or it is damaged.") from None
    except ImportingError:
        raise
    except Exception as error:  # of the many kinds that a damaged archive brings about inside torch
        reason = str(error).strip().partition("\n")[0][:200]
        raise ImportingError(f"{path.name} cannot be read as a torch.export program: {reason}") from None


def _cleaned(path: Path) -> io.BytesIO:
    """Return a copy of an archive that holds nothing but numbers, sizes and operators of aten."""
    result = io.BytesIO()
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(result, "w") as copy:
        names = archive.namelist()
        if not any(name.endswith("/models/model.json") for name in names):
            raise ImportingError(
                f"{path.name} is no torch.export program: it has no graph. Save it with torch.export.save."
            )
        for name in names:
            if _SAMPLES.fullmatch(name):
                copy.writestr(name, _no_samples())
            elif _KEPT.fullmatch(name):
                data = archive.read(name)
                copy.writestr(name, _checked(name, data, path) if name.endswith(".json") else data)
            elif not name.endswith("/") and "/extra/" not in name:
                raise ImportingError(
                    f"{path.name} holds {shown(name.partition('/')[2])}, which could run code when it is "
                    f"read; only programs of graph and tensors are imported."
                )
    result.seek(0)
    return result


def _no_samples() -> bytes:
    buffer = io.BytesIO()
    torch.save(((), {}), buffer)
    return buffer.getvalue()


def _checked(name: str, data: bytes, path: Path) -> bytes:
    """Return a JSON part without guards. Raises ImportingError for what would be evaluated or unpickled."""
    if len(data) > _LARGEST_GRAPH:
        raise ImportingError(f"{path.name} has a graph of more than {_LARGEST_GRAPH // 2**20} MB.")
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        raise ImportingError(f"{path.name} is damaged: {name.rpartition('/')[2]} is no JSON.") from None
    for key, value in _walk(tree):
        if key == "use_pickle" and value:
            raise ImportingError(f"{path.name} holds pickled tensors, which could run code; save plain ones.")
        if key == "path_name" and not re.fullmatch(r"(weight|tensor)_\d+", str(value)):
            raise ImportingError(f"{path.name} holds the object {shown(value)}, which is no tensor.")
        if key == "expr_str" and not _is_arithmetic(value):
            raise ImportingError(f"{path.name} has a size that is no arithmetic: {shown(value)}.")
        if key == "target" and isinstance(value, str) and not _TARGET.fullmatch(value):
            raise ImportingError(f"{path.name} uses {shown(value)}; operators of aten can be imported.")
    if isinstance(tree, dict) and "guards_code" in tree:
        tree["guards_code"] = []
    return json.dumps(tree).encode()


def _is_arithmetic(text: Any) -> bool:
    """Return whether the text of a size holds nothing but numbers, symbols and arithmetic."""
    try:
        nodes = list(ast.walk(ast.parse(text, mode="eval")))
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return False
    for node in nodes:
        if isinstance(node, ast.Name) and not (node.id in _SIZES or re.fullmatch(r"[su]\d+", node.id)):
            return False
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if not re.fullmatch(r"[su]\d+", node.value):
                return False
        elif not isinstance(node, _ARITHMETIC):
            return False
    return True


def _walk(tree: Any) -> Iterator[tuple[str, Any]]:
    stack = [tree]
    while stack:
        each = stack.pop()
        if isinstance(each, dict):
            yield from each.items()
            stack += each.values()
        elif isinstance(each, list):
            stack += each


def _inputs(program: ExportedProgram) -> list[tuple[str, Any]]:
    """Return the inputs of a program by name, as tensors without numbers."""
    wanted = set(program.graph_signature.user_inputs)
    found = [(node.name, node.meta.get("val")) for node in program.graph.nodes if node.op == "placeholder"]
    return [(name, value) for name, value in found if name in wanted and isinstance(value, Tensor)]


def _examples(program: ExportedProgram, inputs: Sequence[str]) -> tuple[Example, ...]:
    classes = min((int(node.args[0].meta["val"].shape[0]) for node in program.graph.nodes
                   if "aten.embedding" in str(node.target)), default=2)  # fmt: skip
    given = [parse_example(text) for text in inputs]
    found = []
    for name, value in _inputs(program):
        dtype = "float" if value.is_floating_point() else "int"
        typed = next((each for each in given if each.name in (name, "")), None)
        if typed:
            given.remove(typed)
            found.append(replace(typed, name=name, dtype=dtype, classes=classes))
            continue
        if not all(isinstance(size, int) for size in value.shape[1:]):
            raise ImportingError(f"The sizes of {name} are open: say one, such as --input {name}=1,16.")
        shape = tuple(size if isinstance(size, int) else 1 for size in value.shape)
        found.append(Example(name, shape, dtype, classes))
    if not found:
        raise ImportingError("The program has no tensor as its input.")
    return tuple(found)


def _run(program: ExportedProgram, given: Mapping[str, Tensor]) -> list[Tensor]:
    """Return what a program gives, without the guards that its own module would evaluate."""
    args = []
    for each in program.graph_signature.input_specs:
        if each.target is not None:
            args.append(program.state_dict.get(each.target, program.constants.get(each.target)))
        else:
            args.append(given.get(getattr(each.arg, "name", ""), getattr(each.arg, "value", None)))
    with torch.no_grad():
        results = fx.Interpreter(program.graph_module).run(*args)
    count = len(program.graph_signature.user_outputs)
    return [value for value in results[len(results) - count :] if isinstance(value, Tensor)]
