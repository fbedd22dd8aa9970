"""What the gallery knows about an example."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One example: ``group`` is its subject, ``row`` its heading, ``note`` a short fact."""

    name: str
    title: str
    subtitle: str
    group: str
    row: str
    note: str = ""

    def answers(self, text: str) -> bool:
        """Return whether every word of a search is in its title, subtitle or subject."""
        own = f"{self.title} {self.subtitle} {self.group} {self.row}".lower()
        return all(word in own for word in text.lower().split())
