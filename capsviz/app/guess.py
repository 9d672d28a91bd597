"""Predict first: the answer is covered until the viewer has said what it will be, and what was said is held against it.

What is covered is not sent: no script, tooltip or colour of the page can give it away.
"""

import html
from dataclasses import dataclass
from typing import Any

import streamlit as st

from capsviz import figures
from capsviz.app import pad, prepared, session
from capsviz.inputs.drawings import Drawing
from capsviz.texts import noun, say

GUESSES_KEY = "guesses"  # list[Guess], the last ones
SCORE_KEY = "guesses_score"  # Score of the session
CHOICE_KEY = "guess"  # the classes to choose from
SEVERAL_KEY = "guess_several"  # likewise, where an image may show several
KEPT = pad.HISTORY  # guesses: whoever goes back to a drawing finds its answer as it was left


@dataclass(frozen=True, eq=False)
class Guess:
    """What was said of one network's answer to one drawing."""

    drawing: Drawing
    network: str
    said: str  # name of a class, "3 + 7" of several; "" where the answer was uncovered without a guess


@dataclass(frozen=True)
class Score:
    """How many guesses were what the network then read."""

    right: int = 0
    all: int = 0


def covered() -> bool:
    """Whether the answer that there is must not be seen yet."""
    return predicting() and _guess() is None and session.reading().answer is not None


def control() -> None:
    """The switch, in the frame of every page."""
    on = predicting()
    st.button(
        say("guess.off" if on else "guess.on"),
        key="predict",
        on_click=set_predicting,
        args=(not on,),
        **prepared.sign("predict", f":material/visibility{'' if on else '_off'}:", say("guess.tip")),
    )


def set_predicting(on: bool) -> None:
    """Cover every new answer from now on, that to the current drawing too; or none."""
    if prepared.locked("predict"):
        return
    st.session_state[session.PREDICTING_KEY] = on
    st.session_state[GUESSES_KEY] = []


def afresh() -> None:
    """Cover again what was uncovered, where answers are covered at all."""
    st.session_state[GUESSES_KEY] = []


def asked() -> None:
    """Above a page that is covered: the classes to choose from, and a way to the answer without."""
    shape = session.spec().shape
    several = shape.answers > 1
    question = (
        say("guess.askSeveral", kinds=noun(shape.kind, 2), count=shape.answers)
        if several
        else say("guess.ask", kind=noun(shape.kind))
    )
    with st.container(key="guessing", horizontal=True, vertical_alignment="center", gap="small"):
        st.html(f"<p>{html.escape(question)}</p>")
        st.pills(
            question,
            shape.classes,
            selection_mode="multi" if several else "single",
            key=SEVERAL_KEY if several else CHOICE_KEY,
            on_change=_say,
            label_visibility="collapsed",
        )
        if several:
            st.button(say("guess.done"), key="guessed", on_click=_say, args=(True,))
        st.button(
            say("guess.show"),
            key="uncover",
            on_click=_uncover,
            **prepared.sign("predict", ":material/visibility:"),
        )


def told() -> None:
    """Above a page that was covered: what was said, what the network reads, and the session's score."""
    guess = _guess() if predicting() else None
    answer = session.reading().answer
    if guess is None or not guess.said or answer is None:
        return
    read, words = _read(answer), {"said": guess.said, "kind": noun(session.spec().shape.kind)}
    found = "none" if read is None else "right" if read == guess.said else "wrong"
    score = _score()
    sentence = say(f"guess.{found}", **words, read=read or "")
    if score.all:
        sentence += " " + say("guess.score", right=score.right, count=score.all)
    st.html(f'<p class="cv-guess cv-{found}" data-testid="guess" role="status">{html.escape(sentence)}</p>')


def predicting() -> bool:
    """Whether answers are covered at first."""
    return bool(st.session_state.get(session.PREDICTING_KEY, False))


def _guess() -> Guess | None:
    """What was said of the network's answer to the current drawing."""
    now, network = pad.current(), session.network()
    guesses: list[Guess] = st.session_state.get(GUESSES_KEY, [])
    return next((guess for guess in guesses if guess.drawing is now and guess.network == network), None)


def _score() -> Score:
    score: Score = st.session_state.get(SCORE_KEY, Score())
    return score


def _say(done: bool = False) -> None:
    """What was chosen is said: the one class, or as many as there can be; fewer once somebody is ``done``."""
    shape = session.spec().shape
    key = SEVERAL_KEY if shape.answers > 1 else CHOICE_KEY
    sent: Any = st.session_state.get(key)
    chosen = sent if isinstance(sent, list) else [sent]
    places = sorted(shape.classes.index(name) for name in chosen if name in shape.classes)
    if not 0 < len(places) <= shape.answers or not (done or len(places) == shape.answers):
        return
    st.session_state[key] = [] if shape.answers > 1 else None  # for the next drawing
    if not covered():
        return
    said = figures.together(shape.classes, places)
    _keep(said)
    answer = session.reading().answer
    read = None if answer is None else _read(answer)
    if read is not None:  # a network that names nothing proves nobody right or wrong
        before = _score()
        st.session_state[SCORE_KEY] = Score(before.right + (read == said), before.all + 1)


def _uncover() -> None:
    if not prepared.locked("predict"):
        _keep("")


def _keep(said: str) -> None:
    guesses: list[Guess] = st.session_state.setdefault(GUESSES_KEY, [])
    guesses.append(Guess(pad.current(), session.network(), said))
    del guesses[:-KEPT]


def _read(answer: session.Answer) -> str | None:
    """The class that the answer names, as the card beside it does; None where it names none."""
    shape, trace = answer.trace.shape, answer.trace
    scores = trace.scores[-1] if answer.judged is None else answer.judged
    limit = session.model().card["unsure_below"]
    found = figures.verdict(scores, limit, shape.score)
    places = sorted(figures.named(trace.scores[-1], limit, shape.answers))
    return None if found == "no digit" else figures.together(trace.classes, places)
