"""One idea: work that comes again and again and can wait is spaced by what it costs."""

from __future__ import annotations

from math import inf


class Pace:
    """Keeps a work that repeats below a ``share`` of the time.

    ``took`` is told how long it took each time, in seconds; ``rest`` is then how long to wait from one to the
    next, never less than ``least`` and never more than ``most`` seconds.
    """

    def __init__(self, share: float, least: float = 0.0, most: float = inf):
        self.share, self.least, self.most = share, least, most
        self.cost = 0.0

    def took(self, seconds: float) -> None:
        """Learn from one more time; a slow one on a busy machine counts as twice the others at most."""
        self.cost = 0.7 * self.cost + 0.3 * min(seconds, 2 * self.cost) if self.cost else seconds

    @property
    def rest(self) -> float:
        """Seconds from the beginning of one to the next."""
        return min(max(self.cost / self.share, self.least), self.most)
