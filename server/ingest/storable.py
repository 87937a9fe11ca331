"""Text that both engines can keep in a column."""


def storable(text: str) -> str:
    """The text without NUL, which PostgreSQL cannot keep in a text column. Payloads keep it."""
    return text.replace("\0", "\ufffd") if "\0" in text else text
