"""Text as data: windows of one long text, or many short texts with a label each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from engine.data.arrays import LARGEST
from engine.data.columns import shortened
from engine.data.folders import class_files, folder_name
from engine.data.source import SPLIT, Dataset, Field, Source, dataset
from engine.data.table import LARGEST as LONGEST
from engine.data.table import file_stamp, folder_stamp
from engine.data.tokens import PADDING, TOKENS, UNKNOWN, Vocabulary, make_vocabulary, padded, read_text
from engine.errors import DataError
from engine.layers.declaration import BATCH, Port, TensorType
from engine.layers.params import File, Folder, Int, Value

_LINES = 20

ENDINGS = (".txt", ".md", ".text", ".rst")
"""Of the files that are read as text; all others in a folder are passed over."""


@lru_cache(maxsize=4)
def _tokens(
    stamp: tuple[str, int, int], tokens: str, vocabulary: int, lowercase: bool
) -> tuple[np.ndarray, Vocabulary]:
    """A whole file as numbers, and its vocabulary."""
    path = Path(stamp[0])
    if stamp[2] > LONGEST:
        raise DataError(f"{path.name} has {stamp[2]:,} bytes; at most {LONGEST:,} are read.")
    text = read_text(path)
    if not text:
        raise DataError(f"{path.name} is empty; expected a text.")
    text = text.lower() if lowercase else text
    words = make_vocabulary([text], tokens, vocabulary, (), path.name)
    values = words.encode(text)
    values.flags.writeable = False
    return values, words


def _windows(p: Mapping[str, Value]) -> Dataset:
    """Windows of the whole text; its end is held out, and those that reach over the border are no samples."""
    values, words = _tokens(file_stamp(p["path"]), p["tokens"], p["vocabulary"], p["lowercase"])
    length, stride, name = p["length"], p["stride"] or p["length"], Path(p["path"]).name
    if len(values) < length + 2:
        raise DataError(
            f"{name} has {len(values):,} tokens; windows of {length} need at least {length + 2}."
            " Choose a shorter length."
        )
    starts = np.arange(0, len(values) - length, stride)
    if len(starts) * length * 16 > LARGEST:
        raise DataError(
            f"{name}: {len(starts):,} windows of {length} tokens take more than {LARGEST // 10**9} GB;"
            " choose a longer stride or a shorter length."
        )
    held = min(round(len(starts) * p["validation"]), len(starts) - 1)
    border = len(starts) - held
    reach = starts[border] if held else len(values)
    train = np.flatnonzero(starts[:border] + length <= reach)
    # Views of the tokens, not copies: overlapping windows take no memory until rows of them are taken.
    text, after = (sliding_window_view(each, length)[::stride] for each in (values[:-1], values[1:]))
    fields = {"text": Field(text, words.names), "next": Field(after, words.names)}
    return Dataset(fields, train, np.arange(border, len(starts)))


def _window_types(p: Mapping[str, Value]) -> tuple[TensorType, ...]:
    _, words = _tokens(file_stamp(p["path"]), p["tokens"], p["vocabulary"], p["lowercase"])
    return (TensorType((BATCH, p["length"]), "int", len(words.names)),) * 2


def _is_prose(path: Path) -> bool:
    """Whether the first lines of a file differ in their separators, which those of a table do not."""
    with path.open(errors="replace") as file:
        lines = [line for line in islice(file, _LINES) if line.strip()]
    return not any(
        lines and len({line.count(sign) for line in lines} - {0}) == 1 and all(sign in line for line in lines)
        for sign in ",;\t|"
    )


text_file = Source(
    "TextFile",
    doc="One text, cut into windows of tokens; what comes next is the right answer for each of them.",
    inputs=(),
    outputs=(
        Port("text", "N L", dtype="int", doc="The tokens of a window."),
        Port("next", "N L", dtype="int", doc="For each of them the one that follows."),
    ),
    params=(
        File(
            name="path",
            default="",
            patterns=tuple(f"*{ending}" for ending in ENDINGS),
            label="File",
            doc="The text.",
        ),
        *TOKENS,
        Int(name="length", default=64, min=1, max=65536, doc="Tokens of a window."),
        Int(
            name="stride",
            default=None,
            min=1,
            optional=True,
            unset="the length",
            doc="Tokens from the start of a window to the start of the next; below the length they overlap.",
        ),
        next(each for each in SPLIT if each.name == "validation"),
    ),
    types=_window_types,
    load=_windows,
    looks=_is_prose,
    summary=lambda p: folder_name(p["path"], "no file chosen"),
    title="Text",
    prefix="text",
    synonyms=("language model", "characters", "words", "tokens", "bpe", "byte pairs", "file", "own data"),
)


@lru_cache(maxsize=4)
def _folder(
    stamp: tuple[str, int, int], tokens: str, vocabulary: int, lowercase: bool
) -> tuple[tuple[np.ndarray, ...], np.ndarray, Vocabulary, tuple[str, ...], tuple[str, ...]]:
    """The texts as numbers, their classes, the vocabulary, the classes' names, and what was skipped."""
    found = class_files(stamp[0], ENDINGS, "texts", "spam and ham")
    texts, labels, skipped = [], [], []
    for number, files in enumerate(found.values()):
        for path in files:
            try:
                text = read_text(path)
                if not text.strip():
                    raise DataError("it is empty")
            except (OSError, DataError) as error:
                skipped.append(f"{path.parent.name}/{path.name}: {error}")
                continue
            texts.append(text.lower() if lowercase else text)
            labels.append(number)
    if not texts:
        raise DataError(f"{Path(stamp[0]).name}: none of the texts can be read; {skipped[0]}.")
    words = make_vocabulary(texts, tokens, vocabulary, (PADDING, UNKNOWN), Path(stamp[0]).name)
    rows = tuple(words.encode(text) for text in texts)
    return rows, np.array(labels, np.int64), words, tuple(found), shortened(skipped)


def _texts(p: Mapping[str, Value]) -> Dataset:
    rows, labels, words, classes, skipped = _folder(
        folder_stamp(p["folder"]), p["tokens"], p["vocabulary"], p["lowercase"]
    )
    fields = {"text": Field(padded(rows, p["length"]), words.names), "label": Field(labels, classes)}
    return dataset(p, fields, skipped)


def _text_types(p: Mapping[str, Value]) -> tuple[TensorType, ...]:
    _, _, words, classes, _ = _folder(folder_stamp(p["folder"]), p["tokens"], p["vocabulary"], p["lowercase"])
    return (
        TensorType((BATCH, p["length"]), "int", len(words.names)),
        TensorType((BATCH,), "int", len(classes)),
    )


LENGTH = Int(
    name="length",
    default=128,
    min=1,
    max=65536,
    doc="Tokens of every text: longer ones are cut off, shorter ones filled up with token 0.",
)
"""Parameter of sources that give many texts of one length."""

text_folder = Source(
    "TextFolder",
    doc="Texts of several kinds: a folder that holds one folder of text files for each class.",
    inputs=(),
    outputs=(Port("text", "N L", dtype="int"), Port("label", "N", dtype="int")),
    params=(
        Folder(
            name="folder",
            default="",
            patterns=tuple(f"*{ending}" for ending in ENDINGS),
            doc="It holds one folder for each class, such as spam and ham.",
        ),
        *TOKENS,
        LENGTH,
        *SPLIT,
    ),
    types=_text_types,
    load=_texts,
    summary=lambda p: folder_name(p["folder"]),
    title="Text folder",
    prefix="texts",
    synonyms=("text classification", "sentiment", "documents", "folder", "classes", "own data"),
)
