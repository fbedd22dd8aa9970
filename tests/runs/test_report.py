"""The page about a run: all of it in one file, readable without a network, and safe."""

from __future__ import annotations

import base64
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

from engine.errors import FileError
from engine.graph.settings import set_optimizer
from engine.runs.curves import Curves, Points, quantities, smoothed, thinned
from engine.runs.drawing import Drawn, chart, ticks
from engine.runs.report import report, write_report
from engine.runs.settings import different, settings_of
from engine.training.events import Changed, Progress, Resumed, Samples, Snapshot, State
from engine.training.folder import Folder
from main import main
from tests.runs.helpers import made
from tests.training.documents import spirals


class Reader(HTMLParser):
    """Collects text and what a page would load."""

    def __init__(self, page: str):
        super().__init__()
        self.text, self.loaded, self.open = "", [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.loaded += [value for name, value in attrs if name in ("src", "href")]
        assert tag != "script"
        if tag not in ("meta", "img", "line", "path", "circle"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in ("line", "path", "circle", "img"):
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def folder(tmp_path):
    path = made(tmp_path / "run", name="<b>Bold</b> & co", tags=["paper"], notes="Why: </div>")
    run = Folder(path)
    run.resume()
    run.tell(State("running"))
    run.tell(Changed(20, "optimizer.lr", 0.01, 0.003))
    images = np.random.default_rng(0).random((4, 1, 8, 8))
    samples = Samples(
        images, np.array([0, 1, 2, 1]), np.array([0, 1, 1, 1]), "class", ("red", "green", "blue")
    )
    run.tell(Snapshot(40, 4, samples=samples))
    run.finish("failed", message="It broke at <x>.")
    return path


def test_the_page_tells_everything_and_loads_nothing(folder, tmp_path):
    write_report(folder, tmp_path / "run.html", network='<svg xmlns="http://www.w3.org/2000/svg"/>')
    page = (tmp_path / "run.html").read_text()
    read = Reader(page)
    assert read.open == []
    assert all(each.startswith("data:image/") for each in read.loaded)
    assert len(read.loaded) == 5
    for words in (
        "<b>Bold</b> & co",
        "Failed",
        "It broke at <x>.",
        "Why: </div>",
        "paper",
        "best val_accuracy",
        "accuracy over steps",
        "out_features 100",
        "Learning rate",
        "learning rate 0.01 → 0.003",
        "Changed by hand",
        "green, is blue",
        "PyTorch",
        "packages",
        "903",
    ):
        assert words in read.text
    assert "<b>Bold" not in page


def test_the_terminal_writes_a_page_with_the_networks_drawing(folder, tmp_path, capsys):
    assert main(["runs", "report", str(folder), "--to", str(tmp_path / "page.html")]) == 0
    read = Reader((tmp_path / "page.html").read_text())
    drawn = next(each for each in read.loaded if each.startswith("data:image/svg+xml"))
    svg = ElementTree.fromstring(base64.b64decode(drawn.partition(",")[2]))
    assert "ReLU" in "".join(svg.itertext())
    assert main(["runs", "report", str(folder), "--to", str(tmp_path / "none" / "page.html")]) == 2
    assert "could not be written" in capsys.readouterr().err


def test_a_page_is_made_of_what_is_there(folder):
    for name in ("events.jsonl", "environment.json", "document.netwright", "samples.npz", "run.json"):
        (folder / name).unlink()
    assert Reader(report(folder)).open == []
    with pytest.raises(FileError, match="not the folder of a run"):
        report(folder / "moments")


def test_a_chart_is_an_svg_with_a_path_for_each_curve():
    x = np.arange(50.0)
    curves = [Drawn("training", Points(x, 1 / (x + 1))), Drawn("held out", Points(x, 2 / (x + 1)), "held")]
    tree = ElementTree.fromstring(chart("A & B", curves, [(25, "lr < 1")]))
    paths = tree.findall("path")
    assert [path.get("class") for path in paths] == ["train", "held"]
    assert {"A & B", "lr < 1", "training", "held out"} <= set(tree.itertext())
    gap = np.where(x == 20, np.nan, x)
    assert (
        ElementTree.fromstring(chart("", [Drawn("", Points(x, gap))])).find("path").get("d").count("M") == 2
    )
    assert ElementTree.fromstring(chart("", [Drawn("", Points(x[:1], x[:1]))])).find("circle") is not None
    assert chart("", [Drawn("", Points(x, x * np.nan))]) == ""


def test_ticks_stand_at_round_places():
    assert ticks(0.13, 0.97) == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert ticks(0, 1e6) == pytest.approx([0, 2e5, 4e5, 6e5, 8e5, 1e6])
    assert ticks(1, 1) == [1]


def test_curves_follow_a_log_and_take_back_what_a_resume_takes_back(tmp_path):
    run = Folder(tmp_path / "run")
    run.begin(spirals())
    curves = Curves(run.path)
    try:
        assert not curves.read()
        run.tell(Progress(np.arange(1, 11), np.arange(1.0, 11), 1, 0.1, 1.0, 1.0))
        assert curves.read()
        run.tell(Resumed(4))
        run.tell(Progress(np.arange(5, 7), np.array([0.5, 0.25]), 1, 0.1, 1.0, 1.0))
        assert curves.read()
    finally:
        run.close()
    assert curves.lines()["steps"].x.tolist() == [1, 2, 3, 4, 5, 6]
    assert curves.lines()["steps"].y.tolist() == [1, 2, 3, 4, 0.5, 0.25]
    assert curves.lines(most=3)["steps"].y.tolist() == [1.5, 3.5, 0.375]
    assert quantities({"steps": 1, "val_accuracy": 1, "mae": 1, "val_loss": 1}) == ["loss", "accuracy", "mae"]


def test_thinning_and_smoothing_leave_out_what_is_no_number():
    points = Points(np.arange(6), np.array([1.0, np.nan, np.nan, np.nan, 4.0, 6.0]))
    thin = thinned(points, 3)
    np.testing.assert_array_equal(thin.y, [1, np.nan, 5])
    assert thin.x.tolist() == [1, 3, 5]
    smooth = smoothed(points, 0.2)
    np.testing.assert_array_equal(smooth.y, [1, 1, np.nan, 4, 5, 5])


def test_settings_and_what_differs_between_documents():
    one, other = spirals(lr=0.01), spirals(lr=0.02, optimizer="SGD")
    assert settings_of(one)["Optimizer"] == "Adam"
    assert settings_of(one)["Batch size"] == "64"
    rows = different([one, other, one])
    assert rows["Optimizer"] == ("Adam", "SGD", "Adam")
    assert rows["Learning rate"] == ("0.01", "0.02", "0.01")
    assert "Batch size" not in rows
    assert "Momentum" not in rows
    assert different([one, set_optimizer(other, momentum=0.9)])["Momentum"] == ("", "0.9")
    assert different([one, replace(one, name="Other")]) == {}
