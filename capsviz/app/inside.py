"""The Inside page's live view in Streamlit: what the first layer and the primary capsules make of the drawing."""

from functools import lru_cache

from capsviz.app import address, assets, routing, session
from capsviz.figures.inside import inside_payload, layer_rows
from capsviz.models.size import activations, sizes, together
from capsviz.texts import language

VIEW_KEY = "inside"  # the component
PAYLOADS = 4  # that are kept for all sessions together, of up to 1.3 MB

_view = assets.component("capsviz_inside", "inside")


def view() -> None:
    """All of the page; without an answer, the network alone."""
    model, now = session.loaded(), session.reading()
    iterates = model.shape.iterates
    stored = routing.stored() if iterates else None
    _view(key=VIEW_KEY, data=_payload(session.network(), now.answer, now.problem, stored, language()))
    if iterates and now.answer is not None:
        routing.transforms()


@lru_cache(maxsize=PAYLOADS)
def _payload(
    network: str, answer: session.Answer | None, problem: str, transforms: str | None, spoken: str
) -> bytes:
    model = session.model_of(network)
    counted, made = sizes(model.spec), activations(model.spec)
    return inside_payload(
        model.spec,
        model.first_layer(),
        None if answer is None else answer.trace,
        rows=layer_rows(model.spec, counted, made),
        totals=(together(counted).parameters, sum(made.values())),
        transforms=transforms,
        waiting=problem,
        link=address.for_script("inside", model.shape, 1),
    )
