"""From the document to a module: plan, source, shapes, problems."""
