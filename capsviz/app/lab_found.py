"""What was measured on the Lab page, kept for all sessions; and the table of it that can be taken along."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator

from capsviz.measures import ablations, generalisation
from capsviz.measures.claims import CLAIMS, Curve, Found
from capsviz.measures.findings import found as trained
from capsviz.measures.generalisation import ran_on
from capsviz.measures.price import AXES, Cost
from capsviz.measures.runs import Ablation, Few, Placed, Timing
from capsviz.measures.samples import Sample
from capsviz.measures.verdicts import verdict
from capsviz.networks.base import DEFAULT, find
from capsviz.texts import say
from capsviz.texts.numbers import grouped

KEPT = 64  # results of experiments
HEAD = ["part", "what", "measured", "of", "at", "value", "low", "high", "count", "source"]

Results = tuple[tuple[Sample, Found], ...]  # of each sample
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
        found.curves[0]._replace(name=say(f"lab.curve.{sample.name}", count=grouped(len(sample.labels))))
        for sample, found in results
    ]


def table(sha256: str) -> tuple[Row, ...]:
    """All that the page shows of a network's weights: a row of ``HEAD`` for each number, with its 95% interval if it has one."""
    return (*_claims(sha256), *_ablations(), *_placed(), *_few(), *_price())


def _claims(sha256: str) -> Iterator[Row]:
    for name, claim in CLAIMS.items():
        for sample, found in claims.get((sha256, name), ()):
            source = claim.link
            outcome, decides = verdict(name, found)
            if decides is not None:
                yield ("claims", name, f"verdict: {outcome}", sample.name, "", *decides, source)
            for measured, one in (*found.measured.items(), *found.networks.items()):
                low, high, count = one[1:]
                yield ("claims", name, measured, sample.name, "", one.value, low, high, count, source)
            for measured, value in found.numbers.items():
                yield ("claims", name, measured, sample.name, "", value, "", "", "", source)
            for curve in found.curves:
                for at, point in zip(curve.x, curve.y, strict=True):
                    yield ("claims", name, curve.name or "curve", sample.name, at, *point, source)


def _ablations() -> Iterator[Row]:
    paper = find(DEFAULT).source.link
    for result in ablations.results(trained(Ablation), trained(Timing)):
        variant, error = result.variant, result.error
        one = ("ablations", variant.name)
        yield (*one, "test error", "test", "", error["mean"], *error["interval"], result.seeds, "")
        yield (*one, "test error", "published", "", variant.published / 100, "", "", "", paper)
        yield (*one, "parameters trained", "", "", result.parameters, "", "", "", "")
        yield (*one, "multiply-adds", "", "", result.multiply_adds, "", "", "", "")
        for device, milliseconds in result.answer.items():
            yield (*one, "milliseconds of an answer", device, "", milliseconds, "", "", "", "")
        yield (*one, "epochs of training", "", "", result.epochs, "", "", result.seeds, "")
        for device, seconds in result.seconds.items():
            yield (*one, "seconds of training", device, "", seconds, "", "", "", "")


def _placed() -> Iterator[Row]:
    runs = generalisation.runs_of(trained(Placed))
    for one in generalisation.stopped(runs, generalisation.level(runs)) if runs else ():
        for name, error in (("placed digits misread", one.placed), ("changed digits misread", one.affine)):
            spread = (error["mean"], *error["interval"], len(one.seeds))
            yield ("placed", one.network, name, "test", "", *spread, "")
        if one.equal:
            spread = (one.equal["mean"], *one.equal["interval"], len(one.equal["errors"]))
            yield (
                "placed",
                one.network,
                "changed digits misread",
                "at placed digits misread",
                one.at,
                *spread,
                "",
            )
        for seed, step in zip(one.seeds, one.steps, strict=True):
            yield ("placed", one.network, "stopped after steps", f"seed {seed}", "", step, "", "", "", "")
    for known in generalisation.PUBLISHED:
        yield (
            "placed",
            known.name,
            "changed digits misread",
            "affNIST",
            "",
            1 - known.affine,
            "",
            "",
            "",
            known.link,
        )


def _few() -> Iterator[Row]:
    for network, by in generalisation.by_examples(trained(Few)).items():
        for examples, error in by.items():
            spread = (error["mean"], *error["interval"], len(error["errors"]))
            yield ("few", network, "test error", "examples of each class", examples, *spread, "")
            ran = {seed: ran_on(device) for device, seeds in error["devices"].items() for seed in seeds}
            for seed, value in zip(error["seeds"], error["errors"], strict=True):
                yield (
                    "few",
                    network,
                    "test error",
                    f"seed {seed}: {ran[seed]}",
                    examples,
                    value,
                    "",
                    "",
                    1,
                    "",
                )


def _price() -> Iterator[Row]:
    for axis in AXES:
        for cost in price.get(axis, ()):
            at = getattr(cost.sizes, axis)
            # Percentiles of the passes: no interval of their median.
            for name, seconds in (("median", cost.seconds), ("p10", cost.low), ("p90", cost.high)):
                yield ("price", axis, "seconds", name, at, seconds, "", "", cost.repeats, "")
            yield ("price", axis, "bytes made", "", at, cost.made, "", "", "", "")
            yield ("price", axis, "multiply-adds", "arithmetic", at, cost.sizes.multiply_adds, "", "", "", "")
            yield ("price", axis, "bytes", "arithmetic", at, cost.sizes.bytes, "", "", "", "")
