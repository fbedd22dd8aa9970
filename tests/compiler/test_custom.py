"""Layers written in Python at work: off until they are trusted, then measured, trained and exported."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from engine.compiler.analyze import analyze
from engine.compiler.guard import check_source
from engine.compiler.module import compile_document
from engine.compiler.trust import digest, distrust, trust_document, trust_source, untrusted
from engine.errors import CompileError, FileError
from engine.export import export
from engine.graph.blocks import group
from engine.graph.build import Builder
from engine.graph.custom import TEMPLATE, add_custom, set_custom
from engine.graph.document import Document, Slot
from engine.graph.edits import add_node, connect, set_params
from engine.graph.settings import set_training
from engine.storage.document_file import from_json, load_document, save_document, to_json
from engine.training.events import Failed, Finished
from engine.training.runner import Runner

EVIL = """\
import pathlib
pathlib.Path({path!r}).write_text("top")
def spread(function):
    pathlib.Path({path!r}).write_text("decorator")
    return function
@spread
class Evil(nn.Module):
    pathlib.Path({path!r}).write_text("body")
    def __init__(self, k: int = 1, size=pathlib.Path({path!r}).write_text("default")):
        super().__init__()
    def forward(self, x: Tensor, more: pathlib.Path({path!r}).touch() = None) -> Tensor:
        return x
"""
GATE = TEMPLATE.format(name="Gate")
SPLIT = '''\
import math

PI = math.pi  # the circle's


def spin(x, angle: float = 0.5):
    """Turn pairs of numbers."""
    a, b = x.chunk(2, dim=1)
    c, s = math.cos(angle * PI), math.sin(angle * PI)
    return c * a - s * b, s * a + c * b
'''


def after_input(*sources: str, shape: tuple[int, ...] = (4,)) -> tuple[Document, list[str]]:
    """An input, then each layer behind the first output of the one before."""
    document, last = add_node(Document("Net"), "Input", {"shape": shape}, id="given")
    slot, ids = Slot(last, "y"), []
    for source in sources:
        document, name = add_custom(document, source)
        document, id = add_node(document, name)
        first = _layer(document, id).inputs[0]
        document = connect(document, slot, Slot(id, f"{first.name}.0" if first.variadic else first.name))
        slot = Slot(id, _layer(document, id).outputs[0].name)
        ids.append(id)
    return document, ids


def _layer(document: Document, id: str):
    from engine.graph.blocks import layer_of

    return layer_of(document, document.nodes[id].type)


@pytest.fixture
def fresh():
    """Keep what a test trusts to the test."""
    from engine.compiler import trust

    before = trust.state()
    yield
    distrust(trust.state() - before)


def test_what_is_not_trusted_executes_nothing(tmp_path):
    mark = tmp_path / "executed"
    document, [id] = after_input(EVIL.format(path=str(mark)))
    path = tmp_path / "evil.netwright"
    save_document(document, path)
    document = load_document(path)
    analysis = analyze(document)
    assert [problem.node for problem in analysis.errors] == [id]
    assert "off until you trust this file" in analysis.errors[0].message
    assert analysis.source is None
    assert analysis.types[Slot("given", "y")].shape == ("N", 4)
    with pytest.raises(CompileError, match="trust"):
        compile_document(document)
    with pytest.raises(CompileError, match="trust"):
        export(document, tmp_path / "model.py")
    document = set_params(document, id, k=3)
    renamed, _ = set_custom(
        document, "Evil", document.customs["Evil"].source.replace("class Evil", "class Worse")
    )
    grouped, _ = group(renamed, [id], "Part")
    assert analyze(grouped).errors
    save_document(grouped, path)
    assert not mark.exists()
    trust_source(document.customs["Evil"].source)
    assert not analyze(document).errors
    assert mark.read_text() == "decorator"  # the same text does write where it may run: the test can fail


def test_trust_is_about_the_text(fresh):
    document, _ = after_input(GATE, SPLIT)
    assert [custom.name for custom in untrusted(document)] == ["Gate", "spin"]
    trust_source(GATE)
    assert [custom.name for custom in untrusted(document)] == ["spin"]
    assert [problem.node for problem in analyze(document).errors] == ["spin1"]
    trust_document(document)
    assert not analyze(document).errors
    changed, _ = set_custom(document, "Gate", GATE + "# and one word more\n")
    assert [custom.name for custom in untrusted(changed)] == ["Gate"]
    distrust([digest(GATE)])
    assert [problem.node for problem in analyze(document).errors] == ["gate1"]
    with pytest.raises(CompileError, match="trust"):
        compile_document(document)


def test_in_a_block_trust_is_asked_about_too(fresh):
    document, [id] = after_input(GATE + "# in a block\n")
    document, _ = group(document, [id], "Part")
    assert "off until" in analyze(document).errors[0].message
    trust_document(document)
    assert not analyze(document).errors
    distrust(digest(custom.source) for custom in document.customs.values())
    assert "off until" in analyze(document).errors[0].message


def test_shapes_parameters_and_settings(fresh):
    document, [gate, spin] = after_input(GATE, SPLIT)
    trust_document(document)
    analysis = analyze(document)
    assert not analysis.errors
    assert analysis.types[Slot(gate, "y")].shape == ("N", 4)
    assert {analysis.types[Slot(spin, port)].shape for port in ("y1", "y2")} == {("N", 2)}
    assert analysis.parameters == {gate: 4 * 4 + 4 + 1, spin: 0}
    assert analysis.macs[gate] == 16
    text = analyze(set_params(document, gate, gate=0.25)).source.text
    assert "self.gate1 = Gate(4, gate=0.25)" in text
    assert "self.gate1 = Gate(4)" in analysis.source.text
    assert "spin(" in analysis.source.text


@pytest.mark.parametrize(
    ("source", "params", "call"),
    [
        ("def f(x, mask=None, *, scale=2.0): return x * scale", {}, "f(given)"),
        ("def f(x, mask=None, *, scale=2.0): return x * scale", {"scale": 3.0}, "f(given, scale=3.0)"),
        ("def f(*xs, k: int = 1): return xs[0]", {"k": 2}, "f(given, k=2)"),
        ("def f(x, n: int): return x[:, :n]", {"n": 2}, "f(given, 2)"),
        ("def f(n: int, *xs): return xs[0][:, :n]", {"n": 2}, "f(2, given)"),
        ("def f(x, /, n=3): return x[:, :n]", {}, "f(given)"),
        ("def f(x, words: str = 'a{b}'): return x", {"words": "{x}(, "}, "f(given, words='{x}(, ')"),
        ("def f(x, any: int | tuple = 1): return x", {"any": (1, 2.5)}, "f(given, any=(1, 2.5))"),
        ("def f(x=None, k=1): return x", {"k": 2}, "f(x=given, k=2)"),
    ],
)  # fmt: skip
def test_a_call_writes_what_was_set(source, params, call, fresh):
    document, [id] = after_input(source)
    document = set_params(document, id, **params)
    trust_document(document)
    analysis = analyze(document)
    assert not analysis.errors
    body = analysis.source.text.partition("def forward")[2]
    assert call.replace("given", "given") in body
    assert compile_document(document).model(torch.ones(2, 4)).shape[0] == 2


SIZED = """\
class Sized(nn.Module):
    def __init__(self, {name}: int):
        super().__init__()
        self.w = nn.Parameter(torch.zeros({name}))
    def forward(self, x):
        return x
"""


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [("in_channels", (3, 8, 8), 3), ("channels", (5, 8), 5), ("in_features", (7, 9), 9), ("dim", (6,), 6)],
)
def test_open_sizes_are_filled_with_what_arrives(name, shape, expected, fresh):
    source = SIZED.format(name=name)
    document, [id] = after_input(source, shape=shape)
    trust_document(document)
    assert analyze(document).parameters[id] == expected


def test_a_value_that_must_be_given_is_asked_for(fresh):
    document, _ = after_input("def f(x, width: int): return x")
    trust_document(document)
    assert [p.message for p in analyze(document).errors] == ["f needs a value for width."]


BROKEN = """\
class G(nn.Module):
    def __init__(self):
        1 / 0
    def forward(self, x):
        return x
"""


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def f(x):\n    y = x\n    return y @ y", "f, line 3: "),
        ("def f(x):\n    return missing", "f, line 2: NameError: name 'missing'"),
        (BROKEN, "G, line 3: ZeroDivisionError"),
        ("x = {}['a']\ndef f(x): return x", "f, line 1: KeyError"),
        ("import sys\ndef f(x):\n    sys.exit()", "f, line 3: SystemExit"),
        ("def f(x): return 'a'", "it returns str, not a tensor"),
        ("def f(x): pass", "it returns NoneType, not a tensor"),
        ("def f(x) -> tuple[Tensor, Tensor]: return x", "write -> Tensor"),
        ("def f(x):\n    y = x, x\n    return y", "write -> tuple[Tensor, Tensor]"),
    ],
)  # fmt: skip
def test_errors_name_the_line_of_the_source(source, message, fresh):
    document, [id] = after_input(source)
    trust_document(document)
    [problem] = analyze(document).errors
    assert problem.node == id
    assert message in problem.message


def test_code_that_never_ends_is_ended(monkeypatch, fresh):
    from engine.compiler import meta

    monkeypatch.setattr(meta, "MEASURING", 0.2)
    document, _ = after_input(
        "def f(x):\n    try:\n        while True: pass\n    except Exception:\n        return x"
    )
    trust_document(document)
    [problem] = analyze(document).errors
    assert "line 3: it ran for more than 0.2 seconds" in problem.message


def test_stepping_equals_forward_bit_for_bit(fresh):
    document, [gate, spin] = after_input(GATE, SPLIT)
    trust_document(document)
    torch.manual_seed(0)
    built = compile_document(document)
    fields = {"given": torch.randn(3, 4)}
    stepped = dict(built.steps(built.model, fields))
    assert torch.equal(stepped[spin]["y1"], built.model(fields["given"]))
    assert torch.equal(stepped[gate]["y"], built.model.gate1(fields["given"]))


def spirals(source: str, epochs: int = 2) -> Document:
    """A net with a custom layer that learns spirals."""
    g = Builder("Spirals")
    document = g.document()
    document, name = add_custom(document, source)
    document, data = add_node(document, "Spirals", {"samples": 60}, id="data")
    document, _ = add_node(document, name, id="own")
    document, _ = add_node(document, "Linear", {"out_features": 3}, id="fc")
    document, _ = add_node(document, "CrossEntropyLoss", id="loss")
    fields = [port.name for port in _layer(document, data).outputs_of({})]
    document = connect(document, Slot(data, fields[0]), Slot("own", "x"))
    document = connect(document, Slot("own", "y"), Slot("fc", "x"))
    document = connect(document, Slot("fc", "y"), Slot("loss", "logits"))
    document = connect(document, Slot(data, fields[1]), Slot("loss", "target"))
    return set_training(document, epochs=epochs)


def run(document: Document) -> list:
    runner = Runner(document, device="cpu")
    runner.start()
    assert runner.join(120)
    return runner.events.drain()


def test_it_learns_and_gives_the_same_curve_twice(fresh):
    document = spirals(GATE)
    trust_document(document)
    curves = []
    for _ in range(2):
        events = run(document)
        assert isinstance(events[-1], Finished)
        curves.append(events[-1].metrics)
    assert curves[0] == curves[1]


def test_an_error_in_the_run_names_node_and_line(fresh):
    source = (
        "def f(x):\n    if not x.is_meta:\n        raise RuntimeError('only while running')\n    return x\n"
    )
    document = spirals(source)
    trust_document(document)
    assert not analyze(document).errors
    failed = next(event for event in run(document) if isinstance(event, Failed))
    assert (failed.node, failed.message) == ("own", "own failed in line 3 of its code: only while running")


def test_leaving_the_program_from_a_layer_fails_the_run(fresh):
    document = spirals("import sys\ndef f(x):\n    if not x.is_meta: sys.exit()\n    return x\n")
    trust_document(document)
    assert next(event for event in run(document) if isinstance(event, Failed)).node == "own"


def test_the_export_holds_the_source_as_it_is_and_runs_alone(tmp_path, fresh):
    document, _ = after_input(GATE, SPLIT)
    trust_document(document)
    path = tmp_path / "model.py"
    export(document, path)
    text = path.read_text()
    assert GATE.rstrip() in text
    assert SPLIT.partition("\n")[2].strip() in text
    code = "import torch, model; m = model.Net(); print(tuple(m(torch.ones(2, 4)).shape))"
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.stdout.strip() == "(2, 2)", done.stderr


def test_a_helper_of_two_layers_is_written_once(fresh):
    helper = (
        "import math\nfrom __future__ import annotations\n".partition("\n")[0]
        + "\n\n\ndef half(x):\n    return x / 2\n"
    )
    document, _ = after_input(
        helper + "def one(x): return half(x)", helper + "def two(x): return half(half(x))"
    )
    trust_document(document)
    built = compile_document(document)
    assert built.source.text.count("def half") == 1
    assert torch.equal(built.model(torch.full((1, 4), 8.0)), torch.ones(1, 4))


def test_future_imports_come_first(fresh):
    document, _ = after_input(
        "from __future__ import annotations\nimport math\ndef f(x: Tensor) -> Nowhere: return x"
    )
    trust_document(document)
    assert not analyze(document).errors
    built = compile_document(document)
    assert built.source.text.startswith("from __future__ import annotations\n")
    assert built.model(torch.ones(1, 4)).shape == (1, 4)


def test_a_name_of_a_function_is_no_variable(fresh):
    document, name = add_custom(Document("Net"), "def image(x): return x * 2")
    document, _ = add_node(document, "Input", {"shape": (4,)}, id="image")
    document, _ = add_node(document, name, id="x")
    document = connect(document, Slot("image", "y"), Slot("x", "x"))
    trust_document(document)
    assert compile_document(document).model(torch.ones(1, 4)).sum() == 8


def test_a_document_cannot_be_named_like_a_layer(fresh):
    document, _ = after_input(GATE)
    document = document.with_(name="Gate")
    trust_document(document)
    assert "class NetGate(nn.Module)" in analyze(document).source.text


def test_the_guard_knows_only_the_text_that_was_trusted(fresh):
    document, _ = after_input(GATE)
    trust_document(document)
    text = analyze(document).source.text
    check_source(text, [GATE])
    with pytest.raises(CompileError, match="may not"):
        check_source(text)
    with pytest.raises(CompileError, match="may not"):
        check_source(text.replace("torch.tanh", "torch.load"), [GATE])
    with pytest.raises(CompileError, match="trust"):
        check_source(text, [GATE + "#"])


def test_files_keep_the_source_and_tell_every_problem(fresh):
    document, _ = after_input(GATE, SPLIT)
    again = from_json(to_json(document))
    assert again.customs == document.customs
    assert again == document
    text = (
        to_json(document).replace("def forward(self", "def forwards(self").replace("def spin(", "def spin((")
    )
    with pytest.raises(FileError) as caught:
        from_json(text)
    told = "\n".join(caught.value.problems)
    assert "custom layer 1: line 1: Gate has no forward" in told
    assert "custom layer 2: line 6: This is not Python" in told


def test_a_block_with_a_layer_serves_two_widths(fresh):
    document, [id] = after_input(GATE)
    document, block = group(document, [id], "Part")
    document, _ = add_node(document, "Linear", {"out_features": 6}, id="fc")
    document, other = add_node(document, "Part")
    document = connect(document, Slot(block, "output"), Slot("fc", "x"))
    document = connect(document, Slot("fc", "y"), Slot(other, "input"))
    trust_document(document)
    analysis = analyze(document)
    assert not analysis.errors
    assert "Gate(features)" in analysis.source.text
    assert compile_document(document).model(torch.ones(2, 4)).shape == (2, 6)


def test_an_edit_of_the_source_reaches_blocks_that_are_as_they_were(fresh):
    document, [id] = after_input(GATE)
    document, block = group(document, [id], "Part")
    trust_document(document)
    before = analyze(document)
    wider, _ = set_custom(
        document,
        "Gate",
        GATE.replace("return x +", "return x.repeat(1, 2) + 0 *").replace("torch.tanh(self.linear(x))", "1"),
    )
    trust_document(wider)
    assert analyze(wider, before).types[Slot(block, "output")].shape == ("N", 8)
