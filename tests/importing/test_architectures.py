"""Every architecture comes in with the same outputs, and goes out with them again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from engine.compiler.analyze import analyze
from engine.compiler.module import compile_document
from engine.export import export
from engine.importing.calls import ImportingError
from engine.importing.examples import examples_for, tensors
from engine.importing.files import save_import
from engine.importing.imported import Imported, flat_tensors
from engine.importing.python_import import import_module
from engine.storage.document_file import load_document
from tests.importing.architectures import ARCHITECTURES, Careful, Undecided, make

RUN_ALONE = """
import importlib.util, sys
import torch
from safetensors.torch import load_file
spec = importlib.util.spec_from_file_location("net", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
net = getattr(module, sys.argv[2])().eval()
net.load_state_dict(load_file(sys.argv[3]))
given = torch.load(sys.argv[4], weights_only=True)
with torch.no_grad():
    result = net(*given)
torch.save([result] if isinstance(result, torch.Tensor) else list(result), sys.argv[5])
"""


@pytest.fixture(scope="module")
def imports() -> dict[str, Imported]:
    return {}


def imported(name: str, known: dict[str, Imported]) -> Imported:
    if name not in known:
        module, shape = make(name)
        known[name] = import_module(module, [shape])
    return known[name]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_an_import_computes_what_the_original_does(name: str, imports: dict, tmp_path: Path) -> None:
    module, shape = make(name)
    result = imported(name, imports)
    assert result.agrees
    assert analyze(result.document).problems == ()
    path = tmp_path / "net.netwright"
    saved = save_import(result, path)
    assert load_document(path) == saved

    built = compile_document(load_document(path))
    built.model.load_state_dict(load_file(path.with_suffix(".safetensors")))
    built.model.eval()
    given = tensors(examples_for(module, [shape]), 3)
    with torch.no_grad():
        wanted = flat_tensors(module(**given))
        found = built.outputs(built.model, given)
    assert len(wanted) == len(found)
    for a, b in zip(wanted, found, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)

    export(result.document, tmp_path / "net.py")
    torch.save([*given.values()], tmp_path / "given.pt")
    files = [str(tmp_path / each) for each in ("net.py", "net.safetensors", "given.pt", "result.pt")]
    command = [sys.executable, "-c", RUN_ALONE, files[0], built.plan.name, *files[1:]]
    subprocess.run(command, check=True, cwd=tmp_path, timeout=120)
    for a, b in zip(wanted, torch.load(tmp_path / "result.pt", weights_only=True), strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-4)


def test_what_the_data_decides_gets_a_clear_answer() -> None:
    with pytest.raises(ImportingError) as caught:
        import_module(Undecided(), ["1,4"])
    message = caught.value.message
    assert "Undecided.gate decides by the numbers in a tensor" in message
    assert "architectures.py, line" in message
    assert "if x.sum() > 0:" in message
    assert "torch.where" in message


def test_a_part_that_nothing_can_follow_stays_whole() -> None:
    result = import_module(Careful(), ["1,4"])
    assert result.agrees
    assert [node.type for node in result.document.nodes.values() if node.id == "strict"] == ["Strict"]
    assert "if type(x) is not Tensor:" in result.document.customs["Strict"].source
    assert "strict stays whole" in result.text()
    assert {"strict.linear.weight", "first.weight"} <= result.weights.keys()


def test_blocks_come_back_from_modules(imports: dict) -> None:
    document = imported("residual", imports).document
    types = [node.type for node in document.nodes.values()]
    assert {"BasicBlock", "BasicBlock2"} == set(document.blocks)
    assert types.count("BasicBlock") == 3  # two of the four stand in one node, one after the other
    assert document.nodes["layer1"].params["repeat"] == 2
    assert dict(document.blocks["BasicBlock"].params) == {"channels": None}
    assert [document.nodes[id].params["channels"] for id in ("layer1", "layer2_1", "layer3_1")] == [8, 16, 32]
    assert {"conv1", "bn1", "conv2", "bn2"} <= document.blocks["BasicBlock"].nodes.keys()


def test_layers_of_a_transformer_are_blocks_in_blocks(imports: dict) -> None:
    document = imported("bert", imports).document
    assert {"BertLayer", "BertAttention", "BertSelfAttention"} <= document.blocks.keys()
    assert [node.type for node in document.nodes.values()].count("BertLayer") == 2


def test_the_report_tells_what_became_what(imports: dict) -> None:
    text = imported("gpt-2", imports).text()
    assert text.splitlines()[0].startswith("✓ The outputs agree")
    assert "GPT2Block × 2" in text
    assert "Read from torch.export" in text
    assert "shared one tensor" in text  # the table of tokens is the last layer's too


def test_a_dropout_stays(imports: dict) -> None:
    for name in ("inception", "gpt-2"):
        document = imported(name, imports).document
        graphs = [document, *document.blocks.values()]
        assert any(node.type == "Dropout" for graph in graphs for node in graph.nodes.values())
