"""Generated text that no declaration would write is not executed."""

from __future__ import annotations

import pytest

from engine import catalogue
from engine.compiler import guard
from engine.compiler.analyze import analyze
from engine.errors import CompileError
from engine.graph.build import Builder
from presets import presets


@pytest.mark.parametrize(
    "text",
    [
        "import os",
        "from os import system",
        "__import__('os')",
        "eval('1')",
        "open('x')",
        "torch.load('x')",
        "nn.Linear(1, 1).__class__",
        "().__class__.__bases__",
        "lambda: 1",
        "[x for x in y]",
        "while True: pass",
        "exec('1')",
        "F.os.system('x')",
        "torch.hub.float()",
        "torch.load('x').float()",
        "torch.hub.load('a', 'b')",
        "x = torch.ops.load_library('x')",
        "getattr(torch, 'load')('x')",
        "print('x')",
        "f'{x}'",
        "class A:\n    def f(self):\n        return self.__dict__",
        "x = (yield)",
        "global x",
        "(" * 500 + ")" * 500,
        "1\n" * 10 + "\0",
    ],
)
def test_refused(text):
    with pytest.raises(CompileError):
        guard.check_source(text)


@pytest.mark.parametrize("name", presets())
def test_every_preset_passes(name):
    guard.check_source(analyze(presets()[name].document()).source.text)


@pytest.mark.parametrize(
    "text",
    [
        '"""\nimport os\n"""',
        "'''",
        "\\",
        "\n",
        "\0",
        '"; __import__("os").system("true") #',
        "\u2028import os",
        "{0}",
    ],
)
def test_text_of_a_document_cannot_leave_its_place(text):
    g = Builder(text, text)
    g.add("Linear", g.add("Input", shape=(3,)), id="fc")
    source = analyze(g.document()).source
    tree = guard.check_source(source.text)
    assert [type(node).__name__ for node in tree.body] == ["ImportFrom", "ClassDef"]


def test_the_declarations_call_nothing_else():
    functions, _ = guard._targets()
    made = [each for each in catalogue.layers().values() if each.init]
    known = {each.type if each.module else f"nn.{each.type}" for each in made}
    assert {name for name in functions if not name.startswith(("F.", "torch."))} == known | {
        "super",
        "range",
        "nn.Sequential",
        "Copy",
    }


def test_a_class_of_ours_passes_only_as_it_was_written():
    g = Builder("MaskedConv2d")
    g.add("MaskedConv2d", g.add("Input", shape=(1, 5, 5)))
    text = analyze(g.document()).source.text
    guard.check_source(text)
    with pytest.raises(CompileError, match="may not"):
        guard.check_source(text.replace("+ 1 :] = 0", "+ 2 :] = 0"))
    with pytest.raises(CompileError, match="may not"):
        guard.check_source(text.replace("class MaskedConv2d(nn", "class Masked(nn"))
