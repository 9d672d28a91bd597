"""Three parts of the Lab, of what was measured once, by commands that anyone can repeat: ablations, and what networks have not seen."""

import html

import streamlit as st

from capsviz.app import frame
from capsviz.figures import generalisation as figures
from capsviz.measures import ablations, generalisation
from capsviz.measures.findings import found
from capsviz.measures.runs import Ablation, Few, Placed, Timing
from capsviz.texts import say
from capsviz.texts.numbers import grouped, per_cent

CHART = 760  # pixels that a chart is wide, so that its words can be read on paper too


def show_ablations() -> None:
    """The capsule network without some of its parts, beside what was published."""
    results = ablations.results(found(Ablation), found(Timing))
    if not results:
        return
    first = results[0]
    frame.heading(say("ablation.title"))
    st.markdown(say("ablation.says", count=first.epochs))
    st.html(figures.table_html(figures.ablations_table(results), "ablations"))
    errors = {
        figures.variant_name(one): one.error
        for one in results
        if one.variant.network == first.variant.network
    }
    _say(figures.verdict(errors, "ablation"), say("ablation.note", images=grouped(first.images)))
    _by(f"python -m capsviz ablate --data DIR --out DIR --epochs {first.epochs} --seeds {first.seeds}")


def show_placed() -> None:
    """Digits changed otherwise than in training."""
    runs = generalisation.runs_of(found(Placed))
    if not runs:
        return
    at = generalisation.level(runs)
    stopped = generalisation.stopped(runs, at)
    seeds = max(map(len, runs.values()))
    frame.heading(say("generalise.title"))
    st.markdown(say("generalise.says", wrong=per_cent(at)))
    st.html(figures.table_html(figures.placed_table(stopped), "placed"))
    note = say("generalise.note" if at == generalisation.TARGET else "generalise.short", wrong=per_cent(at))
    _say(*figures.placed_says(stopped, seeds), note)
    with st.container(width=CHART):
        frame.chart(figures.placed_figure(runs, stopped), "placed", say("chart.placed.title"))
    epochs = (
        max(row.steps for of in runs.values() for looks in of.values() for row in looks) // ablations.STEPS
    )
    _by(f"python -m capsviz generalise --part placed --data DIR --out DIR --epochs {epochs} --seeds {seeds}")


def show_few() -> None:
    """Networks trained with few examples."""
    rows = found(Few)
    few = generalisation.by_examples(rows)
    if not few:
        return
    steps, seeds = rows[0].steps, len({row.seed for row in rows})
    frame.heading(say("generalise.few.title"))
    st.markdown(say("generalise.few.says", steps=grouped(steps), batch=rows[0].batch))
    st.html(figures.table_html(figures.few_table(few), "few"))
    _say(figures.few_note(rows))
    with st.container(width=CHART):
        frame.chart(figures.few_figure(few), "few", say("chart.few.title"))
    _by(f"python -m capsviz generalise --part few --data DIR --out DIR --steps {steps} --seeds {seeds}")


def _say(*sentences: str) -> None:
    st.html(f'<p class="cv-said">{html.escape(" ".join(filter(None, sentences)))}</p>')


def _by(command: str) -> None:
    """The command that measured it."""
    st.html(f'<p class="cv-said">{html.escape(say("ablation.by"))} <code>{html.escape(command)}</code></p>')
