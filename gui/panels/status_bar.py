"""The line at the bottom: totals, problems, messages, the cost of looking, speed."""

from __future__ import annotations

from PySide6.QtCore import QEasingCurve, QPropertyAnimation, QTimer, Signal
from PySide6.QtWidgets import QGraphicsOpacityEffect, QWidget

from engine.compiler.analysis import Analysis, in_bytes
from engine.training.events import Progress
from gui import motion
from gui.bench import Bench
from gui.panels.words import count, plural
from gui.widgets.basic import Elided, Panel, button, label, row, set_role

HEIGHT, MESSAGE_MS = 28, 6000
_PX = 12


class StatusBar(Panel):
    """Totals of the latest analysis at the left, the run at the right. The problems can be clicked."""

    problems_requested = Signal()

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__("foot", parent)
        self.setFixedHeight(HEIGHT)
        self._bench = bench
        self._parameters = label("", "muted", _PX)
        self._macs = label("", "muted", _PX)
        self._memory = label("", "muted", _PX)
        self.problems_button = button("", "flat", "Show the problems")
        self._message = _Message()
        self._cost = label("", "muted", _PX)
        self._speed = label("", "muted", _PX)
        self._saved = label("", "muted", _PX)
        layout = row(self, 22)
        layout.setContentsMargins(14, 0, 14, 0)
        layout.addWidget(self._parameters)
        layout.addWidget(self._macs)
        layout.addWidget(self._memory)
        layout.addWidget(self.problems_button)
        layout.addWidget(self._message, 1)
        for widget in (self._cost, self._speed, self._saved):
            layout.addWidget(widget)
        self.problems_button.clicked.connect(self.problems_requested)
        bench.analyzed.connect(self._show_analysis)
        bench.progress.connect(self._show_progress)
        bench.run_reset.connect(self._reset)
        bench.message.connect(self._message.show_message)
        self._show_analysis(bench.analysis)
        self._reset()

    def set_saved(self, text: str) -> None:
        """Show whether the document is saved, in a word."""
        self._saved.setText(text)

    def _show_analysis(self, analysis: Analysis) -> None:
        self._parameters.setText(plural(analysis.total_parameters, "parameter"))
        macs = sum(analysis.macs.values())
        self._macs.setText(f"{count(macs)} multiply-adds")
        self._macs.setToolTip(f"{macs:,} multiply-adds for one sample")
        self._macs.setVisible(bool(macs))
        needs = analysis.footprint
        self._memory.setText(f"about {in_bytes(needs.total)} to train")
        self._memory.setToolTip(
            f"Weights {in_bytes(needs.weights)}, gradients {in_bytes(needs.gradients)}, "
            f"optimizer {in_bytes(needs.optimizer)}, "
            f"activations {in_bytes(needs.activations)} for a batch of {needs.batch_size}"
        )
        self._memory.setVisible(bool(needs.weights))
        errors, others = len(analysis.errors), len(analysis.problems) - len(analysis.errors)
        text = plural(errors, "problem") if errors else plural(others, "warning") if others else "No problems"
        self.problems_button.setText(text)
        self.problems_button.setVisible(
            bool(analysis.document.nodes)
        )  # an empty canvas has nothing to praise
        set_role(self.problems_button, "error" if errors else "warning" if others else "ok", "tone")

    def _show_progress(self, event: Progress) -> None:
        cost = event.live_cost + self._bench.beat.share
        self._cost.setText(f"live views cost {cost:.1%}".replace("%", " %"))
        speed = event.steps_per_second
        self._speed.setText(f"{speed:,.0f} steps/s" if speed >= 10 else f"{speed:.2g} steps/s")

    def _reset(self) -> None:
        self._cost.setText("")
        self._speed.setText("")


class _Message(Elided):
    """A sentence that fades after some seconds."""

    def __init__(self) -> None:
        super().__init__("", px=_PX)
        self._effect = QGraphicsOpacityEffect(self)
        self._effect.setEnabled(False)
        self.setGraphicsEffect(self._effect)
        self._fade = QPropertyAnimation(self._effect, b"opacity", self)
        self._fade.setStartValue(1.0)
        self._fade.setEndValue(0.0)
        self._fade.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._fade.finished.connect(self._clear)
        self.timer = QTimer(self, singleShot=True, interval=MESSAGE_MS)
        self.timer.timeout.connect(self._leave)

    def show_message(self, text: str) -> None:
        self._fade.stop()
        self._effect.setEnabled(False)
        self.set_text(text)
        self.timer.start()

    def _leave(self) -> None:
        self._effect.setEnabled(True)
        self._fade.setDuration(0 if motion.reduced() else 160)
        self._fade.start()

    def _clear(self) -> None:
        self.set_text("")
        self._effect.setEnabled(False)
