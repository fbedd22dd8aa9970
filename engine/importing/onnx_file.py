"""ONNX files: a graph of operators and their tensors; nothing in them is code."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from engine.errors import shown
from engine.importing.calls import BATCHES, NAMESPACE, Call, ImportingError, Place, Trace, names_read, parsed
from engine.importing.examples import Example, parse_example
from engine.importing.export_trace import is_leaf
from engine.importing.imported import Imported, build
from engine.importing.onnx_ops import RULES

_LARGEST = 2 * 2**30
_UNNAMED = re.compile(r"(val_\d+|onnx::|/|_?constant|lifted|arange|mask).*", re.IGNORECASE)
"""Names that exporters give to numbers which are no weights."""
_WORD = re.compile(r"[\w .,>-]{0,200}")
"""What a text in the file may be: the name of a mode, or an equation of einsum."""
_INT = (2, 3, 4, 5, 6, 7, 9, 12, 13)
"""ONNX's numbers for whole numbers and yes or no."""


def import_onnx(path: Path, inputs: Sequence[str] = ()) -> Imported:
    """Return the import of an ONNX file; ``inputs`` describe its inputs where the file leaves sizes open.

    Raises ImportingError where the package ``onnx`` is missing, for a damaged file, and for an operator that
    is not in the table.
    """
    model = _load(path)
    reader = _Reader(model, path, inputs)
    trace = reader.trace()
    batches = BATCHES if reader.batch is None else (reader.batch,)
    return build(trace, reader.examples, _runner(model), batches=batches)


def _load(path: Path) -> Any:
    try:
        import onnx
    except ImportError:
        raise ImportingError("Reading ONNX needs the package onnx: pip install netwright[onnx].") from None
    try:
        if path.stat().st_size > _LARGEST:
            raise ImportingError(
                f"{path.name} has more than {_LARGEST // 2**30} GB, the most that ONNX allows."
            )
        model = onnx.load(str(path))
        onnx.checker.check_model(model)
    except OSError as error:
        raise ImportingError(f"{path.name} cannot be read: {error.strerror or error}.") from None
    except ImportingError:
        raise
    except Exception as error:  # the parser's and the checker's own kinds
        reason = str(error).strip().partition("\n")[0][:200]
        raise ImportingError(f"{path.name} is no ONNX file, or it is damaged: {reason}") from None
    return model


def _runner(model: Any) -> Any:
    """Return what computes the file's own outputs, to compare with."""
    names = [each.name for each in model.graph.input]
    try:
        import onnxruntime

        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        run = session.run
    except ImportError:
        from onnx.reference import ReferenceEvaluator

        run = ReferenceEvaluator(model).run

    def original(given: Mapping[str, Tensor]) -> list[Tensor]:
        feeds = {name: given[_identifier(name)].numpy() for name in names if _identifier(name) in given}
        return [torch.from_numpy(value.copy()) for value in run(None, feeds)]

    return original


def _identifier(name: str) -> str:
    """Return a value's name as an identifier that nothing else has."""
    text = re.sub(r"\W", "_", name)
    return text if text[:1].isalpha() else f"v{text}"


class _Node:
    """One operator, as the table asks for it."""

    def __init__(self, reader: _Reader, node: Any):
        import onnx

        self._reader, self.node = reader, node
        self.names = list(node.input)
        self.inputs = [reader.texts.get(name, "None") if name else "None" for name in node.input]
        self.outputs = len(node.output)
        self._attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}

    def attribute(self, name: str, default: Any = None) -> Any:
        """Return an attribute, texts as texts and tensors as torch's."""
        import onnx

        value = self._attributes.get(name, default)
        if isinstance(value, onnx.TensorProto):
            return torch.from_numpy(onnx.numpy_helper.to_array(value).copy())
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
            if not _WORD.fullmatch(value) or isinstance(default, int | float):
                # It would enter the text of an expression: a word can do nothing there, code could.
                raise ImportingError(f"{self.node.op_type} has {shown(value)} as its {name}.")
        return value

    def constant(self, place: int) -> Any:
        """Return a known input as numbers."""
        if not self.is_known(place):
            raise ValueError("sizes that depend on the numbers of an input")
        return self._reader.env[self.inputs[place]].tolist()

    def is_known(self, place: int) -> bool:
        """Whether an input is the same for all inputs of the network."""
        return self.inputs[place] in self._reader.known

    def is_stored(self, place: int) -> bool:
        """Whether an input stands in the file as numbers."""
        return self.inputs[place].startswith("w_")

    def rank(self, place: int = 0) -> int:
        """Return how many dimensions an input has."""
        return self._reader.env[self.inputs[place]].dim()

    def batched(self, sizes: list[Any]) -> str:
        """Return the text of a shape, with the batch size where the file has a fixed one."""
        reader = self._reader
        first = self._reader.env[self.inputs[0]]
        size = reader.batch if reader.batch is not None else BATCHES[0]
        fixed = sizes and sizes[0] == size and self.inputs[0] not in reader.known
        open_ = fixed and (first.shape[:1] == (BATCHES[0],) or -1 not in sizes[1:])
        texts = [f"{reader.first}.size(0)" if open_ else str(sizes[0]), *map(str, sizes[1:])] if sizes else []
        return f"[{', '.join(texts)}]"


class _Reader:
    """Turns operators into calls, and computes them once to know the sizes that others ask for."""

    def __init__(self, model: Any, path: Path, inputs: Sequence[str]):
        self.model, self.path = model, path
        self.texts: dict[str, str] = {}
        self.env: dict[str, Tensor] = {}
        self.known: set[str] = set()
        self.calls: list[Call] = []
        self.batch: int | None = None
        self.first = ""
        self.stored = {each.name: each for each in model.graph.initializer}
        self.examples = self._examples(inputs)

    def trace(self) -> Trace:
        import onnx

        for name, each in self.stored.items():
            value = torch.from_numpy(onnx.numpy_helper.to_array(each).copy())
            self._store(name, value)
        for example in self.examples:
            self.calls.append(Call(example.name, role="input"))
            self.env[example.name] = example.tensor(BATCHES[0])
        for node in self.model.graph.node:
            self._call(node)
        outputs = {_identifier(each.name): self.texts[each.name] for each in self.model.graph.output}
        return Trace(self.path.stem, self.calls, outputs)

    def _examples(self, inputs: Sequence[str]) -> tuple[Example, ...]:
        given = [parse_example(text) for text in inputs]
        found = []
        tables = [node.input[0] for node in self.model.graph.node if node.op_type == "Gather"]
        sizes = [self.stored[name].dims for name in tables if name in self.stored]
        classes = min((size[0] for size in sizes if len(size) == 2), default=2)
        for each in self.model.graph.input:
            if each.name in self.stored:
                continue
            name = _identifier(each.name)
            kind = each.type.tensor_type
            dtype = "int" if kind.elem_type in _INT else "float"
            sizes = [d.dim_value if d.HasField("dim_value") else 0 for d in kind.shape.dim]
            typed = next((other for other in given if other.name in (name, each.name, "")), None)
            if typed:
                given.remove(typed)
            if typed is None and (0 in sizes[1:] or not sizes):
                raise ImportingError(
                    f"The sizes of {shown(each.name)} are open: say one, such as --input {name}=1,16."
                )
            if sizes and sizes[0]:
                self.batch = sizes[0]
            shape = typed.shape if typed else (1, *sizes[1:])
            found.append(Example(name, tuple(shape), dtype, classes))
            self.texts[each.name] = name
        if not found:
            raise ImportingError(f"{self.path.name} has no input.")
        self.first = found[0].name
        return tuple(found)

    def _store(self, name: str, value: Tensor) -> None:
        text = f"w_{_identifier(name)}"
        learned = value.is_floating_point() and value.dim() > 0 and not _UNNAMED.fullmatch(name)
        tensor = nn.Parameter(value) if learned else value
        self.texts[name], self.env[text] = text, value
        self.known.add(text)
        self.calls.append(
            Call(text, role="tensor", path=name.rpartition(".")[0] if learned else "", tensor=tensor)
        )

    def _call(self, node: Any) -> None:
        asked = _Node(self, node)
        if node.op_type == "Constant":
            values = [asked.attribute(a.name) for a in node.attribute]
            return self._store(node.output[0], torch.as_tensor(values[0]))
        rule = RULES.get(node.op_type)
        if rule is None or node.domain not in ("", "ai.onnx"):
            raise ImportingError(
                f"{self.path.name} uses the operator {shown(node.op_type)}, which cannot be "
                f"imported; those that can are standard ones such as Conv, Gemm and MatMul."
            )
        try:
            text = rule.format(*asked.inputs, *["None"] * 4) if isinstance(rule, str) else rule(asked)
            result = eval(compile(text, "<onnx>", "eval"), {**NAMESPACE, **self.env})
        except ImportingError:
            raise
        except Exception as error:  # a form of the operator that its line does not know
            reason = str(error).strip().partition("\n")[0]
            raise ImportingError(
                f"{node.op_type} {node.name} of {self.path.name} cannot be imported: {reason}."
            ) from None
        name = f"v_{_identifier(node.output[0])}"
        places, path = _scope(node)
        if not node.metadata_props:  # made by an optimizer: it belongs where its input does
            places = next((call.places for call in reversed(self.calls) if call.name in asked.inputs[:1]), ())
        self.calls.append(Call(name, text, places=places, path=path))
        if not set(names_read(parsed(text))) & (self.env.keys() - self.known):
            self.known.add(name)
        self.env[name] = result
        if isinstance(result, tuple | list):
            for place, output in enumerate(node.output):
                part = f"{name}_{place}"
                self.calls.append(Call(part, f"{name}[{place}]", places=places))
                self.texts[output], self.env[part] = part, result[place]
            return None
        self.texts[node.output[0]] = name
        return None


def _scope(node: Any) -> tuple[tuple[Place, ...], str]:
    """Return the modules that an operator came from, where its exporter wrote them down."""
    words = {each.key: each.value for each in node.metadata_props}
    namespace = words.get("namespace", "")
    found = [part.partition(": ") for part in namespace.split("/") if ": " in part]
    places = [Place(path, kind) for path, _, kind in found if path and not kind.startswith("aten.")]
    if places and is_leaf(places[-1]):
        return tuple(places[:-1]), places[-1].path
    return tuple(places), ""
