"""Stand-ins for ssh and rsync: the other machine is a folder of this one, and it can be unplugged.

They understand what the program says to them and nothing else, so an option that nobody wrote here fails.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import main

SSH = """\
#!/bin/bash
while [ $# -gt 0 ]; do
  case "$1" in
    -o) shift 2 ;;
    -O) exit 0 ;;
    -*) echo "unknown option $1" >&2; exit 255 ;;
    *) break ;;
  esac
done
host="$1"; shift
if [ "$host" != me@gpu-box ]; then echo "ssh: Could not resolve hostname $host" >&2; exit 255; fi
if [ -e "{home}/unplugged" ]; then echo "ssh: gpu-box: Connection refused" >&2; exit 255; fi
cd "{home}" && HOME="{home}" PATH="{home}/bin:$PATH" exec sh -c "$*"
"""

RSYNC = """\
#!/bin/bash
[ "$1" = -a ] && [ "$2" = -e ] || {{ echo "unknown options $*" >&2; exit 1; }}
[ "${{3#ssh }}" != "$3" ] || exit 1
shift 3
if [ -e "{home}/unplugged" ]; then echo "rsync error: unexplained error (code 255)" >&2; exit 255; fi
paths=()
for each in "$@"; do paths+=("${{each#me@gpu-box:}}"); done
exec cp -a "${{paths[@]}}"
"""

PROGRAM = """\
#!/bin/bash
export PYTHONPATH="{source}" PYTHONSAFEPATH=1
exec "{python}" -m main "$@"
"""


class Machine:
    """Another machine, as far as ssh and rsync can tell; put ``path`` in front of PATH."""

    def __init__(self, folder: Path):
        self.home, self.path = folder / "home", folder / "bin"
        for each in (self.home / "bin", self.path):
            each.mkdir(parents=True)
        _program(self.path / "ssh", SSH.format(home=self.home))
        _program(self.path / "rsync", RSYNC.format(home=self.home))
        source = Path(main.__file__).parent
        _program(self.home / "bin" / "netwright", PROGRAM.format(source=source, python=sys.executable))

    @property
    def unplugged(self) -> bool:
        """Whether nobody reaches it."""
        return (self.home / "unplugged").exists()

    @unplugged.setter
    def unplugged(self, unplugged: bool) -> None:
        (self.home / "unplugged").touch() if unplugged else (self.home / "unplugged").unlink()

    def environment_path(self) -> str:
        """PATH with the stand-ins first."""
        return f"{self.path}{os.pathsep}{os.environ['PATH']}"


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
