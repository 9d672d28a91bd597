"""The Lab page: what capsules do not do, tried on the network that answers, and what routing costs on this machine."""

import html
import os
import sys
from collections.abc import Callable, Hashable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from capsviz.app import frame, generalisation, lab_found, measurements, menu, prepared, session, work
from capsviz.app.prepared import hidden
from capsviz.errors import CapsvizError
from capsviz.figures.claims import claim_figure, claim_pictures, claim_words, verdict_words
from capsviz.figures.export import SHORT
from capsviz.figures.price import price_figure
from capsviz.inputs.data import holds_mnist
from capsviz.measures.claims import CLAIMS, NEEDS, Bench, Claim
from capsviz.measures.price import AXES, PAPER, machine, price
from capsviz.measures.samples import MOST, Sample, of_examples, of_test
from capsviz.measures.verdicts import verdict
from capsviz.models.weights import available
from capsviz.networks.base import Spec, find
from capsviz.texts import noun, say
from capsviz.texts.numbers import grouped, number
from capsviz.traces.base import POSES

if TYPE_CHECKING:
    from capsviz.models.model import Model

WORK_KEY = "lab_work"  # work.Work: what this session has begun, until its end has been shown
PROBLEM_KEY = "lab_problem"  # (key of a measurement, sentence) of the last one that failed
CONTENTS_KEY = "lab_contents"  # the list of what is on the page
TURN_KEY = "lab_turn"  # how often a part has been chosen
# What a page has is drawn after its scripts, and another page than before begins at its top.
SCROLL = "setTimeout(() => document.querySelector('%s')?.scrollIntoView(), 300);"
AGAIN, WAITING = 0.5, 1.0  # seconds from one look at one's own measurement, or at another's, to the next
TEST_DATA = (
    "CAPSVIZ_TEST_DATA"  # names the folder that has MNIST/raw, where the server may try on its test set
)
PRICE = "price"


def lab() -> None:
    """All of the page, of the network that answers."""
    model = session.loaded()
    st.html(Path(__file__).with_suffix(".css"))
    parts: dict[str, Callable[[], None]] = {
        "claims": partial(_claims, model),
        "ablations": generalisation.show_ablations,
        "placed": generalisation.show_placed,
        "few": generalisation.show_few,
        "price": _routing_price,
    }
    shown = [name for name in parts if not hidden(name)]
    with st.container(key="lab"):
        _settle()
        with st.container(
            key="lab_head"
        ):  # always one element: were it none, what follows would stand twice for a while
            _contents(model, shown)
            _elsewhere(model)
        for name in shown:
            with st.container(key=f"section_{name}"):
                parts[name]()
        _scroll(shown)


# --- its parts ------------------------------------------------------------------------------------------


def _contents(model: "Model", shown: list[str]) -> None:
    """A list of what is on the page: what is chosen is scrolled to, and stands in the link."""
    kinds = {"kind": noun(model.shape.kind), "kinds": noun(model.shape.kind, 2)}
    claims = list(CLAIMS) if "claims" in shown else []
    listed = [*claims, *(name for name in shown if name != "claims")]
    if len(listed) < 2:
        return
    now = st.session_state.get(session.SECTION_KEY)
    st.session_state[CONTENTS_KEY] = now if now in listed else None

    def opened() -> None:
        st.session_state[session.SECTION_KEY] = st.session_state[CONTENTS_KEY]
        st.session_state[TURN_KEY] = st.session_state.get(TURN_KEY, 0) + 1

    st.selectbox(
        say("lab.sections"),
        listed,
        format_func=lambda name: (
            say(f"lab.claim.{name}.title", **kinds) if name in CLAIMS else say(f"panel.{name}")
        ),
        key=CONTENTS_KEY,
        placeholder=say("lab.sections"),
        label_visibility="collapsed",
        width=360,
        on_change=opened,
    )


def _scroll(shown: list[str]) -> None:
    """Have the browser show the part that is open, once for each time that it is opened."""
    name = st.session_state.get(session.SECTION_KEY)
    if name is None or ("claims" if name in CLAIMS else name) not in shown:
        return
    with st.container(key="lab_scroll"):
        st.html(
            f"<script>/* {st.session_state.get(TURN_KEY, 0)} */ {SCROLL % _place(name)}</script>",
            unsafe_allow_javascript=True,
        )


def _place(name: str) -> str:
    return f".st-key-{'claim' if name in CLAIMS else 'section'}_{name}"


# --- what it does not do --------------------------------------------------------------------------------


def _claims(model: "Model") -> None:
    frame.heading(say("lab.claims.title"))
    _says(say("lab.claims.says", network=model.spec.title, weights=model.sha256[:SHORT]))
    for name, claim in CLAIMS.items():
        with st.container(key=f"claim_{name}"):
            _claim(model, name, claim)


def _claim(model: "Model", name: str, claim: Claim) -> None:
    """One claim: what was published, and what its experiment finds here."""
    source = (
        f'<a href="{html.escape(claim.link)}" target="_blank" rel="noopener">{html.escape(claim.source)}</a>'
    )
    kinds = {"kind": noun(model.shape.kind), "kinds": noun(model.shape.kind, 2)}
    key = (model.sha256, name)
    results = lab_found.claims.get(key)
    said, shown = st.columns(2)
    with said:
        st.html(
            f'<h3 class="cv-claim">{html.escape(say(f"lab.claim.{name}.title", **kinds))}</h3><div class="cv-lab">'
            f"<p>{html.escape(say(f'lab.claim.{name}.says', **kinds))}</p>"
            f'<p class="cv-lab-source">{source}: {html.escape(say(f"lab.claim.{name}.reported", **kinds))}</p></div>'
        )
        if not NEEDS[claim.needs](model.spec):
            _lacks(name, claim, model.spec)
            return
        label = say("lab.run" if results is None else "lab.again")
        _measured(key, partial(_try, model, name, claim), label)
        if results is not None:
            _results(name, model, results)
    if results:
        with shown:
            _drawn(name, model, results)


def _lacks(name: str, claim: Claim, network: Spec) -> None:
    """Which network a claim needs, and a way to those that are here."""
    able = [other for other in map(find, available()) if NEEDS[claim.needs](other)]
    needed = say(f"lab.needs.{claim.needs}", network=network.title, kinds=noun(network.shape.kind, 2))
    _says(needed if able else f"{needed} {say('lab.needs.nobody')}")
    _switches(name, able)


def _switches(name: str, able: list[Spec]) -> None:
    """A button for each of some networks, that has it answer."""
    with st.container(horizontal=True):
        for other in able[: frame.MOST_OFFERED]:
            st.button(
                menu.plain(other.title),
                key=f"lab_choose_{name}_{other.name}",
                on_click=session.set_network,
                args=(other.name,),
                **prepared.sign("network", ":material/swap_horiz:"),
            )


def _try(model: "Model", name: str, claim: Claim, told: work.Told) -> None:
    """Make an experiment on all samples that there are, and keep what it finds."""
    samples = [sample.take(claim.images) for sample in _samples(model.spec) if len(sample.labels)]
    found = []
    for at, sample in enumerate(samples):

        def part(share: float, at: int = at) -> None:
            told((at + share) / len(samples))

        found.append((sample.of, claim.run(Bench(model, sample, part, partial(_beside, model.spec)))))
    # Pictures of one drawing are misread together, which what is kept does not count.
    kept = None if model.spec.data.drawings else claim.kept(measurements.measured_of(model.spec.name))
    if kept is not None:
        found.append(kept)
    lab_found.keep((model.sha256, name), tuple(found))


def _samples(network: Spec) -> Iterator[Sample]:
    yield of_examples(network.shape)
    folder = os.environ.get(TEST_DATA, "").strip()
    if folder and network.data.holds is holds_mnist and (Path(folder) / "MNIST" / "raw").is_dir():
        try:
            yield _test(network.name, folder)
        except CapsvizError as error:
            print(f"capsviz: {error}", file=sys.stderr, flush=True)  # a visitor can do nothing about it


@lru_cache(maxsize=4)
def _test(network: str, folder: str) -> Sample:
    return of_test(find(network).data.load(folder, "test"), MOST)


def _beside(network: Spec) -> "Iterator[Model]":
    """The other networks that draw and read the same pictures."""
    for other in map(find, available()):
        if other.name != network.name and _same(other, network) and POSES in other.offers:
            yield session.model_of(other.name)


def _same(one: Spec, other: Spec) -> bool:
    """Whether two networks read the same pictures."""
    return (one.shape.classes, one.shape.size) == (other.shape.classes, other.shape.size)


def _comparable() -> list[Spec]:
    """The networks that draw of which there are some with and some without capsules that read the same pictures."""
    draws = [other for other in map(find, available()) if POSES in other.offers]
    return [
        one
        for one in draws
        if any(_same(one, other) and bool(one.shape.routing) != bool(other.shape.routing) for other in draws)
    ]


def _results(name: str, model: "Model", results: lab_found.Results) -> None:
    """What an experiment has found, of each sample: the verdict first."""
    if not results:
        _says(say("lab.nothing"))
    kinds = noun(model.shape.kind, 2)
    for of, found in results:
        title = say(
            f"lab.sample.{of.name}",
            count=grouped(of.images),
            drawings=grouped(of.drawings),
            data=model.spec.data.name,
            kinds=kinds,
        )
        outcome, words, rule = verdict_words(name, found)
        sentences = "".join(
            f"<p>{html.escape(sentence)}</p>" for sentence in claim_words(name, found, model.shape.kind)
        )
        st.html(
            f'<div class="cv-lab" data-testid="found-{name}"><p><b>{html.escape(title)}</b></p>'
            f'<p class="cv-verdict" data-outcome="{outcome}"><b>{html.escape(words)}</b> {html.escape(rule)}</p>'
            f"{sentences}</div>"
        )
    if any(verdict(name, found).measured is None for _, found in results):
        _switches(name, _comparable())


def _drawn(name: str, model: "Model", results: lab_found.Results) -> None:
    """The same as a chart or as pictures."""
    curves, largest = lab_found.curves(results), results[-1][1]
    kinds = {"kind": noun(model.shape.kind), "kinds": noun(model.shape.kind, 2)}
    if curves:
        frame.chart(claim_figure(name, curves), f"lab_{name}", say(f"lab.claim.{name}.title", **kinds))
    if largest.pictures:
        st.html(claim_pictures(name, largest.pictures))


# --- what routing costs ---------------------------------------------------------------------------------


def _routing_price() -> None:
    frame.heading(say("lab.price.title"))
    words = {
        "weights": grouped(PAPER.weights),
        "votes": grouped(PAPER.votes),
        "products": number(PAPER.multiply_adds / 1e6, 1),
        "megabytes": number(4 * PAPER.weights / 1e6, 1),
        "least": number(PAPER.bytes / 1e6, 1),
    }
    _says(say("lab.price.arithmetic", **words))
    _says(say("lab.price.says"))
    _measured(PRICE, _weigh, say("lab.price.again" if lab_found.price else "lab.price.run"))
    _prices()


def _weigh(told: work.Told) -> None:
    lab_found.price.update(price(told))


def _prices() -> None:
    """Four small charts of time, and four of memory."""
    if not lab_found.price:
        return
    _says(say("lab.price.here", machine=machine()))
    for what, tab in zip(
        ("time", "memory"), st.tabs([say("chart.price.time"), say("chart.price.memory")]), strict=True
    ):
        with tab:
            for left, right in zip(*[iter(AXES)] * 2, strict=True):
                for axis, column in zip((left, right), st.columns(2), strict=True):
                    with column:
                        title = f"{say(f'chart.price.{what}')}, {say(f'chart.price.{axis}')}"
                        frame.chart(
                            price_figure(axis, lab_found.price[axis], what), f"lab_{what}_{axis}", title
                        )


# --- measuring ------------------------------------------------------------------------------------------


def _measured(key: Hashable, compute: Callable[[work.Told], None], label: str) -> None:
    """A button that begins a measurement, or how far it is; nothing else runs again for a look."""
    mine = _mine(key)

    def shown() -> None:
        if mine is not None and not mine.running:
            st.rerun()  # of the whole page, which shows what came of it
        name = key if isinstance(key, str) else key[-1]  # type: ignore[index]
        if mine is not None:
            with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
                st.button(say("lab.stop"), key=f"lab_stop_{name}", on_click=mine.stop, icon=":material/stop:")
                st.progress(mine.share, text=say("lab.running", share=f"{mine.share:.0%}"))
            return
        busy = work.running() is not None
        if st.button(
            label,
            key=f"lab_run_{name}",
            icon=":material/science:",
            disabled=busy,
            help=say("lab.busy") if busy else None,
        ):
            _begin(key, compute)
        failed, sentence = st.session_state.get(PROBLEM_KEY, (None, ""))
        if failed == key:
            st.warning(sentence)

    st.fragment(shown, run_every=AGAIN if mine is not None else None)()


def _mine(key: Hashable) -> work.Work | None:
    """What this session has begun to measure, if it is that."""
    begun: work.Work | None = st.session_state.get(WORK_KEY)
    return begun if begun is not None and begun.key == key else None


def _begin(key: Hashable, compute: Callable[[work.Told], None]) -> None:
    st.session_state.pop(PROBLEM_KEY, None)
    begun = work.begin(key, compute)
    if begun is not None:
        st.session_state[WORK_KEY] = begun
    st.rerun()  # of the whole page: all other buttons wait


def _settle() -> None:
    """Once what this session has begun is through: keep why it failed, and let go of it."""
    begun: work.Work | None = st.session_state.get(WORK_KEY)
    if begun is None or begun.running:
        return
    st.session_state.pop(WORK_KEY)
    error = begun.error
    if error is not None:
        print(f"capsviz: {error}", file=sys.stderr, flush=True)
        known = isinstance(error, CapsvizError)
        sentence = str(error) if known else session.failure(RuntimeError(str(error)))
        st.session_state[PROBLEM_KEY] = (begun.key, sentence)


def _elsewhere(model: "Model") -> None:
    """While what is measured is another session's, or of a network that is not shown, say that all wait for it."""
    now, shown = work.running(), {PRICE, *((model.sha256, name) for name in CLAIMS)}
    own = now is st.session_state.get(WORK_KEY)
    if now is None or (own and now.key in shown):
        return

    def waiting() -> None:
        if not now.running:
            st.rerun()  # of the whole page: no button waits any more
        _says(say("lab.waiting", share=f"{now.share:.0%}"))

    st.fragment(waiting, run_every=WAITING)()


def _says(sentence: str) -> None:
    st.html(f'<div class="cv-lab"><p>{html.escape(sentence)}</p></div>')
