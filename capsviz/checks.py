"""What several modules ask of their arguments."""

import numbers


def whole_number(value: object) -> int | None:
    """The value as an int if it is a whole number, of NumPy's too; a bool is none."""
    return int(value) if isinstance(value, numbers.Integral) and not isinstance(value, bool) else None


def one_line(text: str) -> str:
    """The text with an escape for each character that does not print: a file's name may hold a line break or worse."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
