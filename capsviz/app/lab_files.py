"""The pictures of the Lab: its verdicts, its charts and its tables, each a slide of Export's menu."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from capsviz import __version__
from capsviz.app import lab_found
from capsviz.app.prepared import hidden
from capsviz.figures import generalisation as figures
from capsviz.figures.claims import claim_figure, verdict_words
from capsviz.figures.price import price_figure
from capsviz.measures import ablations, generalisation
from capsviz.measures.claims import CLAIMS, NEEDS
from capsviz.measures.findings import found
from capsviz.measures.generalisation import PUBLISHED
from capsviz.measures.price import AXES, machine
from capsviz.measures.runs import Ablation, Few, Placed, Timing
from capsviz.measures.samples import Of
from capsviz.texts import noun, say
from capsviz.texts.numbers import grouped, per_cent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from capsviz.models.model import Model

PAGE = "page"  # of Export: the verdicts
PICTURES, TABLES = ("png", "svg"), ("csv", "json")


def offer(sha256: str) -> Mapping[str, tuple[str, ...]]:
    """What there is to take along of a network's weights: the page, each part that has rows, and each claim that was tried."""
    able = {
        "ablations": bool(found(Ablation)),
        "placed": bool(found(Placed)),
        "few": bool(found(Few)),
        "price": bool(lab_found.price),
        "memory": bool(lab_found.price),
    }
    parts = [name for name, has in able.items() if has and not hidden("price" if name == "memory" else name)]
    if hidden("claims"):
        return {PAGE: TABLES, **dict.fromkeys(parts, PICTURES)}
    drawn = [name for name in CLAIMS if _curves(sha256, name)]
    return {PAGE: (*PICTURES, *TABLES), **dict.fromkeys([*drawn, *parts], PICTURES)}


def lab_slide(model: "Model", thing: str, *, dark: bool, origin: str) -> "Figure":
    """One of what is offered.

    Args:
        model: the network of the page.
        thing: that is to be seen.
        dark: whether it is light on dark.
        origin: a line for the bottom, of what was tried on the network; what was trained for has a line of its own.
    """
    if thing == PAGE:
        return _claims(model, dark, origin)
    if thing in CLAIMS:
        return _claim(model, thing, dark, origin)
    if thing in ("price", "memory"):  # of random weights
        return PARTS[thing](dark, f"capsviz {__version__}")
    return PARTS[thing](dark, say("export.originTrained", version=__version__))


def _curves(sha256: str, name: str) -> bool:
    results = lab_found.claims.get((sha256, name))
    return bool(results and lab_found.curves(results))


def _claims(model: "Model", dark: bool, origin: str) -> "Figure":
    from capsviz.figures.slides.measured import Line, claims_slide

    kinds = {"kind": noun(model.shape.kind), "kinds": noun(model.shape.kind, 2)}
    lines = []
    for name, claim in CLAIMS.items():
        outcome, number = say("lab.untried"), ""
        if not NEEDS[claim.needs](model.spec):
            outcome, number = (
                "–",
                say(f"lab.needs.{claim.needs}", network=model.spec.title, kinds=kinds["kinds"]),
            )
        for sample, one in lab_found.claims.get((model.sha256, name), ())[-1:]:
            _, outcome, number = verdict_words(name, one, brief=True)
            number = f"{_of(sample)}. {number}"
        lines.append(Line(say(f"lab.claim.{name}.title", **kinds), outcome, number, claim.source))
    return claims_slide(say("lab.claims.title"), lines, dark=dark, origin=origin)


def _claim(model: "Model", name: str, dark: bool, origin: str) -> "Figure":
    from capsviz.figures.slides.measured import charts_slide

    results = lab_found.claims[model.sha256, name]
    kinds = {"kind": noun(model.shape.kind), "kinds": noun(model.shape.kind, 2)}
    said = []
    for sample, one in results:
        _, outcome, number = verdict_words(name, one)
        said.append(f"{_of(sample)}: {outcome}. {number}")
    chart = claim_figure(name, lab_found.curves(results))
    title = say(f"lab.claim.{name}.title", **kinds)
    return charts_slide(title, [chart], [*said, CLAIMS[name].source], dark=dark, origin=origin)


def _of(sample: Of) -> str:
    return say(f"lab.curve.{sample.name}", count=grouped(sample.images))


def _ablations(dark: bool, origin: str) -> "Figure":
    from capsviz.figures.slides.measured import table_slide

    results = ablations.results(found(Ablation), found(Timing))
    note = say("ablation.note", images=grouped(results[0].images))
    table = figures.ablations_table(results)
    return table_slide(say("ablation.title"), table, [note], dark=dark, origin=origin)


def _placed(dark: bool, origin: str) -> "Figure":
    from capsviz.figures.slides.measured import charts_slide

    runs = generalisation.runs_of(found(Placed))
    at = generalisation.level(runs)
    stopped = generalisation.stopped(runs, at)
    heads, rows = figures.placed_table(stopped)
    published = "; ".join(
        f"{name.figure} {error.figure} ({name.below})" for name, _, error, *_ in rows[-len(PUBLISHED) :]
    )
    return charts_slide(
        say("generalise.title"),
        [figures.placed_figure(runs, stopped)],
        [say("generalise.brief", wrong=per_cent(at)), say("generalise.published", published=published)],
        ([heads[0], heads[3]], [[row[0], row[3]] for row in rows[: len(stopped)]]),
        dark=dark,
        origin=origin,
    )


def _few(dark: bool, origin: str) -> "Figure":
    from capsviz.figures.slides.measured import charts_slide

    rows = found(Few)
    chart = figures.few_figure(generalisation.by_examples(rows))
    says = say("generalise.few.says", steps=grouped(rows[0].steps), batch=rows[0].batch)
    return charts_slide(
        say("generalise.few.title"), [chart], [says, figures.few_note(rows)], dark=dark, origin=origin
    )


def _costs(what: str) -> "Callable[[bool, str], Figure]":
    def drawn(dark: bool, origin: str) -> "Figure":
        from capsviz.figures.slides.measured import charts_slide

        charts = [price_figure(axis, lab_found.price[axis], what) for axis in AXES]
        here = say("lab.price.here", machine=machine())
        title = f"{say('lab.price.title')}: {say(f'chart.price.{what}')}"
        return charts_slide(title, charts, [here], dark=dark, origin=origin)

    return drawn


PARTS: "dict[str, Callable[[bool, str], Figure]]" = {
    "ablations": _ablations,
    "placed": _placed,
    "few": _few,
    "price": _costs("time"),
    "memory": _costs("memory"),
}
