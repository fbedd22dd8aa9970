"""The losses of several objectives, each as a line in its color: their sum would say nothing."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

import numpy as np

from engine.graph.objectives import title_of
from engine.training.events import Progress
from gui.bench import Bench
from gui.objective_colors import color_of
from gui.views.plot import Plot
from gui.views.series import Line, Series
from gui.views.text import Part, number

Smooth = Callable[[Line], np.ndarray]
LONGEST_TITLE = 18
"""Letters of an objective's title in the legend."""


class ObjectiveLines:
    """The lines of one plot; none while a run has one objective."""

    def __init__(self, bench: Bench, plot: Plot):
        self._bench, self._plot = bench, plot
        self._series: list[Series] = []
        self._latest: list[float] = []

    def __bool__(self) -> bool:
        """Whether there are several objectives."""
        return bool(self._series)

    @property
    def names(self) -> list[str]:
        """The names of the lines in the plot."""
        return [f"objective{place + 1}" for place in range(len(self._series))]

    def take(self, event: Progress) -> None:
        """Take over what a run told."""
        for place, losses in enumerate(() if event.parts is None else event.parts):
            if place == len(self._series):
                self._series.append(Series())
                if self.names[place] not in self._plot.lines:
                    self._plot.add_line(self.names[place], color_of(place), 2)
            self._series[place].append(event.step, losses)

    def clear(self) -> None:
        """Forget the run."""
        self.hide()
        self._series = []

    def hide(self) -> None:
        """Draw nothing."""
        for name in self.names:
            self._plot.set_line(name, np.empty(0), np.empty(0))

    def draw(self, smooth: Smooth, points: int, start: float, stop: float) -> list[Line]:
        """Draw the smoothed lines between two steps and return them as they are drawn."""
        drawn, self._latest = [], []
        for name, series in zip(self.names, self._series, strict=True):
            line = series.line(points, start, stop)
            values = smooth(line)
            self._plot.set_line(name, line.x, values)
            finite = values[np.isfinite(values)]
            self._latest.append(float(finite[-1]) if len(finite) else float("nan"))
            drawn.append(line._replace(mean=values))
        return drawn

    def legend(self) -> list[Part]:
        """Return the color, title and newest loss of each."""
        run = self._bench.store.session.run
        document = run.runner.document if run and run.runner else self._bench.store.whole
        parts: list[Part] = []
        for place, value in enumerate(self._latest):
            known = place < len(document.training.objectives)
            title = title_of(document, place) if known else f"objective {place + 1}"
            short = title if len(title) <= LONGEST_TITLE else f"{title[: LONGEST_TITLE - 1]}…"
            parts += [Part("    ")] if parts else []
            parts += [Part(f"{short} ", swatch=color_of(place))]
            parts += [Part(number(value) if isfinite(value) else "–", "text")]
        return parts
