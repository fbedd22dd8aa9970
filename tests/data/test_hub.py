"""Sets of the Hugging Face hub, against a server of this machine that gives the same pages."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest

from engine.compiler.data import load_node, types_of
from engine.compiler.fetch import fetch
from engine.data.hub_cache import cache_folder, read_record, record_path
from engine.data.hub_client import Cancelled, Progress, Request, describe, download, search
from engine.data.stream import Stream
from engine.errors import DataError
from engine.graph.build import Builder
from engine.graph.document import Node
from engine.storage.document_file import save_document
from main import main
from tests.data.hub_sets import write_languages, write_large, write_pets, write_reviews
from tests.data.hub_stand_in import SHA, StandIn, stand_in


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A hub with two sets, both of which were downloaded once."""
    folder = tmp_path_factory.mktemp("hub")
    write_pets(folder)
    write_reviews(folder)
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch, stand_in(folder) as hub:
        patch.setenv("HF_HOME", str(home))
        patch.setenv("HF_ENDPOINT", hub.url)
        heard: list[Progress] = []
        download("tester/pets", tell=heard.append)
        download("tester/reviews")
        yield hub, home, heard


@pytest.fixture
def hub(shared, monkeypatch) -> StandIn:
    """The hub with everything here already."""
    hub, home, _ = shared
    monkeypatch.setenv("HF_HOME", str(home))
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    yield hub
    hub.broken, hub.gated = False, set()


@pytest.fixture
def empty(hub, tmp_path, monkeypatch) -> StandIn:
    """The hub, seen from a machine that has nothing yet."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    return hub


def node(name: str = "tester/pets", columns: str = "image, label", **params) -> Node:
    return Node("data", "Hub", params={"name": name, "columns": columns, "size": 8, **params})


def reviews(columns: str, **params):
    data = load_node(node("tester/reviews", columns, validation=0, **params))
    types = types_of(node("tester/reviews", columns, validation=0, **params))
    for field, promised in zip(data.fields.values(), types, strict=True):
        assert field.values.shape[1:] == promised.shape[1:]
        assert field.values.dtype == {"float": np.float32, "int": np.int64}[promised.dtype]
        assert len(field.classes) == promised.classes
    return data


def test_search_asks_for_the_most_downloaded(hub):
    found = search("pet")
    assert [each.name for each in found] == ["tester/pets"]
    assert found[0].description == "Pictures of cats and dogs, one color each."
    assert found[0].downloads == 1234
    assert found[0].tagged("size_categories") == ("n<1K",)
    assert "sort=downloads" in hub.asked[-1]
    assert len(search("")) == 2
    assert search("nothing of the kind") == []


def test_describing_shows_columns_parts_and_first_rows_without_a_download(empty):
    about = describe("tester/pets")
    assert (about.configs, about.config) == (("default",), "default")
    assert list(about.parts) == ["train", "test"]
    assert about.features["label"]["names"] == ["cat", "dog"]
    assert about.size > 1000
    assert len(about.rows) == 8
    assert about.rows[1]["label"] == 1
    assert set(about.rows[1]["image"]) == {"image"}
    assert about.description == "Pictures of cats and dogs, one color each."
    assert read_record("tester/pets", "", "") is None


def test_a_download_tells_bytes_and_then_rows(shared):
    _, _, heard = shared
    loaded = [each for each in heard if each.stage == "download"]
    assert [each.done for each in loaded] == sorted(each.done for each in loaded)
    assert loaded[-1].done == loaded[-1].total > 1000
    assert any(each.stage == "prepare" and each.done == 21 for each in heard)


def test_images_and_labels(hub):
    data = load_node(node(validation=0))
    image, label = data.fields["image"], data.fields["label"]
    assert image.values.shape == (20, 3, 8, 8)
    assert label.classes == ("cat", "dog")
    assert image.values[0, :, 4, 4].tolist() == [1, 0, 0]
    assert label.values[:2].tolist() == [0, 1]
    assert len(data.skipped) == 1
    assert data.skipped[0].startswith("train, row 21: image: ")
    assert [each.shape[1:] for each in types_of(node())] == [(3, 8, 8), ()]


def test_a_part_of_the_set_is_held_out(hub):
    data = load_node(node(held_part="test"))
    assert (data.rows, data.held) == (20, 6)
    assert data.validation.tolist() == list(range(20, 26))
    assert load_node(node(rows=4, held_part="test")).rows == 4
    assert load_node(node(part="test", validation=0)).rows == 6


def test_text_becomes_tokens_and_few_words_become_classes(hub):
    data = reviews("text, mood", tokens="words", length=5)
    text, mood = data.fields["text"], data.fields["mood"]
    assert [text.classes[number] for number in text.values[1]] == ["a", "fine", "film", "number", "1"]
    assert mood.classes == ("bad", "good")
    assert mood.values[:3].tolist() == [0, 1, 0]


def test_numbers_of_every_kind(hub):
    fields = reviews("stars, length, seen, place.x, vector, tokens", length=3).fields
    assert fields["stars"].classes == ("1", "2", "3", "4", "5")
    assert fields["length"].values[7].tolist() == [7]
    assert (fields["seen"].classes, fields["seen"].values[:2].tolist()) == (("no", "yes"), [1, 0])
    assert fields["place_x"].values[3].tolist() == [3000]
    assert fields["vector"].values[5].tolist() == [5, 1, 2]
    assert fields["tokens"].values[:4].tolist() == [[0, 0, 0], [0, 1, 0], [0, 1, 2], [0, 1, 2]]


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"name": ""}, "Choose a set of the hub"),
        ({"name": "../etc"}, "is no name of a set; expected owner/name"),
        ({"columns": ""}, r"Choose columns of tester/pets.*image \(images\), label \(2 classes\)"),
        ({"columns": "imge"}, "no column 'imge'. Did you mean 'image'"),
        ({"part": "dev"}, "has no part 'dev'; it has train, test"),
        ({"name": "tester/reviews", "columns": "when"}, r"'when' is timestamp\[ms\]; no field can be made"),
        ({"name": "tester/nobody"}, "is not on this machine yet: press …"),
    ],
)
def test_what_is_wrong_is_told_with_the_node(hub, params, said):
    given = node().params | params
    with pytest.raises(DataError, match=said) as caught:
        types_of(Node("data", "Hub", params=given))
    assert caught.value.node == "data"
    assert not any("nobody" in each for each in hub.asked)


@pytest.mark.parametrize("held_part", ["", "test"])
def test_a_stream_gives_the_rows_that_are_held_in_memory(hub, held_part, monkeypatch):
    monkeypatch.setattr("engine.data.hub_stream.PIECE", 16 * 776)  # so that there are several pieces
    params = {"held_part": held_part, "validation": 0.25}
    memory = load_node(node(reading="memory", **params))
    stream = load_node(node(reading="stream", **params))
    assert isinstance(stream, Stream)
    assert (stream.rows, stream.held) == (memory.rows, memory.held)
    assert stream.fields["label"].classes == ("cat", "dog")
    assert stream.skipped == memory.skipped[: len(stream.skipped)]
    assert any("row 21: image: " in reason for reason in stream.skipped)
    for held in (False, True):
        for name in ("image", "label"):
            rows = [np.concatenate([each[name] for each in data.blocks(held)]) for data in (stream, memory)]
            assert rows[0].shape == rows[1].shape
            assert rows[0].dtype == rows[1].dtype
            if held_part:  # which rows are drawn is decided piece by piece
                assert np.array_equal(*rows)
    everything = np.concatenate([each["label"] for held in (False, True) for each in stream.blocks(held)])
    assert np.bincount(everything).tolist() == ([13, 13] if held_part else [10, 10])


def refused(hub: StandIn, name: str, **more) -> str:
    with pytest.raises(DataError) as caught:
        Request("download", name, **more).run()
    return caught.value.message


def test_a_set_that_is_not_there(empty):
    assert "The hub has no set tester/nobody, or it is private" in refused(empty, "tester/nobody")


def test_a_configuration_that_is_not_there(empty):
    assert "has several configurations; choose one of default" in refused(empty, "tester/pets", config="no")


def test_one_of_several_configurations(empty):
    write_languages(empty.folder)
    try:
        assert "has several configurations; choose one of de, fr" in refused(empty, "tester/languages")
        about = describe("tester/languages")
        assert (about.configs, about.config, list(about.parts)) == (("de", "fr"), "de", ["everything"])
        assert describe("tester/languages", "fr").rows[0]["y"] == 1
        download("tester/languages", "fr")
        given = {"config": "fr", "part": "everything", "validation": 0}
        assert load_node(node("tester/languages", "y", **given)).fields["y"].values.tolist() == [[1]] * 10
        with pytest.raises(DataError, match="is not on this machine yet"):
            types_of(node("tester/languages", "y", **given | {"config": "de"}))
    finally:
        shutil.rmtree(empty.folder / "tester" / "languages")


def test_a_gated_set_says_what_to_do(empty):
    empty.gated = {"tester/pets"}
    message = refused(empty, "tester/pets")
    assert "https://huggingface.co/datasets/tester/pets" in message
    assert "hf auth login" in message


def test_python_of_a_set_is_never_run(empty, tmp_path):
    top = empty.folder / "tester" / "script"
    top.mkdir()
    (top / "script.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    try:
        assert "scripts of others are never run" in refused(empty, "tester/script")
        assert not (tmp_path / "ran").exists()
    finally:
        shutil.rmtree(top)


def test_of_a_set_that_a_script_makes_the_copy_of_the_hub_is_taken(empty):
    top = empty.folder / "tester" / "old"
    write_reviews(empty.folder / "copies", "tester/old")
    (empty.folder / "copies" / "tester" / "old" / "README.md").unlink()  # the hub's copies have none
    top.mkdir()
    (top / "old.py").write_text("raise SystemExit")
    try:
        about = describe("tester/old")
        assert about.revision == "refs/convert/parquet"
        assert "mood" in about.features
        record = download("tester/old", revision=about.revision)
        assert record.parts["train"].rows == 60
        assert load_node(node("tester/old", "length", revision=about.revision, validation=0)).rows == 60
    finally:
        shutil.rmtree(top)
        shutil.rmtree(empty.folder / "copies")


def test_a_hub_that_is_out_of_order(empty):
    empty.broken = True
    assert "The hub refused" in refused(empty, "tester/pets")
    with pytest.raises(DataError, match="The hub refused"):
        search("pets")


def test_without_a_network(hub, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DataError, match=r"cannot be reached \(.*Is there a network\?"):
        search("pets")
    assert load_node(node(validation=0.5)).rows == 10  # what is here needs none
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    assert "cannot be reached" in refused(hub, "tester/pets")


def test_a_download_can_be_cancelled_and_done_again(empty):
    write_large(empty.folder)
    try:
        empty.hold.clear()
        empty.halfway.clear()
        request, ended = Request("download", "tester/large"), []

        def run() -> None:
            try:
                request.run()
            except DataError as error:
                ended.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        assert empty.halfway.wait(60)
        request.cancel()
        thread.join(60)
        assert not thread.is_alive()
        assert isinstance(ended[0], Cancelled)
        assert read_record("tester/large", "", "") is None
        with pytest.raises(Cancelled):
            request.run()
        empty.hold.set()
        assert download("tester/large").parts["train"].rows == 200_000
        data = load_node(node("tester/large", "x, y"))
        assert len(data) == 200_000
    finally:
        empty.hold.set()
        shutil.rmtree(empty.folder / "tester" / "large")


def test_a_set_whose_cache_is_gone_is_asked_for_again(empty):
    download("tester/reviews")
    assert types_of(node("tester/reviews", "length"))
    shutil.rmtree(cache_folder() / "tester___reviews")
    with pytest.raises(DataError, match="is not on this machine yet"):
        types_of(node("tester/reviews", "length"))


def test_a_damaged_copy_is_told(empty):
    record = download("tester/reviews")
    for file in record.parts["train"].files:
        with open(file, "r+b") as out:
            out.truncate(100)
    with pytest.raises(DataError, match=r"is damaged .*; download it again"):
        types_of(node("tester/reviews", "length"))
    assert download("tester/reviews") == record
    assert types_of(node("tester/reviews", "length"))
    record_path("tester/reviews", "", "").write_text("{ no record")
    with pytest.raises(DataError, match="is not on this machine yet"):
        types_of(node("tester/reviews", "length"))


def test_a_revision_is_kept_beside_the_newest(empty):
    download("tester/reviews")
    assert read_record("tester/reviews", "", SHA) is None
    with pytest.raises(DataError, match="is not on this machine yet"):
        types_of(node("tester/reviews", "length", revision=SHA))


def network():
    g = Builder("Films")
    data = g.add(
        "Hub", id="data", name="tester/reviews", columns="vector, mood", held_part="test", validation=0
    )
    g.add("CrossEntropyLoss", g.add("Linear", data["vector"], out_features=2), data["mood"])
    return g.document()


def test_fetching_names_the_node(empty):
    empty.gated = {"tester/reviews"}
    with pytest.raises(DataError, match="gated") as caught:
        fetch(network())
    assert caught.value.node == "data"
    empty.gated = set()
    heard = []
    fetch(network(), lambda id, progress: heard.append((id, progress.stage)))
    assert ("data", "download") in heard
    asked = len(empty.asked)
    fetch(network())
    assert len(empty.asked) == asked


@pytest.mark.parametrize("reading", ["memory", "stream"])
def test_training_from_the_command_line_downloads_first(empty, tmp_path, capsys, reading):
    path = tmp_path / "films.netwright"
    save_document(network(), path)
    setting = f"data.reading={reading}"
    assert main(["train", str(path), "--epochs", "2", "--set", setting, "--out", str(tmp_path / "run")]) == 0
    assert "data: Downloading" in capsys.readouterr().err
    assert read_record("tester/reviews", "", "") is not None


BARS = """
from tqdm import tqdm
from engine.data.hub_fetch import Teller
teller = Teller()
teller.total = 100
teller.watch_bars()
print("libraries print what they like")
written = tqdm(total=100, unit="B", desc="x.parquet: reconstructing file", disable=None)
received = tqdm(total=100, unit="B", desc="x.parquet: downloading bytes", disable=None)
for bar in (received, written, received, written):
    bar.update(50)
rows = tqdm(total=7, unit=" examples", disable=True)
rows.update(7)
"""


def test_bytes_are_counted_once_where_a_library_shows_two_bars():
    done = subprocess.run([sys.executable, "-c", BARS], capture_output=True, text=True, check=True)
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"stage": "download", "done": 50, "total": 100},
        {"stage": "download", "done": 100, "total": 100},
        {"stage": "prepare", "done": 7, "total": 7},
    ]
