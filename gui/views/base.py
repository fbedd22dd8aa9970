"""What all live views share: throttled refreshing, the theme, the empty state, safe painting."""

from __future__ import annotations

import logging
from weakref import WeakKeyDictionary, WeakSet

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from engine.training.events import Snapshot
from gui.bench import Bench
from gui.theme import Theme
from gui.views.text import Part, draw_note, draw_parts
from gui.views.throttle import Throttle

log = logging.getLogger(__name__)
MARGIN = 14
HEADING = 26
"""Height of the line above a picture."""

UNDRAWN = "This picture could not be drawn."

_wishes: WeakKeyDictionary[Bench, dict[str, WeakSet[QWidget]]] = WeakKeyDictionary()


def wish(bench: Bench, name: str, view: QWidget, wanted: bool) -> None:
    """Say that a view wants ``bench.NAME``; it stays on while any view wants it."""
    viewers = _wishes.setdefault(bench, {}).setdefault(name, WeakSet())
    (viewers.add if wanted else viewers.discard)(view)
    bench.look(**{name: bool(viewers)})


class LiveView(QWidget):
    """A view of a run, made with the bench.

    Subclasses keep what the events bring, call ``throttle.request()``, and bring the screen up to date in
    ``refresh``, which is never called while hidden. ``wants`` names the switch of ``bench.look`` that is on
    while the view can be seen.
    """

    title = ""
    wants = ""

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__(parent)
        self.bench = bench
        self.throttle = Throttle(self, self.refresh, beat=bench.beat)
        self.setAccessibleName(self.title)
        bench.theme_changed.connect(self.apply_theme)
        bench.run_reset.connect(self.clear)
        bench.state_changed.connect(lambda _: self.throttle.request())

    @property
    def soon(self) -> str:
        """When what a view waits for will be there: the end of its empty state's sentence."""
        return "in a moment" if self.bench.state in ("starting", "running") else "when you press Run"

    @property
    def theme(self) -> Theme:
        """The colors now."""
        return self.bench.theme

    def refresh(self) -> None:
        """Bring the screen up to date."""
        self.update()

    def clear(self) -> None:
        """Forget the run."""
        self.throttle.request()

    def apply_theme(self, theme: Theme) -> None:
        """Take other colors."""
        self.throttle.request()
        self.update()

    def node_title(self, node: str) -> str:
        """What the canvas calls a node."""
        found = self.bench.store.document.nodes.get(node)
        return found.title if found else node

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.wants:
            wish(self.bench, self.wants, self, True)
        self.throttle.resume()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        if self.wants:
            wish(self.bench, self.wants, self, False)


class PaintedView(LiveView):
    """A view that is one painting: a heading line, and below it what ``draw`` paints.

    ``heading`` is its parts, ``caption`` the line below the picture; both can be read by tests and by screen
    readers. ``note`` is the sentence of the empty state and "" where there is a picture.
    """

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__(bench, parent)
        self.heading: list[Part] = []
        self.caption = ""
        self.note = ""
        self._failed = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        bench.snapshot_taken.connect(self.on_snapshot)

    @property
    def heading_text(self) -> str:
        """The words of the heading."""
        return "".join(part.text for part in self.heading)

    def on_snapshot(self, snapshot: Snapshot) -> None:
        """Take what the view needs of a snapshot; called for every one."""

    def prepare(self) -> None:
        """Make images and words from the newest snapshot, and set ``heading``, ``caption`` and ``note``."""

    def draw(self, painter: QPainter, area: QRectF) -> None:
        """Paint the picture inside ``area``."""

    def heading_room(self) -> float:
        """Pixels at the right end of the heading's line that controls take."""
        return 0.0

    def refresh(self) -> None:
        try:
            self.prepare()
        except Exception:  # a run may send what nobody thought of; the window goes on
            self._log_once()
            self.note = UNDRAWN
        said = self.note or self.heading_text
        if said != self.accessibleDescription():
            self.setAccessibleDescription(said)
        self.update()

    def clear(self) -> None:
        self.throttle.flush()

    def minimumSizeHint(self) -> QSize:
        return QSize(140, 90)

    def sizeHint(self) -> QSize:
        return QSize(360, 270)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.theme.color("panel"))
        area = QRectF(self.rect()).adjusted(MARGIN, 8, -MARGIN, -10)
        try:
            line = QRectF(area.left(), area.top(), area.width() - self.heading_room(), HEADING - 6)
            picture = area.adjusted(0, HEADING, 0, 0)
            draw_parts(
                painter, line, [Part(self.title, "text", 600)] if self.note else self.heading, self.theme
            )
            if self.note:
                draw_note(painter, picture, self.note, self.theme)
            else:
                self.draw(painter, picture)
        except Exception:  # an exception that leaves paintEvent can end the process
            self._log_once()
            draw_note(painter, area, UNDRAWN, self.theme, "error")
        finally:
            painter.end()  # a log may hold the error's frames, and so the painter, longer than the view

    def _log_once(self) -> None:
        if not self._failed:
            log.exception("%s could not be painted", type(self).__name__)
        self._failed = True
