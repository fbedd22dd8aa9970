"""What a benchmark prints: rows with a ratio and the bound that it has to keep, as a table or as JSON."""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from time import perf_counter


@dataclass(frozen=True)
class Row:
    """A measured ratio and the bound that it has to keep; ``better`` is ``higher`` or ``lower``."""

    name: str
    ratio: float
    bound: float
    better: str
    detail: str

    @property
    def good(self) -> bool:
        """Whether the bound is kept."""
        return self.ratio >= self.bound if self.better == "higher" else self.ratio <= self.bound

    @property
    def room(self) -> float:
        """How many times better than its bound it is; below 1 the bound is broken."""
        better, worse = (self.ratio, self.bound) if self.better == "higher" else (self.bound, self.ratio)
        return better / max(worse, 1e-9)


def interleaved(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Return how many times longer theirs takes than ours: of the best rounds, and the median of the rounds.

    The two alternate, each begins every other round, and a first round is not counted.
    """
    times: dict[Callable[[], object], list[float]] = {ours: [], theirs: []}
    for turn in range(rounds + 1):
        for call in (ours, theirs) if turn % 2 else (theirs, ours):
            began = perf_counter()
            call()
            if turn:
                times[call].append(perf_counter() - began)
    median = statistics.median(b / a for a, b in zip(times[ours], times[theirs], strict=True))
    return min(times[theirs]) / min(times[ours]), median


def report(doc: str, suites: Iterable[Callable[[bool], list[Row]]]) -> int:
    """Measure what the suites measure, print a table or JSON, and return 1 if a bound is broken."""
    parser = argparse.ArgumentParser(description=doc.partition(":")[0])
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    options = parser.parse_args()
    rows = [row for suite in suites for row in suite(options.quick)]
    if options.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        for row in rows:
            sign = "≥" if row.better == "higher" else "≤"
            verdict = "ok" if row.good else "BROKEN"
            print(f"{row.name:32} {row.ratio:6.2f}  {sign} {row.bound:.2f}  {verdict:7} {row.detail}")
        if len(rows) > 1:
            print(f"Closest to its bound: {min(rows, key=lambda row: row.room).name}")
    return 0 if all(row.good for row in rows) else 1
