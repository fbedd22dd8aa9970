"""``netwright find-lr`` as a script uses it."""

from __future__ import annotations

import json

import pytest

from engine.graph.objectives import set_losses
from engine.graph.settings import set_optimizer
from engine.storage.document_file import save_document
from main import main
from tests.training.documents import autoencoder


def test_it_prints_a_rate_that_a_script_can_pass_on(capsys, tmp_path):
    save_document(autoencoder(), tmp_path / "net.nw")
    assert main(["find-lr", str(tmp_path / "net.nw"), "--steps", "100"]) == 0
    out, err = capsys.readouterr()
    assert 1e-4 < float(out) < 1
    assert "where the loss falls fastest" in err


def test_all_that_was_tried_as_json(capsys):
    assert main(["find-lr", "preset:autoencoder", "--steps", "60", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert set(report) == {"lr", "steepest", "tenth", "why", "rates", "losses"}
    assert 20 < len(report["rates"]) == len(report["losses"]) <= 60


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--objective", "2"], "There is no objective 2; there are 1"), (["--device", "quantum"], "quantum")],
)
def test_what_cannot_be_is_one_sentence(capsys, arguments, words):
    assert main(["find-lr", "preset:autoencoder", *arguments]) != 0
    assert words in capsys.readouterr().err


def test_where_nothing_falls_it_says_so(capsys, tmp_path):
    document = set_losses(set_optimizer(autoencoder(), "SGD"), 0, {"loss": 1e-12})  # hardly a gradient
    save_document(document, tmp_path / "net.nw")
    assert main(["find-lr", str(tmp_path / "net.nw")]) != 0
    out, err = capsys.readouterr()
    assert not out
    assert "fell at none of these rates" in err
