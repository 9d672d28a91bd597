"""How the error grows with overlap, on the Overlap page: as it was measured, and on new pairs while one looks on."""

import html
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st
from numpy.random import default_rng

from capsviz.app import frame, session
from capsviz.errors import CapsvizError, WeightsError
from capsviz.figures.evaluation import measurements
from capsviz.figures.growth import Curve, overlap_figure
from capsviz.inputs.spread import hidden, merged, spread_pairs
from capsviz.measures.pairs import among_the_longest, by_overlap, made_up_for_pairs
from capsviz.models.size import sizes, together
from capsviz.models.weights import available, load_card, load_evaluation, locate
from capsviz.networks.base import Spec, find
from capsviz.texts import say
from capsviz.texts.numbers import grouped, per_cent

RUN_KEY = "growth_run"  # Run: what is being computed, or was last
SEED_KEY = "growth_seed"
PAIRS, AT_ONCE, DIGITS = (
    500,
    20,
    150,
)  # pairs that are read anew, in one step, and the digits that they are made of
MOST_SEED = 9_999
AGAIN = 0.1  # seconds from one step to the next


@dataclass(eq=False)
class Run:
    """New pairs, as far as they have been read."""

    seed: int
    stopped: bool = False
    found: dict[str, list[np.ndarray]] = field(default_factory=dict)  # [n, 2] of each network

    @property
    def done(self) -> int:
        """Pairs that all networks have read."""
        return min(sum(map(len, found)) for found in self.found.values())

    @property
    def goes_on(self) -> bool:
        """Whether there is more to read."""
        return not self.stopped and self.done < PAIRS


def growth() -> None:
    """Curves, what they say, and a button that repeats the measurement."""
    run: Run | None = st.session_state.get(RUN_KEY)
    st.fragment(_growth, run_every=AGAIN if run and run.goes_on else None)()


def _growth() -> None:
    run: Run | None = st.session_state.get(RUN_KEY)
    problem = ""
    if run is not None and run.goes_on:
        try:
            _step(run)
        except (CapsvizError, RuntimeError) as error:
            run.stopped, problem = (
                True,
                session.failure(error) if isinstance(error, RuntimeError) else str(error),
            )
        if not run.goes_on:
            st.rerun()  # of the whole page, which no longer has this go on by itself
    with st.container(key="growth"):
        frame.heading(say("overlap.growth.title"))
        curves, new = _measured("spread", "test", 0), _new(run)
        if new:  # of pairs like these, many were measured too
            curves += [*_measured("made_up", "madeUp", 1), *new]
        if curves:
            frame.chart(overlap_figure(curves), "growth_curves", say("overlap.growth.title"))
        for sentence in _sentences():
            st.html(f'<p class="cv-note">{html.escape(sentence)}</p>')
        _controls(run)
        if problem:
            st.warning(problem)


def _controls(run: Run | None) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.number_input(
            say("overlap.growth.seed"),
            0,
            MOST_SEED,
            value=1,
            key=SEED_KEY,
            width=140,
            help=say("overlap.growth.seedTip"),
        )
        if run is not None and run.goes_on:
            st.button(say("overlap.growth.stop"), key="growth_stop", on_click=_stop, icon=":material/stop:")
            done = say("overlap.growth.done", done=run.done, count=PAIRS)
            st.progress(run.done / PAIRS, text=done)
        else:
            again = say("overlap.growth.repeat", count=PAIRS)
            if st.button(again, key="growth_repeat", icon=":material/replay:"):
                _start()


def _start() -> None:
    names = [spec.name for spec in _networks()]
    st.session_state[RUN_KEY] = Run(int(st.session_state[SEED_KEY]), found={name: [] for name in names})
    st.rerun()


def _stop() -> None:
    run: Run | None = st.session_state.get(RUN_KEY)
    if run is not None:
        run.stopped = True


def _step(run: Run) -> None:
    """The next pairs are read by the network that is farthest behind."""
    name = min(run.found, key=lambda name: sum(map(len, run.found[name])))
    parts, labels = _pairs(run.seed)
    done = sum(map(len, run.found[name]))
    some = slice(done, done + AT_ONCE)
    lengths = session.model_of(name).predict(merged(parts[some]) / np.float32(255))
    run.found[name].append(among_the_longest(lengths, labels[some]))


@lru_cache(maxsize=4)
def _pairs(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = default_rng(seed)
    return spread_pairs(*made_up_for_pairs(DIGITS, rng), PAIRS, rng)


def _networks() -> list[Spec]:
    """Those that name two, and whose weights are here."""
    return [spec for spec in map(find, available()) if spec.shape.answers > 1]


def _evaluations() -> Iterator[tuple[Spec, dict[str, Any]]]:
    for spec in _networks():
        try:
            yield spec, load_evaluation(spec.name, load_card(locate(spec.name)))
        except WeightsError as error:
            print(f"capsviz: {error}", file=sys.stderr, flush=True)  # a visitor can do nothing about it


def _measured(which: str, called: str, kind: int) -> list[Curve]:
    """What was measured of all networks that name two, on one kind of pairs; ``called`` is that kind's text."""
    order = [spec.name for spec in _networks()]
    return [
        Curve(
            say(
                f"overlap.growth.{called}",
                network=spec.title,
                pairs=grouped(sum(row["pairs"] for row in evaluation["pairs"][which]["bins"])),
            ),
            evaluation["pairs"][which]["bins"],
            order.index(spec.name),
            kind,
        )
        for spec, evaluation in _evaluations()
        if which in evaluation["pairs"]
    ]


def _new(run: Run | None) -> list[Curve]:
    """Those of new pairs, once all have been read, or as many as were read before it was stopped."""
    if run is None or run.goes_on or not run.done:
        return []
    overlaps = hidden(_pairs(run.seed)[0])
    curves = []
    order = [spec.name for spec in _networks()]
    for name, found in run.found.items():
        read = np.concatenate(found)[: run.done]
        title = say("overlap.growth.new", network=find(name).title, count=run.done, seed=run.seed)
        curves.append(Curve(title, by_overlap(read, overlaps[: run.done]), order.index(name), 2))
    return curves


def _sentences() -> list[str]:
    """What else was measured of the session's network."""
    known = {spec.name: evaluation for spec, evaluation in _evaluations()}
    network = session.spec()
    if network.name not in known:
        return [say("overlap.growth.unmeasured", network=network.title)]
    evaluation = known[network.name]
    alike = evaluation["pairs"]["alike"]
    answer = {spec.title: together(sizes(spec), decoder=False).parameters for spec in _networks()}
    return [
        measurements(evaluation, network.data.name)["overlap"].says,
        say(
            "overlap.growth.alike",
            right=per_cent(alike["right"], 1),
            only=per_cent(alike["only"], 1),
            pairs=grouped(alike["images"]),
        ),
        say(
            "overlap.growth.parameters",
            networks="; ".join(f"{title} {grouped(count)}" for title, count in answer.items()),
        ),
    ]
