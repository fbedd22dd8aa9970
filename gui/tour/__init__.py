"""Guided tours: cards that point at the real window and wait for the user's own hands."""
