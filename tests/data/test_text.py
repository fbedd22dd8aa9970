"""Text files: windows of a text, texts in folders, and three ways of cutting them into tokens."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from engine.compiler.analyze import analyze
from engine.compiler.data import load_node, types_of
from engine.errors import DataError
from engine.graph.build import Builder
from engine.graph.document import Node
from engine.training.events import Evaluated
from engine.training.runner import Runner

VERSE = (
    "Tell me, O Muse, of that ingenious hero\nwho travelled far and wide\n"
    "after he had sacked the famous town of Troy.\n"
) * 20


@pytest.fixture
def text(tmp_path):
    """Write a text and return the node that reads it."""

    def write(content: str | bytes = VERSE, **params) -> Node:
        path = tmp_path / "verse.txt"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return Node("data", "TextFile", params={"path": str(path), "length": 16, **params})

    return write


def spelled(field, row: int, between: str = "") -> str:
    return between.join(field.classes[number] for number in field.values[row])


def check_types(node: Node):
    data = load_node(node)
    for field, promised in zip(data.fields.values(), types_of(node), strict=True):
        assert field.values.shape[1:] == promised.shape[1:]
        assert field.values.dtype == np.int64
        assert len(field.classes) == promised.classes
        assert 0 <= field.values.min() <= field.values.max() < promised.classes
    return data


def test_characters_of_a_window_and_what_comes_next(text):
    data = check_types(text())
    now, after = data.fields["text"], data.fields["next"]
    assert now.classes == tuple(sorted(set(VERSE)))
    assert spelled(now, 0) == VERSE[:16]
    assert spelled(after, 0) == VERSE[1:17]
    assert spelled(now, 2) == VERSE[32:48]
    assert len(now.values) == (len(VERSE) - 1) // 16


def test_windows_may_overlap_and_then_take_no_more_memory(text):
    field = load_node(text(stride=1, validation=0)).fields["text"]
    assert len(field.values) == len(VERSE) - 16
    assert spelled(field, 5) == VERSE[5:21]
    assert field.values.base is not None
    assert field.values.strides[0] == field.values.strides[1]


@pytest.mark.parametrize("stride", [1, 5, 16, 40])
def test_the_end_is_held_out_and_no_window_sees_both_sides(text, stride):
    data = load_node(text(stride=stride, validation=0.25))
    assert len(data.train)
    assert len(data.validation)
    seen = max(stride * row + 16 for row in data.train)
    assert seen <= stride * min(data.validation)
    assert abs(len(data.validation) / len(data.fields["text"].values) - 0.25) < 0.03


def test_words_and_the_unknown(text):
    data = check_types(text("the cat saw the dog; the cat ran.\n" * 9, tokens="words", length=4))
    field = data.fields["text"]
    assert field.classes == tuple(sorted({"the", "cat", "saw", "dog", ";", "ran", ".", "\n"}))
    assert spelled(field, 0, " ") == "the cat saw the"
    data = check_types(
        text("the cat saw the dog; the cat ran.\n" * 9, tokens="words", length=4, vocabulary=3)
    )
    assert data.fields["text"].classes == ("<unk>", "cat", "the")
    assert spelled(data.fields["text"], 0, " ") == "the cat <unk> the"


def test_rare_characters_become_the_unknown(text):
    data = check_types(text("aaaa bbbb cd" * 20, vocabulary=4, length=11, validation=0))
    assert data.fields["text"].classes == ("<unk>", " ", "a", "b")
    assert spelled(data.fields["text"], 0) == "aaaa bbbb <unk>"


def test_byte_pairs_are_trained_on_the_text_and_spell_it_again(text):
    content = VERSE + "Ünïcödé 漢字 🙂\n"
    data = check_types(text(content, tokens="byte pairs", vocabulary=330, stride=16, validation=0))
    field = data.fields["text"]
    assert len(field.classes) <= 330
    whole = "".join(spelled(field, row) for row in range(len(field.values)))
    assert content.startswith(whole)
    assert len(whole) / field.values.size > 3  # letters in a token: pieces were found
    again = load_node(text(content, tokens="byte pairs", vocabulary=330, stride=16, validation=0.1))
    assert again.fields["text"].classes == field.classes


def test_small_letters(text):
    assert not any(name.isupper() for name in load_node(text(lowercase=True)).fields["text"].classes)


def test_any_encoding_and_line_end(text):
    wanted = load_node(text("süß\nund saúr\n" * 9)).fields["text"]
    for content in (
        "süß\r\nund saúr\r\n" * 9,
        ("süß\nund saúr\n" * 9).encode("utf-16"),
        ("süß\nund saúr\n" * 9).encode("cp1252"),
    ):
        found = load_node(text(content)).fields["text"]
        assert found.classes == wanted.classes
        assert np.array_equal(found.values, wanted.values)


@pytest.mark.parametrize(
    ("content", "params", "said"),
    [
        ("", {}, r"verse\.txt is empty"),
        ("short", {}, "has 5 tokens; windows of 16 need at least 18. Choose a shorter length"),
        (b"\x00\x01\x02", {}, "is not a text file"),
        (VERSE, {"tokens": "byte pairs", "vocabulary": 200}, "need a vocabulary of at least 257, not 200"),
    ],
)
def test_useless_texts(text, content, params, said):
    with pytest.raises(DataError, match=said) as caught:
        load_node(text(content, **params))
    assert caught.value.node == "data"


def test_without_the_library_byte_pairs_say_what_to_install(text, monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(DataError, match=r"pip install 'netwright\[text\]'. Characters and words work"):
        load_node(text("another text " * 20, tokens="byte pairs"))


def test_too_many_windows_are_refused_before_they_are_made(text, monkeypatch):
    monkeypatch.setattr("engine.data.text.LARGEST", 1000)
    with pytest.raises(DataError, match="choose a longer stride or a shorter length"):
        load_node(text(stride=1))


@pytest.fixture
def letters(tmp_path):
    """Two kinds of letters, one of them empty, one of them no text."""
    for kind, contents in (("ham", ["dear friend", "see you"]), ("spam", ["BUY NOW BUY NOW", " "])):
        (tmp_path / kind).mkdir()
        for number, content in enumerate(contents):
            (tmp_path / kind / f"{number}.txt").write_text(content)
    (tmp_path / "spam" / "9.txt").write_bytes(b"\0\0")
    (tmp_path / "spam" / "picture.png").write_bytes(b"nobody's")
    return tmp_path


def folder(path, **params) -> Node:
    return Node("data", "TextFolder", params={"folder": str(path), "length": 12, "validation": 0, **params})


def test_each_folder_is_a_class_of_texts(letters):
    data = check_types(folder(letters))
    text, label = data.fields["text"], data.fields["label"]
    assert label.classes == ("ham", "spam")
    assert label.values.tolist() == [0, 0, 1]
    assert text.classes[:2] == ("<pad>", "<unk>")
    assert spelled(text, 1) == "see you" + "<pad>" * 5
    assert spelled(text, 2) == "BUY NOW BUY "
    assert [each.partition(":")[0] for each in data.skipped] == ["spam/1.txt", "spam/9.txt"]


def test_words_of_folders(letters):
    data = check_types(folder(letters, tokens="words", lowercase=True, length=3))
    assert spelled(data.fields["text"], 2, " ") == "buy now buy"


def test_a_new_text_is_seen(letters):
    assert len(load_node(folder(letters))) == 3
    (letters / "ham" / "new.txt").write_text("hello")
    assert len(load_node(folder(letters))) == 4


def test_what_is_no_folder_of_texts_is_told(tmp_path):
    with pytest.raises(DataError, match="Choose a folder"):
        types_of(folder(""))
    (tmp_path / "loose.txt").write_text("hello")
    with pytest.raises(DataError, match="it holds 1 texts and no folder of texts"):
        types_of(folder(tmp_path))
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.txt").write_text(" ")
    with pytest.raises(DataError, match=r"none of the texts can be read; a/b\.txt: it is empty"):
        types_of(folder(tmp_path))


REVIEWS = "id,review,mood\n" + "".join(
    f"{n},a {'fine' if n % 2 else 'dull'} film number {n},{'good' if n % 2 else 'bad'}\n" for n in range(20)
)


def table(path, **params) -> Node:
    values = {"path": str(path), "tokens": "words", "length": 6, "validation": 0}
    return Node("data", "TextTable", params=values | params)


def test_texts_and_labels_of_a_table(tmp_path):
    path = tmp_path / "reviews.csv"
    path.write_text(REVIEWS + "20,,good\n21,no label,\n22,too,many,cells\n")
    data = check_types(table(path))
    text, label = data.fields["text"], data.fields["label"]
    assert label.classes == ("bad", "good")
    assert spelled(text, 1, " ") == "a fine film number 1 <pad>"
    assert len(data) == 20
    assert len(data.skipped) == 3
    assert any("'review' is empty" in each for each in data.skipped)
    assert any("'mood' is missing" in each for each in data.skipped)
    lines = tmp_path / "reviews.jsonl"
    lines.write_text("".join(f'{{"body": "film {n}", "stars": {n % 5}}}\n' for n in range(20)))
    stars = check_types(table(lines)).fields["label"]
    assert stars.classes == ("0", "1", "2", "3", "4")
    other = load_node(table(path, label="id", text="mood")).fields
    assert other["text"].classes[2:] == ("bad", "good")
    assert other["label"].values[:3].tolist() == [[0], [1], [2]]


@pytest.mark.parametrize(
    ("content", "params", "said"),
    [
        ("a\nx y\n", {}, "has one column; expected a column of texts and one of labels"),
        ("a,b\n1,2\n3,4\n", {}, "has no column of texts; it has a, b"),
        (REVIEWS, {"text": "reviw"}, "Did you mean 'review'"),
        (REVIEWS, {"text": "mood", "label": "mood"}, "'mood' cannot be both text and label"),
        ("text,label\n,x\n,y\n", {}, "holds no usable row|has no column of texts"),
    ],
)
def test_useless_tables_of_texts(tmp_path, content, params, said):
    path = tmp_path / "t.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=said) as caught:
        load_node(table(path, **params))
    assert caught.value.node == "data"


def test_a_table_that_is_too_small_for_the_vocabulary_has_a_mend(text):
    g = Builder("Poet")
    data = g.add("TextFile", id="data", **text(length=8).params)
    g.add("Output", g.add("Embedding", data, id="table", num_embeddings=10))
    (problem,) = analyze(g.document()).problems_of("table")
    count = len(set(VERSE))
    assert problem.message == f"The data has {count} different numbers, Embedding room for 10."
    mended = problem.fix.edit(g.document())
    assert mended.nodes["table"].params["num_embeddings"] == count
    assert not analyze(mended).problems_of("table")


def test_a_network_learns_what_comes_next(text):
    g = Builder("Poet")
    data = g.add("TextFile", id="data", **text(VERSE * 10, length=8).params)
    seen = g.add("LSTM", g.add("Embedding", data, num_embeddings=64, embedding_dim=16), hidden_size=32)
    scores = g.add("Permute", g.add("Linear", seen, out_features=len(set(VERSE))), dims=(0, 2, 1))
    g.add("CrossEntropyLoss", scores, data["next"])
    g.train("Adam", epochs=6, batch_size=64, lr=0.01)
    runner = Runner(g.document())
    try:
        runner.start()
        assert runner.join(120)
        told = [event for event in runner.events.drain() if isinstance(event, Evaluated)]
    finally:
        runner.close()
    assert told[-1].metrics["val_loss"] < 0.6 * np.log(len(set(VERSE)))
