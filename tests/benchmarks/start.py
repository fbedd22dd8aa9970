"""Start: how long until the window is on the screen, against an empty window of the same libraries.

``python -m tests.benchmarks.start --json`` prints rows; each start is a process of its own, the two
alternate, and a first start of each, which fills the disk's cache, is not counted.
"""

from __future__ import annotations

import os
import subprocess
import sys
from time import perf_counter

from tests.benchmarks.rows import Row, report

_WATCH = """
import os
from PySide6.QtCore import QEvent, QObject, QTimer

class Watch(QObject):
    said = False

    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and not self.said:
            self.said = True
            QTimer.singleShot(0, lambda: print("shown", flush=True))
        return False

watch = Watch()
"""
EMPTY = (
    _WATCH
    + """
import pyqtgraph
from PySide6.QtWidgets import QApplication, QMainWindow

app = QApplication([])
window = QMainWindow()
window.setCentralWidget(pyqtgraph.PlotWidget())
window.resize(1600, 1000)
window.centralWidget().viewport().installEventFilter(watch)
window.show()
QTimer.singleShot(0, lambda: QTimer.singleShot(0, lambda: print("ready", flush=True)))
app.exec()
"""
)
OURS = (
    _WATCH
    + """
import tempfile
from PySide6.QtCore import QSettings
from gui import app

QSettings.setDefaultFormat(QSettings.Format.IniFormat)
QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, tempfile.gettempdir())
window = app.start()
window.installEventFilter(watch)
window.ready.connect(lambda: print("ready", flush=True))
app.application().exec()
"""
)


def measure(rounds: int) -> list[Row]:
    """Return how much longer the window takes to be seen, and to be there with all that is in it."""
    times: dict[str, list[tuple[float, float]]] = {EMPTY: [], OURS: []}
    for turn in range(rounds + 1):
        for program, taken in times.items():
            lines = _started(program)
            if turn:
                taken.append(lines)
    empty, ours = ([min(each) for each in zip(*taken, strict=True)] for taken in times.values())
    return [
        _row("start: window on the screen", ours[0], empty[0], 1.3),
        _row("start: everything in it", ours[1], empty[0], 5.0),
    ]


def _row(name: str, ours: float, empty: float, bound: float) -> Row:
    detail = f"{1e3 * ours:.0f} ms against {1e3 * empty:.0f} ms for an empty window with pyqtgraph"
    return Row(name, round(ours / empty, 2), bound, "lower", detail)


def _started(program: str) -> tuple[float, float]:
    """Return the seconds from the start of a process to ``shown`` and to ``ready``."""
    began, seen = perf_counter(), {}
    environment = {"QT_QPA_PLATFORM": "offscreen"} | os.environ
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment
    ) as child:
        for line in child.stdout:
            seen[line.strip()] = perf_counter() - began
            if {"shown", "ready"} <= seen.keys():
                break
        child.kill()
    return seen["shown"], seen["ready"]


if __name__ == "__main__":
    sys.exit(report(__doc__, [lambda quick: measure(3 if quick else 9)]))
