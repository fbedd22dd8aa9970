"""Ranges that hold still: a picture that rescales at every frame cannot be read."""

from __future__ import annotations

from math import ceil, floor, log10

Range = tuple[float, float]


def nice_step(span: float, ticks: int = 5) -> float:
    """Return the 1, 2, 2.5 or 5 times ten to some power that cuts a span into about ``ticks`` pieces."""
    rough = max(span, 1e-12) / ticks
    power = 10.0 ** floor(log10(rough))
    return next(m * power for m in (1, 2, 2.5, 5, 10) if m * power > rough * 0.85)


def nice_range(low: float, high: float) -> Range:
    """Return a range with round ends around ``low`` to ``high``; it starts at 0 where that is near."""
    if 0 <= low < 0.4 * high:
        low = 0.0
    step = nice_step(high - low or abs(high) or 1.0)
    bottom, top = floor(low / step + 1e-9) * step, ceil(high / step - 1e-9) * step
    return (bottom, top) if top > bottom else (bottom, bottom + step)


class EasedRange:
    """Follows a range: quickly where it grows, slowly where it shrinks."""

    def __init__(self, grow: float = 0.6, shrink: float = 0.12):
        self.grow, self.shrink = grow, shrink
        self.current: Range | None = None
        self.settled = True

    def reset(self) -> None:
        """Forget the range; the next one is taken as it is."""
        self.current, self.settled = None, True

    def toward(self, low: float, high: float) -> Range:
        """Take one step toward a range and return where it stands."""
        if self.current is None:
            self.current = (low, high)
            return self.current
        was_low, was_high = self.current
        close = 0.004 * max(high - low, was_high - was_low)
        new_low = was_low + (low - was_low) * (self.grow if low < was_low else self.shrink)
        new_high = was_high + (high - was_high) * (self.grow if high > was_high else self.shrink)
        new_low = low if abs(new_low - low) <= close else new_low
        new_high = high if abs(new_high - high) <= close else new_high
        self.current = (new_low, new_high)
        self.settled = self.current == (low, high)
        return self.current
