"""What each component of a class capsule's pose does to the drawing: measured, put into words.

As in Figure 4 of the paper, one component at a time is moved from 0.25 below to 0.25 above where it is, and
both ends are drawn. Each drawing is measured; a property that changes in the same way in nearly every image
is what the component means. ``python -m capsviz poses`` writes the result beside the weights.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from tqdm import tqdm

from capsviz.checks import whole_number
from capsviz.errors import CapsvizError, DataError, WeightsError
from capsviz.measures.properties import PROPERTIES, measure_images, usual
from capsviz.models import facts
from capsviz.models.weights import beside, load_card, locate, network_of, read_facts, write_atomically
from capsviz.networks.base import DEFAULT
from capsviz.texts import localised, noun, say
from capsviz.texts.numbers import grouped, per_cent, short
from capsviz.traces.base import LENGTH, Shape

if TYPE_CHECKING:
    from capsviz.models.model import Model

# A property is clear if its mean change is at least this many times its spread between images of the digit, and
# has the same sign in this share of them. A second one is named if it is at least so much of the first.
MIN_STANDARDISED, MIN_SAME_SIGN, MIN_OF_FIRST = 0.75, 0.8, 0.5
REACH = 1.0  # how far numbers are moved that are no capsule's, and of which no length is below 1
OUTSIDE = (0.5, 99.5)  # percentiles of a component in training, between which a slider is at home


# --- measuring poses ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settings:
    """How poses are measured.

    Attributes:
        data: name of the images.
        per_digit: images of each digit in which components are moved.
        range_per_digit: images of each digit, those included, that tell the range of its components.
        seed: of the choice of images and of their shifts.
        reach: how far a component is moved, down and up (section 5.1 of the paper).
        shift: pixels by which each image is first moved at random, in both directions, as in training. MNIST's
            digits are all centred: without this, place would seem to be nothing that differs between images.
        iterations: routing iterations.
    """

    data: str = "MNIST training set"
    per_digit: int = 200
    range_per_digit: int = 1000
    seed: int = 0
    reach: float = 0.25
    shift: int = 2
    iterations: int = 3

    def __post_init__(self) -> None:
        least = {"per_digit": 2, "range_per_digit": self.per_digit, "seed": 0, "shift": 0, "iterations": 1}
        for name, low in least.items():
            number = whole_number(getattr(self, name))
            if number is None or number < low:
                raise CapsvizError(f"{name} must be a whole number from {low}, not {getattr(self, name)!r}.")
        if not (isinstance(self.reach, int | float) and math.isfinite(self.reach) and self.reach > 0):
            raise CapsvizError(f"reach must be a number above 0, not {self.reach!r}.")


def standard(model: "Model") -> Settings:
    """How the poses of a network are measured, where nothing else is said."""
    return Settings(
        data=f"{model.spec.data.name} training set",
        iterations=model.shape.trained,
        reach=Settings.reach if model.shape.score == LENGTH else REACH,
    )


@dataclass(frozen=True)
class Effect:
    """What moving a component from its low to its high end does to one property of the drawing.

    Attributes:
        change: mean over the images, in the property's unit.
        std: standard deviation of the change over the images.
        standardised: ``change`` as a multiple of the property's spread between images of that digit.
        same_sign: share of the images, 0..1, in which it changes in the direction of ``change``.
    """

    change: float
    std: float
    standardised: float
    same_sign: float


@dataclass(frozen=True)
class Range:
    """What values a number has in training: mean, standard deviation, 0.5 and 99.5% percentile."""

    mean: float
    std: float
    low: float
    high: float


@dataclass(frozen=True)
class Component(Range):
    """One of a class's D pose components: its values in training, and what it does to the drawing.

    Attributes:
        strength: mean squared difference, 0..1, between the pixels at its two ends.
        effects: for each key of ``PROPERTIES`` its effect.
        caption: the effect in words, for a rising value.
    """

    strength: float
    effects: Mapping[str, Effect]
    caption: str


@dataclass(frozen=True)
class DigitPoses:
    """The pose of one class.

    Attributes:
        length: range of |v|, 0..1; None where it says nothing.
        spread: standard deviation of each property between reconstructions of that digit, in its unit.
        components: D, in the order of the pose.
    """

    length: Range | None
    spread: Mapping[str, float]
    components: tuple[Component, ...]


@dataclass(frozen=True)
class PoseMeasurements:
    """What was measured of one network.

    Attributes:
        sha256: checksum of its weights file.
        settings: how it was measured.
        digits: one for each class capsule.
    """

    sha256: str
    settings: Settings
    digits: tuple[DigitPoses, ...]

    @property
    def middle(self) -> float:
        """How many percent of the images a component's range holds; half of the others lie on either side."""
        return OUTSIDE[1] - OUTSIDE[0]

    def explanation(self, kind: str) -> str:
        """How captions and ranges came about, in a few sentences; ``kind`` is that of the network's shape."""
        how = self.settings
        return say(
            "pose.measured",
            count=how.per_digit,
            kind=noun(kind),
            data=how.data,
            reach=how.reach,
            least=MIN_STANDARDISED,
            same=per_cent(MIN_SAME_SIGN, 0),
            middle=short(self.middle),
            range=grouped(how.range_per_digit),
        )


def measure_poses(
    model: "Model", images: ArrayLike, labels: ArrayLike, settings: Settings | None = None
) -> PoseMeasurements:
    """Move each component of each digit's pose, in many images, and measure what changes in the drawing.

    Numbers are rounded to four significant digits. Captions follow from them by ``describe``.

    Args:
        model: the network.
        images: [N, S, S] of its training set, in 0..1. Those that it reads correctly are drawn from, in a
            random order that depends on the seed alone.
        labels: [N] their classes, from 0.
        settings: how many images, how far, and so on; ``standard`` if not given.

    Returns:
        The measurements; the same for the same arguments on the same device.

    Raises:
        CapsvizError: if the network has no poses.
        DataError: if there are not ``settings.per_digit`` images of each digit that the network reads.
    """
    if not model.shape.pose:
        raise CapsvizError(f"{model.spec.name} has no poses to measure: choose a network that draws.")
    settings = settings or standard(model)
    pixels, digits = np.asarray(images), np.asarray(labels)
    if digits.shape != pixels.shape[:1]:
        raise DataError(
            f"There are {len(pixels):,} images and labels of shape {digits.shape}: give each image one."
        )
    measured = []
    for digit in tqdm(range(len(model.shape.classes)), desc=noun(model.shape.kind, 2), disable=None):
        poses = _read_correctly(model, pixels, np.flatnonzero(digits == digit), digit, settings)
        measured.append(_measure_digit(model, poses, digit, settings))
    return PoseMeasurements(model.sha256, settings, tuple(measured))


def _read_correctly(
    model: "Model", images: np.ndarray, candidates: np.ndarray, digit: int, settings: Settings
) -> np.ndarray:
    """[N, D] poses of images of one digit, N from ``per_digit`` to ``range_per_digit``."""
    draw = np.random.default_rng([settings.seed, digit])
    most, size = settings.shift, model.shape.size
    poses: list[np.ndarray] = []
    for index in draw.permutation(candidates):
        down, right = draw.integers(0, 2 * most + 1, 2)
        shifted = np.pad(images[index], most)[down : down + size, right : right + size]
        trace = model.trace(shifted, settings.iterations)
        if trace.prediction == digit:
            poses.append(trace.v[-1, digit])
        if len(poses) == settings.range_per_digit:
            break
    if len(poses) < settings.per_digit:
        raise DataError(
            f"Only {len(poses)} images of the {model.shape.kind} {model.shape.classes[digit]} are there and read correctly, of {settings.per_digit} "
            "to measure: give all of the training set."
        )
    return np.array(poses)


def _measure_digit(model: "Model", poses: np.ndarray, digit: int, settings: Settings) -> DigitPoses:
    some = poses[: settings.per_digit]
    natural = measure_images(model.decode(some, digit))
    spread = {name: _std(values[~np.isnan(values)]) for name, values in natural.items()}
    components = []
    for index in range(model.shape.pose):
        step = settings.reach * np.eye(model.shape.pose, dtype=np.float32)[index]
        low, high = model.decode(some - step, digit), model.decode(some + step, digit)
        before, after = measure_images(low), measure_images(high)
        effects = {
            name: _effect(after[name] - before[name], spread[name], usual(name, model.shape.size))
            for name in PROPERTIES
        }
        components.append(
            Component(
                **asdict(_range(poses[:, index])),
                strength=_rounded(np.square(high - low).mean()),
                effects=effects,
                caption=describe(effects),
            )
        )
    length = _range(np.linalg.norm(poses, axis=1)) if model.shape.score == LENGTH else None
    return DigitPoses(length, spread, tuple(components))


def _effect(changes: np.ndarray, spread: float, least: float) -> Effect:
    """The effect of changes [N], NaN without ink at either end, which has no direction; a spread is ``least`` or more."""
    known = changes[~np.isnan(changes)]
    change = known.mean() if known.size else 0.0
    same_sign = (np.sign(known) == np.sign(change)).sum() / len(changes)
    return Effect(
        change=_rounded(change),
        std=_std(known),
        standardised=_rounded(change / max(spread, least)),
        same_sign=_rounded(same_sign),
    )


def _range(values: np.ndarray) -> Range:
    low, high = np.percentile(values, OUTSIDE)
    return Range(_rounded(values.mean()), _std(values), _rounded(low), _rounded(high))


def _std(values: np.ndarray) -> float:
    return _rounded(values.std()) if values.size else 0.0


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def describe(effects: Mapping[str, Effect]) -> str:
    """Put the effects of raising a component into words, in the language of now.

    A property is clear if its mean change is at least 0.75 times its spread between images of the digit, and has
    the same sign in at least 80% of them. Named is the clear one with the largest standardised change, and the
    next one if that is at least half as large. The amount of ink follows from the others: it is named only where
    none of them is clear.

    Args:
        effects: for each key of ``PROPERTIES`` its effect.

    Returns:
        For example "leans right (+14°), narrower (−2.2 px)", or "no clear meaning".
    """
    sizes = {
        name: abs(effect.standardised)
        for name, effect in effects.items()
        if abs(effect.standardised) >= MIN_STANDARDISED and effect.same_sign >= MIN_SAME_SIGN
    }
    clear = sorted((name for name in sizes if name != "ink"), key=lambda name: -sizes[name]) or list(sizes)
    named = [name for name in clear[:2] if sizes[name] >= MIN_OF_FIRST * sizes[clear[0]]]
    words = [_words(name, effects[name].change) for name in named]
    if len(words) == 2:
        return say("pose.caption.two", first=words[0], second=words[1])
    return words[0] if words else say("pose.caption.unclear")


def _words(name: str, change: float) -> str:
    amount = localised(f"{change:+.{PROPERTIES[name].digits}f}")
    return say(f"pose.property.{name}.{'more' if change > 0 else 'less'}", amount=amount)


# --- storing --------------------------------------------------------------------------------------------


def poses_path(name: str | Path = DEFAULT) -> Path:
    """Where the measurements of the weights ``name`` are: beside them."""
    return beside(locate(name), "poses.json")


def save_poses(measurements: PoseMeasurements, name: str | Path = DEFAULT) -> Path:
    """Write measurements beside the weights ``name`` and return the path.

    Raises:
        OSError: if the file cannot be written.
    """
    path = poses_path(name)
    text = json.dumps(asdict(measurements), ensure_ascii=False, separators=(",", ":"))
    # A line for each component: a diff shows what has changed.
    text = text.replace('{"mean":', '\n{"mean":') + "\n"
    write_atomically(path, text.encode())
    return path


def load_poses(name: str | Path = DEFAULT, sha256: str | None = None) -> PoseMeasurements:
    """Read the measurements beside the weights ``name``.

    Args:
        name: a name in ``weights/``, or a path to a .safetensors file.
        sha256: checksum of the weights that they must belong to, as ``Model.sha256``; by default that of the card
            beside them.

    Raises:
        WeightsError: if the measurements are missing, damaged, or of other weights.
    """
    path = poses_path(name)
    card = load_card(locate(name))
    again = f"make them with python -m capsviz poses --data DIR --weights {name}"
    shape = network_of(card, path).shape
    try:
        measurements = _parse(read_facts(path), shape)
    except FileNotFoundError as error:
        raise WeightsError(f"There are no measurements of poses at {path}: {again}.") from error
    except (OSError, ValueError, TypeError, AttributeError, LookupError, OverflowError) as error:
        raise WeightsError(
            f"The measurements of poses in {path} are damaged ({type(error).__name__}: {str(error).rstrip('.')}): "
            f"{again}."
        ) from error
    wanted = card["sha256"] if sha256 is None else sha256
    if measurements.sha256 != wanted:
        raise WeightsError(
            f"The measurements of poses in {path} belong to other weights (SHA-256 {measurements.sha256[:12]}… "
            f"instead of {wanted[:12]}…): {again}."
        )
    return measurements


def _parse(data: Any, shape: Shape) -> PoseMeasurements:
    """Measurements from what ``save_poses`` has written; any of several errors if it is something else."""
    digits = tuple(
        DigitPoses(
            _read_range(**_numbers(digit["length"])) if shape.score == LENGTH else None,
            _numbers(digit["spread"]),
            tuple(_component(**component) for component in digit["components"]),
        )
        for digit in data["digits"]
    )
    classes = len(shape.classes)
    if len(digits) != classes or any(len(digit.components) != shape.pose for digit in digits):
        raise ValueError(
            f"it does not hold {classes} {noun(shape.kind, 2)} with {shape.pose} components each"
        )
    if any(digit.spread.keys() != PROPERTIES.keys() for digit in digits):
        raise ValueError(f"it does not hold the properties {', '.join(PROPERTIES)}")
    settings = {**data["settings"], "data": facts.text(data["settings"]["data"], "settings.data")}
    return PoseMeasurements(facts.sha256(data["sha256"], "sha256"), Settings(**settings), digits)


def _read_range(**numbers: float) -> Range:
    found = Range(**numbers)
    if not found.low <= found.high or found.std < 0:
        raise ValueError(f"a range goes from {found.low} to {found.high} with a deviation of {found.std}")
    return found


def _component(effects: dict[str, Any], caption: Any, **numbers: Any) -> Component:
    if effects.keys() != PROPERTIES.keys():
        raise ValueError(f"it does not hold the properties {', '.join(PROPERTIES)}")
    parsed = {name: Effect(**_numbers(effect)) for name, effect in effects.items()}
    found = Component(**_numbers(numbers), effects=parsed, caption=facts.text(caption, "a caption"))
    _read_range(mean=found.mean, std=found.std, low=found.low, high=found.high)
    return found


def _numbers(values: dict[str, Any]) -> dict[str, float]:
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(f"{name} is {value!r} instead of a finite number")
    return {name: float(value) for name, value in values.items()}
