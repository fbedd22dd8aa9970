"""One of several declared kinds with options of its own: an optimizer, a schedule, a way to begin."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Protocol

from PySide6.QtWidgets import QWidget

from engine.layers.params import Choice, Param, Value
from gui.inspector.form import Edit, Form
from gui.widgets.basic import column, label


class Kind(Protocol):
    """What a table of kinds declares: optimizers, schedules and ways to begin do."""

    type: str
    doc: str
    params: tuple[Param, ...]

    def values(self, options: Mapping[str, Value]) -> dict[str, Value]:
        """Return the value of every option, defaults filled in."""


def title_of(kind: Kind) -> str:
    """Return what a kind is called."""
    return getattr(kind, "title", "") or kind.type


class KindChoice(Form):
    """A choice among kinds by their titles; ``none`` is the word for no kind at all, if there may be none."""

    def __init__(self, name: str, kinds: Mapping[str, Kind], choose: Callable[[str], None], **words: str):
        self._types = {words["none"]: ""} if "none" in words else {}
        self._types |= {title_of(kind): type_ for type_, kind in kinds.items()}
        self._titles = {type_: title for title, type_ in self._types.items()}
        titles = tuple(self._types)
        param = Choice(
            name=name,
            default=titles[0],
            choices=titles,
            label=words.get("label", ""),
            doc=words.get("doc", ""),
        )
        super().__init__([param], lambda _, value, __: choose(self._types[str(value)]))
        self.name = name

    def show_kind(self, type_: str) -> None:
        """Show which kind is chosen."""
        self.show_values({self.name: self._titles.get(type_, type_)})

    def show_mixed(self) -> None:
        """Show that several nodes differ here."""
        self.fields[self.name].show_mixed()


class KindOptions(QWidget):
    """The options of the kind that is chosen, and what it does; ``takes`` says which parameters it shows."""

    def __init__(self, edit: Edit, takes: Callable[[str], bool] = lambda name: True, doc: bool = True):
        super().__init__()
        self._edit, self._takes = edit, takes
        self._live: Container[str] | None = None
        self.type: str | None = None
        self.form = Form((), edit)
        self.doc = label("", "muted", 12, wrap=True)
        self._says = doc
        self._layout = column(self, 5)
        self._layout.addWidget(self.form)
        self._layout.addWidget(self.doc)
        self.doc.hide()

    @property
    def params(self) -> list[Param]:
        """The parameters that are shown."""
        return [field.param for field in self.form.fields.values()]

    def show_kind(self, kind: Kind | None, options: Mapping[str, Value]) -> None:
        """Show a kind's options, or nothing."""
        type_ = kind.type if kind else ""
        if type_ != self.type:
            self.type = type_
            fresh = Form([each for each in kind.params if self._takes(each.name)] if kind else (), self._edit)
            self._layout.replaceWidget(self.form, fresh)
            self.form.hide()
            self.form.deleteLater()
            self.form = fresh
            self.form.show_live(self._live)
            self.form.setVisible(bool(fresh.fields))
            self.doc.setText(kind.doc if kind else "")
            self.doc.setVisible(self._says and bool(kind))
            self.setVisible(bool(kind) and (self._says or bool(fresh.fields)))
        if kind:
            self.form.show_values(kind.values(options))

    def show_live(self, live: Container[str] | None) -> None:
        """Mark the options whose change a run takes at once."""
        self._live = live
        self.form.show_live(live)


def told(params: Iterable[Param], values: Mapping[str, Value]) -> str:
    """Return in a few words which of some settings differ from the usual; empty if none does."""
    words = []
    for param in params:
        value = values.get(param.name, param.default)
        if value == param.default:
            continue
        if value is True:
            words.append(param.title.lower())
        elif isinstance(param, Choice):
            words.append(str(value).replace("_", " "))
        elif value is False:
            words.append(f"no {param.title.lower()}")
        else:
            words.append(f"{param.title.lower()} {param.text(value)}")
    return ", ".join(words)
