"""What several modules ask of their arguments."""

import numbers


def whole_number(value: object) -> int | None:
    """The value as an int if it is a whole number, of NumPy's too; a bool is none."""
    return int(value) if isinstance(value, numbers.Integral) and not isinstance(value, bool) else None
