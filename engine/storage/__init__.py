"""Files: documents as JSON, written so that a crash leaves the old or the new one, never half."""
