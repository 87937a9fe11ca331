"""Figures that tests found and people want to read: told by tests, printed once the run is over."""

_LINES: list[str] = []


def tell(what: str, **numbers: object) -> None:
    """Keep one line for the end of the run."""
    _LINES.append(f"{what}: " + ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in numbers.items()))


def lines() -> list[str]:
    """What was told so far."""
    return list(_LINES)
