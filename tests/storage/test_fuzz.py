"""Damaged documents: whatever a file holds, it opens with its problems or is refused with a sentence."""

from __future__ import annotations

import json
import random
import sys
from copy import deepcopy
from typing import Any

import pytest

from engine.compiler.analyze import analyze
from engine.errors import FileError
from engine.graph.document import Document
from engine.storage.document_file import from_json, read_json, to_json
from engine.storage.format import VERSION
from presets import preset
from tests.compiler.test_links import twins

FORBIDDEN = (
    "exec",
    "os.system",
    "os.exec",
    "os.spawn",
    "subprocess.Popen",
    "socket.connect",
    "shutil.",
    "open",
)
"""Audit events that reading a document never causes; networkx compiles its decorators when first called."""

WORDS: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 10**400, 0.5, -1e308, 1e-320, "", "x", "Linear", "Input",
    "Conv2d", "__import__", "conv1.y",
    "a" * 5000, "{0}", '"' * 3, "\n", "\ud800", "../../etc/passwd", [], [[]], [1] * 300,
    {}, {"formula": "a"}, {"formula": "(" * 500}, {"node": "conv1"}, ["conv1.y", "conv1.x"], {"id": "a"},
    "copy", "average", "repeat", "self", "Squash", {"deep": [[[{"a": None}]]]}, 1e999,
)  # fmt: skip

_listening = False
_seen: list[str] = []


def _listen(event: str, arguments: tuple) -> None:
    if _listening and event.startswith(FORBIDDEN) and "networkx.utils.decorators" not in str(arguments):
        _seen.append(f"{event} {arguments}")


sys.addaudithook(_listen)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every container of a parsed file with every key or index in it."""
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = list(range(len(value)))
    else:
        return []
    return [(value, key) for key in keys] + [place for key in keys for place in _places(value[key])]


def _mutated(text: str, rng: random.Random) -> str:
    """Return a file after a few accidents or attacks: to its structure, or to its bytes."""
    if rng.random() < 0.3:
        letters = list(text)
        for _ in range(rng.randint(1, 5)):
            at = rng.randrange(len(letters))
            letters[at : at + rng.randint(0, 30)] = rng.choice(
                [[], ["\0"], list("{[}]"), ["9"] * 50, letters[at : at + 200]]
            )
        return "".join(letters)
    raw = json.loads(text)
    for _ in range(rng.randint(1, 4)):
        places = _places(raw)
        if not places:
            break
        where, key = rng.choice(places)
        kind = rng.random()
        if kind < 0.6:
            where[key] = deepcopy(rng.choice(WORDS))
        elif kind < 0.75:
            del where[key]
        elif kind < 0.9 and isinstance(where, dict):
            where[str(rng.choice(WORDS))[:50]] = deepcopy(where[key])
        elif isinstance(where, list):
            where.insert(key, deepcopy(where[key]))
    return json.dumps(raw)


def _read(text: str) -> tuple[Document | None, tuple[str, ...]]:
    """Return the document, or what is said instead; anything but a FileError passes."""
    try:
        loaded = read_json(text)
    except FileError as error:
        return None, (error.message, *error.problems)
    return loaded.document, loaded.left_out


def _document(name: str) -> str:
    """Return the text of a preset, of one that shares weights, or of one whose layers are not installed."""
    if name == "links":
        return to_json(twins("average"))
    if name == "missing":
        text = to_json(preset("autoencoder").document())
        return text.replace('"Linear"', '"Squash"').replace('"ReLU"', '"Mixing"')
    return to_json(preset(name).document())


@pytest.mark.parametrize(
    "name", ["lenet5", "resnet18-small", "autoencoder", "googlenet-small", "links", "missing", "newer"]
)
def test_a_thousand_damaged_files_each_open_or_say_why_not(name):
    global _listening
    text = _document("lenet5" if name == "newer" else name)
    if name == "newer":
        text = text.replace(f'"netwright": {VERSION}', f'"netwright": {VERSION + 1}')
    rng, opened, refused = random.Random(name), 0, 0
    for _ in range(1000):
        damaged = _mutated(text, rng)
        _seen.clear()
        _listening = True
        document, problems = _read(damaged)
        _listening = False
        assert not _seen
        assert all(0 < len(problem) < 1000 for problem in problems)
        refused += document is None
        if document is not None:
            opened += 1
            if opened % 10 == 0:
                analyze(document)
                assert from_json(to_json(document)) == document
    assert opened > 20
    assert refused > (200 if name == "newer" else 400)
