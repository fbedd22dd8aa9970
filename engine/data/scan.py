"""One pass over data that is streamed: which rows can be used, what they sum up to, how many are held out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import psutil

from engine.data.columns import REASONS, shortened
from engine.data.hold_out import HELD, TRAINS, HoldOut
from engine.data.source import Arrays, Field
from engine.data.stream import THREADS, Blocks, Stream, joined, length
from engine.data.tally import Tally, by_column, scale_of
from engine.errors import DataError
from engine.layers.params import Choice, Value

SHARE = 1 / 8
"""Of the memory of this machine: data that would fill more is streamed.

Not of what is free: the order of a stream is another one, and the same run has to come out again.
"""

LIMIT = Path("/sys/fs/cgroup/memory.max")
"""Where Linux says how much memory a container may take."""

KEPT = 64_000_000
"""Bytes of held-out rows that are kept in memory, so that checking them does not read everything again."""

HEAD = 256
"""Rows that are looked at to show what the data is like."""

READING = Choice(
    name="reading",
    default="auto",
    choices=("auto", "memory", "stream"),
    doc="Whether all of it is held in memory or read again while it is used; auto: it is held if it fits.",
)
"""Parameter of sources that can stream."""


def memory() -> int:
    """Return the bytes of memory of this machine, or of the container that the program runs in."""
    total = psutil.virtual_memory().total
    try:
        return min(total, int(LIMIT.read_text()))
    except (OSError, ValueError):  # no container, or one without a limit
        return total


def streams(p: Mapping[str, Value], needs: int) -> bool:
    """Return whether data that needs so many bytes in memory is to be streamed."""
    if p["reading"] == "auto":
        return needs > SHARE * memory()
    return p["reading"] == "stream"


@dataclass
class _Found:
    """What a pass over a block has found."""

    counts: np.ndarray
    tallies: dict[str, Tally]
    missing: np.ndarray | None = None
    bad: int = 0
    aside: int = 0
    reasons: list[str] = field(default_factory=list)
    held: list[Arrays] = field(default_factory=list)


def make_stream(
    p: Mapping[str, Value],
    blocks: Blocks,
    fields: Mapping[str, Field],
    skipped: tuple[str, ...] = (),
    scaled: Collection[str] = (),
    given: np.ndarray | None = None,
) -> Stream:
    """Return blocks as a stream; ``fields`` say what is in them, with no more than one row as values.

    It is read once where that is needed: to find rows that cannot be used, to scale (``scaled`` names the
    fields), or where the split depends on the rows; ``given`` says what each row is for if that is known.
    Raises DataError where the split cannot be.
    """
    label = next((name for name in reversed(fields) if fields[name].classes), "")
    split = HoldOut.of(p, blocks.sizes, blocks.piece, label, blocks.splitting(), given)
    how, fill = p.get("normalize", "none"), p.get("missing") == "mean"
    floats = (
        [name for name in scaled if fields[name].values.dtype.kind == "f"] if how != "none" or fill else []
    )
    stream = Stream(fields, blocks, split, split.counts(), skipped)
    if floats or not (blocks.sure and split.is_known):
        stream = _scanned(stream, floats, how, fill)
    if not stream.rows:
        raise DataError(f"There is no training row. {' '.join(stream.skipped[:1])}".strip())
    head = stream.first(HEAD)
    return replace(
        stream, fields={name: replace(each, values=head[name]) for name, each in stream.fields.items()}
    )


def _scanned(stream: Stream, floats: list[str], how: str, fill: bool) -> Stream:
    row = sum(each.values[:1].nbytes for each in stream.fields.values())
    total = int(stream.hold_out.starts[-1])
    keeps = stream.hold_out.validation * total * row <= KEPT or stream.hold_out.how == "column"
    with ThreadPoolExecutor(THREADS, "scan") as threads:
        jobs = [
            threads.submit(_scan_block, stream, block, floats, keeps)
            for block in range(len(stream.origin.sizes))
        ]
        found: list[_Found] = []
        kept, size = [], 0
        try:
            for job in jobs:
                each = job.result()
                size += sum(length(part) for part in each.held) * row
                if size <= KEPT:
                    kept += each.held
                each.held = []
                found.append(each)
        finally:
            for job in jobs:
                job.cancel()
    tallies = {name: Tally(by_column(stream.fields[name].values).shape[1]) for name in floats}
    for each in found:
        for name, tally in each.tallies.items():
            tallies[name].merge(tally)
    scaled = {
        name: replace(each, scale=scale_of(tallies[name], how) if name in tallies else None)
        for name, each in stream.fields.items()
    }
    missing = [each.missing for each in found if each.missing is not None]
    if missing:
        first = next(iter(scaled))
        scaled[first] = replace(scaled[first], missing=tuple(np.sum(missing, 0).tolist()))
    reasons = [reason for each in found for reason in each.reasons]
    aside = sum(each.aside for each in found)
    told = (*stream.skipped, *([f"{aside:,} rows were set aside for a test."] if aside else []), *reasons)
    done = replace(
        stream,
        fields=scaled,
        counts=np.concatenate([each.counts for each in found]),
        skipped=shortened(told, sum(each.bad for each in found) - len(reasons)),
        tallies=tallies if fill else {},
    )
    if keeps and kept and size <= KEPT:
        return replace(done, kept=done.finished(joined(kept)))
    return done


def _scan_block(stream: Stream, block: int, floats: list[str], keeps: bool) -> _Found:
    split, first = stream.hold_out, stream.hold_out.first(block)
    found = _Found(
        np.zeros((split.pieces(block), 2), np.int32),
        {name: Tally(by_column(stream.fields[name].values).shape[1]) for name in floats},
    )
    for place, piece in enumerate(stream.origin.read(block, 0, None)):
        part = split.part(first + place, piece)
        trains, held = part == TRAINS, part == HELD
        found.counts[place] = trains.sum(), held.sum()
        found.aside += len(part) - int(found.counts[place].sum())
        for name, tally in found.tallies.items():
            tally.add(piece.arrays[name][trains])
        if piece.missing is not None:
            found.missing = piece.missing if found.missing is None else found.missing + piece.missing
        start = int(split.starts[first + place])
        found.bad += int(split.starts[first + place + 1]) - start - len(piece.rows)
        room = REASONS - len(found.reasons)
        offset = place * stream.origin.piece
        found.reasons += [
            f"{stream.origin.where(block, offset + row)}: {reason}"
            for row, reason in sorted(piece.reasons.items())[:room]
        ]
        if keeps and held.any():
            found.held.append({name: values[held] for name, values in piece.arrays.items()})
    return found
