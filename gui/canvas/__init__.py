"""The canvas: the document as nodes and wires that one can touch."""
