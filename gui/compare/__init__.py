"""Two networks side by side, and what differs between them."""
