"""A small server that looks like the Hugging Face hub: the pages that its libraries ask for, from a folder.

Each set is a folder ``owner/name`` with a README.md and files, as it would be on the hub.
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

SHA = "0123456789abcdef0123456789abcdef01234567"
COPY, COPY_SHA = "refs/convert/parquet", "f" * 40
_TIME = "2026-01-01T00:00:00.000Z"


class StandIn:
    """What the server gives: ``gated`` are sets whose files are refused, ``asked`` is what was asked for."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.gated: set[str] = set()
        self.broken = False
        self.asked: list[str] = []
        self.hold = threading.Event()
        """While it is clear, large files stop in the middle."""
        self.hold.set()
        self.halfway = threading.Event()
        """Set as soon as a file waits in its middle."""
        self.drops = 0
        """So many files break off in their middle, the connection with them."""
        self.drops_after: int | None = None
        """How many files are given before all others break off; None: they do not."""
        self.broke = threading.Event()
        """Set as soon as a file broke off."""
        self.sent = 0
        """Bytes of files that were given."""
        self.lock = threading.Lock()
        self.url = ""

    def drop(self) -> bool:
        """Return whether the next file breaks off."""
        with self.lock:
            if self.drops_after is not None:
                self.drops_after -= 1
                return self.drops_after < 0
            before = self.drops
            self.drops = max(before - 1, 0)
            return before > 0

    def sets(self) -> list[str]:
        """Return the names of all sets."""
        found = (each for each in self.folder.glob("*/*") if each.is_dir() and each.parent.name != "copies")
        return sorted(f"{each.parent.name}/{each.name}" for each in found)

    def files(self, name: str, revision: str = "") -> dict[str, Path]:
        """Return the files of a set by their path in it; those of the hub's copy lie in ``copies``."""
        top = (self.folder / "copies" if revision in (COPY, COPY_SHA) else self.folder) / name
        return {each.relative_to(top).as_posix(): each for each in sorted(top.rglob("*")) if each.is_file()}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: StandIn

    def log_message(self, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _answer(self, body: bytes = b"") -> None:
        url = urlsplit(self.path)
        parts, query = unquote(url.path).strip("/").split("/"), parse_qs(url.query)
        self.hub.asked.append(f"{self.command} {self.path}")
        if self.hub.broken:
            self._fail(500, "", "out of order")
        elif parts[:2] == ["api", "datasets"] and len(parts) == 2:
            self._search(query)
        elif parts[:2] == ["api", "datasets"]:
            self._about("/".join(parts[2:4]), parts[4:], query, body)
        elif parts[0] == "datasets" and parts[3:4] == ["resolve"]:
            revision, path = _revision(parts[4:])
            self._file("/".join(parts[1:3]), revision, path)
        else:
            self._fail(404, "", "no such page")

    def _search(self, query: dict[str, list[str]]) -> None:
        text = query.get("search", [""])[0].lower()
        found = [self._info(name) for name in self.hub.sets() if text in name.lower()]
        self._json(found[: int(query.get("limit", ["100"])[0])])

    def _info(self, name: str, revision: str = "") -> dict:
        about = self.hub.folder / name / "about.json"
        return {
            "_id": "1", "id": name, "author": name.split("/")[0], "private": False,
            "sha": COPY_SHA if revision in (COPY, COPY_SHA) else SHA,
            "gated": "manual" if name in self.hub.gated else False, "disabled": False,
            "lastModified": _TIME, "createdAt": _TIME, "downloads": 1234, "likes": 56, "tags": [],
            "siblings": [
                {"rfilename": path, "size": file.stat().st_size}
                for path, file in self.hub.files(name, revision).items()
            ],
        } | (json.loads(about.read_text()) if about.exists() else {})  # fmt: skip

    def _about(self, name: str, rest: list[str], query: dict, body: bytes) -> None:
        revision, under = _revision(rest[1:])
        if name not in self.hub.sets():
            self._fail(404, "RepoNotFound", "Repository not found")
        elif revision in (COPY, COPY_SHA) and not self.hub.files(name, revision):
            self._fail(404, "RevisionNotFound", "Invalid revision")
        elif not rest or rest[0] == "revision":
            self._json(self._info(name, revision))
        elif rest[0] == "tree":
            deep = query.get("recursive", ["false"])[0].lower() in ("true", "1")
            self._json(self._tree(name, revision, under, deep))
        elif rest[0] == "paths-info":
            form = parse_qs(body.decode())
            wanted = json.loads(body)["paths"] if body[:1] == b"{" else form.get("paths", [])
            every = {each["path"]: each for each in self._tree(name, revision, "", True)}
            self._json([every[path] for path in wanted if path in every])
        else:
            self._fail(404, "", "no such page")

    def _tree(self, name: str, revision: str, under: str, deep: bool) -> list[dict]:
        found: dict[str, dict] = {}
        for path, file in self.hub.files(name, revision).items():
            if under and not path.startswith(f"{under}/"):
                continue
            inner = path[len(under) + 1 :] if under else path
            folders = inner.split("/")[:-1]
            for depth in range(1, len(folders) + 1):
                if deep or depth == 1:
                    folder = "/".join(filter(None, [under, *folders[:depth]]))
                    found[folder] = {"type": "directory", "oid": "0" * 40, "size": 0, "path": folder}
            if deep or not folders:
                size, etag = file.stat().st_size, _etag(file)
                found[path] = {"type": "file", "oid": etag, "size": size, "path": path}
        return list(found.values())

    def _file(self, name: str, revision: str, path: str) -> None:
        files = self.hub.files(name, revision)
        file = files.get(path) if name in self.hub.sets() else None
        self.sha = COPY_SHA if revision in (COPY, COPY_SHA) else SHA
        if name not in self.hub.sets():
            self._fail(404, "RepoNotFound", "Repository not found")
        elif revision in (COPY, COPY_SHA) and not files:
            self._fail(404, "RevisionNotFound", "Invalid revision")
        elif file is None:
            self._fail(404, "EntryNotFound", "Entry not found")
        elif name in self.hub.gated:
            self._fail(403, "GatedRepo", f"Access to dataset {name} is restricted.")
        else:
            self._send_file(file)

    def _send_file(self, file: Path) -> None:
        data, status = file.read_bytes(), 200
        size = len(data)
        reach = self.headers.get("Range", "")
        if reach.startswith("bytes="):
            first, _, last = reach.removeprefix("bytes=").partition("-")
            start, end = int(first or 0), int(last or size - 1)
            data, status = data[start : end + 1], 206
        self.send_response(status)
        self.send_header("ETag", f'"{_etag(file)}"')
        self.send_header("X-Repo-Commit", self.sha)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(len(data)))
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{start + len(data) - 1}/{size}")
        self.end_headers()
        if self.command == "HEAD":
            return
        half = len(data) // 2
        with self.hub.lock:
            self.hub.sent += len(data)
        try:
            self.wfile.write(data[:half])
            if self.hub.drop():
                self.hub.broke.set()
                self.close_connection = True
                return
            if half > 10_000 and not self.hub.hold.is_set():
                self.wfile.flush()
                self.hub.halfway.set()
                self.hub.hold.wait(60)
            self.wfile.write(data[half:])
        except OSError:
            self.close_connection = True  # the other side has gone

    def _json(self, value: object) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _fail(self, status: int, code: str, message: str) -> None:
        headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})
        self._send(status, json.dumps({"error": message}).encode(), headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _revision(parts: list[str]) -> tuple[str, str]:
    """The revision at the beginning of a path, and what follows it; that of the copy has slashes itself."""
    whole = "/".join(parts)
    if whole.startswith(COPY):
        return COPY, whole[len(COPY) :].strip("/")
    return (parts[0] if parts else ""), "/".join(parts[1:])


def _etag(file: Path) -> str:
    return hashlib.sha1(file.read_bytes()).hexdigest()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Print what went wrong, but for the other side having gone in the middle."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def stand_in(folder: Path) -> Iterator[StandIn]:
    """Serve the sets in a folder on a free port of this machine while the context lasts."""
    hub = StandIn(folder)
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = _Server(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.hold.set()
        server.shutdown()
        server.server_close()
        thread.join()
