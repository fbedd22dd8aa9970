"""Finding nodes by what they are called, what they are, how they are set and what is wrong with them.

Frames and notes are found by their texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, Protocol

from engine.errors import EngineError
from engine.graph.blocks import inside, layer_of
from engine.graph.document import Comment, Document, Node
from engine.graph.view import order_of
from engine.layers.declaration import Layer
from engine.layers.params import Value


class Told(Protocol):
    """What an analysis says about a node."""

    node: str
    message: str
    severity: str


Problems = Mapping[str, Iterable[Told]]
"""What is told about the nodes of each block, by its name; the empty name is the document's own."""


class Hit(NamedTuple):
    """What answers, and the way to it: the blocks to enter, outermost first, and the node of each."""

    item: Node | Comment
    scope: tuple[str, ...] = ()
    way: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The id of the node, frame or note."""
        return self.item.id

    @property
    def title(self) -> str:
        """What it is called, or the first words of a note."""
        if isinstance(self.item, Node):
            return self.item.title
        return self.item.title or self.item.text.strip().partition("\n")[0] or self.item.kind.capitalize()

    @property
    def type(self) -> str:
        """The type of a node; ``frame`` or ``note``."""
        return self.item.type if isinstance(self.item, Node) else self.item.kind


class _Text(NamedTuple):
    """What can be found of all nodes that are set alike, in lower case; lines stand between line ends."""

    names: str
    """Type, label and category."""
    synonyms: str
    """Other names of its type, which count only as a whole."""
    own: str
    """A line ``name=value`` for every parameter that was set."""
    params: str
    """The same for every parameter; the values of a tuple are joined by commas."""


class _Test(NamedTuple):
    """What a word asks for."""

    answers: Callable[[_Text], bool]
    """Whether all nodes of a text answer, whatever each of them is called."""
    named: str = ""
    """What the name or the id of a node may hold instead; empty where names do not count."""
    wrong: str = ""
    """What may be said of a node instead; empty where that does not count."""


_Place = tuple[tuple[str, ...], tuple[str, ...]]
_Entry = tuple[Node | Comment, str, _Text, _Place]
"""An item, its name and id in lower case, what else is known of it, and where it stands: scope and way."""

_NUMBER = re.compile(r"-?\d+(\.\d+)?(e-?\d+)?")
_SIZES = re.compile(r"\d+([x×,]\d+)+")
_last: tuple[Document, list[_Entry], dict[str, _Kind]] = (Document(), [], {})
"""What was searched last: an edited document shares nearly all of its texts."""


def find(document: Document, text: str, problems: Problems | None = None) -> list[Hit]:
    """Return the nodes that answer to a text, in the order in which they run.

    Every word has to be found in a node: in its name, id, type or category, in a parameter that was set, or
    in what is wrong with it. A number is one of the parameters' values; ``kernel_size=3`` is that parameter
    with that value, also where it is the default, and a part of its name is enough. The nodes of a block
    follow the first node that uses it.
    """
    tests = [_test(word) for word in _words(text)]
    if not tests:
        return []
    entries = _index(document)
    told: dict[tuple[tuple[str, ...], str], str] = {}
    if problems:
        scopes = dict.fromkeys(place[0] for *_, place in entries)
        told = {(scope, id): said for scope in scopes for id, said in _told(problems, scope).items()}
    for test in tests:
        entries = _answering(entries, test, told)
    return [Hit(item, *place) for item, _, _, place in entries]


def _answering(
    entries: list[_Entry], test: _Test, told: Mapping[tuple[tuple[str, ...], str], str]
) -> list[_Entry]:
    """Return the entries that answer to one word; each text is asked once, as many nodes share it."""
    named, wrong, asked, found = test.named, test.wrong if told else "", {}, []
    for entry in entries:
        item, names, text, place = entry
        if (answer := asked.get(id(text))) is None:
            answer = asked[id(text)] = test.answers(text)
        if answer or (named and named in names) or (wrong and wrong in told.get((place[0], item.id), "")):
            found.append(entry)
    return found


def reason(document: Document, hit: Hit, text: str, problems: Problems | None = None) -> str:
    """Return the parameters or the problem for which a node was found; empty where it is its name or type."""
    if isinstance(hit.item, Comment):
        return _line_with(hit, text)
    known = _Kind(document, hit.item.type).text(hit.item)
    names = f"{_names(hit.item)}\n{known.names}".split("\n")[:4]
    wrong = _told(problems, hit.scope).get(hit.id, "")
    parts: list[str] = []
    for word in _words(text):
        if not any(word in name for name in names):
            lines = (_Text("", "", line, f"\n{line}\n") for line in known.params.split())
            parts += [line.params.strip() for line in lines if _test(word).answers(line)]
            if word in wrong:
                said = (each for each in problems[_name(hit.scope)] if each.node == hit.id)
                parts += [each.message for each in said if word in _line_of(each)]
    return ", ".join(dict.fromkeys(parts))


# -- what is searched for ---------------------------------------------------------------------------------


def _words(text: str) -> list[str]:
    return re.sub(r"\s*([=,])\s*", r"\1", text.lower()).split()


def _test(word: str) -> _Test:
    name, equals, value = word.partition("=")
    if equals and name:
        line = re.compile(rf"\n[^=\n]*{re.escape(name)}[^=\n]*={_value(value)}\n")
        return _Test(lambda known: name in known.params and line.search(known.params) is not None)
    word = value if equals else word
    if _SIZES.fullmatch(word):
        line = re.compile(rf"={_value(word)}\n")
        return _Test(lambda known: line.search(known.params) is not None or word in known.names, word)
    if _NUMBER.fullmatch(word):
        number = re.compile(rf"[=,]{re.escape(word)}[,\n]")
        return _Test(lambda known: word in known.names or number.search(known.params) is not None, word, word)
    whole = f"\n{word}\n"
    return _Test(
        lambda known: word in known.names or word in known.own or whole in known.synonyms, word, word
    )


def _value(value: str) -> str:
    """Return a pattern for a value: all sizes alike are one size, and a text may be begun."""
    if _SIZES.fullmatch(value):
        sizes = re.split("[x×,]", value)
        return sizes[0] if len(set(sizes)) == 1 else ",".join(sizes)
    if _NUMBER.fullmatch(value):
        return f"{re.escape(value)}(?:,{re.escape(value)})*"
    value = {"yes": "true", "no": "false"}.get(value, value)
    return rf"{re.escape(value)}[^\n]*"


# -- where it is searched ---------------------------------------------------------------------------------


class _Kind:
    """What all nodes of a type have in common, and a text for each way in which they are set."""

    def __init__(self, document: Document, type_: str, before: _Kind | None = None):
        try:
            self.layer: Layer | None = layer_of(document, type_)
        except EngineError:
            self.layer = None  # name, id, type and what was set can be found all the same
        layer = self.layer
        names = (type_, layer.label, layer.category) if layer else (type_,)
        self.names = "\n".join(names).lower()
        self.synonyms = "\n".join(("", *layer.synonyms, "")).lower() if layer else ""
        self.lines = {name: _line(name, value) for name, value in layer.values({}).items()} if layer else {}
        self.texts: dict[str, _Text] = {}
        self._before = before.texts if before is not None and before.layer is layer else {}

    def text(self, node: Node) -> _Text:
        """Return the text of a node, which is one object for all that are set alike."""
        key = repr(node.params) if node.params else ""  # values need not be hashable
        text = self.texts.get(key)
        if text is None:
            text = self.texts[key] = self._before.get(key) or self._text(node.params)
        return text

    def _text(self, params: Mapping[str, Value]) -> _Text:
        own = {name: _line(name, value) for name, value in params.items()}
        lines = "\n".join((self.lines | own).values())
        return _Text(self.names, self.synonyms, "\n".join(own.values()), f"\n{lines}\n")


def _index(document: Document) -> list[_Entry]:
    """Return every node with its text; those of each block that is used, once, behind the first use of it."""
    global _last
    last, entries, before = _last  # at once: threads may search
    if last is document:
        return entries
    kinds: dict[str, _Kind] = {}
    found: list[_Entry] = []

    def walk(graph: Document, place: _Place) -> None:
        for name in _order(graph):
            node = graph.nodes[name]
            kind = kinds.get(node.type)
            seen = kind is not None
            if kind is None:
                kind = kinds[node.type] = _Kind(document, node.type, before.get(node.type))
            found.append((node, _names(node), kind.text(node), place))
            if not seen and node.type in document.blocks:
                walk(inside(document, node.type), ((*place[0], node.type), (*place[1], name)))
        found.extend((each, "", _text_of(each), place) for each in graph.comments.values())

    walk(document, ((), ()))
    _last = (document, found, kinds)
    return found


def _names(node: Node) -> str:
    return f"{node.name or node.id}\n{node.id}".lower()


def _order(graph: Document) -> Iterable[str]:
    try:
        return order_of(graph)
    except EngineError:
        return graph.nodes  # a cycle has no order


def _text_of(comment: Comment) -> _Text:
    return _Text(f"{comment.title}\n{comment.kind}\n{comment.text}".lower(), "", "", "")


def _line_with(hit: Hit, text: str) -> str:
    """Return the line of a comment that answers, where it is not its title."""
    lines = (line.strip() for line in (hit.title, *hit.item.text.split("\n")))
    found = next((line for line in lines if any(word in line.lower() for word in _words(text))), "")
    return "" if found == hit.title else found


def _line(name: str, value: Value) -> str:
    parts = value if isinstance(value, tuple) else (value,)
    return f"{name}={','.join(_spelled(part) for part in parts)}".lower()


def _spelled(value: Value) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else "".join(str(value).split())


def _name(scope: tuple[str, ...]) -> str:
    return scope[-1] if scope else ""


def _told(problems: Problems | None, scope: tuple[str, ...]) -> dict[str, str]:
    told: dict[str, str] = {}
    for each in (problems or {}).get(_name(scope), ()):
        told[each.node] = f"{told.get(each.node, '')}{_line_of(each)}\n"
    return told


def _line_of(told: Told) -> str:
    return f"{told.severity}: {told.message}".lower()
