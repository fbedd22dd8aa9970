"""Panels that nobody sees: they do no work, and are right when they are shown or asked."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QGuiApplication

from engine.compiler.analysis import SourceText
from engine.graph import edits
from gui.bench import Bench
from gui.panels.code import CodePanel
from gui.panels.code_view import Highlighter
from gui.panels.outline import OutlinePanel
from tests.gui.panel_bench import SOURCE, small_bench, tell


@pytest.fixture
def bench(qapp) -> Bench:
    return small_bench()


def shown(qtbot, widget):
    qtbot.addWidget(widget)
    widget.resize(400, 500)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


def spied(call, told: list):
    """The same function; what it is called with is kept."""

    def spy(*args):
        told.append(args[1:])
        return call(*args)

    return spy


def test_a_hidden_outline_does_nothing_and_is_right_when_it_is_shown_again(qtbot, bench, monkeypatch):
    panel = shown(qtbot, OutlinePanel(bench))
    panel.hide()
    renewed = []
    monkeypatch.setattr(OutlinePanel, "_update", spied(OutlinePanel._update, renewed))
    bench.store.apply("Rename", lambda document: edits.rename(document, "conv", "eyes"))
    bench.store.apply("Delete", lambda document: edits.delete(document, ["flat"]))
    bench.store.select(["conv"])
    tell(bench)
    assert renewed == []
    panel.show()
    rows = [panel.tree.topLevelItem(row).text(0) for row in range(panel.tree.topLevelItemCount())]
    assert rows == ["image", "eyes", "fc", "out"]
    assert len(renewed) == 4
    assert [item.text(0) for item in panel.tree.selectedItems()] == ["eyes"]
    bench.store.undo_stack.undo()
    assert panel.tree.topLevelItemCount() == 5, "it follows again"


def test_hidden_code_is_not_colored_and_is_right_when_it_is_shown_or_asked_for(qtbot, bench, monkeypatch):
    panel = shown(qtbot, CodePanel(bench))
    panel.hide()
    colored = []
    monkeypatch.setattr(Highlighter, "read", spied(Highlighter.read, colored))
    for n in range(3):
        tell(bench, source=SourceText(f"{SOURCE.text}\n# {n}\n", SOURCE.lines))
    bench.store.select(["conv"])
    assert colored == []
    assert panel.view.toPlainText().endswith("# 2"), "whoever asks gets what holds"
    assert panel.view.marked == (3, 7)
    bench.store.select(["fc"])
    tell(bench, source=SourceText(f"{SOURCE.text}\n# last\n", SOURCE.lines))
    assert len(colored) == 1
    panel.show()
    assert panel._view.toPlainText().endswith("# last")
    assert panel._view.marked == (4, 9)
    assert len(colored) == 2


def test_hidden_code_is_copied_as_it_is_now(qtbot, bench):
    panel = CodePanel(bench)
    qtbot.addWidget(panel)
    tell(bench, source=SourceText("import torch\n", {}))
    panel.copy_button.click()
    assert QGuiApplication.clipboard().text() == "import torch\n"
    panel.edit()
    assert panel.view.toPlainText() == "import torch"
    assert not panel.unapplied
