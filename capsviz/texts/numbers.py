"""Numbers as the language that is spoken writes them: decimal sign, groups of thousands, a real minus, sign of per cent.

For what is read by people. Links, files and scripts have Python's own notation.
"""

import re

from capsviz.texts import localised

_NOTHING = re.compile(r"-(?=[0,.]*%?$)")  # the sign of what rounds to 0


def number(value: float, digits: int = 2) -> str:
    """A number with as many decimals: "1,234.50"; what rounds to 0 has no sign."""
    return localised(_NOTHING.sub("", f"{value:,.{digits}f}"))


def grouped(value: int) -> str:
    """A whole number, its thousands in groups: "1,152"."""
    return localised(f"{value:,}")


def per_cent(share: float, digits: int = 2) -> str:
    """A share (0..1) in per cent with as many decimals: "12.50%"."""
    return localised(_NOTHING.sub("", f"{share:,.{digits}%}"))


def short(value: float) -> str:
    """A number without more decimals than it has, at most six that count: "0.25"; far from 1 as "1e-06", as it is typed."""
    figures, exponent, power = f"{value:g}".partition("e")
    return localised(figures) + exponent + power


def separators() -> str:
    """Decimal sign and that of thousands, as Plotly is told of them: ".,"."""
    return localised(".,")


def percent_sign() -> str:
    """The sign of per cent, with the space before it that the language has."""
    return localised("%")
