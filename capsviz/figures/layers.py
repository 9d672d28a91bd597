"""The network layer by layer, as a table, with what each layer made of the drawing."""

import html
from collections.abc import Mapping

import numpy as np

from capsviz.figures.reconstructions import squared_error
from capsviz.models.size import Size, together
from capsviz.networks.base import Layer, Spec
from capsviz.texts import capital, knows, noun, say
from capsviz.texts.numbers import grouped, number, per_cent
from capsviz.traces.base import INDEPENDENT
from capsviz.traces.plain import PlainTrace
from capsviz.traces.routing import RoutingTrace

COLUMNS = ("layer", "what", "output", "here", "parameters", "multiplyAdds")


def layers_table(
    trace: RoutingTrace | PlainTrace | None,
    reconstructions: np.ndarray | None,
    sizes: Mapping[str, Size],
    spec: Spec,
) -> str:
    """HTML table of the layers of a network.

    Args:
        trace: one image's trace; None where there is no drawing.
        reconstructions: [J, S, S] what is drawn of each class; None where there is no drawing, or no decoder.
        sizes: of each layer, by ``Layer.part``.
        spec: of the network.
    """
    made = {} if trace is None else _made(trace, reconstructions)
    routed = (
        say("layers.routed", count=trace.iterations)
        if isinstance(trace, RoutingTrace)
        else say("layers.routing")
    )
    kind = noun(spec.shape.kind)
    names = [say(f"layers.head.{column}") for column in COLUMNS]
    _, what, output, here, count, products = (
        f' data-column="{html.escape(name)}"' for name in names
    )  # where there is no head
    body = "".join(
        f"<tr><th scope='row'>{capital(say(f'layers.{layer.part}.name', kind=kind))}</th>"
        f"<td{what}>{say(does(layer, spec), **layer.facts, routing=routed, kind=kind)}</td>"
        f"<td{output}>{' × '.join(map(str, layer.size))}</td>"
        f"<td{here}>{html.escape(made.get(layer.part, '–'))}</td>"
        f"<td{count} class='cv-count'>{grouped(sizes[layer.part].parameters)}</td>"
        f"<td{products} class='cv-count'>{grouped(sizes[layer.part].multiply_adds)}</td></tr>"
        for layer in spec.layers
    )
    heads = "".join(
        f'<th scope="col"{" class=cv-count" if place >= 4 else ""}>{name}</th>'
        for place, name in enumerate(names)
    )
    every = together(sizes)
    return (
        f'<div class="cv-frame"><table class="cv-table" data-testid="layers"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{body}</tbody><tfoot><tr><th scope='row' colspan='4'>{say('layers.all')}</th>"
        f"<td{count} class='cv-count'>{grouped(every.parameters)}</td>"
        f"<td{products} class='cv-count'>{grouped(every.multiply_adds)}</td></tr></tfoot></table></div>"
    )


def does(layer: Layer, spec: Spec) -> str:
    """The id of the text that says what a layer does: some do another thing where there are no capsules."""
    ways = ["what"] if spec.shape.grid else ["plainPoses", "plain"] if spec.shape.pose else ["plain"]
    if spec.shape.score == INDEPENDENT:
        ways = ["plainIndependent", *ways]
    names = [f"layers.{layer.part}.{way}" for way in (*ways, "what")]
    return next(name for name in names if knows(name))


def _made(trace: RoutingTrace | PlainTrace, reconstructions: np.ndarray | None) -> dict[str, str]:
    """What layers made of the drawing, by their parts."""
    place = trace.prediction
    active = say("layers.conv1.here", percent=per_cent((trace.features > 0).mean(), 0))
    score = number(float(trace.scores[-1, place]))
    made = {}
    if reconstructions is not None:
        error = number(squared_error(trace.image, reconstructions[place]), 1)
        made["decoder"] = say("layers.decoder.here", error=error)
    if not isinstance(trace, RoutingTrace):
        read = say("layers.dense.here", name=trace.answer, probability=score)
        return {**made, "trunk": active, "dense": read}
    lengths = np.linalg.norm(trace.u, axis=1)
    # Three digits: nearly all are about 1 long, over empty paper too.
    shortest, longest, mean = (number(float(pick(lengths)), 3) for pick in (np.min, np.max, np.mean))
    primary = say("layers.primary.here", shortest=shortest, longest=longest, mean=mean)
    read = say("layers.digits.here", name=trace.answer, length=score)
    return {**made, "conv1": active, "trunk": primary, "primary": primary, "digits": read, "capsules": read}
