"""Runs that were, and runs that are: their folders, a library of them, reports."""
