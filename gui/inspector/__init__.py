"""What can be known and changed about the selection."""
