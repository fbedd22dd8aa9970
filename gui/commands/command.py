"""What the command palette offers, gathered from where each is declared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QSettings

from engine.catalogue import SCATTERED, rank
from presets import presets

if TYPE_CHECKING:
    from gui.main_window import MainWindow

_LETTERS = 2
"""From so many letters on, layers are offered too: there are more of them than of all the rest."""
_SETTING = "commands/recent"
_MOST_RECENT = 8


@dataclass(frozen=True)
class Command:
    """One thing that can be done; ``key`` is remembered, ``where`` says in a word what it belongs to."""

    key: str
    text: str
    where: str
    call: Callable[[], object]
    names: tuple[str, ...] = ()
    """Other words that a search may name it by."""
    keys: str = ""
    enabled: bool = True
    on: bool = False


def commands(window: MainWindow, text: str = "") -> list[Command]:
    """Return what answers to a text, best first; without one, what was used lately, then everything.

    What cannot be done at present stands at the end.
    """
    text = text.strip()
    found = [*_actions(window), *_open(window), *_files(window), *_presets(window)]
    if len(text) >= _LETTERS:
        found += _layers(window)
    return _searched(found, text) if text else _by_use(found)


def remember(command: Command) -> None:
    """Put a command first among those that were used lately."""
    kept = [command.key, *(key for key in _recent() if key != command.key)]
    QSettings().setValue(_SETTING, kept[:_MOST_RECENT])


def _searched(found: Iterable[Command], text: str) -> list[Command]:
    ranked = []
    for each in found:
        place = rank(text, (each.text, *each.names))
        whole = rank(text, (f"{each.where} {each.text}",)) if place is None else None
        if whole == SCATTERED:  # letters here and there in a menu's name and a command's mean nothing
            whole = None
        if place is not None or whole is not None:  # what belongs to a menu of that name comes later
            ranked.append((not each.enabled, place is None, place or whole or 0, each))
    return [each for *_, each in sorted(ranked, key=lambda item: item[:3])]


def _by_use(found: Sequence[Command]) -> list[Command]:
    recent = _recent()
    place = {key: n for n, key in enumerate(recent)}
    return sorted(found, key=lambda each: (not each.enabled, place.get(each.key, len(recent))))


def _recent() -> list[str]:
    stored = QSettings().value(_SETTING, [])
    return [stored] if isinstance(stored, str) else list(stored or [])


def _actions(window: MainWindow) -> list[Command]:
    window.actions_.refresh()
    return [
        Command(
            f"action:{id}",
            item.text(),
            action.menu,
            item.trigger,
            (action.text,),
            item.shortcut().toString(),
            item.isEnabled(),
            action.on is not None and item.isChecked(),
        )
        for id, (action, item) in window.actions_.actions.items()
        if id != "commands"  # it is open already
    ]


def _open(window: MainWindow) -> list[Command]:
    store = window.bench.store
    return [
        Command(
            f"network:{each.name}", f"Go to {each.name}", "Open networks", lambda each=each: store.show(each)
        )
        for each in store.sessions
        if each is not store.session
    ]


def _files(window: MainWindow) -> list[Command]:
    return [
        Command(f"file:{path}", f"Open {path.stem}", "Recent", lambda path=path: window.files.open(path))
        for path in window.files.recent()
    ]


def _presets(window: MainWindow) -> list[Command]:
    return [
        Command(
            f"preset:{each.name}",
            f"Open {each.title}",
            "Examples",
            lambda name=each.name: window.files.open_preset(name),
            (each.title, each.name),
        )
        for each in presets().values()
    ]


def _layers(window: MainWindow) -> list[Command]:
    if not window.canvas.isVisible():
        return []
    store = window.bench.store
    return [
        Command(
            f"layer:{each.type}",
            f"Add {each.label}",
            each.category,
            lambda type_=each.type: window.canvas.add_layer(type_),
            (each.label, each.type, *each.synonyms),
        )
        for each in window.bench.library.offer(store.document, store.scope)
    ]
