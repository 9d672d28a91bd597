"""What the files beside the weights may say: their form as data, and one function that holds a file to it.

A form is a check for each name; a check takes a value and what it is called ("" for a whole file), and returns the
value or refuses it with one sentence. Nothing of a card, an evaluation or a checkpoint is used before it has gone through one of these.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from capsviz.checks import quoted, real, whole
from capsviz.errors import MessageError
from capsviz.inputs.own import FEWEST, LONGEST_LABEL, MOST_CLASSES, SOURCES, kind_of, plain, trouble
from capsviz.networks.base import Spec
from capsviz.traces.base import LENGTH, MARGIN_ABSENT

Check = Callable[[object, str], Any]

TEXT = 2_000  # characters
PACKED = 3_000_000  # of a number for each vote of 36,000 capsules and 30 classes
PLAIN = re.compile(r"[A-Za-z0-9+/]*={0,2}")
COUNT = 10**12
LARGE = 1e12  # no loss and no number of seconds is above it
DEEP = 20  # means of means; each level is a training and a mean, so nobody comes near it


def text(value: object, what: str) -> str:
    """A text of one line, without characters that do not print."""
    if not isinstance(value, str) or len(value) > TEXT or not value.isprintable():
        raise MessageError(f"{what} must be a line of text, not {quoted(value)}.")
    return value


def packed(value: object, what: str) -> str:
    """Numbers in base 64, not too many."""
    if not isinstance(value, str) or len(value) > PACKED or not PLAIN.fullmatch(value):
        raise MessageError(f"{what} must be numbers in base 64, not {quoted(value)}.")
    return value


def sha256(value: object, what: str) -> str:
    """64 hexadecimal digits, small ones."""
    if not isinstance(value, str) or len(value) != 64 or set(value) - set("0123456789abcdef"):
        raise MessageError(f"{what} must be 64 hexadecimal digits, not {quoted(value)}.")
    return value


def origin(value: object, what: str) -> str:
    """The checksum of the weights that a training started from; "" where it started from none."""
    return "" if value == "" else sha256(value, what)


def truth(value: object, what: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise MessageError(f"{what} must be true or false, not {quoted(value)}.")
    return value


def count(value: object, what: str) -> int:
    """How many there are: 0 or more."""
    return whole(value, 0, COUNT, what)


def several(value: object, what: str) -> int:
    """How many there are of what cannot be missing: 1 or more."""
    return whole(value, 1, COUNT, what)


def share(value: object, what: str) -> Any:
    """A rate, a length or a probability: from 0 to 1."""
    real(value, 0, 1, what)
    return value


def amount(value: object, what: str) -> Any:
    """A loss, a width, a time: 0 or more."""
    real(value, 0, LARGE, what)
    return value


def number(value: object, what: str) -> Any:
    """Any finite number."""
    real(value, -LARGE, LARGE, what)
    return value


def listed(check: Check, least: int = 0, most: int = 100_000) -> Check:
    """The check of a list of from ``least`` to ``most`` such values."""

    def read(value: object, what: str) -> list[Any]:
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise MessageError(f"{what} must be a list of {least:,} to {most:,}.")
        return [check(entry, f"{what}[{place}]") for place, entry in enumerate(value)]

    return read


def form(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """The check of an object with these names; others, which nothing here reads, are left out."""
    known = {**required, **(optional or {})}

    def read(value: object, what: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise MessageError(f"{what or 'it'} must be an object, not {quoted(value)}.")
        missing = required.keys() - value.keys()
        if missing:
            raise MessageError(f"{what or 'it'} lacks {min(missing)}.")
        within = f"{what}." if what else ""
        return {name: known[name](value[name], within + name) for name in value if name in known}

    return read


SETTINGS = {
    **dict.fromkeys(("epochs", "batch_size", "iterations"), several),
    **dict.fromkeys(("seed", "warmup_steps", "shift"), count),
    **dict.fromkeys(("learning_rate", "final_learning_rate"), share),
}
LATER_SETTINGS = {  # which cards of older versions lack
    **dict.fromkeys(("augment", "average_start", "mixed_precision"), truth),
    **dict.fromkeys(("noise", "synthetic", "others", "reconstruction"), share),
    "pool": count,
    "start_from": origin,
    "network": text,
}
LOG = listed(
    form(
        {
            "epoch": several,
            **dict.fromkeys(("reconstruction_loss", "seconds"), amount),
            **dict.fromkeys(("train_error", "validation_error"), share),
        },
        dict.fromkeys(("margin_loss", "cross_entropy"), amount),
    )
)


def settings(value: object, what: str, deep: int = DEEP) -> dict[str, Any]:
    """The settings of a training, or of a mean of several with theirs."""
    if not deep:
        raise MessageError(f"The settings are of means of means, more than {DEEP} deep.")

    def trainings(value: object, what: str) -> Any:
        return listed(lambda entry, name: settings(entry, name, deep - 1))(value, what)

    parts = listed(
        form(
            {
                "sha256": sha256,
                "validation_error": share,
                "test_error": share,
                "trainings": trainings,
            }
        ),
        least=2,
    )
    return form(SETTINGS, {**LATER_SETTINGS, "averaged": parts})(value, what)


_own = form(
    {
        "format": several,
        **dict.fromkeys(("base", "source", "name", "kind"), text),
        "classes": listed(text, FEWEST, MOST_CLASSES),
        **dict.fromkeys(("train", "choose", "test"), several),
        "skip": truth,
        "sha256": sha256,
    }
)


def own(value: object, what: str) -> dict[str, Any]:
    """What a card says of data of one's own, and that its parts belong together."""
    known: dict[str, Any] = _own(value, what)
    names = known["classes"]
    problem = trouble(names)
    if problem or names != [plain(name) for name in names]:
        raise MessageError(f"{what} {problem or 'has names of classes with spaces around them'}.")
    if known["source"] not in SOURCES or known["kind"] != kind_of(names):
        raise MessageError(f"{what} has a source or a kind that does not go with its classes.")
    if not 0 < len(known["name"]) <= LONGEST_LABEL:
        raise MessageError(f"{what}.name must have 1 to {LONGEST_LABEL} characters.")
    if known["choose"] >= known["train"]:
        raise MessageError(f"{what}.choose must be less than {what}.train.")
    return known


_card = form(
    {
        "sha256": sha256,
        **dict.fromkeys(("name", "paper", "data", "command", "commit", "device", "torch"), text),
        "parameters": several,
        "settings": settings,
        **dict.fromkeys(("validation_error", "unsure_below", "test_error"), share),
        "log": LOG,
    },
    {"started_from": listed(settings), "validation_loss": amount, "own": own, "tested": several},
)


def parse_card(value: object) -> dict[str, Any]:
    """What a card says, of the file's JSON.

    Raises:
        MessageError: naming what is missing, or is not of its type or in its range.
    """
    return _card(value, "")


_interval = listed(share, 2, 2)
_measured = {"images": count, "wrong": count, "error_rate": share, "interval": _interval}
_points = listed(form({"amount": number, **_measured}), least=1)
_curve = form({"unit": text, "points": _points})
_below = form({"images": count, "below": share})


def _square(size: int) -> Check:
    """The check of counts of each of so many classes, answered as each of them."""
    return listed(listed(count, size, size), size, size)


_drawings = {
    "drawings": several,
    "writers": count,
    "widths": listed(
        form(
            {
                "width": amount,
                **dict.fromkeys(("drawings", "right", "refused"), count),
                **dict.fromkeys(("rate", "unsure"), share),
                "interval": _interval,
                "misread": listed(count),
            }
        ),
        least=1,
    ),
    **dict.fromkeys(("rate", "unsure"), share),
    "interval": _interval,
}
_spread = form(
    {
        **dict.fromkeys(("seed", "pairs"), count),
        "bins": listed(
            form(
                {
                    **dict.fromkeys(("pairs", "wrong"), count),
                    **dict.fromkeys(("low", "high", "error_rate", "found"), share),
                    "interval": _interval,
                }
            ),
            least=1,
        ),
    }
)
_rate = {"pairs": count, "rate": share, "interval": _interval, "found": share}
_pairs = form(
    {
        **_measured,
        "found": share,
        **dict.fromkeys(("seed", "shift"), count),
        "misread": listed(count),
        "alone": form({"images": count, "right": share, "only": share}),
        "alike": form({"images": count, "right": share, "only": share}),
        "spread": _spread,
    },
    {
        "made_up": _spread,
        "drawings": form(
            {**_rate, "writers": count, "widths": listed(form({**_rate, "width": amount, "refused": count}))}
        ),
    },
)
_iterations = form(
    {
        "trained": several,
        "rows": listed(
            form(
                {
                    "iterations": several,
                    **_measured,
                    **dict.fromkeys(("same", "winner", "runner_up"), share),
                }
            ),
            least=1,
        ),
    }
)
_means = form(
    {
        "images": several,
        "points": listed(
            form({"amount": number, **dict.fromkeys(("mean", "low", "high", "right"), share)}), least=1
        ),
    }
)
_rules = form(
    {
        **dict.fromkeys(("trained", "images", "averaged"), several),
        "mean": packed,
        "rows": listed(
            form(
                {
                    "coupling": text,
                    "iterations": several,
                    **dict.fromkeys(("bias", "same", "entropy"), share),
                    **_measured,
                }
            ),
            least=1,
        ),
    }
)


def _evaluation(spec: Spec) -> Check:
    """The check of an evaluation of a network: of drawings of nothing only where they can be made up."""
    from capsviz.inputs.changes import CHANGES  # with NumPy, which networks are listed without

    classes, made_up = len(spec.shape.classes), spec.data.made_up
    more = {
        "kinds": listed(form({"kind": text, "images": count, "below": share, "answered": listed(count)})),
        "others": _below,
    }
    below = ("length", "digits", *(("others",) if made_up else ()))
    confused = {"confusion": _square(classes)}
    known = {
        "file": text,
        "file_sha256": sha256,
        **confused,
    }  # of a file, not of those that the test set is made of
    return form(
        {
            "format": several,
            "sha256": sha256,
            **dict.fromkeys(("data", "device", "kind"), text),
            "classes": listed(text, classes, classes),
            **_measured,
            "misread": listed(count),
            "confusion": _square(classes),
            "calibration": form(
                {
                    **dict.fromkeys(("length", "accuracy", "ece"), share),
                    "bins": listed(
                        form(
                            {
                                "images": count,
                                **dict.fromkeys(("low", "high", "length", "accuracy"), share),
                                "interval": _interval,
                            }
                        )
                    ),
                }
            ),
            **({"iterations": _iterations} if spec.shape.iterates else {}),
            "curves": form(dict.fromkeys(("rotated", "shifted", "scaled", "noised"), _curve)),
            "unsure": form(
                {
                    "threshold": share,
                    "digits": form({"images": count, "below": share, "misread": count}),
                    **(more if made_up else {}),
                    "below": form({name: listed(share) for name in below}),
                }
            ),
            **({"made_up": form(_drawings | confused)} if made_up else {}),
            **({"pairs": _pairs} if spec.shape.answers > 1 else {}),
        },
        {
            "score": text,
            "drawings": form(_drawings, known),
            "changes": form({}, dict.fromkeys(CHANGES, _means)),
            "rules": _rules,
        },
    )


def parse_evaluation(value: object, spec: Spec) -> dict[str, Any]:
    """What was measured of weights, of the file's JSON.

    Args:
        value: the JSON.
        spec: the network that was measured.

    Raises:
        MessageError: naming what is missing, or is not of its type or in its range.
    """
    evaluation: dict[str, Any] = _evaluation(spec)(value, "")
    if (evaluation["kind"], *evaluation["classes"]) != (spec.shape.kind, *spec.shape.classes):
        raise MessageError(f"kind and classes must be those of {spec.name}.")
    if evaluation.get("score", LENGTH) != spec.shape.score:  # which evaluations of older versions lack
        raise MessageError(f"score must be {spec.shape.score}.")
    routing = evaluation.get("iterations")
    if routing and routing["trained"] > len(routing["rows"]):
        raise MessageError("iterations.rows must go as far as the iterations of training.")
    below = evaluation["unsure"]["below"]
    if MARGIN_ABSENT not in below["length"] or len({len(shares) for shares in below.values()}) > 1:
        raise MessageError(
            f"unsure.below must have a share for each length, and one of them is {MARGIN_ABSENT}."
        )
    return evaluation
