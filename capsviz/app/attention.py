"""The Routing page of a network with attention: its two live views in Streamlit, and what they send back."""

from dataclasses import asdict
from functools import lru_cache
from typing import cast

import numpy as np
import streamlit as st

from capsviz.app import address, asked, assets, experiments, session
from capsviz.app.experiments import Weighting
from capsviz.app.follow import follows
from capsviz.figures import attention_payload, attention_surgery_payload
from capsviz.texts import language
from capsviz.traces.attention import AttentionTrace
from capsviz.traces.surgery import reattend

EXPLORER_KEY = "attention"  # the component
# With the network's name behind them, since the capsules of another are others:
SURGERY_KEY = "attention_surgery"  # the component; its state: "operation", as attention_surgery.js makes it
WEIGHTING_KEY = (
    "weighting"  # the last Weighting that could be read, which outlasts the page and its component
)
PAYLOADS = 8  # that are kept for all sessions together, of up to 0.1 MB

_explorer = assets.component("capsviz_attention", "attention")
_surgery = assets.component("capsviz_attention_surgery", "attention_surgery")


def explorer() -> None:
    """The attention of the current drawing's votes to each other, and what became of it."""
    now = session.reading()
    if now.answer is not None and now.answer.reconstructions is not None:
        _explorer(key=EXPLORER_KEY, data=_payload(now.answer, language()))


@lru_cache(maxsize=PAYLOADS)
def _payload(answer: session.Answer, spoken: str) -> bytes:
    trace, drawings = cast(AttentionTrace, answer.trace), cast(np.ndarray, answer.reconstructions)
    link = address.for_script("routing", trace.shape, trace.iterations)
    return attention_payload(trace, drawings, link=link)


@follows("surgery")
def surgery() -> None:
    """Experiments on the attention of the current drawing; only this part runs again for one."""
    now = session.reading()
    if not isinstance(now.trace, AttentionTrace) or now.reconstructions is None:
        return  # the page has been left, or another network chosen, or it says what to do
    trace, before = now.trace, now.reconstructions[-1, now.trace.prediction]
    weighting, problem = _asked(session.network(), trace.grid.capsules)
    silenced = np.isin(np.arange(trace.grid.capsules), weighting.capsules)
    after = reattend(trace.u_hat, trace.prior, weighting.coupling, silenced=silenced)
    digit = int(after.lengths.argmax())
    # What the network drew of the same pose stays: drawn again, a grey level might be rounded the other way.
    same = digit == trace.prediction and np.allclose(after.v, trace.v[0], rtol=0, atol=1e-5)
    try:
        redrawn = before if same else session.model().decode(after.v[digit], digit)
    except RuntimeError as error:  # what PyTorch raises when a device fails
        redrawn, problem = np.zeros_like(before), session.failure(error)
    data = attention_surgery_payload(trace, before, after, redrawn)
    data |= {"operation": asdict(weighting), "problem": problem, "texts": assets.words("attention_surgery")}
    _surgery(key=f"{SURGERY_KEY}.{session.network()}", data=data, on_operation_change=lambda: None)


def _asked(network: str, primary: int) -> tuple[Weighting, str]:
    """The experiment to show, and why it is not the one just asked for, if it is not."""
    kept = f"{WEIGHTING_KEY}.{network}"
    linked = session.surgery_of_link()
    if isinstance(linked, Weighting):
        st.session_state[kept] = linked
    last: Weighting = st.session_state.get(kept, Weighting())
    sent = asked.sent(f"{SURGERY_KEY}.{network}", "operation")
    return asked.latest(sent, lambda sent: experiments.weighting(sent, primary), last, kept, "surgery")
