"""How a node fares while it learns, in a few letters: dead units, or the norm of its gradient."""

from __future__ import annotations

from math import isfinite

from engine.training.events import Snapshot

SICK = 0.5
"""Share of dead units from which the health turns amber."""


def health_of(snapshot: Snapshot, id: str) -> tuple[str, bool]:
    """Return what to say of a node, and whether it is a warning."""
    activation = snapshot.activations.get(id)
    dead = activation.dead if activation is not None else 0.0
    if dead >= 0.005 and (id not in snapshot.gradients or dead >= SICK):
        return f"{100 * dead:.0f} % dead", dead >= SICK
    if id in snapshot.gradients:
        return f"|g| {brief(snapshot.gradients[id])}", False
    return "", False


def brief(value: float) -> str:
    """Return a norm in two digits and few letters: 0.31, 12, 2.7e−8."""
    if not isfinite(value):
        return "nan" if value != value else "∞"
    digits, _, power = f"{value:#.2g}".partition("e")
    digits = digits.rstrip(".")
    if not power and 0 < value < 0.001:  # the power is shorter
        digits, _, power = f"{value:.1e}".partition("e")
    return f"{digits}e{int(power)}".replace("-", "−") if power else digits
