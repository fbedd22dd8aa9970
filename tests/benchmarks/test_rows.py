"""The benchmarks still run after whatever has changed: small versions, complete rows, nothing timed."""

from __future__ import annotations

import pytest

from tests.benchmarks import canvas, training

ROW = {"name", "ratio", "bound", "better", "detail"}


def test_canvas_rows(qtbot):
    rows = canvas.measure(40, 60)
    assert all(set(row) == ROW for row in rows)
    assert all(row["ratio"] > 0 for row in rows)
    assert {row["name"] for row in rows} == {"canvas build", "canvas zoom", "canvas drag", "canvas snapshot"}


@pytest.mark.parametrize("how", ["headless", "window"])
def test_training_rows(qtbot, how):
    document = training.spirals(2)
    if how == "headless":
        row = training.compare("spirals", document, training.MLP, 1, 0.97, training.in_netwright)
    else:
        from tests.benchmarks.window import WatchedWindow

        with WatchedWindow() as window:
            row = training.compare("spirals", document, training.MLP, 1, 0.9, window.train)
            assert window.gaps
    assert set(vars(row)) == ROW
    assert row.ratio > 0
    assert row.better == "higher"
