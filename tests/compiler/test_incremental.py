"""After one edit only what depends on it is inferred again, and the result is that of a fresh look."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import engine.compiler.resolve as resolve_module
from engine.compiler.analyze import analyze
from engine.compiler.resolve import Resolution, resolve
from engine.errors import EngineError
from engine.graph import blocks, edits
from engine.graph.build import Builder
from engine.graph.document import Document, Slot
from presets import preset

FEW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture
def looked_at(monkeypatch) -> list[str]:
    """The ids of the nodes that are inferred, and the calls of the layers that are run, from here on."""
    found: list[str] = []
    one, run = resolve_module.resolve_node, resolve_module.measure

    def resolve_node(document, node, *rest):
        found.append(node.id)
        return one(document, node, *rest)

    def measure(init, *rest):
        found.append(f"run {init}")
        return run(init, *rest)

    monkeypatch.setattr(resolve_module, "resolve_node", resolve_node)
    monkeypatch.setattr(resolve_module, "measure", measure)
    return found


def chain(count: int = 200) -> Document:
    g = Builder("Chain")
    x = g.add("Input", id="x", shape=(8,))
    for place in range(count // 2):
        x = g.add("ReLU", g.add("Linear", x, id=f"fc{place}", out_features=8), id=f"relu{place}")
    g.add("Output", x, id="out")
    return g.document()


def test_an_edit_near_the_end_of_a_long_chain_looks_at_the_end(looked_at):
    document = chain()
    before = analyze(document)
    assert len(looked_at) > 200
    looked_at.clear()
    after = analyze(edits.set_params(document, "fc98", out_features=5), before)
    assert [each for each in looked_at if each.startswith("run")] == [
        "run nn.Linear(8, 5)", "run ", "run nn.Linear(5, 8)",
    ]  # fmt: skip
    # The same width comes out of fc99, so the last ReLU stays; inputs and outputs are no layers.
    assert {each for each in looked_at if not each.startswith("run")} == {
        "x",
        "fc98",
        "relu98",
        "fc99",
        "out",
    }
    assert after.types[Slot("relu98", "y")].shape == ("N", 5)


def test_moves_and_names_infer_nothing(looked_at):
    document = chain()
    before = analyze(document)
    looked_at.clear()
    moved = edits.move(document, {id: (7.0, 7.0) for id in document.nodes})
    analyze(edits.rename(moved, "fc3", "Third"), before)
    assert set(looked_at) <= {"x", "out"}


def test_an_edit_near_the_end_of_resnet152_looks_into_no_block(looked_at):
    document = preset("resnet152").document()
    before = analyze(document)
    looked_at.clear()
    analyze(edits.set_params(document, "fc", out_features=10), before)
    assert [each for each in looked_at if each.startswith("run")] == ["run nn.Linear(2048, 10)"]
    assert {each for each in looked_at if not each.startswith("run")} == {"image", "fc", "scores"}


def test_an_edit_in_a_block_leaves_the_rest_of_it_and_the_layers_around(looked_at):
    document = preset("resnet152").document()
    before = analyze(document)
    inner = blocks.inside(document, "Bottleneck")
    last = next(id for id, node in reversed(inner.nodes.items()) if node.type == "ReLU")
    changed = blocks.outside(document, "Bottleneck", edits.rename(inner, last, "The end"))
    looked_at.clear()
    after = analyze(changed, before)
    assert not [each for each in looked_at if each.startswith("run")]
    assert after.types == before.types


def same(one: Resolution, other: Resolution) -> None:
    """Two resolutions say the same; mends are compared by what their buttons say."""
    for name in ("order", "steps", "types", "parameters", "macs", "values"):
        assert getattr(one, name) == getattr(other, name), name
    assert [_told(each) for each in one.problems] == [_told(each) for each in other.problems]
    assert one.blocks.keys() == other.blocks.keys()
    for id, row in one.blocks.items():
        for a, b in zip(row, other.blocks[id], strict=True):
            same(a, b)


def _told(problem) -> tuple:
    return (problem.node, problem.port, problem.message, problem.fix.title if problem.fix else "")


def start() -> Document:
    """A network with a block in a row, a skip, a fork and an LSTM's further outputs."""
    g = Builder("Start")
    with g.block("Pair", channels=8) as b:
        x = b.input()
        a = b.add("Linear", x, id="inner", out_features=b["channels"])
        b.output(b.add("Add", b.add("ReLU", a), x))
    x = g.add("Input", id="x", shape=(6, 8))
    states = g.add("LSTM", x, id="lstm", hidden_size=8)
    y = g.add("Pair", g.add("Select", states, id="last"), id="pair", repeat=2)
    y = g.add("Pair", y, id="other")
    y = g.add("Concatenate", y, g.add("Linear", y, id="fork", out_features=4), id="join")
    g.add("Output", g.add("Linear", y, id="head", out_features=3), id="out")
    return g.document()


@st.composite
def an_edit(draw):
    """An edit as a person makes it, by what they do it to; some are refused."""
    pick = st.integers(0, 100)
    kind = draw(
        st.sampled_from(["set", "set", "rename", "move", "delete", "connect", "insert", "inner", "copy"])
    )
    return kind, draw(pick), draw(pick), draw(st.integers(1, 12))


def apply(document: Document, edit: tuple) -> Document:
    kind, one, two, number = edit
    nodes = list(document.nodes)
    if not nodes:
        return document
    id, other = nodes[one % len(nodes)], nodes[two % len(nodes)]
    if kind == "set":
        names = [
            n
            for n in ("out_features", "hidden_size", "channels", "repeat", "dim")
            if n in _names(document, id)
        ]
        return edits.set_params(document, id, **{names[two % len(names)]: number}) if names else document
    if kind == "rename":
        return edits.rename(document, id, f"Name {number}")
    if kind == "move":
        return edits.move(document, {id: (number * 10.0, 0.0)})
    if kind == "delete":
        return edits.delete(document, [id], heal=bool(two % 2))
    if kind == "connect":
        source = [slot for slot in analyze(document).types if slot.node == id]
        ports = [port.name for port in blocks.layer_of(document, document.nodes[other].type).inputs]
        if not source or not ports:
            return document
        return edits.connect(document, source[two % len(source)], Slot(other, ports[number % len(ports)]))
    if kind == "insert" and document.edges:
        target, source = list(document.edges.items())[one % len(document.edges)]
        return edits.insert(document, "Tanh", edits.Edge(source, target))[0]
    if kind == "inner" and "Pair" in document.blocks:
        inner = blocks.inside(document, "Pair")
        return blocks.outside(
            document, "Pair", apply(inner, ("rename" if two % 2 else "insert", one, two, number))
        )
    return document


def _names(document: Document, id: str) -> set[str]:
    return {param.name for param in blocks.layer_of(document, document.nodes[id].type).params}


@FEW
@given(st.lists(an_edit(), min_size=1, max_size=12))
def test_after_any_edits_it_is_as_a_fresh_look(steps):
    document = start()
    before = analyze(document)
    for step in steps:
        with suppress(EngineError):
            document = apply(document, step)
        after = analyze(document, before)
        resolve_module._inside.cache_clear()
        resolve_module._latest.clear()
        if after.resolution is not None:
            same(after.resolution, resolve(document))
        fresh = analyze(document)
        assert after.memory == fresh.memory
        assert after.footprint == fresh.footprint
        assert after.source == fresh.source
        assert [_told(each) for each in after.problems] == [_told(each) for each in fresh.problems]
        before = after
