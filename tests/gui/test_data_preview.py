"""The page Data: a batch before and after augmentation, who is held out, columns and classes, bad rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from engine.compiler.analyze import analyze
from engine.data.histograms import BINS, histograms
from engine.data.source import Dataset, Field
from engine.data.statistics import statistics
from engine.graph.build import Builder
from engine.graph.document import Document
from engine.graph.edits import set_params
from gui.bench import Bench
from gui.data.preview import BATCH, SKIPPED, STATISTICS, DataView
from gui.data.preview_look import Look, amount, sentence, table_of
from gui.data.preview_statistics import ColumnTable
from gui.data.preview_work import Failure, Newest
from gui.store import Store
from gui.theme import DARK, LIGHT

LEFT = Qt.MouseButton.LeftButton


def digits(*augmentation: tuple[str, dict]) -> Document:
    """Digits through layers of augmentation, and a small network."""
    g = Builder("Digits")
    data = x = g.add("Digits", id="data", size=8)
    for place, (type_, params) in enumerate(augmentation):
        x = g.add(type_, x, id=f"augment{place}", **params)
    x = g.add("Linear", g.add("Flatten", x), out_features=10)
    g.add("CrossEntropyLoss", x, data["label"])
    return g.document()


FLIP = ("RandomHorizontalFlip", {"p": 1.0})
NOISE = ("GaussianNoise", {"std": 0.3})


def tell(bench: Bench) -> None:
    """Hand the bench what an analysis finds, as the analyst does."""
    bench.store.session.analysis = bench.analysis = analyze(bench.store.whole)
    bench.analyzed.emit(bench.analysis)


@pytest.fixture
def show(qtbot):
    def make(document: Document, width: int = 900, height: int = 280) -> DataView:
        bench = Bench(Store(document))
        view = DataView(bench)
        qtbot.addWidget(view)
        view.resize(width, height)
        view.show()
        tell(bench)
        return view

    return make


@pytest.fixture
def settled(qtbot):
    def wait(view: DataView) -> Look:
        qtbot.waitUntil(lambda: not view.throttle.pending and not view._looks.busy, timeout=30_000)
        return view.look

    return wait


def click(widget) -> None:
    QTest.mouseClick(widget, LEFT)


def shown(view: DataView):
    """The page in front, or what is inside of its margins."""
    page = view._stack.currentWidget()
    return page.layout().itemAt(0).widget() if page.layout() and page.layout().count() == 1 else page


def test_a_batch_before_and_after(show, settled):
    view = show(digits(FLIP))
    look = settled(view)
    assert shown(view) is view.pictures
    assert view.line.text == "data · 1,438 rows train, 359 held out · below, after augment0"
    assert np.array_equal(look.after["image"], look.rows["image"][..., ::-1])
    assert len(view.pictures.images) == 2
    before, after = (images[0] for images in view.pictures.images)
    places = [(x, y) for x in range(8) for y in range(8)]
    assert [before.pixel(7 - x, y) for x, y in places] == [after.pixel(x, y) for x, y in places]
    view.grab()
    assert view.pictures.shown >= 24
    assert view.pictures.labels[:4] == [str(n) for n in look.rows["label"][:4]]
    assert "samples: 0, 1" in view.pictures.accessibleName()


def test_another_draw_is_of_the_same_samples(show, settled):
    view = show(digits(NOISE))
    first = settled(view)
    click(view.again)
    second = settled(view)
    assert second is not first
    assert np.array_equal(first.rows["image"], second.rows["image"])
    assert not np.array_equal(first.after["image"], second.after["image"])


def test_other_samples(show, settled):
    view = show(digits())
    first = settled(view)
    assert not view.again.isVisible(), "nothing is drawn"
    assert first.places.tolist() == first.data.train[:48].tolist()
    click(view.other)
    second = settled(view)
    assert set(second.places) <= set(first.data.train)
    assert second.places.tolist() != first.places.tolist()


def test_who_is_held_out_is_passed_on(show, settled):
    view = show(digits(NOISE))
    settled(view)
    view.part.choose(1)
    look = settled(view)
    assert set(look.places) <= set(look.data.validation)
    assert not look.after
    assert not view.again.isVisible()
    assert view.line.text.endswith("passed on as they are")


def test_the_batch_follows_what_is_edited_and_what_is_selected(show, settled):
    view = show(digits(FLIP, NOISE))
    settled(view)
    view.bench.store.select(["augment0"])
    look = settled(view)
    assert view.line.text.endswith("after augment0")
    assert np.array_equal(look.after["image"], look.rows["image"][..., ::-1])
    view.bench.store.apply("Never", lambda document: set_params(document, "augment0", p=0.0))
    tell(view.bench)
    look = settled(view)
    assert np.array_equal(look.after["image"], look.rows["image"])
    view.bench.store.apply("Larger", lambda document: set_params(document, "data", size=12))
    tell(view.bench)
    assert settled(view).rows["image"].shape[1:] == (1, 12, 12)


def test_another_document_has_data_of_its_own(show, settled):
    view = show(digits(FLIP))
    first = settled(view)
    g = Builder("Points")
    g.add("Output", g.add("ReLU", g.add("Moons", id="moons")))
    view.bench.store.add(g.document())
    assert view.look is None
    assert shown(view) is view.sentence
    tell(view.bench)
    second = settled(view)
    assert second.kind == "points"
    assert second.data is not first.data
    assert not view.again.isVisible()


def test_a_hidden_page_reads_nothing(qtbot, settled):
    bench = Bench(Store(digits()))
    view = DataView(bench)
    qtbot.addWidget(view)
    tell(bench)
    assert not view._looks.busy
    assert view.look is None
    view.show()
    assert settled(view) is not None


def test_nothing_to_see(show, settled):
    g = Builder("Empty")
    g.add("Output", g.add("ReLU", g.add("Input", shape=(4,))))
    view = show(g.document())
    settled(view)
    assert shown(view) is view.sentence
    assert "Add a source of data" in view.note


def test_a_file_that_is_not_there_is_told(show, settled, tmp_path):
    g = Builder("Lost")
    data = g.add("CSV", id="data", path=str(tmp_path / "lost.csv"))
    g.add("Output", g.add("ReLU", data))
    view = show(g.document())
    settled(view)
    assert shown(view) is view.sentence
    assert "lost.csv" in view.note
    assert view.look is None


# --- tables -----------------------------------------------------------------------------------------------


def csv(folder, rows: list[str]) -> Document:
    path = folder / "flowers.csv"
    path.write_text("\n".join(["length,width,kind", *rows]), encoding="utf-8")
    g = Builder("Table")
    data = g.add("CSV", id="data", path=str(path), validation=0.0)
    x = g.add("SwapNoise", data, id="swap", p=0.5)
    g.add("CrossEntropyLoss", g.add("Linear", x, out_features=2), data["target"])
    return g.document()


ROWS = [f"{1 + n / 10:.1f},{5 - n / 10:.1f},{'ab'[n % 2]}" for n in range(20)]


def test_a_table_in_the_units_of_its_file(show, settled, tmp_path):
    view = show(csv(tmp_path, ROWS))
    look = settled(view)
    assert shown(view) is view.table
    model = view.table.model()
    assert [model.headerData(n, Qt.Orientation.Horizontal) for n in range(3)] == ["length", "width", "target"]
    texts = [model.index(row, 0).data() for row in range(model.rowCount())]
    changed = [text for text in texts if " → " in text]
    assert changed
    assert {text.partition(" → ")[0] for text in texts} == {f"{1 + n / 10:.4g}" for n in range(20)}
    assert {text.partition(" → ")[2] for text in changed} <= {f"{1 + n / 10:.4g}" for n in range(20)}
    row = texts.index(changed[0])
    accent = model.index(row, 0).data(Qt.ItemDataRole.ForegroundRole)
    assert accent is not None
    same = next(row for row, text in enumerate(texts) if " → " not in text)
    assert model.index(same, 0).data(Qt.ItemDataRole.ForegroundRole) is None
    assert {model.index(row, 2).data() for row in range(20)} == {"a", "b"}
    assert not view.part.isVisible(), "nothing is held out"
    assert look.kind == "table"


def test_rows_that_were_skipped_are_listed_with_their_reasons(show, settled, tmp_path):
    view = show(csv(tmp_path, [*ROWS, "1.0,wide,a", "2.0,3.0"]))
    settled(view)
    assert view.pages.words[SKIPPED] == "Skipped 2"
    view.pages.choose(SKIPPED)
    assert shown(view) is view.skipped
    told = [view.skipped.item(place).text() for place in range(view.skipped.count())]
    assert any("'wide' came" in text for text in told)
    assert any("expected 3 values, 2 came" in text for text in told)


def test_text_stands_as_words_with_what_is_hidden(show, settled, tmp_path):
    path = tmp_path / "poem.txt"
    path.write_text("the cat sat on the mat, and the dog ran.\n" * 30, encoding="utf-8")
    g = Builder("Text")
    data = g.add("TextFile", id="data", path=str(path), tokens="words", length=8)
    g.add("Output", g.add("TokenMasking", data, id="hide", p=0.5, token=0))
    view = show(g.document())
    settled(view)
    columns = {column.title: column for column in view.table.rows.columns}
    assert list(columns) == ["text", "text, augmented", "next"]
    assert columns["text"].texts[0].startswith("the cat sat on the mat,")
    assert any(columns["text, augmented"].changed)
    assert not any(columns["text"].changed)


@pytest.mark.parametrize(
    ("names", "tokens", "text"),
    [
        (tuple("abc "), list("ab c"), "ab c"),
        (("the", "cat", "(", ")", ".", "sat"), ["the", "cat", "(", "sat", ")", "."], "the cat (sat)."),
        (("th", "e ", "cat"), ["th", "e ", "cat"], "the cat"),
    ],
)
def test_tokens_as_a_text(names, tokens, text):
    assert sentence(Field(np.zeros((1, 3), np.int64), names), tokens) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (11339.996, "11,340"), (5.1, "5.1"), (-0.25, "−0.25"), (1 / 3, "0.3333"), (float("nan"), "missing"),
        (6047.26, "6,047.3"), (1e-9, "1e−09"), (3.0, "3"),
    ],
)  # fmt: skip
def test_numbers_of_a_table(value, text):
    assert amount(value) == text


def test_a_zero_that_was_scaled_is_a_zero_again(show, settled, tmp_path):
    path = tmp_path / "cities.csv"
    rows = [f"{n},{'Rome' if n % 3 else 'Oslo'},{n % 2}" for n in range(1, 40)]
    path.write_text("\n".join(["size,city,kind", *rows]), encoding="utf-8")
    g = Builder("Cities")
    g.add("Output", g.add("ReLU", g.add("CSV", id="data", path=str(path))))
    view = show(g.document())
    settled(view)
    column = next(each for each in view.table.rows.columns if each.title == "city = Oslo")
    assert set(column.texts) == {"0", "1"}


def test_it_fits_into_a_narrow_window(show, settled):
    view = show(digits(FLIP))
    settled(view)
    assert view.minimumSizeHint().width() < 400


def test_what_has_no_columns_is_told_by_its_size():
    data = Dataset({"x": Field(np.ones((3, 2, 2, 2), np.float32))}, np.arange(3), np.arange(0))
    (column,) = table_of(Look(data, data.first(3)))
    assert column.texts == ["2×2×2, mean 1"] * 3


# --- other kinds of samples -------------------------------------------------------------------------------


def arrays(tmp_path, x: np.ndarray) -> Document:
    path = tmp_path / "arrays.npz"
    np.savez(path, x=x, y=np.arange(len(x)) % 2)
    g = Builder("Arrays")
    data = g.add("NPZ", id="data", path=str(path), input="x", target="y")
    g.add("Output", g.add("GaussianNoise", data, id="noise", std=0.2))
    return g.document()


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((60, 2), "points"), ((60, 200), "curves"), ((60, 1, 3000), "curves"), ((60, 5), "table"),
        ((60, 3, 12, 9), "images"), ((60, 1, 12, 9), "images"), ((60, 20, 30), "images"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_every_kind_is_drawn_in_any_size(show, settled, tmp_path, shape, kind, theme):
    values = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    view = show(arrays(tmp_path, values))
    view.bench.set_theme(theme)
    look = settled(view)
    assert look.kind == kind
    assert look.after.keys() == {next(iter(look.rows))}
    for size in ((900, 280), (400, 150), (60, 40), (1600, 700)):
        view.resize(*size)
        picture = view.grab().toImage()
        assert not picture.isNull()
    if kind != "table":
        assert view.pictures.labels[:2] == ["0", "1"]
        inside = view.pictures.grab().toImage()
        assert len({inside.pixel(x, y) for x in range(14, 200, 3) for y in range(8, 60, 3)}) > 2


def test_masks_stand_under_their_images():
    images, masks = np.random.rand(4, 3, 8, 8).astype(np.float32), np.random.randint(0, 3, (4, 8, 8))
    fields = {"image": Field(images), "mask": Field(masks, ("sky", "cat", "dog"))}
    look = Look(Dataset(fields, np.arange(4), np.arange(0)), {"image": images, "mask": masks})
    from gui.data.preview_pictures import _images

    rows = _images(look)
    assert [len(row) for row in rows] == [4, 4]
    assert len({rows[1][0].pixel(x, y) for x in range(8) for y in range(8)}) == len(np.unique(masks[0]))


def test_boxes_lie_over_their_images(show, settled):
    images = np.zeros((4, 3, 20, 20), np.float32)
    boxes = np.zeros((4, 2, 4), np.float32)
    boxes[:, 0] = (2, 4, 10, 16)
    kinds = np.array([[1, -1]] * 4)
    fields = {"image": Field(images), "boxes": Field(boxes), "labels": Field(kinds, ("cat", "dog"))}
    look = Look(data := Dataset(fields, np.arange(4), np.arange(0)), data.first(4))
    view = show(digits())
    settled(view)
    view.pictures.show_look(look)
    assert view.pictures.labels == ["dog"] * 4
    picture = view.pictures.grab().toImage()
    tile = view.pictures._tiles.tile(0)
    side = tile.width() / 20
    edge = picture.pixelColor(round(tile.left() + 2 * side), round(tile.top() + 10 * side)).name()
    inside = picture.pixelColor(round(tile.left() + 6 * side), round(tile.top() + 10 * side)).name()
    assert inside == "#000000"
    assert edge != "#000000"


# --- statistics -------------------------------------------------------------------------------------------


@pytest.fixture
def told(qtbot, settled):
    def wait(view: DataView):
        settled(view)
        view.pages.choose(STATISTICS)
        qtbot.waitUntil(lambda: view.told is not None, timeout=30_000)
        return view.statistics

    return wait


def test_counts_of_every_class(show, told):
    view = show(digits())
    page = told(view)
    assert shown(view) is page
    (bars,) = page.bars
    assert [each.name for each in bars.classes] == list("0123456789")
    assert sum(each.rows for each in bars.classes) == 1438
    assert sum(each.held for each in bars.classes) == 359
    assert "0 178" in bars.accessibleName()
    (table,) = page.tables
    assert [column.name for column in table.columns] == ["gray"]
    assert (table.columns[0].low, table.columns[0].high) == (0, 1)
    view.pages.choose(BATCH)
    assert shown(view) is view.pictures


def test_a_class_tells_its_own_columns(show, told, tmp_path):
    rows = [*(f"{n},1,a" for n in range(10)), *(f"{n},1,b" for n in range(10, 20))]
    view = show(csv(tmp_path, rows))
    page = told(view)
    (bars,), (table,) = page.bars, page.tables
    assert table.shown[0].mean == pytest.approx(9.5)
    at = QPoint(40, 24 + 22 + 11)  # the second row
    QTest.mouseClick(bars, LEFT, Qt.KeyboardModifier.NoModifier, at)
    assert bars.picked == 1
    assert table.shown[0].mean == pytest.approx(14.5)
    view.grab()
    QTest.mouseClick(bars, LEFT, Qt.KeyboardModifier.NoModifier, at)
    assert table.shown[0].mean == pytest.approx(9.5)
    bars.setFocus()
    QTest.keyClick(bars, Qt.Key.Key_Down)
    assert table.shown[0].mean == pytest.approx(4.5)
    QTest.keyClick(bars, Qt.Key.Key_Escape)
    assert bars.picked == -1


def test_statistics_are_read_once(show, told, settled):
    view = show(digits(FLIP))
    told(view)
    first = view.told
    view.pages.choose(BATCH)
    click(view.again)
    settled(view)
    view.pages.choose(STATISTICS)
    assert view.told is first
    assert shown(view) is view.statistics


def test_parts_stand_below_each_other_where_it_is_narrow(qtbot, show, told):
    view = show(digits(), width=1200)
    page = told(view)
    assert page.tables[0].x() > page.bars[0].x()
    view.resize(420, 280)
    qtbot.waitUntil(lambda: page.tables[0].x() == page.bars[0].x())
    assert page.tables[0].y() > page.bars[0].y()


def test_histograms_count_every_row_once(show):
    values = np.concatenate([np.zeros(30), np.linspace(1, 3, 70)])[:, None].astype(np.float32)
    labels = np.arange(100) % 2
    fields = {"x": Field(values), "y": Field(labels, ("even", "odd"))}
    data = Dataset(fields, np.arange(100), np.arange(0))
    counts = histograms(data, statistics(data))
    assert counts.keys() == {"x"}
    assert counts["x"].shape == (3, 1, BINS)
    assert counts["x"].sum(-1).ravel().tolist() == [100, 50, 50]
    assert counts["x"][0, 0, 0] == 30
    assert np.array_equal(counts["x"][1] + counts["x"][2], counts["x"][0])


def test_a_wide_table_tells_how_many_columns_are_left(qtbot):
    values = np.random.default_rng(0).standard_normal((50, 100)).astype(np.float32)
    data = Dataset({"x": Field(values)}, np.arange(50), np.arange(0))
    told = statistics(data)
    table = ColumnTable(Bench(Store(digits())), "x", told.fields[0].columns, histograms(data, told)["x"])
    qtbot.addWidget(table)
    table.resize(600, table.height())
    table.grab()
    assert table.height() > 64 * 22


# --- the thread -------------------------------------------------------------------------------------------


def test_the_newest_question_is_answered(qtbot):
    newest, answers = Newest(), []
    newest.answered.connect(answers.append)
    for number in range(5):
        newest.ask(lambda number=number: number)
    qtbot.waitUntil(lambda: not newest.busy)
    assert answers == [4]


def test_a_surprise_is_an_answer_too(qtbot):
    newest, answers = Newest(), []
    newest.answered.connect(answers.append)
    newest.ask(lambda: 1 / 0)
    qtbot.waitUntil(lambda: bool(answers))
    assert answers == [Failure("This data cannot be shown: division by zero.")]


def test_a_bypassed_layer_is_left_out(show, settled):
    document = digits(FLIP, NOISE)
    nodes = {**document.nodes, "augment1": replace(document.nodes["augment1"], mode="bypassed")}
    look = settled(show(document.with_(nodes=nodes)))
    assert np.array_equal(look.after["image"], look.rows["image"][..., ::-1])
