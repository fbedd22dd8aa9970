"""Typing into the generated code: the graph follows in one step of undo, or the panel says why it cannot."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QMessageBox

from engine.compiler.analyze import analyze
from engine.graph import edits
from engine.graph.build import Builder
from gui.bench import Bench
from gui.panels.code import CodePanel
from gui.store import Store
from tests.gui.panel_bench import small_document
from tests.gui.window_help import open_window

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


class Live(Bench):
    """A bench whose analysis follows the document at once."""

    def __init__(self, document):
        super().__init__(Store(document))
        self.store.edited.connect(self.look_again)
        self.store.replaced.connect(self.look_again)
        self.store.scope_changed.connect(self.look_again)
        self.look_again()

    def look_again(self) -> None:
        whole = analyze(self.store.whole)
        self.analysis = whole.blocks[self.store.scope[-1]] if self.store.scope else whole
        self.analyzed.emit(self.analysis)


@pytest.fixture
def panel(qtbot):
    bench = Live(small_document())
    panel = CodePanel(bench)
    panel.bench = bench
    qtbot.addWidget(panel)
    panel.resize(800, 500)
    panel.show()
    qtbot.waitExposed(panel)
    return panel


def put(panel: CodePanel, old: str, new: str) -> None:
    """Select some code and type other code over it."""
    view = panel.view
    place = view.toPlainText().index(old)
    cursor = view.textCursor()
    cursor.setPosition(place)
    cursor.setPosition(place + len(old), QTextCursor.MoveMode.KeepAnchor)
    view.setTextCursor(cursor)
    cursor.insertText(new)


def told(panel: CodePanel) -> str:
    return panel.bar.message.full_text()


def test_type_apply_undo_redo(qtbot, panel):
    store = panel.bench.store
    before = store.whole
    store.select(["fc"])
    qtbot.mouseClick(panel.edit_button, Qt.MouseButton.LeftButton)
    assert panel.editing
    assert panel.bar.isVisible()
    assert not panel.bar.apply_button.isEnabled()
    put(panel, "nn.Conv2d(1, 6, 5)", "nn.Conv2d(1, 64, 5)")
    qtbot.waitUntil(lambda: told(panel) == "conv: out_channels 6 → 64")
    assert store.whole is before
    qtbot.keyClick(panel.view, Qt.Key.Key_Return, CONTROL)
    assert not panel.editing
    assert store.whole == edits.set_params(before, "conv", out_channels=64)
    assert store.selection == {"fc"}
    assert "self.fc = nn.Linear(36864, 10)" in panel.view.toPlainText()
    assert panel.view.marked
    store.undo_stack.undo()
    assert store.whole == before
    assert "nn.Conv2d(1, 6, 5)" in panel.view.toPlainText()
    store.undo_stack.redo()
    assert "nn.Conv2d(1, 64, 5)" in panel.view.toPlainText()
    assert store.undo_stack.count() == 1


def test_a_line_that_cannot_be_drawn_is_marked_and_nothing_changes(qtbot, panel):
    store = panel.bench.store
    before = store.whole
    panel.edit()
    put(panel, "self.conv(image)", "torch.fft.fft(image)")
    qtbot.waitUntil(lambda: "torch.fft.fft(image)" in told(panel))
    line = panel.view.toPlainText().split("torch.fft")[0].count("\n") + 1
    assert told(panel).startswith(f"Line {line}:")
    assert panel.view.fault == line
    assert panel.view.extraSelections()[0].cursor.blockNumber() + 1 == line
    assert not panel.bar.apply_button.isEnabled()
    qtbot.keyClick(panel.view, Qt.Key.Key_Return, CONTROL)
    assert panel.editing
    assert store.whole is before
    put(panel, "torch.fft.fft(image)", "F.relu(self.conv(image))")
    qtbot.waitUntil(lambda: told(panel) == "adds relu1")
    assert panel.view.fault == 0


def test_escape_brings_the_networks_own_code_back(qtbot, panel):
    before = panel.view.toPlainText()
    panel.edit()
    put(panel, "nn.Conv2d(1, 6, 5)", "nn.Conv2d(1, 7, 5)")
    qtbot.keyClick(panel.view, Qt.Key.Key_Escape)
    assert not panel.editing
    assert panel.view.toPlainText() == before
    assert panel.bench.store.undo_stack.count() == 0


def test_typing_indents_by_itself(qtbot, panel):
    panel.edit()
    view = panel.view
    put(panel, "        return self.fc(x)", "        ")
    qtbot.keyClicks(view, "x = self.fc(x)")
    qtbot.keyClick(view, Qt.Key.Key_Return)
    qtbot.keyClicks(view, "if x:")
    qtbot.keyClick(view, Qt.Key.Key_Return)
    assert view.toPlainText().endswith("        if x:\n            ")
    qtbot.keyClick(view, Qt.Key.Key_Backspace)
    assert view.toPlainText().endswith("        if x:\n        ")
    qtbot.keyClick(view, Qt.Key.Key_Tab)
    assert view.toPlainText().endswith("        if x:\n            ")
    qtbot.keyClicks(view, "return x")
    qtbot.keyClick(view, Qt.Key.Key_Return)
    assert view.toPlainText().endswith("            return x\n        ")
    cursor = view.textCursor()
    cursor.setPosition(view.toPlainText().index("if x:"))
    cursor.movePosition(QTextCursor.MoveOperation.Down, QTextCursor.MoveMode.KeepAnchor)
    view.setTextCursor(cursor)
    qtbot.keyClick(view, Qt.Key.Key_Tab)
    assert view.toPlainText().endswith("            if x:\n                return x\n        ")
    qtbot.keyClick(view, Qt.Key.Key_Backtab, SHIFT)
    assert view.toPlainText().endswith("        if x:\n            return x\n        ")


def test_colors_follow_what_is_typed(qtbot, panel):
    panel.edit()
    view = panel.view
    put(panel, "import torch\n", '"""import torch\n')
    below = view.document().findBlockByNumber(1)
    text = [panel.bench.theme.color(role) for role in ("ok", "muted")]

    def colored() -> bool:
        formats = below.layout().formats()
        return bool(formats) and formats[0].format.foreground().color() in text

    qtbot.waitUntil(colored)


def test_the_code_is_kept_while_the_canvas_changes(qtbot, panel):
    store = panel.bench.store
    panel.edit()
    put(panel, "nn.Conv2d(1, 6, 5)", "nn.Conv2d(1, 7, 5)")
    store.apply("bias", lambda d: edits.set_params(d, "fc", bias=False))
    typed = panel.view.toPlainText()
    assert "nn.Conv2d(1, 7, 5)" in typed
    qtbot.waitUntil(lambda: "changed meanwhile" in told(panel))
    assert "fc: bias False → True" in told(panel)
    panel.apply()
    assert store.whole.nodes["conv"].params["out_channels"] == 7
    store.undo_stack.undo()
    assert store.whole.nodes["fc"].params["bias"] is False


def test_code_of_another_network_is_kept_but_not_applied(qtbot, panel):
    store = panel.bench.store
    panel.edit()
    put(panel, "nn.Conv2d(1, 6, 5)", "nn.Conv2d(1, 7, 5)")
    g = Builder("Other")
    g.add("Output", g.add("ReLU", g.add("Input")))
    other = g.document()
    name = store.whole.name
    store.open(other)
    assert f"{name} was closed" in told(panel)
    assert "nn.Conv2d(1, 7, 5)" in panel.view.toPlainText()
    panel.apply()
    assert store.whole is other
    panel.discard()
    assert "class Other" in panel.view.toPlainText()


def test_inside_of_a_block_the_whole_text_is_edited(qtbot):
    g = Builder("Blocky")
    with g.block("Cell", width=8) as b:
        b.output(b.add("Linear", b.input(), id="fc", out_features=b["width"]))
    g.add("Output", g.add("Cell", g.add("Input", shape=(4,)), id="cell"))
    bench = Live(g.document())
    panel = CodePanel(bench)
    qtbot.addWidget(panel)
    bench.store.enter("Cell")
    panel.edit()
    put(panel, "self.fc(input)", "F.relu(self.fc(input))")
    panel.apply()
    assert bench.store.scope == ("Cell",)
    assert "ReLU" in {node.type for node in bench.store.document.nodes.values()}
    bench.store.undo_stack.undo()
    assert bench.store.whole == g.document()


def test_selecting_marks_lines_when_nothing_is_typed(panel):
    store = panel.bench.store
    store.select(["conv"])
    marked = panel.view.marked
    assert marked
    panel.edit()
    assert panel.view.marked == ()
    panel.discard()
    assert panel.view.marked == marked


def test_in_the_window_the_keys_belong_to_the_editor(qtbot, monkeypatch):
    with open_window(qtbot, "lenet5") as window:
        before = window.bench.store.whole
        window.actions_["edit_code"].trigger()
        view = window.code.view
        assert window.code.editing
        qtbot.waitUntil(lambda: view.hasFocus())
        put(window.code, "nn.Conv2d(6, 16, 5)", "nn.Conv2d(6, 24, 5)")
        asked = []
        monkeypatch.setattr(
            QMessageBox, "exec", lambda box: asked.append(box.text()) or box.StandardButton.Cancel
        )
        window.close()
        assert window.isVisible()
        assert "not applied" in asked[0]
        qtbot.keyClick(view, Qt.Key.Key_Return, CONTROL)
        assert window.bench.store.whole.nodes["conv2"].params["out_channels"] == 24
        qtbot.waitUntil(lambda: "nn.Conv2d(6, 24, 5)" in view.toPlainText(), timeout=20_000)
        window.undo_stack.undo()
        assert window.bench.store.whole == before
