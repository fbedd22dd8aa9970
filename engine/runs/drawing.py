"""Curves as SVG, drawn with the colors that a page gives by its style: nothing to load, sharp at any size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, isfinite, log10

import numpy as np

from engine.runs.curves import Points

WIDTH, HEIGHT = 720, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 12, 14, 26
_TICKS = 5


@dataclass(frozen=True)
class Drawn:
    """A curve with its name; ``style`` is the class of its line: ``train``, ``held``, ``raw``."""

    name: str
    points: Points
    style: str = "train"


def chart(
    title: str, curves: Sequence[Drawn], marks: Sequence[tuple[float, str]] = (), unit: str = "step"
) -> str:
    """Return curves over the same steps as an SVG, "" where there is none; ``marks`` are words at steps."""
    curves = [curve for curve in curves if np.isfinite(curve.points.y).any()]
    if not curves:
        return ""
    last = max(float(curve.points.x[-1]) for curve in curves)
    first = min(0.0, *(float(curve.points.x[0]) for curve in curves)) if unit == "step" else 0.0
    low, high = _range([curve.points.y for curve in curves])
    span, height = (last - first) or 1.0, (high - low) or 1.0

    def at(x: float, y: float) -> tuple[float, float]:
        across = _LEFT + (x - first) / span * (WIDTH - _LEFT - _RIGHT)
        return across, HEIGHT - _BOTTOM - (y - low) / height * (HEIGHT - _TOP - _BOTTOM)

    parts = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>",
    ]
    for value in ticks(low, high):
        _, y = at(0, value)
        parts.append(f'<line class="grid" x1="{_LEFT}" y1="{y:.1f}" x2="{WIDTH - _RIGHT}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_number(value)}</text>')
    for value in ticks(first, last):
        x, _ = at(value, low)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 6}" text-anchor="middle">{_number(value)}</text>')
    for step, words in marks:
        x, _ = at(step, low)
        end = x > 0.75 * WIDTH
        anchor = f'text-anchor="{"end" if end else "start"}"'
        parts.append(f'<line class="mark" x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{HEIGHT - _BOTTOM}"/>')
        beside = f'x="{x + (-4 if end else 4):.1f}" y="{_TOP + 9}" {anchor}'
        parts.append(f'<text class="mark" {beside}>{escape(words)}</text>')
    for curve in curves:
        parts.append(_path(curve, at))
    parts.append(_legend([curve for curve in curves if curve.style != "raw"]))
    return "\n".join([*parts, "</svg>"])


def _legend(curves: Sequence[Drawn]) -> str:
    spans = []
    for n, curve in enumerate(curves):
        sign = "╌" if curve.style == "held" else "─"
        spans.append(f'<tspan class="{curve.style}" dx="{12 if n else 0}">{sign} </tspan>')
        spans.append(f"<tspan>{escape(curve.name)}</tspan>")
    return f'<text x="{WIDTH - _RIGHT}" y="{_TOP - 3}" text-anchor="end">{"".join(spans)}</text>'


def ticks(low: float, high: float, most: int = _TICKS) -> list[float]:
    """Return at most so many round numbers within a range."""
    span = high - low
    if not isfinite(span) or span <= 0:
        return [low]
    size = 10.0 ** floor(log10(span / most))
    step = next(size * factor for factor in (1, 2, 5, 10) if span / (size * factor) <= most)
    return [n * step for n in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)]


def _range(values: Sequence[np.ndarray]) -> tuple[float, float]:
    """The range to draw: a single spike may leave the picture."""
    every = np.concatenate([each[np.isfinite(each)] for each in values])
    low, high = float(every.min()), float(every.max())
    if len(every) > 100:
        high = min(high, float(np.percentile(every, 99)) * 1.5 if np.percentile(every, 99) > 0 else high)
    pad = 0.04 * (high - low) or abs(high) * 0.1 or 1.0
    return low - pad, high + pad


def _path(curve: Drawn, at: object) -> str:
    words, pen = [], "M"
    for x, y in zip(curve.points.x.tolist(), curve.points.y.tolist(), strict=True):
        if not isfinite(y):
            pen = "M"
            continue
        across, down = at(x, y)
        words.append(f"{pen}{across:.1f} {min(max(down, 0.0), HEIGHT):.1f}")
        pen = "L"
    if len(words) == 1:
        across, down = words[0][1:].split()
        return f'<circle class="{curve.style}" cx="{across}" cy="{down}" r="3"/>'
    return f'<path class="{curve.style}" d="{"".join(words)}"/>'


def _number(value: float) -> str:
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e4, " k")):
        if abs(value) >= size:
            return f"{value / (1e3 if unit == ' k' else size):g}{unit}"
    return f"{value:.4g}".replace("-", "−")
