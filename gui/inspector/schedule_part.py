"""How an objective's learning rate changes over the run: the schedule, its warm-up, and the curve of both."""

from __future__ import annotations

from collections.abc import Callable, Container

from PySide6.QtWidgets import QWidget

from engine.graph.document import Objective
from engine.layers.params import Param, Value
from engine.schedules import SCHEDULES
from gui.bench import Bench
from gui.inspector.kinds import KindChoice, KindOptions, told
from gui.inspector.planned_rate import PlannedRate
from gui.widgets.basic import column

CONSTANT = "Constant"


class SchedulePart(QWidget):
    """The choice of a schedule and its options, with the curve of both between them."""

    def __init__(
        self,
        bench: Bench,
        place: int,
        choose: Callable[[str], None],
        edit: Callable[[Param, Value, str], None],
    ):
        super().__init__()
        self._bench = bench
        doc = "How the learning rate changes while it trains."
        self.choice = KindChoice("schedule", SCHEDULES, choose, none=CONSTANT, doc=doc)
        self.options = KindOptions(edit)
        layout = column(self, 6)
        self.plan = PlannedRate(bench, place)
        layout.addWidget(self.choice)
        layout.addWidget(self.plan)
        layout.addWidget(self.options)

    def show_objective(self, objective: Objective) -> None:
        """Show an objective's schedule."""
        self.choice.show_kind(objective.schedule)
        self.options.show_kind(SCHEDULES.get(objective.schedule), objective.schedule_options)
        self.plan.show_plan()

    def show_live(self, live: Container[str] | None) -> None:
        """Mark what a run takes at once."""
        self.choice.show_live(live)
        self.options.show_live(live)


def told_schedule(objective: Objective) -> str:
    """Return a schedule in a few words; empty for a constant rate."""
    schedule = SCHEDULES.get(objective.schedule)
    if schedule is None:
        return objective.schedule
    options = told(schedule.params, objective.schedule_options)
    return f"{schedule.title.lower()}, {options}" if options else schedule.title.lower()
