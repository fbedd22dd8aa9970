"""Numbers and times as people read them."""

from __future__ import annotations

import math
from datetime import datetime


def count(value: float) -> str:
    """Return a count in three digits: 240, 2.4 k, 61.7 k, 138 M; whole below 10,000."""
    if value < 10_000:
        return f"{value:,.0f}"
    for unit, size in (("k", 1e3), ("M", 1e6), ("G", 1e9)):
        if value < 999.5 * size:
            short = value / size
            return f"{short:.0f} {unit}" if short >= 99.95 else f"{short:.1f} {unit}"
    return f"{value / 1e12:,.1f} T"


def plural(value: int, word: str) -> str:
    """Return ``1 problem``, ``2 problems``."""
    return f"{value:,} {word}{'' if value == 1 else 's'}"


def when(then: datetime, now: datetime) -> str:
    """Return a day as one remembers it: today, yesterday, Tuesday, 3 March, 3 March 2024."""
    days = (now.date() - then.date()).days
    if days <= 0:
        return "today"
    if days == 1:
        return "yesterday"
    if days < 7:
        return f"{then:%A}"
    return f"{then.day} {then:%B}" + (f" {then.year}" if then.year != now.year else "")


def duration(seconds: float) -> str:
    """Return a time: 8 s, 1 min 12 s, 2 h 5 min; below a second ``under 1 s``."""
    if not math.isfinite(seconds):
        return "a while"
    if seconds < 1:
        return "under 1 s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole < 600 else f"{round(whole / 60)} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
