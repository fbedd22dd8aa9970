"""Training in a background thread that tells what happens as frozen events."""
