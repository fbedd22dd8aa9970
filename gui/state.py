"""Where Netwright keeps what belongs to nobody's files: journals, earlier versions, locks."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QStandardPaths

FOLDER = "NETWRIGHT_STATE"
"""Environment variable that names another folder."""


def state_folder(part: str) -> Path:
    """Return the folder of one kind of state; it need not be there yet."""
    place = QStandardPaths.StandardLocation.AppLocalDataLocation
    return Path(os.environ.get(FOLDER) or QStandardPaths.writableLocation(place)) / part
