"""Everything Netwright knows about networks: no window, no Qt, usable from a script."""
