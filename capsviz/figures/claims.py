"""What an experiment of ``measures.claims`` found: in a sentence, as a small chart, as pictures."""

import html
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from capsviz.figures.charts import BLUE, GREY, ORANGE, figure_of, hover
from capsviz.figures.theme import data_uri, ink
from capsviz.measures.claims import Curve, Found, Picture
from capsviz.measures.samples import Measured
from capsviz.measures.verdicts import RULES, verdict
from capsviz.texts import capital, knows, noun, say
from capsviz.texts.numbers import grouped, number, per_cent, short

if TYPE_CHECKING:
    import plotly.graph_objects as go

HEIGHT = 330
COLOURS, DASHES = (BLUE, ORANGE, GREY), ("solid", "dash", "dot")
SYMBOLS = ("circle", "square", "diamond")
MANY = 1_000  # drawings: of as many, a tenth of a per cent is much
CEILING = 0.99  # share refused from which a test tells networks apart no more
BESIDE = 0.012  # of the x axis, from one curve's points to the next one's


def claim_words(name: str, found: Found, kind: str) -> list[str]:
    """The sentences of what was found.

    Args:
        name: of the claim.
        found: by its experiment.
        kind: what the network reads.
    """
    values = {key: rate(one) for key, one in found.measured.items()}
    values |= {key: _number(one) for key, one in found.numbers.items()}
    kinds = {"kind": noun(kind), "kinds": noun(kind, 2)}
    sentences = [say(f"lab.claim.{name}.found", **values, **kinds)]
    if "biased" in found.numbers:
        sentences.append(say(f"lab.claim.{name}.more", **values))
    sentences += [
        say(f"lab.claim.{name}.network", network=title, refused=rate(one))
        for title, one in found.networks.items()
    ]
    if len(found.networks) > 1 and all(one.value >= CEILING for one in found.networks.values()):
        sentences.append(say(f"lab.claim.{name}.easy"))
    return sentences


def rate(measured: Measured) -> str:
    """A share in words, with its interval."""
    digits = 2 if measured.drawings >= MANY else 1
    value, low, high = (per_cent(one, digits) for one in measured[:3])
    return say("lab.rate", value=value, low=low, high=high)


def verdict_words(name: str, found: Found, *, brief: bool = False) -> tuple[str, str, str]:
    """The verdict on a claim: its outcome, that in words, and the number that decides, with its rule.

    Args:
        name: of the claim.
        found: by its experiment.
        brief: without what is to be said beside the verdicts of some claims.
    """
    outcome, measured = verdict(name, found)
    numbers = {key: _number(one) for key, one in found.numbers.items()}
    if measured is None:
        return outcome, say("lab.verdict.alone"), say("lab.verdict.missing", **numbers)
    rule = RULES[name]
    side = "exact" if rule.exact else "above" if rule.above else "below"
    says = say(
        f"lab.verdict.{side}",
        what=capital(say(f"lab.claim.{name}.decides", **numbers)),
        value=_number(measured.value) if rule.exact else rate(measured),
        limit=number(rule.limit, 5) if rule.exact else per_cent(rule.limit, 0),
    )
    if not brief and knows(f"lab.claim.{name}.beside"):
        says = f"{says} {say(f'lab.claim.{name}.beside')}"
    return outcome, say(f"lab.verdict.{outcome}"), says


def claim_figure(name: str, curves: Sequence[Curve]) -> "go.Figure":
    """Shares over what was changed, in per cent, with 95% intervals.

    Args:
        name: of the claim.
        curves: of its experiment, one at least, with the names that they are to have.
    """
    import plotly.graph_objects as go

    named = f"lab.claim.{name}.curve"
    compared = name == "refused"
    scale = 100 if compared else 1  # false alarms are shares too
    apart = BESIDE * (max(curves[0].x) - min(curves[0].x)) if len(curves) > 1 else 0
    first, last = scale * min(curves[0].x), scale * max(curves[0].x)
    edge, middle = 0.04 * (last - first), len(curves) // 2
    traces, axes = [], {}
    for at, curve in enumerate(curves):
        y = [100 * point.value for point in curve.y]
        # The one in the middle has the axis that is seen.
        axis, moved = "" if at == middle else str(at + 2), scale * apart * (at - middle)
        axes[f"xaxis{axis}"] = {
            "range": [first - edge - moved, last + edge - moved],
            **({"overlaying": "x", "visible": False} if axis else {}),
        }
        traces.append(
            go.Scatter(
                x=[scale * place for place in curve.x],
                y=y,
                xaxis=f"x{axis}",
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [100 * point.high - value for point, value in zip(curve.y, y, strict=True)],
                    "arrayminus": [value - 100 * point.low for point, value in zip(curve.y, y, strict=True)],
                },
                mode="lines+markers",
                name=curve.name,
                line={"color": COLOURS[at % 3], "dash": DASHES[at % 3]},
                marker={"symbol": SYMBOLS[at % 3]},
                hovertemplate=hover("chart.claim.hover", x="%{x:,}", y="%{y:.1f}"),
            )
        )
    figure = figure_of(traces, say(f"{named}.x"), say(f"{named}.y"))
    figure.update_layout(height=HEIGHT, showlegend=len(curves) > 1, **axes)
    if not compared:
        return figure.update_yaxes(rangemode="tozero")
    # What is compared differs little, near 100%: from the least of all intervals on.
    least = min(100 * point.low for curve in curves for point in curve.y)
    return figure.update_yaxes(range=[5 * math.floor((least - 1) / 5), 101])


def claim_pictures(name: str, pictures: Sequence[Picture]) -> str:
    """HTML of a strip of pictures, each with its line."""
    figures = ""
    for picture in pictures:
        words = html.escape(say(f"lab.claim.{name}.{picture.name}", **_words(picture.values)))
        figures += (
            f'<figure><img src="{data_uri(ink(picture.pixels))}" alt="{words}">'
            f"<figcaption>{words}</figcaption></figure>"
        )
    return f'<div class="cv-lab-strip">{figures}</div>'


def _words(values: Mapping[str, str | float]) -> dict[str, str]:
    return {key: value if isinstance(value, str) else _number(value) for key, value in values.items()}


def _number(value: float) -> str:
    """A count, or a number by three digits that count."""
    return grouped(value) if isinstance(value, int) else short(float(f"{value:.3g}"))
