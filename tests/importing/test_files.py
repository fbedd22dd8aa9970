"""Files of every kind: what is read, what is refused, and with which sentence."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from engine.compiler.module import compile_document
from engine.errors import EngineError
from engine.graph.settings import set_optimizer, set_training
from engine.importing.calls import ImportingError
from engine.importing.examples import examples_for, tensors
from engine.importing.files import import_file, save_import
from engine.importing.python_import import import_module
from engine.storage.document_file import load_document
from engine.training.checkpoint import save_weights
from engine.training.runner import Runner
from main import main
from presets import preset
from tests.importing.architectures import make

NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, num_classes: int, width: int = 8):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, num_classes))

    def forward(self, x):
        return torch.roll(self.body(x), 1, 1) if self.body else x
"""


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "net.py"
    path.write_text(NET)
    return path


def refused(target: object, *inputs: str, trusted: bool = True) -> str:
    with pytest.raises(ImportingError) as caught:
        import_file(str(target), inputs, trusted)
    return caught.value.message


def export_program(name: str, path: Path) -> None:
    module, shape = make(name)
    given = tensors(examples_for(module, [shape]), 2)
    if path.suffix == ".pt2":
        shapes = {each: {0: torch.export.Dim.AUTO} for each in given}
        program = torch.export.export(module, (), given, dynamic_shapes=shapes, strict=False)
        torch.export.save(program, path)
    else:
        shapes = {each: {0: torch.export.Dim.DYNAMIC} for each in given}
        torch.onnx.export(module, (), path, kwargs=given, dynamic_shapes=shapes, dynamo=True, verbose=False)


def test_a_file_is_run_only_with_trust(net: Path) -> None:
    witness = net.with_name("witness")
    net.write_text(f"open({str(witness)!r}, 'w').close()\n{NET}")
    assert "--trust" in refused(f"{net}:Net(3)", trusted=False)
    assert not witness.exists()
    assert import_file(f"{net}:Net(3)", trusted=True).agrees
    assert witness.exists()


def test_arguments_are_given_as_literals(net: Path) -> None:
    imported = import_file(f"{net}:Net(num_classes=5, width=6)", ["1,4"], True)
    assert imported.document.nodes["body_2"].params["out_features"] == 5
    assert "num_classes=" in refused(net)
    assert "num_classes=5" in refused(f"{net}:Net(open('x'))")
    assert "Did you mean 'Net'?" in refused(f"{net}:Nett(3)")


def test_an_object_and_a_function_can_be_meant(net: Path) -> None:
    net.write_text(f"{NET}\nnet = Net(2)\n")
    assert import_file(str(net), trusted=True).document.nodes["body_2"].params["out_features"] == 2
    net.write_text(f"{NET}\ndef build():\n    return Net(4)\n")
    assert import_file(f"{net}:build", trusted=True).document.nodes["body_2"].params["out_features"] == 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("class (", "is not Python: line 1"),
        ("x = 1", "has no nn.Module"),
        ("import nothing_like_this", "line 1: ModuleNotFoundError"),
        ("raise SystemExit(3)", "line 1: SystemExit"),
        (NET + "class Other(nn.Module):\n    pass\n", "has several modules; name one"),
        (
            "from torch import nn\nclass Net(nn.Module):\n    def forward(self, x): return x\n",
            "say the shape",
        ),
    ],
)
def test_what_is_wrong_with_a_python_file_is_said(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "net.py"
    path.write_text(text)
    assert expected in refused(path)


def test_other_files_are_refused_with_a_sentence(tmp_path: Path) -> None:
    assert "There is no file" in refused(tmp_path / "none.py")
    assert "should end in .py, .pt2, .onnx" in refused(tmp_path / "net.exe")
    for suffix in (".py", ".pt2", ".onnx"):
        path = tmp_path / f"noise{suffix}"
        path.write_bytes(bytes(range(256)) * 20)
        assert path.name in refused(path)


def test_inputs_are_described_and_checked(net: Path) -> None:
    assert "1,3,224,224" in refused(f"{net}:Net(3)", "many")
    assert "does not run with x 1,5" in refused(f"{net}:Net(3)", "1,5")
    assert "has no input 'y'" in refused(f"{net}:Net(3)", "y=1,4")


def test_what_no_layer_does_is_a_custom_layer(tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text(
        "import torch\nfrom torch import nn\nclass Net(nn.Module):\n"
        "    def forward(self, x):\n        return torch.atan2(x, x + 2)\n"
    )
    imported = import_file(str(path), ["1,4"], True)
    assert imported.agrees
    assert [node.type for node in imported.document.nodes.values() if node.type in imported.document.customs]
    assert "torch.atan2" in imported.text()


@pytest.mark.filterwarnings("ignore:The tensor attributes")  # what torch says when it exports an LSTM
@pytest.mark.parametrize("name", ["residual", "vision transformer", "bert", "tagger"])
def test_programs_of_torch_export(name: str, tmp_path: Path) -> None:
    export_program(name, tmp_path / "net.pt2")
    imported = import_file(str(tmp_path / "net.pt2"))
    assert imported.agrees, imported.text()
    if name == "residual":
        assert set(imported.document.blocks) == {"BasicBlock", "BasicBlock2"}


def test_a_program_of_one_batch_size(tmp_path: Path) -> None:
    module, shape = make("inception")
    given = tensors(examples_for(module, [shape]), 4)
    torch.export.save(torch.export.export(module, (), given), tmp_path / "net.pt2")
    imported = import_file(str(tmp_path / "net.pt2"))
    assert imported.agrees
    built = compile_document(imported.document)
    built.model.load_state_dict(dict(imported.weights))
    built.model.eval()
    other = tensors(examples_for(module, [shape]), 7)
    torch.testing.assert_close(built.model(*other.values()), module(**other), atol=1e-5, rtol=1e-4)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["residual", "vision transformer", "gpt-2"])
def test_onnx_files(name: str, tmp_path: Path) -> None:
    export_program(name, tmp_path / "net.onnx")
    imported = import_file(str(tmp_path / "net.onnx"))
    assert imported.agrees, imported.text()
    if name == "gpt-2":
        assert "GPT2Block" in imported.document.blocks


def test_an_onnx_operator_without_a_line_is_named(tmp_path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper

    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4])
    graph = helper.make_graph([helper.make_node("Hardmax", ["x"], ["y"])], "g", [x], [y])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), tmp_path / "net.onnx")
    assert "'Hardmax'" in refused(tmp_path / "net.onnx")


@pytest.mark.parametrize(
    ("operator", "attribute", "value"),
    [
        ("Softmax", "axis", '(__import__("os").system("touch run"))'),
        ("Gelu", "approximate", "tanh', x=__import__('os').system('touch run')) #"),
        ("LeakyRelu", "alpha", "x)"),
        ("Elu", "alpha", "word"),
    ],
)
def test_onnx_attributes_never_become_code(tmp_path: Path, monkeypatch, operator, attribute, value) -> None:
    import onnx
    from onnx import TensorProto, helper

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(onnx.checker, "check_model", lambda model: None)  # which would refuse it before
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4])
    node = helper.make_node(operator, ["x"], ["y"], **{attribute: value})
    graph = helper.make_graph([node], "g", [x], [y])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]), tmp_path / "net.onnx")
    with pytest.raises(EngineError):
        import_file(str(tmp_path / "net.onnx"))
    assert not (tmp_path / "run").exists()


def test_a_program_that_would_run_code_is_refused(tmp_path: Path) -> None:
    export_program("autoencoder", tmp_path / "net.pt2")
    with zipfile.ZipFile(tmp_path / "net.pt2") as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}

    def changed(name: str, *change: tuple[bytes, bytes], **more: bytes) -> Path:
        path = tmp_path / name
        with zipfile.ZipFile(path, "w") as archive:
            for part, data in parts.items():
                for before, after in change:
                    assert before in b"".join(parts.values())
                    data = data.replace(before, after)
                archive.writestr(part, data)
            for part, data in more.items():
                archive.writestr(f"net/data/constants/{part}", data)
        return path

    assert "could run code" in refused(changed("object.pt2", opaque_obj_0=b"pickle"))
    assert "pickled" in refused(changed("pickled.pt2", (b'"use_pickle": false', b'"use_pickle": true')))
    assert "operators of aten" in refused(
        changed("system.pt2", (b"torch.ops.aten.relu.default", b"torch.os.system"))
    )
    assert "no arithmetic" in refused(changed("size.pt2", (b"Symbol('s", b"print('s")))
    assert import_file(str(changed("same.pt2"))).agrees
    (tmp_path / "half.pt2").write_bytes((tmp_path / "net.pt2").read_bytes()[:3000])
    assert "half.pt2" in refused(tmp_path / "half.pt2")


def test_weights_travel_beside_the_document(tmp_path: Path) -> None:
    module = nn.Linear(2, 3)
    path = tmp_path / "line.netwright"
    saved = save_import(import_module(module, ["1,2"]), path)
    assert '"weights": "line.safetensors"' in path.read_text()
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for each in (path, path.with_suffix(".safetensors")):
        each.rename(moved / each.name)
    document = load_document(moved / path.name)
    assert document.training.weights == str(moved / "line.safetensors")
    assert saved.training.weights != document.training.weights


def test_a_run_begins_with_the_weights_that_its_document_names(tmp_path: Path) -> None:
    document = preset("spirals").document()
    model = compile_document(document).model
    nn.init.constant_(next(model.parameters()), 0.125)
    save_weights(model, tmp_path / "w.safetensors")
    document = set_training(document, weights=str(tmp_path / "w.safetensors"), epochs=1)
    runner = Runner(set_optimizer(document, lr=0.0))
    runner.start()
    runner.join(60)
    started = next(event for event in runner.events.drain() if type(event).__name__ == "Started")
    assert started.loaded.startswith(f"{len(model.state_dict())} of")
    assert (next(runner.model.parameters()) == 0.125).all()


def test_a_run_without_its_weights_says_so(tmp_path: Path) -> None:
    document = set_training(preset("spirals").document(), weights=str(tmp_path / "gone.safetensors"))
    runner = Runner(document)
    runner.start()
    runner.join(60)
    failed = [event for event in runner.events.drain() if type(event).__name__ == "Failed"]
    assert "gone.safetensors cannot be read" in failed[0].message


def test_the_command_line(net: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    to = tmp_path / "out.netwright"
    assert main(["import", f"{net}:Net(3)", "--to", str(to)]) == 2
    assert "--trust" in capsys.readouterr().err
    assert main(["import", f"{net}:Net(3)", "--to", str(to), "--input", "1,4", "--trust"]) == 0
    assert "The outputs agree" in capsys.readouterr().out
    assert {"body_0", "body_1", "body_2"} <= load_document(to).nodes.keys()
    assert to.with_suffix(".safetensors").is_file()
