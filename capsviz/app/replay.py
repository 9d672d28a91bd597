"""The replay of the drawing in Streamlit: offered with every drawing, computed only when somebody asks for it."""

import hashlib
from functools import lru_cache

import streamlit as st

from capsviz.app import assets, session
from capsviz.app.follow import follows
from capsviz.errors import ImageError
from capsviz.figures import replay_payload
from capsviz.inputs import drawings
from capsviz.inputs.replay import strokes_of
from capsviz.measures import replay as measures
from capsviz.measures.replay import Replay
from capsviz.texts import language, say

VIEW_KEY = "replay"  # the component; its state: "asked", the key of the drawing whose replay is wanted
ASKED_KEY = "replay_asked"  # that key, which outlasts the page and its component
KEY = 16  # hexadecimal digits
PAYLOADS = 8  # that are kept for all sessions together, of up to 0.1 MB; the replays have 0.2

_view = assets.component("capsviz_replay", "replay")


@follows("replay")
def replay() -> None:
    """The drawing from its first point on, and the answer to it as it grew; only this part runs again for one."""
    now = session.reading()
    if now.answer is None:
        return  # the page has been left, or says what to do
    text = drawings.encode(now.drawing)
    key = hashlib.sha256(f"{session.network()} {now.iterations} {text}".encode()).hexdigest()[:KEY]
    problem = "" if strokes_of(now.drawing) else say("replay.noStrokes")
    data: dict[str, str] | bytes = _offer(key, problem)
    if not problem and st.session_state.get(ASKED_KEY) == key:
        try:
            data = _payload(session.network(), text, now.iterations, key, language())
        except ImageError as error:
            data = _offer(key, str(error))
        except RuntimeError as error:  # what PyTorch raises when a device fails
            data = _offer(key, session.failure(error))
    _view(key=VIEW_KEY, data=data, on_asked_change=_asked)


def _offer(key: str, problem: str) -> dict[str, str]:
    """What the view needs to offer a replay, or says in place of one."""
    return {"key": key, "problem": problem, "texts": assets.words("replay")}


def _asked() -> None:
    """What a browser sends is only compared with the key of the drawing: anything else asks for nothing."""
    sent = st.session_state[VIEW_KEY].get("asked")
    st.session_state[ASKED_KEY] = sent if isinstance(sent, str) and len(sent) == KEY else None


@lru_cache(maxsize=PAYLOADS)
def replayed(network: str, drawing: str, iterations: int) -> Replay:
    """The replay of a drawing, by the session's network, which is named."""
    return measures.replay(session.model(), drawings.decode(drawing), iterations)


def unsure_below(iterations: int) -> float:
    """The limit below which the session's network claims no class; 0 with other iterations than it was trained with."""
    model = session.model()
    return float(model.card["unsure_below"]) if iterations == model.shape.trained else 0.0


@lru_cache(maxsize=PAYLOADS)
def _payload(network: str, drawing: str, iterations: int, key: str, spoken: str) -> bytes:
    limit = unsure_below(iterations)
    return replay_payload(replayed(network, drawing, iterations), key=key, unsure_below=limit)
