"""What was measured on the Lab page, kept for all sessions; and the table of it that can be taken along."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator, Sequence

from capsviz.measures import ablations, generalisation
from capsviz.measures.claims import CLAIMS, Curve, Found
from capsviz.measures.findings import found as trained
from capsviz.measures.generalisation import ran_on
from capsviz.measures.price import AXES, Cost
from capsviz.measures.runs import Ablation, Few, Placed, Timing
from capsviz.measures.samples import Measured, Of
from capsviz.measures.verdicts import verdict
from capsviz.networks.base import DEFAULT, find
from capsviz.texts import say
from capsviz.texts.numbers import grouped

KEPT = 64  # results of experiments
HEAD = [
    "part",
    "what",
    "measured",
    "of",
    "at",
    "value",
    "low",
    "high",
    "pictures",
    "drawings",
    "repeats",
    "source",
]

Results = tuple[tuple[Of, Found], ...]  # of each sample
Row = tuple[str | int | float, ...]  # of HEAD; "" for what there is not

claims: OrderedDict[Hashable, Results] = OrderedDict()  # by (checksum of weights, name of the claim)
price: dict[str, list[Cost]] = {}  # by what is changed; empty until it has been measured


def keep(key: Hashable, results: Results) -> None:
    """Keep what an experiment found; of too many, those go that were kept first."""
    claims[key] = results
    while len(claims) > KEPT:
        claims.popitem(last=False)


def curves(results: Results) -> list[Curve]:
    """What is drawn of an experiment: where it makes one curve, that of each sample; of several, those of the last sample."""
    largest = list(results[-1][1].curves)
    if len(largest) != 1:
        return largest
    return [
        found.curves[0]._replace(name=say(f"lab.curve.{of.name}", count=grouped(of.images)))
        for of, found in results
    ]


def table(sha256: str) -> tuple[Row, ...]:
    """All that the page shows of a network's weights: a row of ``HEAD`` for each number, with its 95% interval if it has one."""
    return (*_claims(sha256), *_ablations(), *_placed(), *_few(), *_price())


def _row(
    *named: str | int | float,
    value: float,
    ends: Sequence[float] = (),
    of: Sequence[int] = (),
    repeats: int | str = "",
    source: str = "",
) -> Row:
    """A row of ``HEAD``.

    Args:
        named: what its first five columns say.
        value: that was measured.
        ends: of its interval, if it has one.
        of: how many pictures it is of, and how many drawings these are of, if it is of any.
        repeats: how many trainings or passes it is of, if it is of any.
        source: a link to where it was published.
    """
    return (*named, value, *(ends or ("", "")), *(of or ("", "")), repeats, source)


def _claims(sha256: str) -> Iterator[Row]:
    for name, claim in CLAIMS.items():
        for sample, found in claims.get((sha256, name), ()):
            outcome, decides = verdict(name, found)
            measured: list[tuple[str, str | float, Measured]] = []
            if decides is not None:
                measured.append((f"verdict: {outcome}", "", decides))
            measured += [(what, "", one) for what, one in (*found.measured.items(), *found.networks.items())]
            measured += [
                (curve.name or "curve", at, point)
                for curve in found.curves
                for at, point in zip(curve.x, curve.y, strict=True)
            ]
            for what, at, one in measured:
                ends, of = (one.low, one.high), (one.images, one.drawings)
                yield _row(
                    "claims",
                    name,
                    what,
                    sample.name,
                    at,
                    value=one.value,
                    ends=ends,
                    of=of,
                    source=claim.link,
                )
            for what, value in found.numbers.items():
                yield _row("claims", name, what, sample.name, "", value=value, source=claim.link)


def _ablations() -> Iterator[Row]:
    paper = find(DEFAULT).source.link
    for result in ablations.results(trained(Ablation), trained(Timing)):
        variant, error = result.variant, result.error
        one, seeds = ("ablations", variant.name), result.seeds
        yield _row(*one, "test error", "test", "", value=error["mean"], ends=error["interval"], repeats=seeds)
        yield _row(*one, "test error", "published", "", value=variant.published / 100, source=paper)
        yield _row(*one, "parameters trained", "", "", value=result.parameters)
        yield _row(*one, "multiply-adds", "", "", value=result.multiply_adds)
        for device, milliseconds in result.answer.items():
            yield _row(*one, "milliseconds of an answer", device, "", value=milliseconds)
        yield _row(*one, "epochs of training", "", "", value=result.epochs, repeats=seeds)
        for device, seconds in result.seconds.items():
            yield _row(*one, "seconds of training", device, "", value=seconds)


def _placed() -> Iterator[Row]:
    runs = generalisation.runs_of(trained(Placed))
    for one in generalisation.stopped(runs, generalisation.level(runs)) if runs else ():
        for name, error in (("placed digits misread", one.placed), ("changed digits misread", one.affine)):
            named = ("placed", one.network, name, "test", "")
            yield _row(*named, value=error["mean"], ends=error["interval"], repeats=len(one.seeds))
        if one.equal:
            yield _row(
                *("placed", one.network, "changed digits misread", "at placed digits misread", one.at),
                value=one.equal["mean"],
                ends=one.equal["interval"],
                repeats=len(one.equal["errors"]),
            )
        for seed, step in zip(one.seeds, one.steps, strict=True):
            yield _row("placed", one.network, "stopped after steps", f"seed {seed}", "", value=step)
    for known in generalisation.PUBLISHED:
        named = ("placed", known.name, "changed digits misread", "affNIST", "")
        yield _row(*named, value=1 - known.affine, source=known.link)


def _few() -> Iterator[Row]:
    for network, by in generalisation.by_examples(trained(Few)).items():
        for examples, error in by.items():
            named = ("few", network, "test error", "examples of each class", examples)
            yield _row(*named, value=error["mean"], ends=error["interval"], repeats=len(error["errors"]))
            ran = {seed: ran_on(device) for device, seeds in error["devices"].items() for seed in seeds}
            for seed, value in zip(error["seeds"], error["errors"], strict=True):
                of_one = ("few", network, "test error", f"seed {seed}: {ran[seed]}", examples)
                yield _row(*of_one, value=value, repeats=1)


def _price() -> Iterator[Row]:
    for axis in AXES:
        for cost in price.get(axis, ()):
            one, at = ("price", axis), getattr(cost.sizes, axis)
            # Percentiles of the passes: no interval of their median.
            for name, seconds in (("median", cost.seconds), ("p10", cost.low), ("p90", cost.high)):
                yield _row(*one, "seconds", name, at, value=seconds, repeats=cost.repeats)
            yield _row(*one, "bytes made", "", at, value=cost.made)
            yield _row(*one, "multiply-adds", "arithmetic", at, value=cost.sizes.multiply_adds)
            yield _row(*one, "bytes", "arithmetic", at, value=cost.sizes.bytes)
