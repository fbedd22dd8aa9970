"""Small widgets that every panel shares."""
