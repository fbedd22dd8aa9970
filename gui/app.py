"""The one place where the application, the bench and the window are made."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from PySide6.QtCore import QEventLoop, QTimer, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from gui import style
from gui.collector import Collector
from gui.fonts import load_fonts
from gui.main_window import MainWindow
from gui.theme import DARK, LIGHT

if TYPE_CHECKING:
    from engine.graph.document import Document


def application() -> QApplication:
    """Return the application, made when first asked for."""
    app = QApplication.instance() or QApplication(["netwright"])
    app.setApplicationName("Netwright")
    app.setOrganizationName("Netwright")
    # A thread in pure Python holds the interpreter for 5 ms at a time: too long for a smooth window.
    sys.setswitchinterval(0.001)
    if app.platformName() == "offscreen":
        qInstallMessageHandler(_without_noise)
    load_fonts()
    if app.findChild(Collector) is None:
        Collector(app)
    return app


def _without_noise(kind: object, context: object, message: str) -> None:
    """Pass Qt's messages on, but for the one that the offscreen platform repeats for every window."""
    if "propagateSizeHints" not in message:
        print(message, file=sys.stderr)


def make_window() -> MainWindow:
    """Return a new window over an empty document, with everything in it."""
    application()
    window = MainWindow()
    _furnish(window)
    return window


def start(target: str | None = None) -> MainWindow:
    """Return a window that is shown at once and filled when it has been seen; then open what is named."""
    style.begin(application())
    window = MainWindow()

    def fill() -> None:
        from gui.reopening import reopen

        if window.isVisible():  # it may have been closed again
            _furnish(window)
            if not window.recovery.offer() and target:
                _open(window, target)
            reopen(window, named=bool(target))

    window.seen.connect(fill)
    window.show()
    return window


def _furnish(window: MainWindow) -> None:
    """Load what the window holds; imported here, because it takes longer than to paint the frame."""
    from gui.bench import Bench
    from gui.canvas import speech
    from gui.store import Store

    speech.install()
    bench = Bench(Store())
    style.follow_system(application(), bench)
    window.furnish(bench)


def run(target: str | None = None) -> int:
    """Open the window, with a file or ``preset:NAME`` if one is named; return the exit code."""
    window, app = start(target), application()
    signal.signal(signal.SIGINT, lambda *_: window.close())
    heartbeat = QTimer()  # lets Python see Ctrl+C while Qt waits for events
    heartbeat.start(1000)  # every time it takes the lock that a run needs
    heartbeat.timeout.connect(lambda: None)
    return app.exec()


def _open(window: MainWindow, target: str) -> bool:
    name = target.removeprefix("preset:")
    return window.files.open_preset(name) if name != target else window.files.open(Path(target))


def network_picture(document: Document, to: Path, dark: bool) -> int:
    """Write the drawn network as PNG, SVG or PDF and return 0."""
    from engine.compiler.analyze import analyze
    from gui.canvas.picture import PAPER, picture

    style.apply(application(), DARK if dark else LIGHT)
    picture(document, analyze(document), DARK if dark else PAPER, to)
    return 0


def window_picture(
    target: str | None, to: Path, dark: bool, size: tuple[int, int], train_seconds: float
) -> int:
    """Write the whole window as PNG, after training for some seconds, and return 0."""
    from engine.runs.library import FOLDER

    with TemporaryDirectory() as runs:
        os.environ[FOLDER] = runs  # what is trained for a picture is no run to keep
        window = make_window()
        window.bench.set_theme(DARK if dark else LIGHT)
        window.resize(*size)
        window.show()
        if target:
            _open(window, target)
        _until(window.bench.analyzed, 30_000)
        if train_seconds:
            window.bridge.run()
            _wait(round(train_seconds * 1000))
        else:
            _wait(300)
        window.grab().save(str(to))
        window.undo_stack.setClean()
        window.close()
    return 0


def _wait(milliseconds: int) -> None:
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def _until(what: object, at_most: int) -> None:
    loop = QEventLoop()
    what.connect(loop.quit)
    QTimer.singleShot(at_most, loop.quit)
    loop.exec()
