"""The start: the frame is on the screen before the program has loaded, and fills by itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from PySide6.QtWidgets import QApplication

from engine.storage.document_file import save_document
from gui import app, style
from gui.main_window import MainWindow
from presets import presets

OWN_SETTINGS = """
import sys
from PySide6.QtCore import QSettings

QSettings.setDefaultFormat(QSettings.Format.IniFormat)
QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, sys.argv[1])
"""


def in_a_process_of_its_own(text: str, folder: Path) -> list[str]:
    """Run a program with settings in a folder and return the lines it printed; it has to end well."""
    done = subprocess.run(
        [sys.executable, "-c", OWN_SETTINGS + text, str(folder)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "NETWRIGHT_STATE": str(folder / "state")},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1]


def test_the_window_is_seen_before_the_program_is_loaded(tmp_path):
    lines = in_a_process_of_its_own(
        """
import sys
from PySide6.QtCore import QEvent, QObject
from gui import app


class Watch(QObject):
    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and not window.furnished:
            print([name for name in heavy if name in sys.modules])
        return False


heavy = ("torch", "networkx", "pyqtgraph", "numpy", "gui.parts")
window, watch = app.start("preset:lenet5"), Watch()
window.installEventFilter(watch)
window.ready.connect(lambda: print("ready"))
while not window.furnished:
    app.application().processEvents()
app.application().processEvents()
print(window.bench.store.whole.name, window.at_work)
window.close()
""",
        tmp_path,
    )
    assert lines == ["[]", "ready", "LeNet-5 True"]


def test_a_window_that_is_closed_at_once_loads_nothing(tmp_path):
    lines = in_a_process_of_its_own(
        """
import sys
from gui import app

window = app.start()
window.close()
app.application().processEvents()
print(window.furnished, "torch" in sys.modules)
""",
        tmp_path,
    )
    assert lines == ["False False"]


def test_what_was_open_is_open_again(tmp_path):
    work = tmp_path / "work.netwright"
    save_document(presets()["lenet5"].document(), work)
    program = """
from pathlib import Path
from gui import app

window = app.start()
while not window.furnished:
    app.application().processEvents()
print(window.bench.store.whole.name)
for path in FILES:
    window.files.open(Path(path))
app.application().processEvents()
window.close()
"""
    assert in_a_process_of_its_own(program.replace("FILES", f"[{str(work)!r}]"), tmp_path) == ["Untitled"]
    assert in_a_process_of_its_own(program.replace("FILES", "[]"), tmp_path) == ["LeNet-5"]


def test_the_frame_says_who_it_is_in_the_colors_that_were_chosen(qtbot):
    before = style.current()
    style.begin(app.application())
    window = MainWindow()
    qtbot.addWidget(window)
    window.resize(900, 600)
    image = window.grab().toImage()
    ground = style.current().color("window")
    assert image.pixelColor(5, 5) == ground
    middle = [image.pixelColor(x, y) for x in range(350, 550) for y in range(260, 340)]
    assert any(color != ground for color in middle)
    window.close()
    style.apply(QApplication.instance(), before)


def test_an_early_run_waits_with_a_word_and_starts_by_itself(qtbot):
    window = app.make_window()
    qtbot.addWidget(window)
    window.files.open_preset("spirals")
    said: list[str] = []
    window.bench.message.connect(said.append)
    assert not window.analyst.is_ready
    window.bridge.run()
    assert said == ["PyTorch is loading; the run starts by itself."]
    assert window.bench.state == "starting"
    with qtbot.waitSignal(window.bench.progress, timeout=60_000):
        pass
    assert window.bench.state == "running"
    window.bridge.stop()
    qtbot.waitUntil(lambda: not window.bridge.busy, timeout=20_000)
    window.undo_stack.setClean()
    window.close()
