"""The welcome page and what is empty: every place says what it is for and how to begin."""

from __future__ import annotations

import os
from datetime import datetime

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLabel, QWidget

from engine.storage.document_file import save_document
from gui.gallery.welcome import _Recent
from gui.panels.words import when
from gui.theme import DARK, LIGHT
from presets import preset, presets
from tests.gui.window_help import LEFT, open_window


@pytest.mark.parametrize(
    ("then", "said"),
    [
        (datetime(2026, 3, 18, 0, 1), "today"),
        (datetime(2026, 3, 18, 23, 59), "today"),
        (datetime(2026, 3, 17, 23, 59), "yesterday"),
        (datetime(2026, 3, 14, 12), "Saturday"),
        (datetime(2026, 3, 3, 12), "3 March"),
        (datetime(2025, 12, 31, 12), "31 December 2025"),
    ],
)
def test_days_as_one_remembers_them(then, said):
    assert when(then, datetime(2026, 3, 18, 12)) == said


def test_examples_stand_under_their_shelves_with_pictures(qtbot):
    with open_window(qtbot) as window:
        shelves = list(dict.fromkeys(each.shelf for each in presets().values()))
        assert list(window.gallery._heads) == shelves
        assert all(card.picture._image is None for card in window.gallery.cards.values())
        QTest.mouseClick(window.left.segments.button("gallery"), LEFT)
        cards = window.gallery.cards.values()
        qtbot.waitUntil(lambda: all(card.picture._image is not None for card in cards))
        tops = {name: card.y() for name, card in window.gallery.cards.items()}
        assert sorted(tops, key=tops.get) == list(presets())
        dark = window.gallery.cards["lenet5"].picture._image.copy()
        window.bench.set_theme(LIGHT if window.bench.theme is DARK else DARK)
        qtbot.waitUntil(lambda: window.gallery.cards["lenet5"].picture._image != dark)


def test_a_recent_file_says_when_and_where(qtbot, tmp_path):
    with open_window(qtbot) as window:
        path = tmp_path / "flowers.netwright"
        save_document(preset("spirals").document(), path)
        assert window.files.open(path)
        yesterday = datetime.now().timestamp() - 24 * 3600
        os.utime(path, (yesterday, yesterday))
        window.show_welcome()
        row = next(each for each in window.welcome.findChildren(_Recent) if each.isVisible())
        assert row.accessibleName() == f"flowers, yesterday · {tmp_path}"


def test_the_page_leads_to_an_import(qtbot, monkeypatch):
    asked = []
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *words, **_: asked.append(words) or ("", ""))
    with open_window(qtbot) as window:
        window.show_welcome()
        QTest.mouseClick(window.welcome.import_button, LEFT)
        assert asked


def test_what_is_empty_says_how_to_begin(qtbot):
    with open_window(qtbot) as window:
        assert window.canvas.caption.invites
        assert "Drag a layer here, press Tab" in window.canvas.caption.accessibleName()
        window.left.show_page("outline")
        assert "Drag a layer" in window.outline._empty.text()
        assert window.outline._empty.isVisible()
        for name, page in window.views.items():
            window.show_page(name)
            parts = [each for each in (page, *page.findChildren(QWidget)) if each.isVisible()]
            said = [getattr(each, "note", "") for each in parts]
            said += [each.text() for each in parts if isinstance(each, QLabel)]
            assert any(len(text) > 20 for text in said if isinstance(text, str)), name
        assert "press Run" in window.views["learning"].curves.note
        window.palette_.search.setText("nothing like this")
        assert "No layer answers" in window.palette_._nothing.text()
        window.gallery.search.setText("nothing like this")
        assert "No example answers" in window.gallery._nothing.text()
