"""When a run saves itself, which of its moments stay, and what is kept of it when it fails."""

from __future__ import annotations

from contextlib import suppress
from time import perf_counter
from typing import Any

import torch

from engine.training.checkpoint import save_weights
from engine.training.folder import WEIGHTS, Folder
from engine.training.keeping import surplus
from engine.training.moment import moment_path, moments, newest_moment, save_moment
from engine.training.setup import Setup

LONGEST = 0.02
"""Of the time of a run that saving it may take: where it takes long it comes less often."""


class Saving:
    """Saves the moments of one run; call it only from the run's thread, between two steps."""

    def __init__(self, setup: Setup, folder: Folder):
        self._setup, self._folder = setup, folder
        self._every = 60 * setup.training.save_every
        self._next = perf_counter() + self._every
        self._saved = -1

    @property
    def due(self) -> bool:
        """Whether it is time for the next moment."""
        return self._every > 0 and perf_counter() >= self._next

    def save(self) -> None:
        """Write a moment, unless this one is written; then remove those that need not stay.

        Raises FileError if it cannot be written; those before it stay.
        """
        step = self._setup.position.step
        if step == self._saved:
            return
        began = perf_counter()
        try:
            self._write()
        finally:
            took = perf_counter() - began
            self._next = perf_counter() + max(self._every, took / LONGEST)
        self._saved = step
        self._tidy()

    def _write(self) -> None:
        step = self._setup.position.step
        save_moment(moment_path(self._folder.moments, step), self.state())

    def state(self) -> dict[str, Any]:
        """Return what a moment holds."""
        return self._setup.state_dict()

    def _tidy(self) -> None:
        kept = dict(moments(self._folder.moments))
        sizes = {step: path.stat().st_size for step, path in kept.items()}
        for step in surplus(sizes):
            with suppress(OSError):
                kept[step].unlink()

    def keep(self, model: torch.nn.Module) -> None:
        """Write the weights that the run ends with. Raises FileError if they cannot be written."""
        save_weights(model, self._folder.path / WEIGHTS)

    @torch.no_grad()
    def rescue(self) -> None:
        """Keep the last good weights of a run that failed: its own, or those of its newest good moment.

        Raises FileError if they cannot be written.
        """
        model = self._setup.model
        if not _finite(model):
            moment = newest_moment(self._folder.moments)
            if moment is None:
                return
            model.load_state_dict(moment["model"])
            if not _finite(model):
                return
        self.keep(model)


def _finite(model: torch.nn.Module) -> bool:
    return all(each.isfinite().all() for each in model.parameters())
