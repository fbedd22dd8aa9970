"""Tests of what goes beyond one process."""

import engine  # noqa: F401 - before torch, as in the program: it decides how threads wait
