"""Every color that is read or looked at stands out from its ground, as WCAG 2 counts it, in both themes."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from engine.graph.document import KINDS, Comment
from gui import style
from gui.canvas.comment_paint import fill_of
from gui.canvas.wire_item import label_color
from gui.cost import tint
from gui.objective_colors import ground as objective_ground
from gui.panels.code_view import _colors
from gui.theme import COMMENT, DARK, LIGHT, OBJECTIVES, Theme
from gui.widgets.basic import button
from gui.widgets.switch import Switch
from tests.gui.test_panels_style import contrast
from tests.gui.window_help import open_window

READ, SEEN = 4.5, 3.0
GROUNDS = ("window", "canvas", "panel", "raised", "field", "card")
TEXT = {
    # the color: what it stands on, and where one meets it
    "text": (*GROUNDS, "selection", "hover", "pressed", "segment", "tip", "notice_error", "notice_warning"),
    "muted": (*GROUNDS, "selection", "hover", "segment", "tip"),  # captions, placeholders, line numbers
    "accent": GROUNDS,  # links
    "ok": (*GROUNDS, "hover"),  # "No problems", a flat button
    "warning": (*GROUNDS, "hover"),
    "error": (*GROUNDS, "hover"),  # problems, refused values, the reason under a node
    "on_accent": ("accent", "accent_hover", "accent_pressed", "ok"),  # Run, a proposed learning rate
}
GRAPHICS = {
    "accent": (*GROUNDS, "selection", "segment"),  # focus rings, the chosen tab, what is selected, curves
    "wire": ("canvas",),
    "warning": ("panel",),  # the validation curve
    "ok": ("field",),  # the mark of a proposed learning rate
    "error": ("canvas", "raised"),
    "switch_off": ("panel", "raised"),  # the track of a switch that is off
    "muted": ("panel", "field", "raised"),  # edges of check boxes and sliders
    "on_accent": ("accent",),  # the ring inside of a primary button
}

both = pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)


def pairs(table: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(color, ground) for color, grounds in table.items() for ground in grounds]


@both
@pytest.mark.parametrize(("color", "ground"), pairs(TEXT))
def test_text_can_be_read(theme: Theme, color: str, ground: str):
    tokens = style.tokens(theme)
    assert contrast(tokens[color], tokens[ground]) >= READ


@both
@pytest.mark.parametrize(("color", "ground"), pairs(GRAPHICS))
def test_graphics_can_be_seen(theme: Theme, color: str, ground: str):
    tokens = style.tokens(theme)
    assert contrast(tokens[color], tokens[ground]) >= SEEN


@both
@pytest.mark.parametrize("color", OBJECTIVES)
def test_the_color_of_an_objective_is_seen_and_can_be_written_on(theme: Theme, color: str):
    assert contrast(color, theme.canvas) >= SEEN
    assert contrast(color, theme.panel) >= SEEN
    assert contrast(theme.text, objective_ground(theme, color)) >= READ


@both
def test_words_on_a_heat_map_can_be_read(theme: Theme):
    for step in range(11):
        assert contrast(theme.text, tint(theme, step / 10)) >= READ


@both
@pytest.mark.parametrize("color", COMMENT)
@pytest.mark.parametrize("kind", KINDS)
def test_frames_and_notes_can_be_read(theme: Theme, color: str, kind: str):
    fill = fill_of(Comment("a b", kind, (0, 0, 100, 100), color=color), theme)
    for words in (theme.text, theme.muted, *([theme.accent] if kind == "note" else [])):  # links
        assert contrast(words, fill) >= READ


@both
def test_shapes_on_wires_can_be_read(theme: Theme):
    assert contrast(label_color(theme), theme.canvas) >= READ


@both
def test_code_can_be_read(theme: Theme):
    for token, color in _colors(theme).items():
        for ground in (theme.field, theme.panel):
            assert contrast(color.name(), ground) >= READ, token


@both
def test_text_in_the_stylesheet_comes_from_the_table(theme: Theme):
    """Every ``color:`` of the stylesheet is one that the table measures, or tells what is disabled."""
    text = (style.ASSETS / "style.qss").read_text(encoding="utf-8")
    for line in text.replace("{", "\n").replace("}", "\n").replace(";", "\n").splitlines():
        name, _, value = line.strip().partition(":")
        if name in ("color", "placeholder-text-color", "selection-color") and "$" in value:
            assert value.strip().removeprefix("$") in {*TEXT, "faint", "panel"}
    for rule in text.split("}"):
        if "color: $faint" in rule or " color: $panel" in rule:
            assert ":disabled" in rule


@both
def test_the_ring_of_a_primary_button_is_seen_inside_of_it(qtbot, qapp, theme: Theme):
    style.apply(qapp, theme)
    host = QWidget()
    qtbot.addWidget(host)
    run, other = button("Run", "primary"), button("Other")
    for place, each in enumerate((run, other)):
        each.setParent(host)
        each.setGeometry(10, 10 + 50 * place, 120, 34)
    host.show()
    host.activateWindow()
    other.setFocus()
    before = run.grab().toImage()
    run.setFocus(Qt.FocusReason.TabFocusReason)
    QApplication.processEvents()
    after = run.grab().toImage()
    column = [(before.pixelColor(60, y).name(), after.pixelColor(60, y).name()) for y in range(5)]
    assert any(contrast(old, new) >= SEEN for old, new in column)
    assert before.size() == after.size()


@both
def test_a_switch_that_is_off_is_seen_with_its_knob(qtbot, qapp, theme: Theme):
    style.apply(qapp, theme)
    host = QWidget()
    qtbot.addWidget(host)
    host.setStyleSheet(f"background: {theme.panel};")
    knob = Switch(host)
    host.show()
    image = host.grab().toImage()
    middle = knob.height() // 2
    track, dot = image.pixelColor(knob.width() - 10, middle), image.pixelColor(13, middle)
    assert contrast(track.name(), theme.panel) >= SEEN
    assert contrast(track.name(), dot.name()) >= SEEN


def test_curves_differ_without_their_colors(qtbot):
    with open_window(qtbot, "spirals") as window:
        curves = window.views["learning"].curves
        pens = {name: line.pen for name, line in curves.plot.lines.items()}
        assert pens["training"].style() == Qt.PenStyle.SolidLine
        assert pens["validation"].dashPattern()
        window.bridge.run()
        qtbot.waitUntil(lambda: window.bench.state == "finished", timeout=60_000)
        qtbot.waitUntil(lambda: "validation" in curves.legend.text)
        dashed = {part.text.strip(): part.dashed for part in curves.legend.parts if part.swatch}
        assert dashed == {"training": False, "validation": True}
        image, warning = curves.legend.grab().toImage(), QColor(window.bench.theme.warning)
        row = image.height() // 2
        seen = [image.pixelColor(x, row).name() == warning.name() for x in range(image.width())]
        strokes = sum(now and not then for then, now in zip([False, *seen], seen, strict=False))
        assert strokes == 2


def test_a_failed_node_has_a_sign_and_its_reason_in_words(qtbot):
    with open_window(qtbot, "lenet5") as window:
        from engine.graph import edits

        window.bench.store.apply("Break", lambda d: edits.set_params(d, "conv1", kernel_size=50))
        qtbot.waitUntil(lambda: bool(window.bench.analysis.errors), timeout=60_000)
        face = window.canvas.graph.nodes["conv1"].face
        assert face.failing
        assert face.note.lines
        window.show_page("problems")
        row = window.problems.rows()[0]
        assert row.accessibleName().startswith("error")
        assert row.findChildren(QWidget)[0].accessibleName() == "Error"


@both
def test_a_chosen_chip_has_an_edge(qtbot, qapp, theme: Theme):
    style.apply(qapp, theme)
    host = QWidget()
    qtbot.addWidget(host)
    chip = button("Foundations", "chip")
    chip.setParent(host)
    chip.setCheckable(True)
    chip.setGeometry(4, 4, 110, 32)
    host.show()
    QTest.mouseClick(chip, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(20, 10))
    edge = chip.grab().toImage().pixelColor(55, 0).name()
    assert contrast(edge, theme.window) >= SEEN
