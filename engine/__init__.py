"""Everything Netwright knows about networks: no window, no Qt, usable from a script."""

import os

# OpenMP's threads spin while they wait for each other. Where the window or another program holds a core, that
# made steps up to 40 times slower; spinning briefly costs nothing on an idle machine. Read when torch loads.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
