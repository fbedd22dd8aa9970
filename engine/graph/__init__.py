"""The document: frozen values, pure edits, rules and views of them; no torch."""
