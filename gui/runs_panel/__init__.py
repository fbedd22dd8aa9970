"""The page of runs: a table of all that were and are, and what is known of those that are chosen."""
