"""What the inspector says about data: weights of classes by a button, and the first rows."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from engine.graph import edits
from engine.graph.build import Builder
from engine.graph.document import Slot
from gui.bench import Bench
from gui.inspector.inspector import Inspector
from gui.store import Store
from tests.gui.panel_bench import tell


@pytest.fixture
def shown(qtbot, tmp_path):
    """An inspector of a classifier with a rare class, and of a loss without data."""
    path = tmp_path / "rare.csv"
    path.write_text("x,kind\n" + "".join(f"{n},{'rare' if n % 10 == 0 else 'common'}\n" for n in range(200)))
    b = Builder("Rare")
    data = b.add("CSV", path=str(path), split="stratified", id="data")
    scores = b.add("Linear", data, out_features=2, id="scores")
    b.add("CrossEntropyLoss", scores, data["target"], id="loss")
    bench = Bench(Store(b.document()))
    tell(bench)
    inspector = Inspector(bench)
    qtbot.addWidget(inspector)
    inspector.resize(296, 900)
    inspector.show()
    qtbot.waitExposed(inspector)
    return inspector, bench


def test_the_button_fills_in_weights_that_can_be_undone(qtbot, shown):
    inspector, bench = shown
    bench.store.select(["loss"])
    row, field = inspector.page.balance, inspector.page.form.fields["class_weights"]
    assert field.line.placeholderText() == "all equal"
    qtbot.mouseClick(row.balance, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bench.store.document.nodes["loss"].params.get("class_weights"))
    qtbot.waitUntil(lambda: field.line.text() == "0.5556, 5")
    assert bench.store.undo_stack.undoText() == "Weigh the classes of loss"
    bench.store.undo_stack.undo()
    qtbot.waitUntil(lambda: field.line.text() == "")


def test_what_is_missing_is_said(qtbot, shown):
    inspector, bench = shown
    bench.store.select(["loss"])
    bench.store.apply("Cut", lambda document: edits.disconnect(document, [Slot("loss", "target")]))
    row = inspector.page.balance
    qtbot.mouseClick(row.balance, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Connect the target" in row.note.text())
    assert row.balance.isEnabled()
    bench.store.select(["scores"])
    assert inspector.page.balance is None


def test_the_preview_shows_the_file_as_it_is_and_not_as_it_is_scaled(qtbot, tmp_path):
    path = tmp_path / "flowers.csv"
    path.write_text(
        "length,width,age,kind\n" + "".join(f"{1000 + n},{n / 100},7,{'ab'[n % 2]}\n" for n in range(20))
    )
    b = Builder("Flowers")
    b.add("CSV", path=str(path), split="last", id="data")
    bench = Bench(Store(b.document()))
    tell(bench)
    inspector = Inspector(bench)
    qtbot.addWidget(inspector)
    inspector.show()
    bench.store.select(["data"])
    preview = inspector.page.preview
    qtbot.waitUntil(lambda: preview.picture is not None)
    assert preview.picture.accessibleName() == "First rows of length, width, age, target"
    texts = [each.text() for each in preview.picture.findChildren(QLabel)]
    assert "1e+03" in texts
    assert "0.01" in texts
    assert preview.note.text().startswith("20 samples, 4 held out")
