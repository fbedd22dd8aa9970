"""Everything that can be done: found by its name, and reached by a key that the user chooses."""
