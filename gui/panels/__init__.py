"""The panels around the canvas: palette, outline, code, problems, top bar, status bar."""
