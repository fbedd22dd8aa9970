"""Layers written in Python: the editor of their code, and what it says about them."""
