"""Cutting text into tokens: characters, words, or a byte-pair encoding that is trained on the text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.data.table import text_of
from engine.errors import DataError
from engine.layers.params import Bool, Choice, Int

PADDING, UNKNOWN = "<pad>", "<unk>"
"""Names of the tokens that fill a short text up, and that stand for what the vocabulary does not hold."""

BYTES = 256
"""Tokens that every byte-pair encoding begins with, so that it can write any text."""

TOKENS: tuple = (
    Choice(
        name="tokens",
        default="characters",
        choices=("characters", "words", "byte pairs"),
        doc="What the text is cut into; byte pairs: frequent pieces of words, found in the text itself.",
    ),
    Int(
        name="vocabulary",
        default=1000,
        min=2,
        max=1_000_000,
        doc="At most so many different tokens, the most frequent ones; byte pairs need more than 256.",
    ),
    Bool(name="lowercase", default=False, doc="Read capital letters as small ones."),
)
"""Parameters of every source that reads text."""

_WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]|\n")
_CHUNK = 10_000
"""Lines that are encoded at once."""


@dataclass(frozen=True)
class Vocabulary:
    """The names of all tokens in the order of their numbers, and what turns a text into numbers."""

    names: tuple[str, ...]
    encode: Callable[[str], np.ndarray]


def make_vocabulary(
    texts: Sequence[str], tokens: str, size: int, specials: tuple[str, ...], where: str
) -> Vocabulary:
    """Return the vocabulary of texts: at most ``size`` tokens, ``specials`` among them and first.

    ``tokens`` is characters, words or byte pairs. Where characters or words are left out, or the specials
    name it, there is a token for what is unknown. Raises DataError that begins with ``where``.
    """
    return _KINDS[tokens](texts, size, specials, where)


def padded(rows: Iterable[np.ndarray], length: int) -> np.ndarray:
    """Return rows of tokens as (n, length): what is longer is cut off, what is shorter is filled with 0."""
    rows = list(rows)
    values = np.zeros((len(rows), length), np.int64)
    for place, row in enumerate(rows):
        values[place, : len(row)] = row[:length]
    return values


def _chosen(counts: Counter, size: int, specials: tuple[str, ...]) -> tuple[str, ...]:
    """The specials, then the most frequent tokens in the order of the alphabet."""
    room = size - len(specials)
    if len(counts) <= room:
        return (*specials, *sorted(counts))
    specials = specials if UNKNOWN in specials else (*specials, UNKNOWN)
    frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[: max(size - len(specials), 0)]
    return (*specials, *sorted(token for token, _ in frequent))


def _characters(texts: Sequence[str], size: int, specials: tuple[str, ...], where: str) -> Vocabulary:
    counts: Counter = Counter()
    for text in texts:
        counts.update(text)
    names = _chosen(counts, size, specials)
    single = [(ord(name), number) for number, name in enumerate(names) if len(name) == 1]
    if not single:
        raise DataError(f"{where}: a vocabulary of {size} tokens has no room for a character; choose more.")
    unknown = names.index(UNKNOWN) if UNKNOWN in names else 0
    table = np.full(max(code for code, _ in single) + 1, unknown, np.int64)
    for code, number in single:
        table[code] = number

    def encode(text: str) -> np.ndarray:
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        found = table[np.minimum(codes, len(table) - 1)]
        return np.where(codes < len(table), found, unknown)

    return Vocabulary(names, encode)


def _words(texts: Sequence[str], size: int, specials: tuple[str, ...], where: str) -> Vocabulary:
    counts: Counter = Counter()
    for text in texts:
        counts.update(_WORD.findall(text))
    names = _chosen(counts, size, specials)
    numbers = {name: number for number, name in enumerate(names)}
    unknown = numbers.get(UNKNOWN, 0)

    def encode(text: str) -> np.ndarray:
        return np.array([numbers.get(word, unknown) for word in _WORD.findall(text)], np.int64)

    return Vocabulary(names, encode)


def _byte_pairs(texts: Sequence[str], size: int, specials: tuple[str, ...], where: str) -> Vocabulary:
    try:
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    except ImportError:
        raise DataError(
            f"{where}: byte pairs need the package tokenizers, which is not installed:"
            " pip install 'netwright[text]'. Characters and words work without it."
        ) from None
    specials = tuple(each for each in specials if each != UNKNOWN)  # bytes can write everything
    least = BYTES + len(specials) + 1
    if size < least:
        raise DataError(f"{where}: byte pairs need a vocabulary of at least {least}, not {size}.")
    model = Tokenizer(models.BPE())
    model.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    model.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(specials),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    model.train_from_iterator((part for text in texts for part in _parts(text)), trainer)
    count = model.get_vocab_size()
    names = (*specials, *(model.decode([number]) for number in range(len(specials), count)))

    def encode(text: str) -> np.ndarray:
        parts = list(_parts(text))
        rows = [
            each.ids
            for start in range(0, len(parts), _CHUNK)
            for each in model.encode_batch_fast(parts[start : start + _CHUNK], add_special_tokens=False)
        ]
        return np.fromiter((number for row in rows for number in row), np.int64)

    return Vocabulary(names, encode)


def _parts(text: str) -> list[str]:
    """Lines with their ends: encoded one by one, so that a long text needs no long buffers."""
    return text.splitlines(keepends=True)


_KINDS: dict[str, Callable[[Sequence[str], int, tuple[str, ...], str], Vocabulary]] = {
    "characters": _characters,
    "words": _words,
    "byte pairs": _byte_pairs,
}


def read_text(path: Path) -> str:
    """Return what a text file holds, its line ends as ``\\n``.

    Raises DataError where it is no text, OSError where it cannot be read.
    """
    return text_of(path, "text").replace("\r\n", "\n").replace("\r", "\n")
