"""Tests of runs."""

import engine  # noqa: F401 - before torch, as in the program: it decides how threads wait
