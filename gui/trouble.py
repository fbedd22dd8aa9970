"""What to do when a run cannot go on: a bar over the canvas that says why and offers what helps."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from engine.errors import EngineError
from engine.graph.document import Document
from engine.graph.settings import set_optimizer, set_rule, set_training
from engine.optimizers import OPTIMIZERS
from engine.training.events import MEMORY, NUMBERS, Failed, State
from gui.banner import Banner, Notice
from gui.bench import Bench
from gui.continuing import Continuing

SLOWER = 10
"""What a learning rate is divided by where the numbers ran away."""

Acts = tuple[tuple[str, Callable[[], object]], ...]


class Trouble(QObject):
    """Keeps the bar: a failure stands there until the next run, a run that waits until it goes on."""

    def __init__(self, bench: Bench, continuing: Continuing, parent: QWidget):
        super().__init__(parent)
        self._bench, self._continuing = bench, continuing
        self.banner = Banner(bench)
        self._failed: Failed | None = None
        bench.failed.connect(self._fail)
        bench.state_told.connect(self._wait)
        for signal in (bench.run_reset, bench.started):
            signal.connect(self._forget)
        self._offers = {MEMORY: self._smaller, NUMBERS: self._slower}

    def _forget(self, *_: object) -> None:
        self._failed = None
        self.banner.show_notices(())

    def _say(self, text: str, acts: Acts) -> None:
        self.banner.show_notices((Notice(text, (*acts, ("Close", self._forget))),))

    def _wait(self, told: State) -> None:
        """Say why a run waits that nobody held; what it only refused is said once."""
        if told.state == "paused" and told.reason:
            bridge = self._continuing.bridge
            acts = (("Go on", bridge.run), ("Stop", bridge.stop))
            self._say(f"The run waits. {told.reason}", acts)
        elif told.reason:
            self._bench.message.emit(told.reason)
        elif self._failed is None:
            self._forget()

    def _fail(self, failed: Failed) -> None:
        self._failed = failed
        offers = self._offers.get(failed.kind)
        self._say(failed.message, offers(failed) if offers else ())

    # -- memory ------------------------------------------------------------------------------------------

    def _smaller(self, failed: Failed) -> Acts:
        if not failed.batch_size:
            return ()
        training = self._bench.store.whole.training
        times = max(2, -(-training.batch_size // failed.batch_size))
        gathered = times * max(each.accumulate for each in training.objectives)
        return ((f"Batch {failed.batch_size}, accumulate {gathered}", lambda: self._halve(failed, times)),)

    def _halve(self, failed: Failed, times: int) -> None:
        size = failed.batch_size
        self._apply(f"Set batch size to {size}", lambda d: smaller(d, size, times))
        self._continuing.bridge.run()

    # -- numbers that ran away ---------------------------------------------------------------------------

    def _slower(self, failed: Failed) -> Acts:
        acts: Acts = ((f"Learning rate ÷ {SLOWER}", self._divide),)
        if self._continuing.folder() is not None:
            acts += (("Continue from the last good moment", self._go_back),)
        return acts

    def _divide(self) -> None:
        self._apply(f"Divide the learning rate by {SLOWER}", slower)
        if self._failed is not None:
            now = ", ".join(f"{rate:g}" for rate in rates(self._bench.store.whole))
            folder = self._continuing.folder()
            acts = (("Run", self._continuing.bridge.run),)
            if folder is not None:
                acts += (("Continue from the last good moment", self._go_back),)
            self._say(f"The learning rate is {now} now.", acts)

    def _go_back(self) -> None:
        self._continuing.resume()

    def _apply(self, text: str, edit: Callable[[Document], Document]) -> None:
        store = self._bench.store
        try:
            store.apply_whole(text, edit(store.whole))
        except EngineError as error:
            self._bench.message.emit(error.message)


def smaller(document: Document, size: int, times: int) -> Document:
    """Return a document with smaller batches of which each objective gathers so many times more."""
    document = set_training(document, batch_size=size)
    for place, each in enumerate(document.training.objectives):
        document = set_rule(document, place, accumulate=each.accumulate * times)
    return document


def rates(document: Document) -> list[float]:
    """Return the learning rate of each objective."""
    return [
        float(OPTIMIZERS[each.optimizer].values(each.options)["lr"]) for each in document.training.objectives
    ]


def slower(document: Document) -> Document:
    """Return a document whose learning rates are a tenth of what they were."""
    for place, rate in enumerate(rates(document)):
        document = set_optimizer(document, place=place, lr=float(f"{rate / SLOWER:.6g}"))
    return document
