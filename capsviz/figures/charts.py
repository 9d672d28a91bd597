"""What all charts of measurements look like."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from capsviz.figures.theme import AGAINST_COLOUR, FOR_COLOUR
from capsviz.texts import say
from capsviz.texts.numbers import separators

if TYPE_CHECKING:
    import plotly.graph_objects as go

TEXT = {"size": 15}  # said of each part: a theme's template would make them smaller
BLUE, ORANGE = (f"rgb{colour}" for colour in (AGAINST_COLOUR, FOR_COLOUR))
GREY = "#8a8f98"
LINE = 34  # characters of an axis's title that a phone has room for


def figure_of(traces: Sequence[Any], x: str, y: str) -> "go.Figure":
    """A chart of traces with the words of its axes."""
    import plotly.graph_objects as go  # half a second that only these figures should cost

    figure = go.Figure(list(traces))
    figure.update_layout(
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "font": TEXT},
        margin={"l": 70, "r": 20, "t": 40, "b": 60},
        height=420,
        dragmode=False,  # a finger that begins on a chart scrolls the page
        separators=separators(),
    )
    title = "<br>".join(textwrap.wrap(x, LINE))
    figure.update_xaxes(title={"text": title, "font": TEXT}, tickfont=TEXT, automargin=True)
    figure.update_yaxes(title={"text": y, "font": TEXT}, tickfont=TEXT)
    return figure


def hover(name: str, **values: str) -> str:
    """A text as what Plotly shows on hovering; what is put in are its own places."""
    return f"{say(name, **values)}<extra></extra>"
