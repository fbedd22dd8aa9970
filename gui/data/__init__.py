"""Windows about data: what there is to choose from, and what it looks like."""
