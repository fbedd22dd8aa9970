"""Beyond one process: several that train together, elsewhere too, and what follows them."""
