"""The command line as a script uses it: formats, exit codes, one sentence for what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine.graph.edits import delete
from engine.storage.document_file import load_document, save_document
from main import main
from presets import preset, presets


@pytest.fixture
def run(capsys):
    """Return a function that runs a command and gives exit code, standard output and standard error."""

    def call(*arguments: object) -> tuple[int, str, str]:
        code = main([str(each) for each in arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_presets_as_json(run):
    code, out, _ = run("presets", "--json")
    assert code == 0
    rows = {row["name"]: row for row in json.loads(out)}
    assert rows.keys() == presets().keys()
    assert {row for each in rows.values() for row in each["row"]} >= {"F1", "F5", "F6", "C2", "A4"}
    assert rows["lenet5"]["parameters"] == 61_706
    assert all(set(row) == {"name", "title", "row", "parameters", "source"} for row in rows.values())


def test_presets_as_a_table(run):
    code, out, _ = run("presets")
    assert code == 0
    assert "61,706  LeNet-5" in out


def test_check_as_json(run):
    code, out, _ = run("check", "preset:lenet5", "--json")
    report = json.loads(out)
    assert code == 0
    assert report["macs"] == sum(node["macs"] for node in report["nodes"]) > 400_000
    assert report["memory"]["weights"] == 4 * report["parameters"]
    assert report["memory"]["sample"] == sum(n["memory"]["kept"] for n in report["nodes"] if n["memory"])
    assert report["memory"]["total"] > report["memory"]["activations"] > 0
    assert report["problems"] == []
    assert report["parameters"] == 61_706
    conv2 = next(node for node in report["nodes"] if node["id"] == "conv2")
    assert conv2 == {
        "id": "conv2",
        "name": "conv2",
        "type": "Conv2d",
        "shape": ["N", 16, 10, 10],
        "parameters": 2416,
        "macs": 240_000,
        "memory": {"forward": 6400, "kept": 4704},
    }


def test_check_tells_problems_with_their_mend(run, tmp_path):
    path = tmp_path / "broken.netwright"
    save_document(delete(preset("lenet5").document(), ["flatten1"], heal=True), path)
    code, out, _ = run("check", path, "--json")
    (problem,) = json.loads(out)["problems"]
    assert code == 0
    assert {
        "node": "fc1",
        "port": "x",
        "severity": "error",
        "fix": "Insert Flatten",
    }.items() <= problem.items()
    assert "N×16×5×5 arrives" in problem["message"]
    code, out, _ = run("check", path)
    assert code == 0
    assert "error: fc1: Linear expects" in out


def test_a_bad_file_ends_with_code_2_and_all_its_problems(run, tmp_path):
    path = tmp_path / "bad.netwright"
    path.write_text(
        '{"netwright": 1, "nodes": [{"id": "a", "type": "no layer"}, {"id": "1", "type": "ReLU"}]}'
    )
    code, out, err = run("check", path, "--json")
    assert code == 2
    assert len(json.loads(out)["problems"]) == 2
    assert len(err.strip().splitlines()) == 1
    assert err.startswith("bad.netwright: node 'a': There is no layer 'no layer'.")


def test_train_as_json(run, tmp_path):
    out_folder = tmp_path / "run"
    arguments = ("train", "preset:spirals", "--epochs", 3, "--seed", 5, "--json", "--out", out_folder)
    code, out, _ = run(*arguments, "--set", "optimizer.lr=0.02", "--set", "hidden.out_features=20")
    events = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert events[0]["event"] == "started"
    assert events[0]["parameters"] == 2 * 20 + 20 + 20 * 3 + 3
    summary = events[-1]
    assert summary["event"] == "summary"
    assert summary["metrics"].keys() == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert summary["steps"] == 3 * 13
    assert Path(summary["run"]) == out_folder
    assert (out_folder / "weights.safetensors").is_file()
    assert load_document(out_folder / "document.netwright").training.seed == 5


def test_the_same_seed_gives_the_same_numbers(run):
    summaries = [
        json.loads(
            run("train", "preset:digits_mlp", "--epochs", 2, "--json", "--seed", seed)[1].splitlines()[-1]
        )
        for seed in (7, 7, 8)
    ]
    assert summaries[0]["metrics"] == summaries[1]["metrics"]
    assert summaries[0]["metrics"] != summaries[2]["metrics"]


def test_train_tells_metrics_in_the_last_line(run):
    code, out, _ = run("train", "preset:linear_regression", "--epochs", 5)
    assert code == 0
    assert "done after 5 steps" in out
    assert "val_loss" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("check", "preset:lenet"), "Did you mean 'lenet5'?"),
        (("check", "nowhere.netwright"), "could not be read"),
        (("train", "preset:spirals", "--set", "optimizer.rate=1"), "it has lr"),
        (("train", "preset:spirals", "--set", "epochs"), "NAME=VALUE"),
        (("train", "preset:spirals", "--epochs", "0"), "epochs"),
        (("train", "preset:spirals", "--device", "tpu"), "one of auto, cpu, cuda, mps"),
        (("train", "preset:spirals", "--set", "hidden.out_features=lots"), "whole number"),
        (("export", "preset:spirals", "--to", "model.exe"), ".sbatch or .yaml"),
        (("export", "preset:spirals", "--to", "model.py", "--as", "scrip"), "Did you mean 'script'?"),
        (("export", "preset:spirals", "--to", "model.txt", "--as", "script"), "should end in .py"),
        (("export", "preset:spirals", "--to", "drawing.pdf"), "netwright picture"),
        (
            ("export", "preset:spirals", "--to", "no folder/model.py", "--as", "script"),
            "could not be written",
        ),
        (("export", "preset:resnet18", "--to", "train.py", "--as", "script"), "nothing to learn from"),
        (("export", "preset:spirals", "--to", "w.safetensors", "--weights", "none"), "cannot be read"),
        (
            ("export", "preset:spirals", "--to", "model.py", "--weights", str(Path(__file__))),
            "no safetensors",
        ),
        (("export", "preset:spirals", "--to", "no folder/model.py"), "could not be written"),
        (("picture", "--to", "x.png"), "Name what to draw"),
        (("picture", "preset:spirals", "--window", "--to", "x.png", "--size", "big"), "1600x1000"),
        (("check",), "preset:NAME"),
        (("check", "preset:spirals", "--nonsense"), "nonsense"),
    ],
)
def test_what_is_refused_gets_code_2_and_one_sentence(run, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    code, _, err = run(*arguments)
    assert code == 2
    assert words.lower() in err.lower()
    assert len(err.strip().splitlines()) == 1
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_export_writes_what_runs(run, tmp_path):
    code, _, _ = run("export", "preset:autoencoder", "--to", tmp_path / "model.py")
    assert code == 0
    text = (tmp_path / "model.py").read_text(encoding="utf-8")
    compile(text, "model.py", "exec")
    assert "class Autoencoder(nn.Module):" in text


def test_weights_travel_from_a_run_into_an_export(run, tmp_path):
    run("train", "preset:linear_regression", "--epochs", 20, "--out", tmp_path / "run")
    learned = tmp_path / "run" / "weights.safetensors"
    to = tmp_path / "line.safetensors"
    code, out, _ = run("export", "preset:linear_regression", "--to", to, "--weights", learned)
    assert (code, out) == (0, "Wrote line.safetensors: weights of weights.safetensors.\n")
    assert to.read_bytes() == learned.read_bytes()
    code, out, _ = run("export", "preset:linear_regression", "--to", to)
    assert "fresh weights from seed 0" in out
    assert to.read_bytes() != learned.read_bytes()
    code, _, err = run("export", "preset:spirals", "--to", to, "--weights", learned)
    assert code == 2
    assert "another network" in err
    assert "not in the file: hidden.weight" in err


def test_help_lists_every_export(run):
    from engine.export import EXPORTERS

    _, out, _ = run("export", "--help")
    for exporter in EXPORTERS.values():
        assert f"{exporter.name}  {exporter.suffix}" in out


def test_training_needs_no_qt():
    script = (
        "import sys; from main import main;"
        "code = main(['train', 'preset:linear_regression', '--epochs', '2']);"
        "assert not [name for name in sys.modules if name.startswith(('PySide6', 'pyqtgraph', 'gui'))];"
        "sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_document_and_the_catalogue_need_no_torch():
    script = (
        "import sys; from presets import presets; [p.document() for p in presets().values()];"
        "from engine import catalogue, optimizers; from engine.graph import diff, layout, settings;"
        "catalogue.layers();"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_pictures_of_network_and_window(tmp_path, qapp, run):
    for name in ("drawing.png", "drawing.svg"):
        code, _, _ = run("picture", "preset:lenet5", "--to", tmp_path / name)
        assert code == 0
    assert (tmp_path / "drawing.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "drawing.svg").read_text(encoding="utf-8")
    code, _, _ = run("picture", "--window", "--dark", "--size", "900x700", "--to", tmp_path / "window.png")
    assert code == 0
    from PySide6.QtGui import QImage

    assert QImage(str(tmp_path / "window.png")).width() == 900
