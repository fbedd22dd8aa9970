"""What a run tells is shown picture by picture, as often as a small share of the time allows."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter, thread_time
from typing import TYPE_CHECKING
from weakref import WeakSet

from engine.training.pace import Pace

if TYPE_CHECKING:
    from gui.views.throttle import Throttle

SHARE = 0.02
"""Of the time that the window's thread may work for pictures while a network learns.

Python's lock is held meanwhile, so a loop of small steps stands still for as long.
"""

LEAST, MOST = 0.1, 1.0
"""Seconds between two pictures: no eye needs more than ten a second, and one a second still is live."""

EAGER = 0.6
"""Seconds for which pictures come as fast as they may after the user asked to see something else."""


class Beat:
    """Decides when the next picture of a run is shown, and has every live view refreshed in it together.

    A view that asks for a refresh while a picture is made is in this picture; where it asks in its own
    refresh, because something still moves, it is in the next. One beat for all of them means one repaint of
    the window instead of one for each view.
    """

    def __init__(self) -> None:
        self.pace = Pace(SHARE, LEAST, MOST)
        self.showing = False
        """Whether a picture is made now."""
        self._waiting: WeakSet[Throttle] = WeakSet()
        self._began = 0.0
        self._unsettled = False
        self._shown = self._eager_until = -1.0

    def add(self, throttle: Throttle) -> None:
        """Refresh a view in the picture that is made, or in the next if that is too late."""
        self._waiting.add(throttle)

    @property
    def moving(self) -> bool:
        """Whether a view waits for the next picture, though nothing new may come."""
        return bool(self._waiting)

    def hurry(self, *_: object) -> None:
        """The user asked for something, or looks at something else: show it soon."""
        self._eager_until = perf_counter() + EAGER

    @property
    def eager(self) -> bool:
        """Whether the user has just asked for something."""
        return perf_counter() < self._eager_until

    def due(self, training: bool) -> bool:
        """Return whether it is time for a picture; where nothing trains there is no reason to save time."""
        return perf_counter() - self._shown >= self._rest(training)

    def wait(self, training: bool) -> float:
        """Return in how many seconds it will be time; where it is but nothing came, a short rest."""
        left = self._shown + self._rest(training) - perf_counter()
        return left if left > 0 else self.pace.least

    def _rest(self, training: bool) -> float:
        return self.pace.rest if training and not self.eager else self.pace.least

    @property
    def share(self) -> float:
        """How much of the time pictures take while a network learns, 0 to 1."""
        return self.pace.cost / self.pace.rest

    def settle(self) -> None:
        """Learn what the last picture has cost, now that it is painted."""
        if self._unsettled:
            self._unsettled = False
            self.pace.took(thread_time() - self._began)

    def show(self, tell: Callable[[], None]) -> None:
        """Make one picture: ``tell`` the views what is new, then refresh those that ask for it."""
        self.settle()
        self._began, self._shown = thread_time(), perf_counter()
        self.showing = self._unsettled = True
        try:
            tell()
            waiting, self._waiting = self._waiting, WeakSet()
            for throttle in waiting:
                throttle.fire()
        finally:
            self.showing = False
