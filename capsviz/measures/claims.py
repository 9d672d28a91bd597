"""What papers say that capsules do not do, each as an experiment of some seconds on a trained network.

An experiment is one function and an entry of ``CLAIMS``; its words are the texts lab.claim.NAME.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.random import default_rng

from capsviz.inputs.preprocess import FIELD
from capsviz.inputs.spread import placed
from capsviz.inputs.strokes import make_image, other_of_kind
from capsviz.measures.refusals import refusals
from capsviz.measures.rules import evenness
from capsviz.measures.samples import Measured, Of, Sample, change, mean, share
from capsviz.measures.statistics import SEED
from capsviz.models.rates import wilson
from capsviz.networks.base import Spec
from capsviz.traces.base import COUPLING, POSES, SEVERAL, Shape
from capsviz.traces.rules import BIAS
from capsviz.traces.surgery import MOST_ROUNDS, reattend, reroute

if TYPE_CHECKING:
    from capsviz.models.model import Model
    from capsviz.traces.attention import AttentionTrace

AT_ONCE = 10  # images from one look at whether to go on to the next
ROUNDS = 10  # iterations over which answers are compared
OTHERS, UNSEEN = 200, "other scripts and pictures"  # pictures of what is of no class, and of what kind
FALSE_ALARMS = 0.05  # share of the images that are to be refused by mistake (Frosst, Sabour & Hinton 2018)
ALARMS = tuple(k / 100 for k in range(21))  # such shares of a curve
SHOWN = 10  # pictures of a strip
APART = 4  # pixels that each of two digits is moved from the middle, as in training


class Curve(NamedTuple):
    """Shares or means along x, and their intervals; ``name`` is a network's title, "" where there is but one curve."""

    name: str
    x: Sequence[float]
    y: Sequence[Measured]


class Picture(NamedTuple):
    """One picture of a strip: the text of the claim that names it, and what that names besides."""

    pixels: np.ndarray  # [S, S] in 0..1
    name: str
    values: Mapping[str, str | float]


class Found(NamedTuple):
    """What an experiment found.

    Attributes:
        measured: what its sentence names, by name.
        numbers: further numbers of it.
        networks: likewise, of each network by its title, where several are compared.
        curves: to be drawn, over one x axis.
        pictures: to be shown.
        plain: titles of those ``networks`` that have no capsules.
    """

    measured: Mapping[str, Measured]
    numbers: Mapping[str, float] = {}
    networks: Mapping[str, Measured] = {}
    curves: Sequence[Curve] = ()
    pictures: Sequence[Picture] = ()
    plain: Sequence[str] = ()


class Bench(NamedTuple):
    """What an experiment is made with.

    Attributes:
        model: the network.
        sample: not empty.
        told: is told the share that is done, in 0..1; what it raises ends the experiment.
        beside: gives the other networks of the same images and classes that draw.
    """

    model: "Model"
    sample: Sample
    told: Callable[[float], None] = lambda share: None
    beside: "Callable[[], Iterable[Model]]" = lambda: ()

    def parts(self) -> Iterator[slice]:
        """Some images after the other."""
        count = len(self.sample.labels)
        for start in range(0, count, AT_ONCE):
            self.told(start / count)
            yield slice(start, start + AT_ONCE)


class Claim(NamedTuple):
    """One claim.

    Attributes:
        source: authors, year and number of the paper.
        link: to it.
        needs: of ``NEEDS``: what a network must have.
        images: at most so many are tried.
        run: the experiment.
        kept: what was found of it when the weights were evaluated, and on what, of what is kept beside them; None of those
            of which it was not.
    """

    source: str
    link: str
    needs: str
    images: int
    run: Callable[[Bench], Found]
    kept: Callable[[Mapping[str, Any]], tuple[Of, Found] | None] = lambda evaluation: None


NEEDS: dict[str, Callable[[Spec], bool]] = {
    "iterates": lambda spec: spec.shape.iterates,
    "routes": lambda spec: COUPLING in spec.offers,
    "several": lambda spec: SEVERAL in spec.offers,
    "draws": lambda spec: POSES in spec.offers,
}


# --- the experiments ------------------------------------------------------------------------------------


def few_answers(bench: Bench) -> Found:
    """How many answers are others after 1 to 10 iterations than after those of training."""
    model, (_, images, labels, drawings) = bench.model, bench.sample
    lengths = np.concatenate([model.scores_by_iteration(images[part], ROUNDS) for part in bench.parts()], 1)
    answers = lengths.argmax(2)  # [R, N]
    trained = model.shape.trained
    others = [share(answer != answers[trained - 1], drawings) for answer in answers]
    wrong = [share(answer != labels, drawings) for answer in answers]
    counts = list(range(1, ROUNDS + 1))
    return Found(
        {"once": others[0], "long": others[-1], "wrongOnce": wrong[0], "wrong": wrong[trained - 1]},
        {"trained": trained, "most": ROUNDS},
        curves=[Curve("", counts, others)],
    )


def few_answers_kept(evaluation: Mapping[str, Any]) -> tuple[Of, Found] | None:
    """The same of all images of a test set, each a drawing of its own, as ``evaluate`` has measured it."""
    routing = evaluation.get("iterations")
    if routing is None:
        return None
    rows, trained = routing["rows"], routing["trained"]

    def of(row: Mapping[str, Any], rate: float) -> Measured:
        count = row["images"]
        return Measured(rate, *wilson(rate * count, count), count, count)

    others = [of(row, 1 - row["same"]) for row in rows]
    wrong = [of(row, row["error_rate"]) for row in rows]
    found = Found(
        {"once": others[0], "long": others[-1], "wrongOnce": wrong[0], "wrong": wrong[trained - 1]},
        {"trained": trained, "most": len(rows)},
        curves=[Curve("", range(1, len(rows) + 1), others)],
    )
    return Of("evaluated", rows[0]["images"], rows[0]["images"]), found


def polarises(bench: Bench) -> Found:
    """What 50 iterations do to the entropy of c, and to the answers."""
    model, (_, images, _, drawings) = bench.model, bench.sample
    trained, entropies, answers = model.shape.trained, [], []
    for part in bench.parts():
        for votes in model.votes(images[part]):
            routed = reroute(votes, MOST_ROUNDS)
            entropies.append(evenness(routed.c))
            answers.append(np.linalg.norm(routed.v, axis=2).argmax(1))
    entropy, answer = np.array(entropies).T, np.array(answers).T  # [R, N]
    counts = [1, *range(5, MOST_ROUNDS + 1, 5)]
    return Found(
        {
            "changed": share(answer[-1] != answer[trained - 1], drawings),
            "before": mean(entropy[trained - 1], drawings),
            "after": mean(entropy[-1], drawings),
            "fall": change(entropy[trained - 1], entropy[-1], drawings),
        },
        {"trained": trained, "most": MOST_ROUNDS},
        curves=[Curve("", counts, [mean(entropy[at - 1], drawings) for at in counts])],
    )


def sign_blind(bench: Bench) -> Found:
    """What becomes of lengths where every primary capsule is turned into its negative.

    Votes are linear in the capsules that cast them: those of -u are -û.
    """
    model, (_, images, _, drawings) = bench.model, bench.sample
    same, apart, biased = [], [], []
    for part in bench.parts():
        for lengths in _lengths_of_votes(model, images[part]):
            here, there = lengths(1, 0.0), lengths(-1, 0.0)
            same.append(here.argmax() == there.argmax())
            apart.append(np.abs(here - there).max())
            if model.shape.iterates:
                biased.append(np.abs(lengths(1, BIAS) - lengths(-1, BIAS)).max())
    numbers = {"apart": float(max(apart))}
    if biased:
        numbers |= {"biased": float(max(biased)), "bias": BIAS}
    return Found({"same": share(np.array(same), drawings)}, numbers)


def two_alike(bench: Bench) -> Found:
    """How pictures with two of one class are read, beside those with one of it."""
    model, (_, images, labels, drawings) = bench.model, bench.sample
    size, limit = model.shape.size, float(model.card["unsure_below"])
    partners = [_partner(at, labels, drawings) for at in range(len(labels))]
    pairs = np.stack(
        [
            np.maximum(placed(images[at], size, -APART, -APART), placed(images[partner], size, APART, APART))
            for at, partner in enumerate(partners)
        ]
    )
    found = [
        np.concatenate([model.predict(shown[part]) for part in bench.parts()]) for shown in (pairs, images)
    ]
    alone = [
        share((scores.argmax(1) == labels) & ((scores >= limit).sum(1) == 1), drawings) for scores in found
    ]
    own = [float(scores[np.arange(len(labels)), labels].mean()) for scores in found]
    pictures = [
        Picture(
            pairs[at], "pair", {"name": model.classes[labels[at]], "length": float(found[0][at, labels[at]])}
        )
        for at in _of_each(labels)
    ]
    return Found(
        {"pair": alone[0], "single": alone[1]},
        {"lengthPair": own[0], "lengthSingle": own[1]},
        pictures=pictures,
    )


def absent(bench: Bench) -> Found:
    """How often what the decoder draws of a class that is neither there nor the answer is read as that class.

    The network reads it itself: a class is read if it is among the answers and not unsure.
    """
    model, (_, images, labels, drawings) = bench.model, bench.sample
    classes, limit = len(model.classes), float(model.card["unsure_below"])
    inks, answers, reads, first = [], [], [], None
    for part in bench.parts():
        scores, poses = model.answers(images[part])
        drawn = model.decode(poses[:, :, None].swapaxes(1, 2) * _each(classes)[None])  # [n, J, S, S]
        if first is None:
            first = drawn[0]
        whole = np.maximum(images[part].sum((1, 2)), 1e-6)
        inks.append(drawn.sum((2, 3)) / whole[:, None])
        reads.append(model.predict(drawn.reshape(-1, *drawn.shape[2:])).reshape(-1, classes, classes))
        answers.append(scores.argmax(1))
    ink, answer, places = np.concatenate(inks), np.concatenate(answers), np.arange(len(labels))
    read = np.concatenate(reads)  # [N, J, J] scores of what was drawn of each class
    own = np.diagonal(read, axis1=1, axis2=2)
    # As many are longer as it names besides, at most.
    named = ((read > own[:, :, None]).sum(2) < model.shape.answers) & (own >= limit)
    there = np.zeros(ink.shape, bool)
    there[places, labels] = there[places, answer] = True
    of = np.repeat(np.asarray(drawings), (~there).sum(1)).tolist()
    assert first is not None
    shown = [answer[0], *sorted(np.flatnonzero(~there[0]), key=lambda place: -own[0, place])][:SHOWN]
    pictures = [Picture(images[0], "seen", {})] + [
        Picture(
            first[place],
            "drawn" if named[0, place] else "unread",
            {"name": model.classes[place], "length": float(own[0, place])},
        )
        for place in shown
    ]
    return Found(
        {
            "read": share(named[~there], of),
            "own": share(named[places, answer], drawings),
            "ink": mean(ink[~there], of),
        },
        pictures=pictures,
    )


def refused(bench: Bench) -> Found:
    """How much of what is of no class is refused, where 5% of the images are, by the error of what is drawn again."""
    others, drawings = _others(bench.model.shape), bench.sample.drawings
    models = {model.spec.title: model for model in (bench.model, *bench.beside())}
    plain = [title for title, model in models.items() if not model.shape.routing]
    errors = {}
    for at, (title, model) in enumerate(models.items()):
        bench.told(at / len(models))
        true = _errors(model, bench.sample.images)
        bench.told((at + 0.5) / len(models))
        errors[title] = (true, _errors(model, others))
    found = refusals(errors, drawings, plain, ALARMS, ALARMS.index(FALSE_ALARMS))
    networks = {title: points[ALARMS.index(FALSE_ALARMS)] for title, points in found.points.items()}
    return Found(
        {} if found.behind is None else {"behind": found.behind},
        {"alarms": 100 * FALSE_ALARMS, "others": len(others), "size": bench.model.shape.size},
        networks,
        [Curve(title, ALARMS, points) for title, points in found.points.items()],
        plain=plain,
    )


def _lengths_of_votes(model: "Model", images: np.ndarray) -> Iterator[Callable[[int, float], np.ndarray]]:
    """Of each image what gives the lengths [J] of its votes times a sign, with a bias where routing iterates."""

    def routed(votes: np.ndarray, sign: int, bias: float) -> np.ndarray:
        return reroute(sign * votes, model.shape.trained, bias=bias).lengths

    def attended(trace: "AttentionTrace", sign: int, bias: float) -> np.ndarray:
        return reattend(sign * trace.u_hat, trace.prior).lengths

    if model.shape.iterates:
        yield from (partial(routed, votes) for votes in model.votes(images))
    else:
        yield from (partial(attended, model.trace(image)) for image in images)


def _partner(at: int, labels: np.ndarray, drawings: Sequence[str]) -> int:
    """The next image of the same class, of another drawing if there is one."""
    count = len(labels)
    following = [(at + step) % count for step in range(1, count + 1)]
    alike = [place for place in following if labels[place] == labels[at]]
    return next((place for place in alike if drawings[place] != drawings[at]), alike[0])


def _of_each(labels: np.ndarray) -> list[int]:
    """The first image of each class."""
    return [int(np.flatnonzero(labels == label)[0]) for label in np.unique(labels)][:SHOWN]


def _each(classes: int) -> np.ndarray:
    """[J, J, 1] what leaves one class's pose alone, for each."""
    return np.eye(classes, dtype=np.float32)[:, :, None]


def _errors(model: "Model", images: np.ndarray) -> np.ndarray:
    """[N] squared error, summed over the pixels, of what the answer's pose draws of images [N, S, S]."""
    errors = [np.empty(0)]
    for start in range(0, len(images), 50):
        some = images[start : start + 50]
        scores, poses = model.answers(some)
        drawn = model.decode(poses * _each(len(model.classes))[scores.argmax(1)])
        errors.append(np.square(drawn - some).sum((1, 2)))
    return np.concatenate(errors)


@lru_cache(maxsize=4)
def _others(shape: Shape) -> np.ndarray:
    """[200, S, S] what no network was trained on, as if it had been drawn; the same ones each time."""
    rng, make = default_rng([SEED, 7]), other_of_kind(UNSEEN)
    images = [make_image(make, rng, size=min(shape.size, FIELD))[0] for _ in range(OTHERS)]
    return np.stack([placed(image, shape.size) for image in images]) / np.float32(255)


_SABOUR = ("Sabour, Frosst & Hinton 2017, arXiv:1710.09829", "https://arxiv.org/abs/1710.09829")
_PAIK = ("Paik, Kwak & Kim 2019, arXiv:1907.13327", "https://arxiv.org/abs/1907.13327")
_PEER = ("Peer, Stabinger & Rodríguez-Sánchez 2019, arXiv:1905.08744", "https://arxiv.org/abs/1905.08744")
_FROSST = ("Frosst, Sabour & Hinton 2018, arXiv:1811.06969", "https://arxiv.org/abs/1811.06969")

# In the order in which they are shown.
CLAIMS = {
    "fewAnswers": Claim(*_PAIK, "iterates", 200, few_answers, few_answers_kept),
    "polarises": Claim(*_PAIK, "iterates", 100, polarises),
    "signBlind": Claim(*_PEER, "routes", 100, sign_blind),
    "twoAlike": Claim(*_SABOUR, "several", 200, two_alike),
    "absent": Claim(*_SABOUR, "draws", 100, absent),
    "refused": Claim(*_FROSST, "draws", 200, refused),
}
