"""The sections of a node's page: problems, shape, cost, code, what it does while it trains."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QPushButton, QSizePolicy, QWidget

from engine.compiler.analysis import Analysis, Problem, SourceText, in_bytes
from engine.graph.document import Node, Slot
from engine.layers.declaration import Layer, TensorType
from engine.training.events import Snapshot
from gui.bench import Bench
from gui.cost import COSTS, Cost, share, times_of
from gui.fonts import mono_font
from gui.inspector.formula import window_formula
from gui.panels.code_view import CodeView
from gui.panels.problems import SeverityIcon, apply_fix
from gui.theme import Theme
from gui.widgets.basic import Box, button, column, empty, label, row, section


class Section(QWidget):
    """A heading over its content; hidden while there is nothing to show."""

    def __init__(self, title: str):
        super().__init__()
        self.layout_ = column(self, 6)
        self.layout_.setContentsMargins(0, 6, 0, 0)
        if title:
            self.layout_.addWidget(section(title))
        self.hide()


class ProblemBoxes(Section):
    """What is wrong with one node, with the buttons that mend it."""

    def __init__(self, bench: Bench):
        super().__init__("")
        self._bench = bench
        self._shown: list[Problem] | None = None
        self.fix_buttons: list[QPushButton] = []
        self.layout_.setContentsMargins(0, 0, 0, 0)

    def show_problems(self, problems: list[Problem]) -> None:
        """Show a node's problems."""
        if problems == self._shown:
            return
        self._shown = problems
        empty(self.layout_)
        self.fix_buttons = []
        for problem in problems:
            self.layout_.addWidget(self._box(problem))
        self.setVisible(bool(problems))

    def _box(self, problem: Problem) -> QFrame:
        box = QFrame()
        box.setProperty("widget", "notice")
        box.setProperty("tone", problem.severity)
        texts = column(spacing=7)
        texts.addWidget(label(problem.message, px=12.5, wrap=True))
        if problem.fix is not None:
            fix = button(problem.fix.title, "small")
            fix.clicked.connect(lambda: apply_fix(self._bench, problem))
            self.fix_buttons.append(fix)
            texts.addWidget(fix, 0, Qt.AlignmentFlag.AlignLeft)
        layout = row(box, 8)
        layout.setContentsMargins(9, 8, 9, 9)
        layout.addWidget(SeverityIcon(problem.severity), 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(texts, 1)
        return box


class ShapeSection(Section):
    """The shapes that come and go, and the arithmetic between them where it is simple."""

    def __init__(self) -> None:
        super().__init__("Shape")
        self._box = Box()
        self.text = QLabel()
        self.text.setTextFormat(Qt.TextFormat.RichText)
        self.text.setFont(mono_font())
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        layout = column(self._box, 0)
        layout.setContentsMargins(10, 8, 8, 8)
        layout.addWidget(self.text)
        self.formula = label("", "muted", 11.5)
        self.layout_.addWidget(self._box)
        self.layout_.addWidget(self.formula)

    def show_shapes(self, node: Node, layer: Layer, analysis: Analysis, theme: Theme) -> None:
        """Show the shapes of a node's inputs and outputs, as far as they are known."""
        coming = [
            (port, analysis.types[source])
            for port, source in analysis.document.incoming(node.id).items()
            if source in analysis.types
        ]
        outputs = [port.name for port in layer.outputs_of(node.params)]
        going = [
            (port, analysis.types[Slot(node.id, port)])
            for port in outputs
            if Slot(node.id, port) in analysis.types
        ]
        self.setVisible(bool(coming or going))
        muted = "".join(self._shapes(coming, theme.muted, len(coming) > 1))
        arrow = f"<span style='color:{theme.faint}'> → </span>" if coming and going else ""
        self.text.setText(muted + arrow + "".join(self._shapes(going, theme.text, len(outputs) > 1)))
        self.text.setAccessibleName(
            "Shape: " + " to ".join(", ".join(str(t) for _, t in side) for side in (coming, going) if side)
        )
        formula = window_formula(layer.values(node.params), coming[0][1], going[0][1]) if arrow else ""
        self.formula.setText(formula)
        self.formula.setVisible(bool(formula))

    def _shapes(self, ports: list[tuple[str, TensorType]], color: str, named: bool) -> list[str]:
        shown = []
        for place, (port, tensor) in enumerate(ports):
            sizes = "&nbsp;×&nbsp;".join(escape(str(size)) for size in tensor.shape) or "number"
            name = f"{escape(port)}&nbsp; " if named else ""
            lead = "<br>" if place else ""
            shown.append(f"{lead}<span style='color:{color}'>{name}{sizes}</span>")
        return shown


class CostSection(Section):
    """Tiles with what one node costs, or with what all of them cost."""

    def __init__(self) -> None:
        super().__init__("Cost")
        self._tiles = QGridLayout()
        self._tiles.setContentsMargins(0, 0, 0, 0)
        self._tiles.setSpacing(8)
        self.layout_.addLayout(self._tiles)

    def show_cost(self, node: str, bench: Bench) -> None:
        """Show each kind of cost that a node has, and its share of the whole."""
        numbers = {each: each.of(bench.analysis, times_of(bench)) for each in COSTS}
        self._show(
            (each, found[node], f"{share(found[node], sum(found.values()))} of the network")
            for each, found in numbers.items()
            if found.get(node)
        )

    def show_total(self, bench: Bench) -> None:
        """Show each kind of cost of the whole graph that is open."""
        numbers = {each: sum(each.of(bench.analysis, times_of(bench)).values()) for each in COSTS}
        self._show((each, number, "in all") for each, number in numbers.items() if number)

    def _show(self, costs: Iterable[tuple[Cost, float, str]]) -> None:
        empty(self._tiles)
        costs = list(costs)
        for place, (cost, number, part) in enumerate(costs):
            alone = place % 2 == 0 and place == len(costs) - 1
            exact = f"{number:,.0f}" if cost.key in ("parameters", "macs") else cost.text(number)
            shown = exact if cost.key == "parameters" and number < 1e7 else cost.text(number)
            tip = f"{cost.tip}: {exact}, {part}"
            tile = _tile(shown, cost.caption, tip)
            self._tiles.addWidget(tile, place // 2, place % 2, 1, 2 if alone else 1)
        self.setVisible(bool(costs))


class FootprintSection(Section):
    """What training the whole document takes of memory, part by part."""

    def __init__(self) -> None:
        super().__init__("Memory to train, about")
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(0, 1)
        self.layout_.addLayout(self._grid)

    def show_footprint(self, analysis: Analysis) -> None:
        """Show the parts and their sum; hidden while there is nothing to train."""
        needs = analysis.footprint
        empty(self._grid)
        rows = [("Weights", needs.weights, ""), ("Gradients", needs.gradients, "")]
        if needs.optimizer:
            rows.append(("Optimizer", needs.optimizer, "What it remembers of every weight"))
        kept = "What every layer keeps of a batch until the gradients are computed"
        rows.append((f"Activations × {needs.batch_size}", needs.activations, kept))
        rows.append(("Together", needs.total, "Without the data and the room that kernels work in"))
        for place, (name, size, tip) in enumerate(rows):
            last = place == len(rows) - 1
            words = label(name, "" if last else "muted"), label(in_bytes(size), weight=600 if last else 400)
            for column_, word in enumerate(words):
                word.setToolTip(tip)
                align = Qt.AlignmentFlag.AlignRight if column_ else Qt.AlignmentFlag.AlignLeft
                self._grid.addWidget(word, place, column_, align)
        if needs.unknown:
            titles = ", ".join(analysis.document.nodes[id].title for id in needs.unknown)
            note = label(f"Not known, so not counted: what {titles} keeps.", "muted", 12, wrap=True)
            self._grid.addWidget(note, len(rows), 0, 1, 2)
        self.setVisible(bool(needs.weights))


def _tile(value: str, word: str, tip: str) -> Box:
    box = Box()
    box.setToolTip(tip)
    box.setAccessibleName(tip)
    box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    layout = column(box, 2)
    layout.setContentsMargins(10, 8, 8, 8)
    layout.addWidget(label(value, weight=600))
    layout.addWidget(label(word, "muted", 11))
    return box


class CodeSection(Section):
    """The lines that a node wrote, marked, with their neighbors."""

    def __init__(self, bench: Bench):
        super().__init__("Code")
        self.view = CodeView(bench, "code", numbers=False)
        self.view.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.view.setAccessibleName("Code of this node")
        self.view.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.layout_.addWidget(self.view)

    def show_lines(self, node: str, source: SourceText | None) -> None:
        """Show a node's lines of the source."""
        text, marked = snippet(node, source) if source else ("", ())
        self.setVisible(bool(text))
        if text:
            self.view.set_code(text)
            self.view.mark(marked)
            wide = max(len(line) for line in text.split("\n"))
            bar = 10 if wide * self.view.fontMetrics().horizontalAdvance("0") > 240 else 0
            self.view.setFixedHeight(self.view.height_of_lines(text.count("\n") + 1) + bar)


def snippet(node: str, source: SourceText) -> tuple[str, tuple[int, ...]]:
    """Return a node's lines between those of its neighbors, unindented, and which of them to mark, from 1."""
    own = source.lines.get(node, ())
    others = {line for lines in source.lines.values() for line in lines}
    wanted = sorted(
        {line for mine in own for line in (mine - 1, mine, mine + 1) if line in others or line in own}
    )
    lines = source.text.split("\n")
    shown, marked, last = [], [], 0
    for line in wanted:
        if last and line != last + 1:
            shown.append("")
        shown.append(lines[line - 1].strip())
        if line in own:
            marked.append(len(shown))
        last = line
    return "\n".join(shown), tuple(marked)


class LiveSection(Section):
    """How a node fares in the run: gradient, dead units, how far its weights went."""

    def __init__(self) -> None:
        super().__init__("While it trains")
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(0, 1)
        self._values: dict[str, QLabel] = {}
        self._names: dict[str, QLabel] = {}
        for place, (key, title, tip) in enumerate(
            (
                ("gradient", "Gradient |g|", "Length of the gradient of this node's weights."),
                ("dead", "Dead units", "Share of units that are zero for every probe sample."),
                (
                    "range",
                    "Output range",
                    "Smallest and largest number that left the node for the probe batch.",
                ),
                ("moved", "Weights moved", "How far the weights went from their start, relative to it."),
                ("loss", "Loss", "The value of this loss at the last probe."),
            )
        ):
            self._names[key], self._values[key] = label(title, "muted"), label("")
            self._names[key].setToolTip(tip)
            self._grid.addWidget(self._names[key], place, 0)
            self._grid.addWidget(self._values[key], place, 1, Qt.AlignmentFlag.AlignRight)
        self.layout_.addLayout(self._grid)

    def show_snapshot(self, node: str, snapshot: Snapshot | None) -> None:
        """Show what the newest snapshot says about a node."""
        facts: dict[str, str] = {}
        if snapshot is not None:
            if node in snapshot.losses:
                facts["loss"] = f"{snapshot.losses[node]:.4g}"
            if node in snapshot.gradients:
                facts["gradient"] = f"{snapshot.gradients[node]:.2g}"
            seen = snapshot.detail if snapshot.selected == node else snapshot.activations.get(node)
            if seen is not None:
                facts["dead"] = f"{seen.dead:.0%}".replace("%", " %") if seen.dead else "none"
                facts["range"] = f"{seen.low:.2g} … {seen.high:.2g}".replace("-", "−")
            if snapshot.weights is not None and snapshot.selected == node:
                moved = snapshot.weights.moved
                facts["moved"] = f"{100 * moved:.1f} %" if moved < 100 else f"{moved:.2g} times"
        for key, value in self._values.items():
            value.setText(facts.get(key, ""))
            value.setVisible(key in facts)
            self._names[key].setVisible(key in facts)
        self.setVisible(bool(facts))
