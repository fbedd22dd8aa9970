"""What is known of the chosen runs: curves over each other, what people wrote down, what differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QWidget

from engine.compiler.analysis import in_bytes
from engine.graph.compare import compare
from engine.graph.document import Document
from engine.runs.curves import Points, quantities, smoothed
from engine.runs.library import Entry, tags_of
from engine.runs.settings import different, settings_of
from engine.runs.words import changed_text, duration_text, number_text, state_text
from gui.bench import Bench
from gui.fonts import ui_font
from gui.runs_panel.grid import SMALL, ValueGrid
from gui.runs_panel.reader import Look
from gui.runs_panel.table import TONES
from gui.theme import CAPTION_PX, CLASSES, Theme
from gui.views.parts import TextLine
from gui.views.plot import Plot
from gui.views.text import Part
from gui.widgets.basic import Panel, Scroll, button, column, label, row, section, set_role
from gui.widgets.menu_button import MenuButton

WIDTH = 372
MOST = 6
"""Runs whose curves are drawn over each other."""

HELD = CLASSES[1]
"""The color of held-out rows where one run has the plot for itself."""

_EASINGS = 60
_MARKS = 8
_DIFFERENCES = 12


class RunSide(Panel):
    """One run with all that is known of it, or several beside each other.

    ``renamed``, ``tagged`` and ``noted`` carry the run's folder and what was typed; ``compared`` asks for the
    two networks side by side.
    """

    renamed = Signal(object, str)
    tagged = Signal(object, list)
    noted = Signal(object, str)
    compared = Signal()

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__("panel", parent)
        self._bench = bench
        self._entries: list[Entry] = []
        self._looks: dict[Path, Look] = {}
        self._quantity, self._form, self._fresh = "loss", (False, False), True
        self.setMinimumWidth(WIDTH)
        self._make()
        self._lay_out()
        bench.theme_changed.connect(self._set_theme)
        self.show_entries([])

    def _make(self) -> None:
        bench = self._bench
        words = "Choose a run to see what it learned; choose several to compare them."
        self.hint = label(words, "muted", wrap=True)
        self.name = QLineEdit()
        self.name.setProperty("plain", True)
        self.name.setAccessibleName("Name of the run")
        self.name.setFont(ui_font(15, 600))
        self.name.setTextMargins(-8, 0, 0, 0)  # its words stand where those below it do
        self.name.setPlaceholderText("Name")
        self.name.editingFinished.connect(self._rename)
        self.state = label("", "muted", SMALL, wrap=True)
        self.quantity = MenuButton("Curve", "What is drawn")
        self.quantity.setProperty("kind", "small")
        self.quantity.setFont(ui_font(CAPTION_PX + 1, 500))
        self.quantity.chosen.connect(self._choose)
        self.log = button("Log", "small", "A logarithmic axis")
        self.log.setCheckable(True)
        self.log.toggled.connect(lambda _: self._draw())
        self.plot = Plot(bench.theme)
        for n in range(MOST):
            self.plot.add_line(f"raw{n}", CLASSES[n], 1, alpha=70)
            self.plot.add_line(f"training{n}", CLASSES[n], 2)
            self.plot.add_line(f"held{n}", CLASSES[n], 2, dashed=True)
        self.plot.add_line("alone", HELD, 2, dashed=True)
        self._ends = [pg.TextItem(str(n + 1), CLASSES[n], anchor=(0, 0.5)) for n in range(MOST)]
        for end in self._ends:  # colors alone would leave some people guessing
            end.setFont(ui_font(CAPTION_PX, 600))
            self.plot.addItem(end, ignoreBounds=True)
        self.plot.setFixedHeight(190)
        self.plot.setAccessibleName("Curves of the chosen runs")
        self.legend = [TextLine(bench) for _ in range(MOST)]
        self.readout = TextLine(bench)
        self.plot.hovered.connect(self._hover)
        self.tags = QLineEdit()
        self.tags.setPlaceholderText("Tags, with commas between them")
        self.tags.setAccessibleName("Tags")
        self.tags.editingFinished.connect(self._tag)
        self.notes = _Notes()
        self.notes.left.connect(self._note)
        self.metrics, self.settings, self.changed = ValueGrid(), ValueGrid(), ValueGrid()
        self.graph = label("", "", SMALL, wrap=True)
        self.compare = button("Networks side by side", "small", "Show what differs between the two networks")
        self.compare.clicked.connect(self.compared)
        titles = ("Metrics", "Settings", "Changed by hand", "Network")
        self.sections = {title: section(title) for title in titles}

    def _lay_out(self) -> None:
        body = QWidget()
        self._inner = column(body, 8)
        self._inner.setContentsMargins(16, 14, 14, 16)
        add = self._inner.addWidget
        add(self.hint)
        add(self.name)
        add(self.state)
        bar = row(spacing=8)
        bar.addWidget(self.quantity)
        bar.addWidget(self.log)
        bar.addWidget(self.readout, 1)
        self._bar = QWidget()
        self._bar.setLayout(bar)
        bar.setContentsMargins(0, 4, 0, 0)
        add(self._bar)
        add(self.plot)
        self._legend = QWidget()
        lines = column(self._legend, 0)
        for line in self.legend:
            line.setFixedHeight(20)
            lines.addWidget(line)
        add(self._legend)
        add(self.tags)
        add(self.notes)
        parts = (self.metrics, self.settings, self.changed, self.graph)
        for heading, part in zip(self.sections.values(), parts, strict=True):
            self._inner.addSpacing(4)
            add(heading)
            add(part)
        add(self.compare, 0, Qt.AlignmentFlag.AlignLeft)
        self._inner.addStretch(1)
        column(self, 0).addWidget(Scroll(body))

    # -- what is shown -----------------------------------------------------------------------------------

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Show these runs; what was typed about others is kept first."""
        others = [entry.path for entry in entries] != [entry.path for entry in self._entries]
        if others:
            self.commit()
            self._fresh = True
        self._entries = list(entries)
        self._looks = {path: look for path, look in self._looks.items() if path in {e.path for e in entries}}
        one = self._entries[0] if len(self._entries) == 1 else None
        self.hint.setVisible(not entries)
        for part in (self.name, self.tags, self.notes):
            part.setVisible(one is not None)
        self.state.setVisible(bool(entries))
        if one is not None:
            self._show_one(one, others)
        elif entries:
            more = f", the first {MOST} of them drawn" if len(entries) > MOST else ""
            self.state.setText(f"{len(entries)} runs{more}")
            set_role(self.state, "muted")
        self._fill()
        self._draw()

    def take(self, look: Look) -> None:
        """Show what was read of a run."""
        if look.path in {entry.path for entry in self._entries}:
            self._fresh = self._fresh or look.path not in self._looks
            self._looks[look.path] = look
            self._fill()
            self._draw()

    def commit(self) -> None:
        """Keep what was typed."""
        for keep in (self._rename, self._tag, self._note):
            keep()

    def edit_name(self) -> None:
        """Put the cursor into the name."""
        if self.name.isVisible():
            self.name.setFocus()
            self.name.selectAll()

    def _show_one(self, entry: Entry, others: bool) -> None:
        for field, text in ((self.name, entry.name), (self.tags, ", ".join(entry.tags))):
            if others or not field.hasFocus():
                field.setText(text)
                field.setCursorPosition(0)
        if others or not self.notes.hasFocus():
            self.notes.set_text(entry.notes)
        status, words = entry.status, [state_text(entry.state)]
        words.append(f"{status.step:,} steps in {duration_text(status.seconds)}")
        words += [f"on {status.device}"] if status.device else []
        said = " · ".join(words) + (f"\n{status.message}" if status.message else "")
        self.state.setText(said)
        tone = TONES.get(entry.state, "muted")
        set_role(self.state, tone if tone in ("error", "warning") else "muted")

    def _fill(self) -> None:
        entries, looks = self._entries[:MOST], [self._looks.get(e.path) for e in self._entries[:MOST]]
        several = len(entries) > 1
        colors = CLASSES[: len(entries)] if several else ()
        names = dict.fromkeys(name for entry in entries for name in entry.status.best)
        digits = 4 if len(entries) < 5 else 3
        best = {name: [_best(entry, name, digits) for entry in entries] for name in names}
        self.metrics.show_rows(best, colors)
        documents = [look.document for look in looks if look is not None and look.document is not None]
        rows: dict[str, Sequence[str]] = {}
        if several and len(documents) == len(entries):
            rows = different(documents)
        elif not several and documents:
            rows = {name: (text,) for name, text in settings_of(documents[0]).items()}
            rows["Parameters"] = (f"{entries[0].status.parameters:,}",)
            rows["On disk"] = (in_bytes(looks[0].size),)
        self.settings.show_rows(rows, colors if rows else ())
        changes = looks[0].changes if not several and looks and looks[0] is not None else ()
        document = documents[0] if documents else None
        told = {f"Step {each.step:,}": changed_text(each, document) for each in changes}
        self.changed.show_rows({step: (words,) for step, words in list(told.items())[-24:]})
        self._fill_graph(documents if several else [])
        self.sections["Metrics"].setText("Best metrics")
        self.sections["Settings"].setText("Settings that differ" if several else "Settings")
        problem = next((look.problem for look in looks if look is not None and look.problem), "")
        if problem:
            self.graph.setText(problem)
        for title, shown in (
            ("Metrics", bool(names)),
            ("Settings", bool(rows)),
            ("Changed by hand", bool(changes)),
            ("Network", bool(self.graph.text())),
        ):
            self.sections[title].setVisible(shown)
        self.graph.setVisible(bool(self.graph.text()))
        self.compare.setVisible(len(self._entries) == 2 and len(documents) == 2)

    def _fill_graph(self, documents: Sequence[Document]) -> None:
        """Say what differs in the drawing between the first and each other; settings have their own rows."""
        if len(documents) < 2:
            self.graph.setText("")
            return
        lines: list[str] = []
        for place, other in enumerate(documents[1:], 2):
            other = replace(other, name=documents[0].name, training=documents[0].training)
            items = compare(documents[0], other).items
            before = f"{place}: " if len(documents) > 2 else ""
            lines += [f"{before}{item.sign} {item.text}" for item in items[:_DIFFERENCES]]
            if len(items) > _DIFFERENCES:
                lines.append(f"{before}and {len(items) - _DIFFERENCES} more")
        self.graph.setText("\n".join(lines) or "Drawn alike.")

    # -- curves ------------------------------------------------------------------------------------------

    def _choose(self, quantity: str) -> None:
        self._quantity, self._fresh = quantity, True
        self._draw()

    def _draw(self) -> None:
        shown = [(n, entry, self._looks.get(entry.path)) for n, entry in enumerate(self._entries[:MOST])]
        known = quantities({name: 0 for _, _, look in shown if look for name in look.lines})
        self._bar.setVisible(bool(known))
        self.plot.setVisible(bool(known))
        self._legend.setVisible(bool(known))
        for n, line in enumerate(self.legend):
            line.setVisible(bool(known) and n < len(shown))
        if not known:
            return
        chosen = self._quantity if self._quantity in known else known[0]
        self.quantity.set_choices([(name, name.replace("_", " ").capitalize()) for name in known], chosen)
        share = chosen.endswith("accuracy")
        self.log.setVisible(not share)
        form = (self.log.isChecked() and not share, share)
        if form != self._form or self._fresh:
            self._form, self._fresh = form, False
            self.plot.set_form(*form)  # it forgets the range too, also one that was chosen with the mouse
        nothing, drawn, last = np.empty(0), [], 1.0
        for n in range(MOST):
            look = shown[n][2] if n < len(shown) else None
            lines = look.lines if look else {}
            raw = lines.get("steps") if chosen == "loss" else None
            training = smoothed(raw) if raw is not None and len(raw.x) > 1 else lines.get(chosen)
            held = lines.get(f"val_{chosen}")
            alone = len(shown) == 1
            drawings = {"raw": raw if alone else None, "training": training, "held": None if alone else held}
            for name, points in drawings.items():
                self.plot.set_line(f"{name}{n}", *(points if points is not None else (nothing, nothing)))
            if n == 0:
                self.plot.set_line("alone", *(held if alone and held is not None else (nothing, nothing)))
            for points in (training, held):
                if points is not None and np.isfinite(points.y).any():
                    drawn.append(points.y[np.isfinite(points.y)])
                    last = max(last, float(points.x[-1]))
            self._end(n, training if not alone else None)
            if n < len(shown):
                self.legend[n].set_parts(self._words(n, shown[n][1], alone, held is not None))
        self._mark(shown[0][2] if len(shown) == 1 else None)
        if drawn:
            values = np.concatenate(_alike(drawn))
            values = values[values > 0] if self.plot.log and (values > 0).any() else values
            ends = last * (1.0 if len(shown) == 1 else 1.04)  # room for the numbers of the runs
            low, high, most = float(values.min()), float(values.max()), 1.0 if share else None
            for _ in range(_EASINGS):  # the plot eases its ranges; here they are to be there at once
                if self.plot.fit(ends, low, high, most):
                    break

    def _end(self, n: int, points: Points | None) -> None:
        """Write a run's number where its curve ends."""
        finite = np.flatnonzero(np.isfinite(points.y)) if points is not None else ()
        self._ends[n].setVisible(len(finite) > 0)
        if len(finite):
            y = float(points.y[finite[-1]])
            y = np.log10(max(y, 1e-9)) if self.plot.log else y
            self._ends[n].setPos(float(points.x[finite[-1]]), y)

    def _mark(self, look: Look | None) -> None:
        """Mark where something was changed by hand, the latest of many."""
        changes = look.changes[-_MARKS:] if look else ()
        wanted = [(change.step, changed_text(change, look.document)) for change in changes]
        if wanted != [(mark.step, mark.text) for mark in self.plot.marks]:
            for mark in list(self.plot.marks):
                self.plot.unmark(mark)
            for step, text in wanted:
                self.plot.mark(step, text)

    def _words(self, n: int, entry: Entry, alone: bool, held: bool) -> list[Part]:
        if not alone:
            return [Part(f" {n + 1}  {entry.name}", "text", swatch=CLASSES[n])]
        parts = [Part("training", swatch=CLASSES[n])]
        return [*parts, Part("     "), Part("held out", swatch=HELD, dashed=True)] if held else parts

    def _hover(self, step: float | None) -> None:
        found: list[Part] = []
        for n in range(len(self._entries[:MOST])) if step is not None else ():
            x, y = self.plot.lines[f"training{n}"].getData()
            if x is not None and len(x) and x[0] <= step <= x[-1]:
                value = y[int(np.abs(x - step).argmin())]
                value = 10.0**value if self.plot.log else value
                found += [Part(f"  {number_text(float(value))}", "text", swatch=CLASSES[n])]
        self.readout.set_parts([Part(f"step {round(step):,}"), *found[:3]] if step is not None else [])

    def _set_theme(self, theme: Theme) -> None:
        self.plot.apply_theme(theme)
        for line in self.legend:
            line.update()

    # -- what is typed -----------------------------------------------------------------------------------

    def _one(self) -> Entry | None:
        return self._entries[0] if len(self._entries) == 1 else None

    def _rename(self) -> None:
        entry, name = self._one(), self.name.text().strip()
        if entry is not None and name and name != entry.name:
            self.renamed.emit(entry.path, name)

    def _tag(self) -> None:
        entry = self._one()
        if entry is not None and (tags := tags_of([self.tags.text()])) != list(entry.tags):
            self.tagged.emit(entry.path, tags)

    def _note(self) -> None:
        entry = self._one()
        if entry is not None and (notes := self.notes.toPlainText().strip()) != entry.notes:
            self.noted.emit(entry.path, notes)


class _Notes(QPlainTextEdit):
    """A few lines to write down; ``left`` says that the cursor went elsewhere."""

    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("kind", "field")
        self.setPlaceholderText("Notes: what you tried, and what you saw")
        self.setAccessibleName("Notes")
        self.setTabChangesFocus(True)
        self.setFixedHeight(72)

    def set_text(self, text: str) -> None:
        """Show another text."""
        if text != self.toPlainText():
            self.setPlainText(text)

    def focusOutEvent(self, event: object) -> None:
        super().focusOutEvent(event)
        self.left.emit()


def _best(entry: Entry, name: str, digits: int) -> str:
    found = entry.status.best.get(name)
    return f"{found[0]:.{digits}g}" if found else ""


def _alike(curves: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the curves without those a hundred times as high as most, which would hide the others."""
    heights = [float(np.percentile(np.abs(values), 90)) for values in curves]
    bound = 100 * float(np.median(heights))
    return [values for values, height in zip(curves, heights, strict=True) if height <= bound or not bound]
