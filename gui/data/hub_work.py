"""What the browser of the hub asks for, each in a thread: the newest question is the one that is answered."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.data.hub_client import Cancelled, Progress, Request, description_of, download_request, search
from engine.errors import EngineError


class HubWork(QObject):
    """Answers come as signals, in the window's thread: a value, or the sentence why there is none."""

    found = Signal(object)
    """A list of Found, or a text."""
    described = Signal(object)
    """A Description, or a text."""
    progressed = Signal(object)
    """The Progress of the download."""
    downloaded = Signal(object)
    """An empty text, the reason why it failed, or None where it was cancelled."""
    _answered = Signal(str, int, object)

    def __init__(self, parent: QObject | None = None):
        super().__init__(parent)
        self._asked = {"found": 0, "described": 0, "downloaded": 0}
        self._requests: dict[str, Request] = {}
        self._threads: list[threading.Thread] = []
        self._told: Progress | None = None
        self._answered.connect(self._answer)

    @property
    def busy(self) -> bool:
        """Whether a set is being downloaded."""
        return "downloaded" in self._requests

    @property
    def looking(self) -> bool:
        """Whether a set is being looked into."""
        return "described" in self._requests

    def search(self, text: str) -> None:
        """Ask for the sets that a text finds."""
        self._ask("found", lambda: search(text))

    def describe(self, name: str, config: str, revision: str, part: str) -> None:
        """Ask what is in a set."""
        request = self._take("described", Request("describe", name, config, revision, part))
        self._ask("described", lambda: description_of(request.run()))

    def download(self, name: str, config: str, revision: str, network: bool = False) -> None:
        """Get a set onto this machine; ``network``: only what is needed to read it over the network."""
        request = download_request(name, config, revision, network)
        request = request or Request("download", name, config, revision)
        self._take("downloaded", request)
        number = self._asked["downloaded"] + 1

        def get() -> str:
            request.run(lambda progress: self._answered.emit("progressed", number, progress))
            return ""

        self._ask("downloaded", get)

    def cancel(self) -> None:
        """End the download; what has come stays, and the next one goes on from there."""
        if request := self._requests.get("downloaded"):
            request.cancel()

    def close(self) -> None:
        """End everything and wait for it."""
        for request in self._requests.values():
            request.cancel()
        for kind in self._asked:
            self._asked[kind] += 1  # nobody listens any more
        for thread in self._threads:
            if not thread.daemon:
                thread.join()

    def _take(self, kind: str, request: Request) -> Request:
        if kind in self._requests:
            self._requests[kind].cancel()
        self._requests[kind] = request
        return request

    def _ask(self, kind: str, question: Callable[[], Any]) -> None:
        self._asked[kind] += 1
        number = self._asked[kind]

        def work() -> None:
            try:
                answer = question()
            except Cancelled:
                answer = None
            except EngineError as error:
                answer = error.message
            except Exception as error:  # what nobody thought of must not end in silence
                answer = f"The hub cannot be asked: {str(error) or type(error).__name__}"
            with suppress(RuntimeError):  # the browser was closed and is gone
                self._answered.emit(kind, number, answer)

        # A search waits for the network and holds nothing: the program may end before it does.
        thread = threading.Thread(target=work, name=f"hub {kind}", daemon=kind == "found")
        self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        thread.start()

    def _answer(self, kind: str, number: int, answer: object) -> None:
        if kind == "progressed":
            if number == self._asked["downloaded"]:
                self.progressed.emit(answer)
            return
        if number != self._asked[kind]:
            return
        self._requests.pop(kind, None)
        if answer is not None or kind == "downloaded":
            getattr(self, kind).emit(answer)
