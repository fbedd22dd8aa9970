"""Blocks on a canvas: expanded in place, entered through what is drawn inside, counted by hand."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, QRectF
from PySide6.QtGui import QWheelEvent

from gui.bench import Bench
from gui.canvas import hits
from gui.canvas.chips import REPEAT
from gui.canvas.editor import Editor
from gui.canvas.rename import TitleField

SPIN_MS = 1000
"""Turns of the wheel within this time are one step of undo."""


class BlockEditor(Editor):
    """An editor that knows the chips of blocks."""

    _repeat_field: TitleField | None = None

    def __init__(self, bench: Bench, parent: object = None):
        self._spun, self._spins, self._notches = QElapsedTimer(), 0, 0.0
        super().__init__(bench, parent)

    def expand(self) -> None:
        """Expand the selected blocks in place, or close them."""
        self.commands.expand()
        for id in sorted(self.bench.store.selection & self.graph.nodes.keys())[:1]:
            self._keep_in_view(id)

    def enter_path(self, path: tuple[str, ...]) -> None:
        """Go on into the blocks inside of the one that was just entered, and select what is no block."""
        store = self.bench.store
        for id in path:
            type_ = store.document.nodes[id].type
            if type_ in store.document.blocks:
                store.enter(type_, id)
            else:
                store.select({id})

    def edit_repeat(self, id: str) -> None:
        """Type how many of a block stand in a row, over their count."""
        item = self.graph.nodes[id]
        if (chip := item.chip(REPEAT)) is None:
            return
        if self._repeat_field is None:
            self._repeat_field = TitleField(self)
            self._repeat_field.setAccessibleName("How many in a row")
            self._repeat_field.renamed.connect(self.commands.type_repeat)
        box = self.viewportTransform().mapRect(chip.box.translated(item.pos()))
        wide = max(box.width(), 64.0)
        field = QRectF(box.right() - wide, box.center().y() - 13, wide, 26)
        self._repeat_field.open(id, chip.text.lstrip("× "), field, self.bench.theme)

    def moved(self) -> None:
        super().moved()
        if self._repeat_field is not None:
            self._repeat_field.clearFocus()  # it would not move along

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.bench.store.document.blocks and not event.modifiers() and self._spin(event):
            event.accept()
        else:
            super().wheelEvent(event)

    def _spin(self, event: QWheelEvent) -> bool:
        """Turn the count of a block under the pointer; return whether there is one."""
        if self.far():
            return False
        hit = hits.hit(self.graph, self.map_to_canvas(event.position()), self.zoom)
        count = self.commands.repeat_of(hit.path[0]) if hit.chip == REPEAT else None
        if count is None:
            return False
        if not self._spun.isValid() or self._spun.elapsed() > SPIN_MS:
            self._spins += 1
        self._spun.start()
        self._notches += event.angleDelta().y() / 120
        steps = int(self._notches)
        self._notches -= steps
        wanted = min(max(count + steps, 1), 1000)
        if wanted != count:
            self.commands.set_repeat(hit.path[0], wanted, merge=f"{hit.path[0]}.repeat.{self._spins}")
        return True
