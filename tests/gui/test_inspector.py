"""The inspector: what is typed reaches the document, what is refused is explained, undo is seen."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QKeySequence, QShortcut, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from engine import catalogue
from engine.compiler.analysis import Fix, Problem
from engine.graph import edits
from engine.graph.settings import set_training
from gui.bench import Bench
from gui.inspector.fields import (
    ChoiceField,
    FileField,
    FolderField,
    HubField,
    NumericField,
    SwitchField,
    TextField,
    field_of,
)
from gui.inspector.inspector import Inspector
from gui.inspector.node_page import NodePage
from gui.inspector.sections import snippet
from gui.inspector.several_page import SeveralPage
from gui.inspector.training_page import TrainingPage
from gui.theme import LIGHT
from gui.widgets.basic import column
from tests.gui.panel_bench import SOURCE, small_bench, tell


@pytest.fixture
def bench(qapp) -> Bench:
    return small_bench()


@pytest.fixture
def inspector(qtbot, bench) -> Inspector:
    shown = Inspector(bench)
    qtbot.addWidget(shown)
    shown.resize(296, 900)
    shown.show()
    qtbot.waitExposed(shown)
    return shown


def params(bench: Bench, node: str) -> dict:
    return dict(bench.store.document.nodes[node].params)


def retype(qtbot, field, text: str) -> None:
    """Click into a field, which selects its text, and type another."""
    line = field.line
    line.clearFocus()
    qtbot.mouseClick(line, Qt.MouseButton.LeftButton)
    if not isinstance(field, NumericField):
        line.selectAll()
    qtbot.keyClicks(line, text)


def test_a_typed_number_reaches_the_document(qtbot, bench, inspector):
    bench.store.select(["conv"])
    field = inspector.page.form.fields["out_channels"]
    assert field.line.text() == "6"
    retype(qtbot, field, "16")
    assert params(bench, "conv")["out_channels"] == 16
    assert bench.store.undo_stack.undoText() == "Set filters of conv"


def test_a_typed_word_is_one_undo_step_and_two_words_are_two(qtbot, bench, inspector):
    bench.store.select(["conv"])
    field = inspector.page.form.fields["out_channels"]
    retype(qtbot, field, "128")
    assert bench.store.undo_stack.count() == 1
    qtbot.keyClick(field.line, Qt.Key.Key_Return)
    retype(qtbot, field, "24")
    assert bench.store.undo_stack.count() == 2
    bench.store.undo_stack.undo()
    assert field.line.text() == "128"
    bench.store.undo_stack.undo()
    assert field.line.text() == "6"


def test_a_bad_value_is_explained_and_changes_nothing(qtbot, bench, inspector):
    bench.store.select(["conv"])
    field, error = inspector.page.form.fields["groups"], inspector.page.form.errors["groups"]
    before = bench.store.document
    retype(qtbot, field, "0")
    qtbot.keyClick(field.line, Qt.Key.Key_Return)
    assert bench.store.document is before
    assert field.line.text() == "0"
    assert error.isVisible()
    assert "whole number of at least 1" in error.text()
    retype(qtbot, field, "2")
    assert not error.isVisible()
    assert params(bench, "conv")["groups"] == 2


def test_a_bad_value_is_explained_after_a_moment_without_enter(qtbot, bench, inspector):
    bench.store.select(["conv"])
    retype(qtbot, inspector.page.form.fields["stride"], "x")
    error = inspector.page.form.errors["stride"]
    qtbot.waitUntil(error.isVisible)
    assert "stride" in error.text().lower()


def test_what_is_being_typed_stays_as_it_is_typed(qtbot, bench, inspector):
    bench.store.select(())
    field = inspector.page.objectives[0].rate.form.fields["lr"]
    retype(qtbot, field, "1e-3")
    assert bench.store.document.training.objectives[0].options["lr"] == 0.001
    assert field.line.text() == "1e-3"
    qtbot.keyClick(field.line, Qt.Key.Key_Return)
    assert field.line.text() == "0.001"


def test_ctrl_z_in_a_field_undoes_the_document(qtbot, bench):
    window = QWidget()
    qtbot.addWidget(window)
    shown = Inspector(bench)
    column(window).addWidget(shown)
    shortcut = QShortcut(QKeySequence(QKeySequence.StandardKey.Undo), window)
    shortcut.activated.connect(bench.store.undo_stack.undo)
    bench.store.select(["fc"])
    window.show()
    window.activateWindow()
    qtbot.waitActive(window)
    field = shown.page.form.fields["out_features"]
    retype(qtbot, field, "99")
    assert params(bench, "fc")["out_features"] == 99
    # through the window, as a real key comes: a widget alone would not ask the shortcuts
    qtbot.keyClick(window.windowHandle(), Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert params(bench, "fc")["out_features"] == 10
    assert field.line.text() == "10"


def test_arrow_keys_step_and_stop_at_the_bound(qtbot, bench, inspector):
    bench.store.select(["conv"])
    line = inspector.page.form.fields["groups"].line
    line.setFocus()
    qtbot.keyClick(line, Qt.Key.Key_Up)
    qtbot.keyClick(line, Qt.Key.Key_Up)
    assert params(bench, "conv")["groups"] == 3
    qtbot.keyClick(line, Qt.Key.Key_PageDown)
    assert "groups" not in params(bench, "conv")
    assert line.text() == "1"
    assert bench.store.undo_stack.count() <= 1


def test_dragging_a_number_sideways_spins_it_as_one_step(qtbot, bench, inspector):
    bench.store.select(["fc"])
    line = inspector.page.form.fields["out_features"].line
    line.clearFocus()
    qtbot.mousePress(line, Qt.MouseButton.LeftButton, pos=QPoint(20, 14))
    for x in (32, 44, 56):
        qtbot.mouseMove(line, QPoint(x, 14))
    qtbot.mouseRelease(line, Qt.MouseButton.LeftButton, pos=QPoint(56, 14))
    assert params(bench, "fc")["out_features"] == 16
    assert bench.store.undo_stack.count() == 1


def test_the_wheel_changes_a_number_only_with_focus(bench, inspector):
    bench.store.select(["fc"])
    line = inspector.page.form.fields["out_features"].line

    def wheel() -> None:
        place = QPointF(line.rect().center())
        turn = QWheelEvent(
            place,
            line.mapToGlobal(place),
            QPoint(),
            QPoint(0, 120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(line, turn)

    line.clearFocus()
    wheel()
    assert params(bench, "fc")["out_features"] == 10
    line.setFocus()
    wheel()
    assert params(bench, "fc")["out_features"] == 11


def test_a_switch_and_a_choice_reach_the_document(qtbot, bench, inspector):
    bench.store.select(["conv"])
    fields = inspector.page.form.fields
    qtbot.mouseClick(fields["bias"].switch, Qt.MouseButton.LeftButton)
    assert params(bench, "conv")["bias"] is False
    combo = fields["padding_mode"].combo
    combo.setFocus()
    qtbot.keyClick(combo, Qt.Key.Key_Down)
    assert params(bench, "conv")["padding_mode"] == "reflect"
    bench.store.undo_stack.undo()
    assert combo.currentText() == "zeros"


def test_renaming_shows_the_name_and_keeps_the_id(qtbot, bench, inspector):
    bench.store.select(["conv"])
    name = inspector.page.name
    name.setFocus()
    name.selectAll()
    qtbot.keyClicks(name, "first look")
    assert bench.store.document.nodes["conv"].title == "first look"
    assert bench.store.undo_stack.count() == 1
    name.selectAll()
    qtbot.keyClick(name, Qt.Key.Key_Delete)
    qtbot.keyClick(name, Qt.Key.Key_Return)
    assert name.text() == "conv"


def test_shape_formula_cost_and_code_of_a_node(bench, inspector):
    bench.store.select(["conv"])
    page = inspector.page
    assert page.shape.text.accessibleName() == "Shape: N×1×28×28 to N×6×24×24"
    assert page.shape.formula.text() == "(28 − 5 + 0) / 1 + 1 = 24"
    assert page.code.view.toPlainText().split("\n")[0] == "self.conv = nn.Conv2d(1, 6, 5)"
    assert page.code.view.marked == (1, 4)
    assert page.cost.isVisible()


def test_a_node_without_analysis_shows_no_empty_sections(bench, inspector):
    bench.store.apply("Add", lambda document: edits.add_node(document, "Linear", id="late")[0])
    bench.store.select(["late"])
    page = inspector.page
    assert not any(part.isVisible() for part in (page.shape, page.cost, page.code, page.problems))


def test_a_snippet_holds_the_neighbors_and_marks_the_own_lines():
    text, marked = snippet("fc", SOURCE)
    lines = text.split("\n")
    assert [lines[line - 1] for line in marked] == ["self.fc = nn.Linear(3456, 10)", "return self.fc(flat)"]
    assert "flat = conv.flatten(1)" in lines


def test_a_problem_is_mended_by_its_button(qtbot, bench, inspector):
    bench.store.select(["fc"])
    fix = Fix("Set units to 3", lambda document: edits.set_params(document, "fc", out_features=3))
    tell(bench, problems=(Problem("Three classes need three numbers.", "fc", fix=fix),))
    button = inspector.page.problems.fix_buttons[0]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert params(bench, "fc")["out_features"] == 3
    assert bench.store.undo_stack.undoText() == "Set units to 3"


def test_nothing_selected_shows_the_training_settings(qtbot, bench, inspector):
    page = inspector.page
    assert isinstance(page, TrainingPage)
    retype(qtbot, page.training.top.fields["epochs"], "25")
    assert bench.store.document.training.epochs == 25
    bench.store.apply("Set", lambda document: set_training(document, epochs=7))
    assert page.training.top.fields["epochs"].line.text() == "7"
    retype(qtbot, page.document_form.fields["name"], "Digits")
    assert bench.store.document.name == "Digits"
    page.notes.selectAll()
    qtbot.keyClicks(page.notes, "watch conv")
    assert bench.store.document.notes == "watch conv"


def test_another_optimizer_brings_its_own_options(qtbot, bench, inspector):
    card = inspector.page.objectives[0]
    combo = card.choice.fields["optimizer"].combo
    combo.setFocus()
    qtbot.keyClick(combo, Qt.Key.Key_Down)
    objective = bench.store.document.training.objectives[0]
    assert objective.optimizer == "Adam"
    assert "beta1" in card.options.form.fields
    assert card.rate.form.fields["lr"].line.text() == "0.001"
    bench.store.undo_stack.undo()
    assert "nesterov" in card.options.form.fields


def test_nesterov_without_momentum_is_refused_and_explained(qtbot, bench, inspector):
    card = inspector.page.objectives[0]
    qtbot.mouseClick(card.folds["Options"].head, Qt.MouseButton.LeftButton)
    form = card.options.form
    qtbot.mouseClick(form.fields["nesterov"].switch, Qt.MouseButton.LeftButton)
    assert form.errors["nesterov"].isVisible()
    assert "momentum" in form.errors["nesterov"].text()
    assert not form.fields["nesterov"].switch.isChecked()
    assert bench.store.undo_stack.count() == 0


def test_several_nodes_are_set_together(qtbot, bench, inspector):
    bench.store.apply("Add", lambda document: edits.add_node(document, "Linear", id="fc2")[0])
    bench.store.select(["fc", "fc2"])
    assert isinstance(inspector.page, SeveralPage)
    field = inspector.page.form.fields["out_features"]
    assert field.line.text() == ""
    retype(qtbot, field, "12")
    assert params(bench, "fc")["out_features"] == params(bench, "fc2")["out_features"] == 12


def test_deleting_the_shown_node_leads_back_to_the_settings(bench, inspector):
    bench.store.select(["fc"])
    assert isinstance(inspector.page, NodePage)
    bench.store.apply("Delete", lambda document: edits.delete(document, ["fc"]))
    assert isinstance(inspector.page, TrainingPage)


def test_every_layer_has_a_page(qtbot, bench, inspector):
    for type_, layer in catalogue.layers().items():
        document, id = edits.add_node(bench.store.document, type_)
        bench.store.apply("Add", document)
        bench.store.select([id])
        assert set(inspector.page.form.fields) == {param.name for param in layer.params}
    bench.set_theme(LIGHT)


def test_the_field_of_a_kind_of_parameter(qtbot):
    kinds = {"Int": NumericField, "Float": NumericField, "Bool": SwitchField, "Choice": ChoiceField}
    kinds |= {"File": FileField, "Folder": FolderField, "HubName": HubField}
    for layer in catalogue.layers().values():
        for param in layer.params:
            expected = kinds.get(type(param).__name__, TextField)
            field = field_of(param)
            qtbot.addWidget(field)
            assert type(field) is expected


def test_a_table_that_cannot_be_read_says_why(qtbot, bench, inspector):
    bench.store.apply("Add", lambda document: edits.add_node(document, "CSV", id="table")[0])
    bench.store.select(["table"])
    preview = inspector.page.preview
    qtbot.waitUntil(lambda: preview.note.property("role") == "error", timeout=20_000)
    assert preview.picture is None
    assert preview.note.text()


def test_digits_are_shown_as_pictures_with_their_names(qtbot, bench, inspector):
    bench.store.apply(
        "Add", lambda document: edits.add_node(document, "Digits", id="digits", params={"size": 8})[0]
    )
    bench.store.select(["digits"])
    preview = inspector.page.preview
    qtbot.waitUntil(lambda: preview.picture is not None, timeout=20_000)
    assert preview.picture.accessibleName().startswith("First images: 0, 1, 2, 3")


def test_a_data_node_shows_its_first_samples(qtbot, bench, inspector):
    bench.store.apply("Add", lambda document: edits.add_node(document, "Spirals", id="points")[0])
    bench.store.select(["points"])
    preview = inspector.page.preview
    qtbot.waitUntil(lambda: preview.picture is not None, timeout=20_000)
    assert preview.note.text() == "1,000 samples, 200 held out"
    retype(qtbot, inspector.page.form.fields["samples"], "50")
    qtbot.waitUntil(lambda: preview.note.text().startswith("50 samples"), timeout=20_000)


def test_a_page_is_made_once_for_another_document_and_for_a_deletion(bench, inspector, monkeypatch):
    made = []
    make = Inspector._make
    monkeypatch.setattr(Inspector, "_make", lambda self: made.append(1) or make(self))
    bench.store.select(["conv"])
    bench.store.open(bench.store.document.with_(name="Another"))
    assert isinstance(inspector.page, TrainingPage)
    assert len(made) == 2
    bench.store.select(["conv"])
    bench.store.apply("Delete", lambda document: edits.delete(document, ["conv"]))
    assert isinstance(inspector.page, TrainingPage)
    assert len(made) == 4
