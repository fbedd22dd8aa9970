"""Sets of the hub that are read over the network, against a server of this machine."""

from __future__ import annotations

import shutil
import threading
from time import monotonic

import numpy as np
import pyarrow.parquet as pq
import pytest

from engine.compiler.data import load_node, types_of
from engine.compiler.fetch import fetch
from engine.data import hub_network
from engine.data.hub_cache import read_record
from engine.data.hub_client import Progress, download
from engine.data.hub_network import RemoteRange, footer
from engine.data.statistics import statistics
from engine.data.stream import Stream
from engine.errors import DataError
from engine.graph.build import Builder
from engine.graph.document import Document, Node
from engine.training.events import Failed, Finished
from engine.training.runner import Runner
from tests.data.hub_sets import write_pets, write_wide
from tests.data.hub_stand_in import COPY_SHA, StandIn, stand_in


def wide(**params) -> Node:
    given = {"name": "tester/wide", "columns": "x", "reading": "network", "validation": 0}
    return Node("data", "Hub", params=given | params)


def network(node: Node) -> Document:
    g = Builder("Wide")
    data = g.add("Hub", id="data", **node.params)
    g.add("MSELoss", g.add("Linear", data["x"], out_features=1), data["x"])
    return g.document()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A hub with sets that were downloaded and looked at."""
    folder = tmp_path_factory.mktemp("hub")
    write_wide(folder)
    with pytest.MonkeyPatch.context() as patch, stand_in(folder) as hub:
        patch.setenv("HF_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("HF_ENDPOINT", hub.url)
        heard: list[tuple[str, Progress]] = []
        fetch(network(wide()), lambda node, each: heard.append((node, each)))
        assert read_record("tester/wide", "", "") is None
        download("tester/wide")
        yield hub, heard


@pytest.fixture
def hub(shared, monkeypatch) -> StandIn:
    hub, _ = shared
    monkeypatch.setattr(hub_network, "PAUSES", (0.01, 0.01))
    yield hub
    hub.broken, hub.gated, hub.drops = False, set(), 0


def epoch(stream: Stream, start: int = 0) -> np.ndarray:
    return np.concatenate([each["x"] for each in stream.epoch(3, 1, start)])[:, 0]


def test_only_the_ends_of_the_files_and_some_rows_come_first(shared):
    _, heard = shared
    record = read_record("tester/wide", "", "", network=True)
    assert record.parts["train"].rows == 4_000
    assert record.parts["train"].remote[0].groups == (500,) * 8
    assert [(each.done, each.total) for _, each in heard] == [(1, 2), (2, 2)]


def test_looking_at_it_asks_nobody(hub):
    hub.asked.clear()
    assert [each.shape[1:] for each in types_of(wide(columns="wide, x"))] == [(40,), (1,)]
    assert not hub.asked


def test_the_rows_are_those_of_the_downloaded_set(hub):
    params = {"columns": "x, wide", "held_part": "test", "rows": 1_300}
    memory, network = (load_node(wide(reading=reading, **params)) for reading in ("memory", "network"))
    assert isinstance(network, Stream)
    assert (network.rows, network.held) == (memory.rows, memory.held) == (1_300, 10)
    for held in (False, True):
        for name in ("x", "wide"):
            rows = [np.concatenate([each[name] for each in data.blocks(held)]) for data in (network, memory)]
            assert np.array_equal(*rows)


def test_an_epoch_gives_every_row_once_in_an_order_of_its_own(hub):
    rows = epoch(load_node(wide()))
    assert not np.array_equal(rows, np.arange(4_000))
    assert np.array_equal(np.sort(rows), np.arange(4_000))


@pytest.mark.parametrize("start", [1_234, 3_599])
def test_an_epoch_goes_on_at_any_row(hub, start, monkeypatch):
    monkeypatch.setattr("engine.data.stream.WINDOW", 4 * 700)
    monkeypatch.setattr("engine.data.hub_network.PIECE", 4 * 200)
    stream = load_node(wide(rows=3_600))  # the last row group is cut off, and pieces end within the others
    whole = epoch(stream)
    assert np.array_equal(np.sort(whole), np.arange(3_600))
    assert np.array_equal(epoch(stream, start), whole[start:])


def test_only_the_chosen_columns_come(hub):
    stream = load_node(wide())
    size = sum(file.size for file in read_record("tester/wide", "", "", network=True).parts["train"].remote)
    hub.sent = 0
    epoch(stream)
    assert 0 < hub.sent < size / 10


def test_the_end_of_a_file_is_asked_for_once(hub):
    epoch(load_node(wide()))
    hub.asked.clear()
    epoch(load_node(wide()))
    groups = 8
    assert len(hub.asked) == groups


def test_a_connection_that_drops_in_the_middle_is_tried_again(hub):
    stream = load_node(wide())
    hub.drops = 2
    assert np.array_equal(np.sort(epoch(stream)), np.arange(4_000))
    assert hub.drops == 0


def test_a_hub_that_is_out_of_order_is_given_up_after_some_attempts(hub):
    stream = load_node(wide())
    hub.broken = True
    hub.asked.clear()
    with pytest.raises(DataError, match=r"The hub refused: .*Try again later"):
        epoch(stream)
    assert len(hub.asked) >= 3


def test_without_a_network_it_says_that_there_are_other_ways(hub, monkeypatch):
    stream = load_node(wide())
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    said = r"cannot be reached \(.*read over the network.*set its reading to memory or stream"
    with pytest.raises(DataError, match=said):
        epoch(stream)


def test_a_set_that_became_gated_says_what_to_do(hub):
    stream = load_node(wide())
    hub.gated = {"tester/wide"}
    with pytest.raises(DataError, match="hf auth login"):
        epoch(stream)


def test_who_ends_an_epoch_does_not_wait_for_the_next_attempt(hub, monkeypatch):
    monkeypatch.setattr(hub_network, "PAUSES", (60.0,))
    monkeypatch.setattr("engine.data.stream.WINDOW", 4 * 500)
    stream = load_node(wide())
    epoch_ = stream.epoch(0, 1)
    hub.drops_after = 1
    try:
        next(epoch_)
        ended = threading.Thread(target=epoch_.close, daemon=True)
        ended.start()
        ended.join(20)
        assert not ended.is_alive()
    finally:
        hub.drops_after = None


def wait_for(is_so, seconds: float = 20) -> bool:
    end = monotonic() + seconds
    while not is_so() and monotonic() < end:
        threading.Event().wait(0.01)
    return bool(is_so())


def test_a_run_that_waits_for_the_network_is_stopped(hub, monkeypatch):
    monkeypatch.setattr(hub_network, "PAUSES", (60.0,))
    monkeypatch.setattr("engine.data.stream.WINDOW", 4 * 500)
    run = Runner(network(wide(rows=3_500)), "cpu")
    hub.broke.clear()
    try:
        run.start(paused=True)
        assert wait_for(lambda: run.steerable())
        hub.drops_after = 1
        run.resume()
        assert hub.broke.wait(20)
        run.stop()
        assert run.join(20)
        ended = [each for each in run.events.drain() if isinstance(each, Finished | Failed)]
        assert [each.reason for each in ended] == ["stopped"]
    finally:
        hub.drops_after = None
        run.close()


def test_a_set_of_a_script_is_read_from_the_copy_of_the_hub(hub):
    top = hub.folder / "tester" / "old"
    top.mkdir()
    (top / "old.py").write_text("raise SystemExit")
    write_pets(hub.folder / "copies", "tester/old")
    copy = hub.folder / "copies" / "tester" / "old"
    (copy / "default" / "train").mkdir(parents=True)
    (copy / "data" / "train-00000-of-00001.parquet").rename(copy / "default" / "train" / "0000.parquet")
    shutil.rmtree(copy / "data")
    try:
        assert download("tester/old", network=True).origin == f"tester/old@{COPY_SHA}"
        data = load_node(wide(name="tester/old", columns="image, label", size=8))
        assert data.fields["label"].classes == ("cat", "dog")
        rows = [*data.blocks()]
        images, labels = (np.concatenate([each[name] for each in rows]) for name in ("image", "label"))
        assert images[:, :, 4, 4].tolist() == [[1, 0, 0], [0, 0, 1]] * 10 + [[0, 0, 1]]
        assert labels.tolist() == [0, 1] * 10 + [1]  # the last one is torn: the one before it stands for it
    finally:
        shutil.rmtree(top)
        shutil.rmtree(hub.folder / "copies")


def test_fetching_looks_once(shared):
    hub, heard = shared
    assert {(node, each.stage) for node, each in heard} == {("data", "look")}
    asked = len(hub.asked)
    fetch(network(wide()), lambda *_: heard.append(_))
    assert len(hub.asked) == asked


def test_what_was_not_looked_at_says_so_without_asking(hub):
    asked = len(hub.asked)
    with pytest.raises(DataError, match="was not looked at yet: press … beside its name"):
        types_of(wide(revision="other"))
    assert len(hub.asked) == asked


def test_a_set_without_parquet_says_what_to_do(hub):
    top = hub.folder / "tester" / "lines"
    (top / "data").mkdir(parents=True)
    (top / "data" / "train.csv").write_text("x\n1\n2\n")
    try:
        with pytest.raises(DataError, match=r"no Parquet files to read over the network.*downloaded then"):
            download("tester/lines", network=True)
    finally:
        shutil.rmtree(top)


def test_a_stratified_split_is_refused(hub):
    with pytest.raises(DataError, match="choose random, or a held-out part"):
        load_node(wide(split="stratified"))


def test_statistics_do_not_read_all_of_it(hub):
    stream = load_node(wide())
    asked = len(hub.asked)
    with pytest.raises(DataError, match="counting it needs every row"):
        statistics(stream)
    assert len(hub.asked) == asked


def test_a_file_is_read_at_any_place(hub):
    record = read_record("tester/wide", "", "", network=True)
    file = record.parts["test"].remote[0]
    remote = RemoteRange(record.origin, file.path, file.size)
    data = (hub.folder / "tester" / "wide" / file.path).read_bytes()
    remote.seek(-8, 2)
    assert remote.read(100) == data[-8:]
    assert remote.read(1) == b""
    remote.seek(5)
    assert remote.read(7) == data[5:12]
    assert (
        footer(record.origin, file.path, file.size).num_rows
        == pq.read_metadata(hub.folder / "tester" / "wide" / file.path).num_rows
    )
