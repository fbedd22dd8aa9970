"""What every test stands on: settings of its own, and no thread left behind."""

from __future__ import annotations

import os
import threading

import pytest
from hypothesis import settings

# The same cases in every run: a change is judged by itself. --hypothesis-profile=explore seeks others.
settings.register_profile("same", derandomize=True, database=None)
settings.register_profile("explore", derandomize=False, print_blob=True)
settings.load_profile("same")

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(autouse=True)
def own_settings(tmp_path_factory, monkeypatch, request):
    """Keep the tests' recent files, window sizes, blocks and runs out of the user's settings."""
    monkeypatch.setenv("NETWRIGHT_RUNS", str(tmp_path_factory.mktemp("runs")))
    if "qtbot" not in request.fixturenames and "qapp" not in request.fixturenames:
        yield
        return
    monkeypatch.setenv("NETWRIGHT_BLOCKS", str(tmp_path_factory.mktemp("blocks")))
    monkeypatch.setenv("NETWRIGHT_STATE", str(tmp_path_factory.mktemp("state")))
    from PySide6.QtCore import QCoreApplication, QSettings

    folder = tmp_path_factory.mktemp("settings")
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(folder))
    QCoreApplication.setOrganizationName("Netwright tests")
    QCoreApplication.setApplicationName(folder.name)
    yield


@pytest.fixture(autouse=True)
def no_thread_is_left():
    """Fail a test after which a thread of Netwright still runs."""
    yield
    left = [
        thread.name for thread in threading.enumerate() if thread.name.startswith(("netwright", "analyst"))
    ]
    assert left == []
