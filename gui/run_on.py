"""Run on: this window, several processes of this machine, a machine over SSH, a command of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtWidgets import QMenu, QWidget

from engine.distributed.places import PLACES, Place, warning
from engine.errors import EngineError
from engine.graph.document import Document
from engine.layers.params import Value
from gui.bench import Bench
from gui.run_on_dialog import RunOnDialog

if TYPE_CHECKING:
    from engine.distributed.follow import Follower
    from gui.panels.top_bar import TopBar

HERE = ""
HERE_TITLE, HERE_WORDS = "This window", "Here"
_KEY = "run_on"


class RunOn(QObject):
    """Remembers where Run trains, and makes what follows a run elsewhere. ``changed`` after a choice."""

    changed = Signal()

    def __init__(self, bench: Bench, parent: QWidget):
        super().__init__(parent)
        self._bench, self._window = bench, parent
        settings = QSettings()
        chosen = str(settings.value(f"{_KEY}/place", HERE))
        self.key = chosen if chosen in PLACES else HERE
        self.dialog: RunOnDialog | None = None
        """The dialog while it is open."""

    @property
    def place(self) -> Place | None:
        """Where the next run will be; None for this window."""
        return PLACES.get(self.key)

    @property
    def words(self) -> str:
        """Where the next run will be, in a word or two."""
        return self.place.words(self.values(self.place)) if self.place else HERE_WORDS

    @property
    def tip(self) -> str:
        """Where the next run will be, in a sentence."""
        where = f"{self.place.title}: {self.words}" if self.place else "In this window"
        return f"Where Run trains. {where}."

    def values(self, place: Place) -> dict[str, Value]:
        """What was said about a place last."""
        settings = QSettings()
        given = {}
        for param in place.params:
            text = settings.value(f"{_KEY}/{place.key}/{param.name}")
            if text is not None:
                with suppress(EngineError):  # what an older program remembered may mean nothing now
                    given[param.name] = param.parse(str(text))
        return place.values(given)

    def show_in(self, bar: TopBar) -> None:
        """Let a bar's button open the places and show the chosen one."""
        menu = bar.run_on_button.menu()
        menu.aboutToShow.connect(lambda: self.fill(menu))
        self.changed.connect(lambda: bar.set_place(self.words, self.tip))
        self.changed.emit()

    def fill(self, menu: QMenu) -> None:
        """Put the places into a menu; what is chosen has a mark."""
        menu.clear()
        here = menu.addAction(HERE_TITLE)
        here.triggered.connect(lambda: self.choose(HERE))
        menu.addSeparator()
        actions = {HERE: here}
        for place in PLACES.values():
            actions[place.key] = menu.addAction(f"{place.title} …")
            actions[place.key].triggered.connect(lambda on=False, place=place: self.ask(place))
        for key, action in actions.items():
            action.setCheckable(True)
            action.setChecked(key == self.key)
        menu.addSeparator()
        for id in ("resume", "carry_on"):
            action = self._window.actions_[id]  # the menu lets go of all that is in it when it is cleared
            menu.addAction(action.text(), action.trigger).setEnabled(action.isEnabled())

    def ask(self, place: Place) -> None:
        """Open the form of a place; accepted, it is where Run trains from now on."""
        self.dialog = RunOnDialog(
            self._window, place, self.values(place), lambda values: self._warning(place, values)
        )
        self.dialog.finished.connect(lambda result: self._end(bool(result)))
        self.dialog.open()

    def choose(self, key: str, values: Mapping[str, Value] | None = None) -> None:
        """Let Run train there, and remember that."""
        settings = QSettings()
        self.key = key
        settings.setValue(f"{_KEY}/place", key)
        for param in PLACES[key].params if values is not None else ():
            settings.setValue(f"{_KEY}/{key}/{param.name}", param.text(values[param.name]))
        self.changed.emit()

    def runner(self, document: Document) -> Follower | None:
        """Return what follows a new run of a document where it is to be; None for this window.

        Raises EngineError where it cannot be.
        """
        if self.place is None:
            return None
        from engine.compiler.trust import untrusted
        from engine.distributed.follow import Follower
        from engine.runs.library import Library

        trust = bool(document.customs) and not untrusted(document)
        place = self.place
        folder = Library().new(document.name, place=f"{place.title}: {self.words}")
        return Follower(document, place.make(folder, self.values(place), trust))

    def _warning(self, place: Place, values: Mapping[str, Value]) -> str:
        analysis = self._bench.analysis
        rows = self._bench.store.whole.training.batch_size
        return warning(place, values, sum(analysis.macs.values()) * rows, rows)

    def _end(self, accepted: bool) -> None:
        dialog, self.dialog = self.dialog, None
        if accepted:
            self.choose(dialog.place.key, dialog.values)
        dialog.deleteLater()
