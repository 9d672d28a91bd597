"""The network layer by layer, as a table, with what each layer made of the drawing."""

import html
from collections.abc import Mapping

import numpy as np

from capsviz.figures.reconstructions import squared_error
from capsviz.figures.theme import number
from capsviz.networks.base import Spec
from capsviz.texts import capital, noun, say
from capsviz.traces.routing import RoutingTrace

COLUMNS = ("layer", "what", "output", "here", "parameters")


def layers_table(
    trace: RoutingTrace | None,
    reconstructions: np.ndarray | None,
    parameters: Mapping[str, int],
    spec: Spec,
) -> str:
    """HTML table of the layers of a network (Figures 1 and 2 of the paper).

    Args:
        trace: one image's trace; None where there is no drawing.
        reconstructions: [J, S, S] what each class capsule draws; None where there is no drawing.
        parameters: number of parameters of each layer, by ``Layer.part``.
        spec: of the network.
    """
    made = {} if trace is None or reconstructions is None else _made(trace, reconstructions)
    routed = say("layers.routing") if trace is None else say("layers.routed", count=trace.iterations)
    kind = noun(spec.shape.kind)
    names = [say(f"layers.head.{column}") for column in COLUMNS]
    _, what, output, here, count = (
        f' data-column="{html.escape(name)}"' for name in names
    )  # where there is no head
    body = "".join(
        f"<tr><th scope='row'>{capital(say(f'layers.{layer.part}.name', kind=kind))}</th>"
        f"<td{what}>{say(f'layers.{layer.part}.what', **layer.facts, routing=routed, kind=kind)}</td>"
        f"<td{output}>{' × '.join(map(str, layer.size))}</td>"
        f"<td{here}>{html.escape(made.get(layer.part, '–'))}</td>"
        f"<td{count} class='cv-count'>{parameters.get(layer.part, 0):,}</td></tr>"
        for layer in spec.layers
    )
    heads = "".join(f'<th scope="col">{name}</th>' for name in names[:-1])
    return (
        f'<div class="cv-frame"><table class="cv-table"><thead><tr>{heads}'
        f'<th scope="col" class="cv-count">{names[-1]}</th></tr></thead>'
        f"<tbody>{body}</tbody><tfoot><tr><th scope='row' colspan='4'>{say('layers.all')}</th>"
        f"<td{count} class='cv-count'>{sum(parameters.values()):,}</td></tr></tfoot></table></div>"
    )


def _made(trace: RoutingTrace, reconstructions: np.ndarray) -> dict[str, str]:
    """What layers made of the drawing, by their parts."""
    place = trace.prediction
    lengths = np.linalg.norm(trace.u, axis=1)
    # Three digits: nearly all are about 1 long, over empty paper too.
    shortest, longest, mean = (number(float(pick(lengths)), 3) for pick in (np.min, np.max, np.mean))
    return {
        "conv1": say("layers.conv1.here", percent=f"{(trace.features > 0).mean():.0%}"),
        "primary": say("layers.primary.here", shortest=shortest, longest=longest, mean=mean),
        "digits": say(
            "layers.digits.here", name=trace.answer, length=number(float(trace.lengths[-1, place]))
        ),
        "decoder": say(
            "layers.decoder.here", error=number(squared_error(trace.image, reconstructions[place]), 1)
        ),
    }
