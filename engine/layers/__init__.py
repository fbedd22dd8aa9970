"""The catalogue of layers: one declaration per layer, plain text, no torch."""
