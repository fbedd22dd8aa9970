"""What Qt needs from the system: without a library, it would end the process without a word."""

from __future__ import annotations

import ctypes
import os
import sys

from engine.errors import EngineError

_ALWAYS = ("libEGL.so.1", "libGL.so.1", "libxkbcommon.so.0", "libdbus-1.so.3", "libfontconfig.so.1")
_X11 = (
    "libxcb-cursor.so.0",
    "libxcb-icccm.so.4",
    "libxcb-image.so.0",
    "libxcb-keysyms.so.1",
    "libxcb-randr.so.0",
    "libxcb-render-util.so.0",
    "libxcb-shape.so.0",
    "libxcb-xinerama.so.0",
    "libxkbcommon-x11.so.0",
)

PACKAGES = (
    "libegl1 libgl1 libdbus-1-3 libfontconfig1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 "
    "libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0"
)
"""The same as packages of Debian and Ubuntu."""


def check_system(screen: bool = True) -> None:
    """Raise EngineError with the mend if Qt cannot open a window here; only Linux can lack something.

    Without ``screen`` a picture is enough: where there is none, Qt is told to draw offscreen.
    """
    if sys.platform != "linux":
        return
    if not screen and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    platform = os.environ.get("QT_QPA_PLATFORM", "").partition(":")[0]
    on_x11 = platform in ("", "xcb") and not os.environ.get("WAYLAND_DISPLAY")
    if on_x11 and not os.environ.get("DISPLAY"):
        raise EngineError(
            "There is no screen to open a window on. Start Netwright from a desktop, or use the commands "
            "that need none: see netwright --help."
        )
    missing = [name for name in (*_ALWAYS, *(_X11 if on_x11 else ())) if not _loads(name)]
    if missing:
        raise EngineError(
            f"The window cannot open, because this system lacks {', '.join(missing)}. "
            f"On Debian and Ubuntu: sudo apt install {PACKAGES}."
        )


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
