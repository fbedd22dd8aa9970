"""Ready-made networks, one file each."""
