"""How the settings of a training are put together on its page: a table, and the folds that are made of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from PySide6.QtWidgets import QWidget

from engine.layers.params import Param, Value
from gui.inspector.form import Edit, Form
from gui.inspector.kinds import told
from gui.widgets.basic import column
from gui.widgets.fold import Fold

Table = tuple[tuple[str, tuple[str, ...]], ...]
"""Titles with the names of settings; those of an empty title stand on top and are always seen."""

TRAINING: Table = (
    ("", ("epochs", "batch_size", "seed", "device")),
    ("Precision and speed", ("precision", "compile", "layout", "deterministic")),
    ("Stop and keep", ("patience", "monitor", "keep_best", "save_every")),
    ("Averages", ("average",)),
    ("Initialization", ("weights",)),
    ("Data order", ("balance",)),
)
"""The settings of the whole training."""

RULES: Table = (
    ("", ()),
    ("Schedule", ("warmup",)),
    ("Steps", ("every", "accumulate")),
    ("Clipping and penalties", ("clip_norm", "clip_value", "l1", "l2")),
)
"""The rules of an objective."""

REST = "More"
"""The title of what no table names: a setting that is new is never lost."""


def grouped(params: Iterable[Param], table: Table) -> dict[str, list[Param]]:
    """Return the parameters of each title, in the order of the table."""
    known = {param.name: param for param in params}
    groups = {title: [known.pop(name) for name in names if name in known] for title, names in table}
    return groups | ({REST: list(known.values())} if known else {})


class Groups(QWidget):
    """The forms of a table of settings: the first always seen, the others folded away with a summary.

    ``key`` keeps apart the folds of several of them.
    """

    def __init__(self, params: Collection[Param], table: Table, edit: Edit, key: str = ""):
        super().__init__()
        groups = grouped(params, table)
        self.top = Form(groups.pop("", ()), edit)
        self.forms: dict[str, Form] = {}
        self.folds: dict[str, Fold] = {}
        layout = column(self, 0)
        for title, members in groups.items():
            self.folds[title] = fold = Fold(title, f"{key}{title}")
            self.forms[title] = Form(members, edit)
            fold.add(self.forms[title])
            layout.addWidget(fold)
        self._values: Mapping[str, Value] = {}
        self.more: dict[str, Callable[[], str]] = {}
        """What else differs from the usual, by the title of the fold in which it stands."""

    @property
    def fields(self) -> dict[str, object]:
        """Every field by the name of its setting."""
        forms = (self.top, *self.forms.values())
        return {name: field for form in forms for name, field in form.fields.items()}

    def show_values(self, values: Mapping[str, Value]) -> None:
        """Show what the document holds."""
        self._values = values
        for form in (self.top, *self.forms.values()):
            form.show_values(values)
        self.summarize()

    def summarize(self) -> None:
        """Say behind each title what differs from the usual."""
        for title, fold in self.folds.items():
            params = [field.param for field in self.forms[title].fields.values()]
            words = [self.more[title]()] if title in self.more else []
            words.append(told(params, self._values))
            said = ", ".join(each for each in words if each)
            fold.say(said, bool(said))

    def show_live(self, live: Collection[str] | None) -> None:
        """Mark the settings whose change a run takes at once."""
        for form in (self.top, *self.forms.values()):
            form.show_live(live)
