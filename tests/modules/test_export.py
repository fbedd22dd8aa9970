"""What the layers of ``engine.modules`` bring along stands once in a file that runs with torch alone."""

from __future__ import annotations

import ast
import importlib
import os
import pkgutil
import subprocess
import sys

import pytest
import torch

import engine.modules
from engine import catalogue
from engine.compiler.analyze import analyze
from engine.compiler.module import compile_document
from engine.export import export
from engine.modules import defined_names, definitions
from tests.layers.harness import around, cases
from tests.layers.test_every_layer import tensors

OURS = [case for case in cases() if catalogue.layer(case[0]).module]
FILES = [info.name for info in pkgutil.iter_modules(engine.modules.__path__)]

RUN = """
import sys
class Nothing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("engine", "gui", "presets", "PySide6"):
            raise ImportError(name)
sys.meta_path.insert(0, Nothing())
import torch
for number in range(int(sys.argv[1])):
    case = torch.load(f"case{number}.pt")
    space = {"__name__": "exported"}
    exec(compile(open(f"model{number}.py").read(), "model.py", "exec"), space)
    torch.manual_seed(0)
    model = space[case["name"]]()
    model.load_state_dict(case["weights"])
    result = model.eval()(*case["inputs"])
    result = result if isinstance(result, tuple) else (result,)
    assert all(torch.equal(a, b) for a, b in zip(result, case["expected"], strict=True)), case["name"]
"""


def test_exports_run_alone_and_give_the_same(tmp_path):
    """All variants in one process where nothing but torch can be imported."""
    for number, case in enumerate(OURS):
        document = around(*case)
        built = compile_document(document)
        built.model.eval()
        inputs = list(tensors(document).values())
        with torch.no_grad():
            expected = list(built.outputs(built.model, tensors(document)))
        export(document, tmp_path / f"model{number}.py")
        weights = built.model.state_dict()
        content = {"name": built.plan.name, "weights": weights, "inputs": inputs, "expected": expected}
        torch.save(content, tmp_path / f"case{number}.pt")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, "-c", RUN, str(len(OURS))]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("case", OURS, ids=lambda case: f"{case[0]}-{case[1]}-{case[2]}")
def test_class_stands_once_and_the_lines_are_right(case):
    source = analyze(around(*case)).source
    layer = catalogue.layer(case[0])
    assert source.text.count(f"class {layer.type}(") == 1
    assert definitions(layer.module) in source.text
    lines = source.text.splitlines()
    assert lines[source.lines["tested"][0] - 1].strip().startswith("self.tested = ")
    assert all("tested" in lines[n - 1] for n in source.lines["tested"])


@pytest.mark.parametrize("name", FILES)
def test_file_defines_what_a_layer_names_and_imports_only_torch(name):
    text = importlib.util.find_spec(f"engine.modules.{name}").origin
    with open(text, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    assert ast.get_docstring(tree)
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    known = {
        "import torch",
        "import torch.nn.functional as F",
        "from torch import Tensor, nn",
        "from torch import nn",
        "from copy import deepcopy",
    }
    assert {ast.unparse(node) for node in imports} <= known
    kinds = [type(node) for node in tree.body[1 + len(imports) :]]
    assert set(kinds) <= {ast.ClassDef, ast.FunctionDef}
    made = {layer.type for layer in catalogue.layers().values() if layer.module == name}
    classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    assert made or name in ("copies", "initialization"), "nothing uses this file"
    assert made <= classes
    assert all(ast.get_docstring(node) for node in tree.body if isinstance(node, ast.ClassDef))


def test_no_two_files_define_one_name():
    names = [node.name for name in FILES for node in ast.parse(definitions(name)).body]
    assert sorted(names) == sorted(defined_names())
