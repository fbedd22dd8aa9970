"""The data before it enters a network: a batch as training sees it, who is held out, columns and classes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListWidget, QStackedWidget, QWidget

from engine.graph.blocks import layer_of
from gui.bench import Bench
from gui.data.preview_look import Look, look
from gui.data.preview_pictures import Pictures
from gui.data.preview_statistics import StatisticsPage, Told, tell
from gui.data.preview_table import BatchTable
from gui.data.preview_work import Failure, Newest
from gui.views.base import LiveView
from gui.views.parts import Choice, Note, TextLine
from gui.views.text import Part, heading
from gui.widgets.basic import button, column, row

if TYPE_CHECKING:
    from engine.graph.document import Document, Node

BATCH, STATISTICS, SKIPPED = range(3)
_WHERE = {"images": "below", "points": "at the right", "curves": "colored", "table": "colored"}
"""Where what augmentation makes of a batch is shown."""

_NOTHING = "Add a source of data, such as Digits, and its samples appear here."


class DataView(LiveView):
    """A batch of the data that is selected, else of the document's, before and after augmentation.

    Everything is read in a thread, and only while the page can be seen.
    """

    title = "Data"

    def __init__(self, bench: Bench, parent: QWidget | None = None):
        super().__init__(bench, parent)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("surface", "panel")
        self.look: Look | None = None
        self.told: Told | Failure | None = None
        self._telling: object = None
        """The data whose statistics were asked for last."""
        self._asked: object = None
        self._batch = self._draw = 0
        self._chain: tuple[str, ...] = ()
        self.pages = Choice(bench, ("Batch", "Statistics", ""), self)
        self.part = Choice(bench, ("Training", "Held out"), self)
        self.line = TextLine(bench)
        self.again = button("Another draw", "small", "Let augmentation draw again for the same samples.")
        self.other = button("Other samples", "small", "Draw other samples from the data.")
        self.sentence = Note(bench, _NOTHING)
        self.pictures = Pictures(bench)
        self.table = BatchTable(bench)
        self.statistics = StatisticsPage(bench)
        self.skipped = QListWidget()
        self.skipped.setAccessibleName("What was left out, and why")
        self.skipped.setWordWrap(True)
        self._stack = QStackedWidget()
        self._pages = (
            self.sentence,
            self.pictures,
            _inset(self.table),
            self.statistics,
            _inset(self.skipped),
        )
        for page in self._pages:
            self._stack.addWidget(page)
        self._lay_out()
        self._looks, self._tells = Newest(self), Newest(self)
        self._looks.answered.connect(self._show_look)
        self._tells.answered.connect(self._show_told)
        self.pages.changed.connect(lambda _: self._show())
        self.part.changed.connect(lambda _: self.throttle.request())
        self.again.clicked.connect(self._draw_again)
        self.other.clicked.connect(self._take_others)
        for signal in (bench.analyzed, bench.store.selection_changed):
            signal.connect(lambda *_: self.throttle.request())
        bench.store.replaced.connect(self._turn)
        self._show()
        self.throttle.request()

    def _lay_out(self) -> None:
        head = row(spacing=10)
        head.setContentsMargins(14, 7, 12, 0)
        head.addWidget(self.pages)
        head.addStretch(1)
        head.addWidget(self.part)
        line = row(spacing=6)
        line.setContentsMargins(16, 0, 12, 0)
        line.addWidget(self.line, 1)
        line.addWidget(self.again)
        line.addWidget(self.other)
        layout = column(self, 2)
        layout.addLayout(head)
        layout.addLayout(line)
        layout.addWidget(self._stack, 1)

    @property
    def note(self) -> str:
        """The sentence that stands in place of the data, empty where there is some."""
        return self.sentence.text if self._stack.currentWidget() is self.sentence else ""

    # what is looked at

    def _draw_again(self) -> None:
        self._draw += 1
        self.throttle.request()

    def _take_others(self) -> None:
        self._batch += 1
        self.throttle.request()

    def refresh(self) -> None:
        """Ask for what is to be shown, if it is not what was asked for last."""
        analysis = self.bench.store.session.analysis
        node = _data_of(analysis.document, self._selected()) if analysis else None
        if analysis is None or node is None or analysis.resolution is None:
            self._asked = self.look = self.told = self._telling = None
            self._say("This network cannot be read yet." if node else self._waiting())
            return
        from engine.compiler.augmented import augmentations  # torch has loaded where an analysis is there

        document, resolution = analysis.document, analysis.resolution
        chains = augmentations(document, node.id, self._selected())
        self._chain = tuple(dict.fromkeys(slot.node for chain in chains.values() for slot in chain))
        texts = [resolution.steps[id].init for id in self._chain if id in resolution.steps]
        held = self.part.index == 1
        asked = (node.id, node.type, dict(node.params), chains, texts, held, self._batch, self._draw)
        if asked != self._asked:
            if self._asked is None or asked[:3] != self._asked[:3]:
                self._say("Reading …")
                self.look = None
            self._asked = asked
            self._looks.ask(partial(look, node, resolution, chains, held, self._batch, self._draw))

    def _turn(self, *_: object) -> None:
        """Another document is in front: the data of the one before is let go, seen or not."""
        self._asked = self.look = self.told = self._telling = None
        self._say(self._waiting())
        self.throttle.request()

    def _waiting(self) -> str:
        return "Reading …" if _data_of(self.bench.store.whole) else _NOTHING

    def _selected(self) -> str:
        """The node that is selected, where the whole document is open."""
        store = self.bench.store
        return next(iter(store.selection)) if len(store.selection) == 1 and not store.scope else ""

    # what was found

    def _show_look(self, found: Look | Failure) -> None:
        if self._asked is None:
            return
        if isinstance(found, Failure):
            self.look = self.told = self._telling = None
            self._say(found.message)
            return
        self.look = found
        if self._telling is not found.data:
            self.told = self._telling = None
        if found.count and found.kind == "table":
            self.table.show_look(found)
        elif found.count:
            self.pictures.show_look(found)
        self._fill_skipped(found.data.skipped)
        self._show()

    def _fill_skipped(self, reasons: tuple[str, ...]) -> None:
        self.pages.say(SKIPPED, f"Skipped {len(reasons)}" if reasons else "")
        if not reasons and self.pages.index == SKIPPED:
            self.pages.choose(BATCH)
        if [self.skipped.item(place).text() for place in range(self.skipped.count())] != list(reasons):
            self.skipped.clear()
            self.skipped.addItems(list(reasons))

    def _show_told(self, found: Told | Failure) -> None:
        if self.look is None or self._telling is not self.look.data:
            return
        self.told = found
        if isinstance(found, Told):
            self.statistics.show_told(found)
        self._show()

    def _show(self) -> None:
        """Bring the page to the front that is chosen, with the buttons that belong to it."""
        found, page = self.look, self.pages.index
        batch = found is not None and page == BATCH
        self.part.setVisible(batch and bool(found.data.held))
        self.other.setVisible(batch and found.places is not None and len(found.data) > found.count)
        self.again.setVisible(batch and bool(self._chain) and not found.held)
        if found is None:
            return
        self.line.set_parts(self._words(found))
        if page == STATISTICS and self._telling is not found.data:
            self._telling = found.data
            self._tells.ask(partial(tell, found.data))
        note, pictures, table, statistics, skipped = self._pages
        shown = table if found.kind == "table" else pictures
        pages = (shown if found.count else note, statistics, skipped)
        if page == STATISTICS and not isinstance(self.told, Told):
            pages = (note,) * 3
            self._note(self.told.message if self.told else "Reading all rows …")
        elif not found.count:
            self._note("No rows are held out.")
        self._stack.setCurrentWidget(pages[page])

    def _words(self, found: Look) -> list[Part]:
        data = found.data
        held = f", {data.held:,} held out" if data.held else ", none held out"
        parts = heading(self.node_title(self._asked[0]), f"{data.rows:,} rows train{held}")
        names = " → ".join(self.node_title(id) for id in self._chain)
        if self.pages.index != BATCH:
            return parts
        if found.held:
            return [*parts, Part(" · passed on as they are" if names else "")]
        if not names:
            return [*parts, Part(" · layers of augmentation that follow show here what they do", "faint")]
        return [*parts, Part(f" · {_WHERE[found.kind]}, after "), Part(names, "accent")]

    def _say(self, text: str) -> None:
        """Show a sentence in place of the data."""
        self._note(text)
        self.line.set_parts([Part(self.title, "text", 600)])
        self._stack.setCurrentWidget(self.sentence)
        self._show()

    def _note(self, text: str) -> None:
        self.sentence.text = text
        self.sentence.setAccessibleName(text)
        self.sentence.update()

    def clear(self) -> None:
        """A run begins or ends: the data stays as it is."""


def _inset(page: QWidget) -> QWidget:
    """Return a page with room at its sides."""
    holder = QWidget()
    column(holder).addWidget(page)
    holder.layout().setContentsMargins(10, 0, 2, 0)
    return holder


def _data_of(document: Document, selected: str = "") -> Node | None:
    """Return the data node that is selected, else the first; None where there is none."""
    found = [node for node in document.nodes.values() if layer_of(document, node.type).role == "data"]
    return next((node for node in found if node.id == selected), found[0] if found else None)
