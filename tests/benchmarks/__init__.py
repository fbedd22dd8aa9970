"""Measurements, run by hand; they print ratios."""

import engine  # noqa: F401 - before torch, as in the program: it decides how threads wait
