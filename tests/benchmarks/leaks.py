"""Memory: what opening and closing a large document again and again leaves behind.

``python -m tests.benchmarks.leaks --json`` prints one row: megabytes that are held after fifty rounds and
were not before, against the five that may be.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import psutil
from PySide6.QtCore import QEvent

from engine.storage.document_file import save_document
from gui.app import application, make_window
from gui.main_window import MainWindow
from tests.benchmarks.canvas import network
from tests.benchmarks.rows import Row, report

ROUNDS, WARM = 50, 10
"""Counted rounds, and those before them: a first look fills what is remembered for good."""
MOST = 5e6
"""Bytes that may stay."""


class _Heap(ctypes.Structure):
    """What the C library tells of its heap: ``struct mallinfo2``."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    )


def held() -> int:
    """Return the bytes that are in use: exactly, where Python's objects are on the C library's heap.

    That is so on Linux with ``PYTHONMALLOC=malloc``; elsewhere the pages that this process alone holds, of
    which an allocator keeps some for itself.
    """
    gc.collect()
    if not exact():
        return psutil.Process().memory_full_info().uss
    tell = ctypes.CDLL(None).mallinfo2
    tell.restype = _Heap
    heap = tell()
    return heap.uordblks + heap.hblkhd


def exact() -> bool:
    """Return whether ``held`` can tell exactly."""
    return os.environ.get("PYTHONMALLOC") == "malloc" and hasattr(ctypes.CDLL(None), "mallinfo2")


def open_and_close(window: MainWindow, path: Path) -> None:
    """Open a document in a tab, wait until its shapes are known, and close it."""
    assert window.files.open(path)
    _settle(window)
    assert window.files.close()
    _settle(window)


def _settle(window: MainWindow) -> None:
    app = application()
    while window.bench.analysis.document is not window.bench.store.whole:
        app.processEvents()
    app.processEvents()
    app.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # as the event loop of a real window does


def measure(nodes: int = 1000, rounds: int = ROUNDS, warm: int = WARM) -> Row:
    """Return the row, for a document of so many nodes."""
    window = make_window()
    window.show()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.netwright"
        save_document(network(nodes, nodes * 3 // 2), path)
        for _ in range(warm):
            open_and_close(window, path)
        before = held()
        for _ in range(rounds):
            open_and_close(window, path)
        after = held()
    window.close()
    more = max(after - before, 0)
    detail = f"{rounds} times {nodes} nodes; {before / 1e6:.1f} MB before, {after / 1e6:.1f} MB after"
    return Row("memory that stays", round(more / MOST, 2), 1.0, "lower", detail)


if __name__ == "__main__":
    if sys.platform == "linux" and not exact():
        again = [sys.executable, "-m", "tests.benchmarks.leaks", *sys.argv[1:]]
        os.execve(sys.executable, again, os.environ | {"PYTHONMALLOC": "malloc"})
    sys.exit(report(__doc__, [lambda quick: [measure(*((200, 10, 3) if quick else ()))]]))
