"""Measurements, run by hand; they print ratios."""

import os
import tempfile

import engine  # noqa: F401 - before torch, as in the program: it decides how threads wait

# What is trained to be measured is no run of the user's.
os.environ.setdefault("NETWRIGHT_RUNS", tempfile.mkdtemp(prefix="netwright-runs-"))
