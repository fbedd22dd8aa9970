"""The examples, as a dock and as the welcome page."""
