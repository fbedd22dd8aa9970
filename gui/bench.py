"""The workbench: what every part of the window shares, handed to each when it is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from engine.compiler.analysis import Analysis
from engine.graph.document import Way
from engine.training.events import Snapshot, Timed
from gui.beat import Beat
from gui.commands.keymap import Keymap
from gui.library import Library
from gui.session import Session
from gui.store import Store
from gui.theme import DARK, Theme


@dataclass(frozen=True)
class Offer:
    """A sentence about what was just done, and what can be done about it, each by its word."""

    text: str
    actions: tuple[tuple[str, Callable[[], object]], ...] = ()


class Bench(QObject):
    """Store, the user's own blocks, latest analysis, live events and theme.

    A part reads ``store.document``, ``analysis`` and ``snapshot`` when it is made and listens for what comes
    next. The events of a run arrive as signals that carry the frozen event; ``run_reset`` empties the views
    before a new run. ``look_changed`` is emitted by ``look`` whenever a part changes what it wants to see.
    """

    analyzed = Signal(object)
    theme_changed = Signal(object)
    run_reset = Signal()
    started = Signal(object)
    progress = Signal(object)
    evaluated = Signal(object)
    snapshot_taken = Signal(object)
    timed = Signal(object)
    state_changed = Signal(str)
    state_told = Signal(object)
    """The run in front goes on or waits: a State, with the reason where nobody asked for it."""
    setting_changed = Signal(object)
    finished = Signal(object)
    failed = Signal(object)
    runs_changed = Signal()
    """A run began, ended or was held, perhaps of a document that is not in front."""
    runs_moved = Signal()
    """A run has come further, perhaps of a document that is not in front."""
    look_changed = Signal()
    heat_changed = Signal()
    objectives_changed = Signal()
    """Which objectives the canvas shows is another: all, one alone, or none."""
    steerable_changed = Signal()
    """A run takes other settings at once, or none goes on."""
    trust_changed = Signal()
    """Python code of documents was trusted: what was off may run now."""
    data_changed = Signal()
    """Files that documents read came onto this machine: what could not be read may be now."""
    hub_wanted = Signal(str)
    """Ask for the browser of the Hugging Face hub, for a node."""
    code_wanted = Signal(str)
    """Ask for the editor of a layer written in Python, by its type."""
    reveal = Signal(str)
    """Ask the canvas to bring a node into view."""
    message = Signal(str)
    """A sentence for the status line."""
    noticed = Signal(str)
    """What is not as it should be with the run in front; empty when all is well."""
    offered = Signal(object)
    """An Offer, shown over the canvas until the next edit."""

    def __init__(self, store: Store, parent: QObject | None = None):
        super().__init__(parent)
        self.store = store
        self.library = Library(self)
        self.keymap = Keymap(self)
        self.beat = Beat()
        self.analysis = Analysis(store.document)
        self.snapshot: Snapshot | None = None
        self.times: dict[Way, Timed] = {}
        """How long the nodes took in the last run, by the way into the block that they stand in."""
        self.theme: Theme = DARK
        self.state = "idle"
        """``idle``, ``starting``, ``running``, ``paused``, ``finished`` or ``failed``."""
        self.notice = ""
        self.heat = ""
        """The cost that tints the nodes, by its key; empty for none."""
        self.objectives_shown = False
        """Whether the canvas shows which objective moves which node."""
        self.objective_lit: int | None = None
        """The objective whose nodes the canvas shows at the moment, whatever is switched on."""
        self.steerable: frozenset[str] | None = None
        """The settings that the run of the document in front takes at once; None while none goes on."""
        self.visible_nodes: frozenset[str] = frozenset()
        self.sample = 0
        self.wants_regions = False
        self.wants_samples = False

    @property
    def active(self) -> Session | None:
        """The document whose run is going on or held, wherever it stands."""
        return next((each for each in self.store.sessions if each.run and each.run.busy), None)

    def look(self, **changes: object) -> None:
        """Change what is watched: ``visible_nodes``, ``sample``, ``wants_regions``, ``wants_samples``."""
        if any(getattr(self, name) != value for name, value in changes.items()):
            for name, value in changes.items():
                setattr(self, name, value)
            self.look_changed.emit()

    def show_heat(self, key: str) -> None:
        """Tint the nodes by another cost, or by none."""
        if key != self.heat:
            self.heat = key
            self.heat_changed.emit()

    def show_objectives(self, on: bool) -> None:
        """Let the canvas show which objective moves which node, or not."""
        if on != self.objectives_shown:
            self.objectives_shown = on
            self.objectives_changed.emit()

    def light_objective(self, place: int | None) -> None:
        """Show the nodes of one objective for a moment; None as it was."""
        if place != self.objective_lit:
            self.objective_lit = place
            self.objectives_changed.emit()

    def set_steerable(self, names: frozenset[str] | None) -> None:
        """Say which settings a run takes at once."""
        if names != self.steerable:
            self.steerable = names
            self.steerable_changed.emit()

    def set_notice(self, notice: str) -> None:
        """Tell what is not as it should be with the run in front."""
        if notice != self.notice:
            self.notice = notice
            self.noticed.emit(notice)

    def set_theme(self, theme: Theme) -> None:
        """Change the colours of everything."""
        self.theme = theme
        self.theme_changed.emit(theme)
