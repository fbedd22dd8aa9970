"""Trackers hear what a run told: TensorBoard's own files are read back, the others are stand-ins.

The libraries of Weights & Biases and MLflow want a server, so that two small modules stand here for the part
of their public interface that is used: ``wandb.init``, ``Run.define_metric``, ``Run.log``, ``Run.finish``;
``mlflow.set_experiment``, ``start_run``, ``log_params``, ``log_metrics``, ``set_tag``, ``end_run``.
"""

from __future__ import annotations

import json
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from engine.errors import TrainingError
from engine.runs import trackers
from engine.runs.library import Library
from engine.runs.trackers import TRACKERS, Tracking, tracker
from engine.training.events import Changed, Evaluated, Finished, Progress, Resumed
from engine.training.folder import Folder
from main import main
from tests.runs.helpers import made
from tests.training.documents import spirals


@pytest.fixture
def stand_in(monkeypatch):
    """Return a function that puts a module with these functions in the place of a library."""

    def put(name: str, **functions):
        module = ModuleType(name)
        module.__spec__ = ModuleSpec(name, None)
        vars(module).update(functions)
        monkeypatch.setitem(sys.modules, name, module)

    return put


@pytest.fixture
def calls(stand_in):
    """Stand-ins of wandb and mlflow; returns what was called, in order."""
    told: list[tuple] = []

    def note(name):
        return lambda *given, **named: told.append((name, *given, named))

    run = SimpleNamespace(**{name: note(f"wandb.{name}") for name in ("define_metric", "log", "finish")})
    stand_in("wandb", init=lambda **named: told.append(("wandb.init", named)) or run)
    names = ("set_experiment", "start_run", "log_params", "log_metrics", "set_tag", "end_run")
    stand_in("mlflow", **{name: note(f"mlflow.{name}") for name in names})
    return told


def read_board(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder / "tensorboard"), size_guidance={"scalars": 0, "tensors": 0})
    found.Reload()
    return found


def test_tensorboard_reads_what_a_run_told_while_it_ran(tmp_path, monkeypatch):
    monkeypatch.setattr(trackers, "PERIOD", 0.01)
    tracking = Tracking(tmp_path / "run", ["tensorboard"])
    run = Folder(tmp_path / "run")
    run.begin(spirals())
    tracking.start()
    try:
        for n in range(5):
            steps = np.arange(10 * n + 1, 10 * n + 11)
            run.tell(Progress(steps, np.full(10, 5.0 - n), 1, 0.01 / (n + 1), 1.0, 1.0))
        run.tell(Changed(50, "lr", 0.01, 0.02))
        run.tell(Evaluated(50, 1, {"loss": 1.0, "val_accuracy": 0.75}))
        run.tell(Finished("done", 50, 1.0, {}))
        run.finish("done")
    finally:
        run.close()
        tracking.close()
    board = read_board(tmp_path / "run")
    assert set(board.Tags()["scalars"]) == {"train/step_loss", "lr", "train/loss", "val/accuracy"}
    told = [(each.step, each.value) for each in board.Scalars("train/step_loss")]
    assert told == [(10 * n + 10, 5.0 - n) for n in range(5)]
    assert [each.value for each in board.Scalars("val/accuracy")] == [0.75]
    words = {
        tag: board.Tensors(tag)[0].tensor_proto.string_val[0].decode() for tag in board.Tags()["tensors"]
    }
    assert words["changed/text_summary"] == "lr 0.01 → 0.02"
    assert "| Batch size | 64 |" in words["settings/text_summary"]
    assert words["state/text_summary"] == "done"
    assert tracking.problems == []


def test_the_terminal_tells_a_tracker_and_goes_on_with_a_run(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("NETWRIGHT_RUNS", str(tmp_path))
    train = ["train", "preset:linear_regression", "--epochs", "3", "--track", "tensorboard"]
    assert main([*train, "--track", "nothing"]) == 2
    assert "There is no tracker 'nothing'" in capsys.readouterr().err
    assert main([*train, "--name", "Line"]) == 0
    entry = Library().find("Line")
    board = read_board(entry.path)
    assert board.Scalars("train/step_loss")[-1].step == entry.status.step
    assert main(["train", "Line", "--resume", "--epochs", "5"]) == 2
    assert "takes no other settings" in capsys.readouterr().err
    assert main(["train", "Line", "--resume", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert summary["steps"] == entry.status.step
    assert main(["runs", "track", "Line", "tensorboard"]) == 0
    assert main(["train", "Nobody", "--resume"]) == 2


def test_a_run_that_is_over_is_handed_over_without_what_was_taken_back(tmp_path):
    path = made(tmp_path / "run", state="stopped")
    run = Folder(path)
    run.resume()
    run.tell(Resumed(15))
    run.tell(Progress(np.arange(16, 21), np.full(5, 0.5), 2, 0.01, 1.0, 1.0))
    run.finish("done")
    Tracking(path, ["tensorboard"]).send()
    assert [each.step for each in read_board(path).Scalars("train/step_loss")] == [10, 15, 20]


def test_weights_and_biases_is_told_by_its_own_functions(tmp_path, calls):
    Tracking(made(tmp_path / "run", name="First", tags=["a"], notes="why"), ["wandb"]).send()
    name, given = calls[0]
    assert name == "wandb.init"
    assert (given["name"], given["tags"], given["notes"]) == ("First", ["a"], "why")
    assert given["config"]["Batch size"] == "64"
    assert ("wandb.define_metric", "*", {"step_metric": "step"}) in calls
    logged = [call[1] for call in calls if call[0] == "wandb.log"]
    assert [each["step"] for each in logged if "val/accuracy" in each] == [10, 20, 30, 40]
    assert calls[-1] == ("wandb.finish", {"exit_code": 0})


def test_mlflow_is_told_by_its_own_functions(tmp_path, calls):
    Tracking(made(tmp_path / "run", name="First", state="failed"), ["mlflow"]).send()
    assert calls[0] == ("mlflow.set_experiment", "Spirals", {})
    assert calls[1] == ("mlflow.start_run", {"run_name": "First", "tags": {"netwright.run": "run"}})
    assert calls[2][1]["Batch size"] == "64"
    metrics = [(call[1], call[2]["step"]) for call in calls if call[0] == "mlflow.log_metrics"]
    assert [step for values, step in metrics if "val/accuracy" in values] == [10, 20, 30, 40]
    assert calls[-1] == ("mlflow.end_run", {"status": "FAILED"})


def test_a_missing_library_is_said_before_anything_runs(monkeypatch, tmp_path):
    monkeypatch.setattr(trackers, "find_spec", lambda name: None)
    with pytest.raises(TrainingError, match=r"TensorBoard is not installed here; pip install netwright\["):
        Tracking(tmp_path, ["tensorboard"])
    with pytest.raises(TrainingError, match="no tracker 'board'; there are tensorboard, wandb, mlflow"):
        tracker("board")
    assert not TRACKERS["wandb"].installed


def test_a_tracker_that_fails_is_left_out_and_the_others_go_on(tmp_path, calls, stand_in):
    def refuse(**_):
        raise ConnectionError("no network")

    stand_in("wandb", init=refuse)
    said = []
    tracking = Tracking(made(tmp_path / "run"), ["wandb", "mlflow"], said.append)
    tracking.send()
    assert tracking.problems == said == ["Weights & Biases is left out: no network"]
    assert calls[-1][0] == "mlflow.end_run"
