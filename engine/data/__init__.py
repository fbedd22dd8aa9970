"""Where samples come from: one declaration for each kind of source."""
