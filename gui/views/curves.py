"""The loss over the steps: raw, smoothed, validation; or the accuracy."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSlider, QStackedWidget, QVBoxLayout, QWidget

from engine.graph.changed import told_change
from engine.training.events import Changed, Evaluated, Failed, Progress, Started
from gui.bench import Bench
from gui.theme import Theme
from gui.views.base import MARGIN, LiveView
from gui.views.objective_lines import ObjectiveLines
from gui.views.parts import Banner, Choice, Note, TextLine
from gui.views.plot import Plot
from gui.views.series import Line, Series, envelope, smooth
from gui.views.text import Part, number, percent

LOSS, ACCURACY = 0, 1
MOST_MARKS = 24
_WIDE = 420
"""From this width on there is room for the accuracy beside the losses."""
_EVALUATED = ("loss", "accuracy", "val_loss", "val_accuracy")


class CurvesView(LiveView):
    """Training loss raw (faint) and smoothed, validation loss, accuracy, and marks of changed settings.

    Of several objectives each has a line of its own, in its color.
    """

    title = "Loss curves"

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__(bench, parent)
        self.training = Series()
        self.metrics = {name: Series(1024) for name in _EVALUATED}
        self.latest: dict[str, float] = {}
        self._told: list[Evaluated] = []
        self._hovered: float | None = None
        self._last_change: tuple[Changed, float] | None = None

        self.quantity = Choice(bench, ("Loss", ""))
        self.legend = TextLine(bench)
        self.plot = Plot(bench.theme)
        self.plot.add_line("raw", "accent", 1, alpha=90)
        self.plot.add_line("training", "accent", 2)
        self.plot.add_line("validation", "warning", 2, dashed=True)
        self.parts = ObjectiveLines(bench, self.plot)
        self.smoothing = QSlider(Qt.Orientation.Horizontal, minimum=0, maximum=100, value=30)
        self.smoothing.setFixedWidth(84)
        self.smoothing.setAccessibleName("Smoothing")
        self.scale = Choice(bench, ("Linear", "Log"))
        self.readout = TextLine(bench)
        self._smoothing_word = TextLine(bench, stretch=False)
        self._smoothing_word.set_parts([Part("Smoothing")])
        self._build()
        self.banner = Banner(bench, self)

        self.quantity.changed.connect(self._change_form)
        self.scale.changed.connect(self._change_form)
        self.smoothing.valueChanged.connect(self.throttle.request)
        self.plot.zoomed.connect(self.throttle.request)
        self.plot.hovered.connect(self._hover)
        bench.started.connect(self._start)
        bench.progress.connect(self._progress)
        bench.evaluated.connect(self._evaluate)
        bench.setting_changed.connect(self._mark)
        bench.failed.connect(self._fail)
        self.refresh()

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(MARGIN, 8, MARGIN, 6)
        layout.setSpacing(2)
        head = QHBoxLayout()
        head.setSpacing(10)
        for widget in (self.quantity, self.legend):
            head.addWidget(widget)
        self.foot = QWidget()
        foot = QHBoxLayout(self.foot)
        foot.setContentsMargins(0, 0, 0, 0)
        foot.setSpacing(8)
        for widget in (self._smoothing_word, self.smoothing, self.scale, self.readout):
            foot.addWidget(widget)
        self._note = Note(self.bench, "")
        self.pages = QStackedWidget()
        self.pages.addWidget(self._note)
        self.pages.addWidget(self.plot)
        layout.addLayout(head)
        layout.addWidget(self.pages, 1)
        layout.addWidget(self.foot)
        self.apply_theme(self.theme)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw yet."""
        return not self.training.count and not any(series.count for series in self.metrics.values())

    @property
    def note(self) -> str:
        """The sentence of the empty state, or ""."""
        return self._note.text if self.empty else ""

    # what the events bring

    def _start(self, event: Started) -> None:
        self.banner.say("")

    def _progress(self, event: Progress) -> None:
        self.training.append(event.step, event.loss)
        self.parts.take(event)
        self.throttle.request()

    def _evaluate(self, event: Evaluated) -> None:
        self._told.append(event)  # a quick run tells a hundred a second
        self.throttle.request()

    def _take_evaluations(self) -> None:
        told, self._told = self._told, []
        for name, series in self.metrics.items():
            points = [(event.step, event.metrics[name]) for event in told if name in event.metrics]
            if points:
                self.latest[name] = float(points[-1][1])
                series.append(*np.array(points, float).T)

    def _mark(self, event: Changed) -> None:
        name, before = event.name, event.before
        # a slider drag sends many changes; those close together are one mark, first to last
        near = 0.02 * max(self.training.last_step, 50)
        if self._last_change is not None and self.plot.marks:
            last, first_value = self._last_change
            if last.name == name and event.step - last.step <= near:
                before = first_value
                self.plot.unmark(self.plot.marks[-1])
        self._last_change = (event, before)
        run = self.bench.store.session.run
        document = run.runner.document if run and run.runner else self.bench.store.whole
        self.plot.mark(event.step, told_change(document, name, before, event.after))
        if len(self.plot.marks) > MOST_MARKS:
            self.plot.unmark(self.plot.marks[0])

    def _fail(self, event: Failed) -> None:
        self.banner.say(event.message)

    def clear(self) -> None:
        self.training.clear()
        self.parts.clear()
        for series in self.metrics.values():
            series.clear()
        self.latest.clear()
        self._told.clear()
        self._last_change = None
        self.banner.say("")
        self.plot.clear_run()
        self.throttle.flush()

    # what is shown

    def apply_theme(self, theme: Theme) -> None:
        self.setAutoFillBackground(True)
        palette = self.palette()
        palette.setColor(self.backgroundRole(), theme.color("panel"))
        self.setPalette(palette)
        self.plot.apply_theme(theme)
        self.throttle.request()
        for child in self.findChildren(QWidget):
            child.update()

    def refresh(self) -> None:
        self._take_evaluations()
        empty = self.empty
        self.pages.setCurrentIndex(0 if empty else 1)
        for widget in (self.foot, self.quantity):
            widget.setVisible(not empty)
        if empty:
            self._note.text = f"Loss curves appear here {self.soon}."
            self._note.update()
            self.legend.set_parts([Part("Loss", "text", 600)])
            self.setAccessibleDescription(self._note.text)
            return
        accuracy = self.latest.get("val_accuracy", self.latest.get("accuracy"))
        told = accuracy is not None and self.width() >= _WIDE
        word = f"Accuracy {percent(accuracy)}" if told else "Accuracy"
        # a regression has none; whoever looks at it already keeps the way back
        self.quantity.say(ACCURACY, word if accuracy is not None or self.quantity.index else "")
        loss = self.quantity.index == LOSS
        self._draw_loss() if loss else self._draw_accuracy()
        self._hover(self._hovered)
        said = " ".join(f"{'Loss' if loss else 'Accuracy'}: {self.legend.text}".split())
        said = f"{said}. {word}" if told and loss else said
        if said != self.accessibleDescription():
            self.setAccessibleDescription(said)

    def _lines(self, names: tuple[str, str]) -> list[Line]:
        start, stop = self.plot.x_range if self.plot.held else (-np.inf, np.inf)
        return [self.metrics[name].line(500, start, stop) for name in names]

    def _draw_loss(self) -> None:
        start, stop = self.plot.x_range if self.plot.held else (-np.inf, np.inf)
        raw = self.training.line(max(400, self.plot.width() // 2), start, stop)
        smoothed = smooth(raw.mean, self._window(raw))
        training, validation = self._lines(("loss", "val_loss"))
        if self.parts:
            self._draw_parts(raw, validation, start, stop)
            return
        self.plot.set_line("raw", *envelope(raw))
        # a run that reports only evaluations still has a curve
        self.plot.set_line("training", *((raw.x, smoothed) if len(raw.x) else (training.x, training.mean)))
        self.plot.set_line("validation", validation.x, validation.mean)
        finite = smoothed[np.isfinite(smoothed)]
        now = float(finite[-1]) if len(finite) else self.latest.get("loss", float("nan"))
        self._fit([smoothed, training.mean, validation.mean], raw)
        self._legend(now, "val_loss", number)

    def _draw_parts(self, raw: Line, validation: Line, start: float, stop: float) -> None:
        """Draw a line for each objective in place of their sum."""
        nothing = np.empty(0)
        for name in ("raw", "training"):
            self.plot.set_line(name, nothing, nothing)
        points = max(400, self.plot.width() // 2)
        drawn = self.parts.draw(lambda line: smooth(line.mean, self._window(line)), points, start, stop)
        self.plot.set_line("validation", validation.x, validation.mean)
        self._fit([*(line.mean for line in drawn), validation.mean], None)
        self.legend.set_parts([*self.parts.legend(), *self._validation("val_loss", number)])

    def _draw_accuracy(self) -> None:
        self.parts.hide()
        training, validation = self._lines(("accuracy", "val_accuracy"))
        nothing = np.empty(0)
        self.plot.set_line("raw", nothing, nothing)
        self.plot.set_line("training", training.x, training.mean)
        self.plot.set_line("validation", validation.x, validation.mean)
        self._fit([training.mean, validation.mean], None, ceiling=1.0)
        self._legend(self.latest.get("accuracy", float("nan")), "val_accuracy", percent)

    def _window(self, raw: Line) -> int:
        """The smoothing's half width in points: a share of the run, at least some points of a short one."""
        strength = self.smoothing.value() / 100
        return round(strength**2 * 0.12 * len(raw.x) + 10 * strength) if strength else 0

    def _fit(self, curves: list[np.ndarray], raw: Line | None, ceiling: float | None = None) -> None:
        values = np.concatenate(curves)
        if raw is not None and len(raw.x):
            # single spikes may leave the picture; the smoothed curves never do
            high = np.sort(raw.high[np.isfinite(raw.high)])
            low = np.sort(raw.low[np.isfinite(raw.low)])
            if len(high):
                few = round(0.02 * (len(high) - 1))
                values = np.append(values, [high[-1 - few], low[few]])
        values = values[np.isfinite(values)]
        if not len(values):
            values = np.array([0.0, 1.0])
        last = max([self.training.last_step] + [series.last_step for series in self.metrics.values()])
        if self.plot.log and (values > 0).any():
            values = values[values > 0]
        if not self.plot.fit(last, float(values.min()), float(values.max()), ceiling):
            self.throttle.request()

    def _legend(self, now: float, validation: str, form: Callable[[float], str]) -> None:
        shown = form(now) if isfinite(now) else "–"
        parts = [Part("training ", swatch="accent"), Part(shown, "text")]
        self.legend.set_parts([*parts, *self._validation(validation, form)])

    def _validation(self, name: str, form: Callable[[float], str]) -> list[Part]:
        if name not in self.latest:
            return []
        words = Part("validation ", swatch="warning", dashed=True)
        return [Part("    "), words, Part(form(self.latest[name]), "text")]

    def _change_form(self, _index: int) -> None:
        accuracy = self.quantity.index == ACCURACY
        self.scale.setVisible(not accuracy)
        self.smoothing.setVisible(not accuracy)
        self._smoothing_word.setVisible(not accuracy)
        self.plot.set_form(bool(self.scale.index) and not accuracy, accuracy)
        self.throttle.flush()

    def _hover(self, step: float | None) -> None:
        self._hovered = step
        if step is None:
            self.readout.set_parts([Part("double-click for the whole run")] if self.plot.held else [])
            return
        form = percent if self.quantity.index == ACCURACY else number
        found: list[Part] = []
        at = round(step)
        for name in ("training", *self.parts.names, "validation"):
            x, y = self.plot.lines[name].getData()
            if x is None or not len(x) or not x[0] <= step <= x[-1]:
                continue
            index = int(np.abs(x - step).argmin())
            at = at if name == "validation" else int(x[index])
            value = 10.0 ** y[index] if self.plot.log else y[index]
            line = self.plot.lines[name]
            shown = Part(form(float(value)), "text", swatch=line.tone, dashed=line.dashed)
            found += [Part("   "), shown]
        self.readout.set_parts([Part(f"step {max(at, 0):,}"), *found])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.banner.place()
        if not self.empty:
            self.throttle.request()
