"""Networks from elsewhere, imported and compared."""
