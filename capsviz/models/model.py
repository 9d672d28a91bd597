"""A trained network to ask questions of: image -> trace, images -> scores, pose -> image."""

import copy
import threading
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import ArrayLike

from capsviz.arrays import pixels_of, real_array
from capsviz.checks import shown, whole_number
from capsviz.errors import CapsvizError, DeviceError
from capsviz.layers.capsules import Outcome
from capsviz.models.devices import Workers, choose_device
from capsviz.models.kernels import FirstLayer, first_layer
from capsviz.models.weights import Weights, load_weights
from capsviz.networks.base import DEFAULT, Spec
from capsviz.traces.base import INDEPENDENT, LENGTH, POSES, Shape, Trace
from capsviz.traces.plain import PlainTrace
from capsviz.traces.routing import MOST_ITERATIONS, RoutingTrace

T = TypeVar("T")
FULL = (
    "The {device} device ran out of memory, so the CPU computes from here on: close other programs that use "
    "the device and start again to go back to it."
)
_ROUTED = 50  # images whose votes, 0.7 MB each, are kept at once where every iteration is asked for
_FARTHEST = 1e6  # of a pose's components: far beyond any capsule, and no sum of the decoder overflows


class Way(Protocol):
    """How to compute with a network on its device: as its module is written, or a quicker way that it offers."""

    net: Any

    def scores(self, images: torch.Tensor, iterations: int) -> torch.Tensor:
        """[B, J] scores of images [B, S, S]."""

    def scores_by_iteration(self, images: torch.Tensor, iterations: int) -> torch.Tensor:
        """[R, B, J] scores after each of R iterations."""

    def outcome(self, images: torch.Tensor, iterations: int) -> Outcome:
        """What scores and poses of images [B, S, S] are made of."""

    def trace(self, image: torch.Tensor, iterations: int, shape: Shape) -> Trace:
        """Everything that was computed on the way of one image [S, S]."""


class Plain:
    """The module's own way."""

    def __init__(self, net: Any) -> None:
        self.net = net
        self.scores, self.scores_by_iteration, self.trace = net.scores, net.scores_by_iteration, net.trace
        self.outcome = net.outcome


class Model:
    """A trained network on one device; safe to share between threads.

    Each call computes in the thread it comes from, or in one of ``workers``. The first ``predict`` of many images
    on a CPU may keep 155 MB, its kernels' spectra (``fast.Quick``), for the next ones.

    Attributes:
        spec: what network it is.
        shape: its shape, with the routing iterations that these weights were trained with.
        card: the facts of its training.
        sha256: checksum of its weights file.
        notice: one sentence when something happened that a user should know, else "".
    """

    def __init__(self, weights: Weights, device: torch.device, workers: Workers | None = None) -> None:
        self.spec: Spec = weights.spec
        self.card = weights.card
        self.shape: Shape = weights.spec.shape
        if self.shape.iterates:
            self.shape = replace(self.shape, trained=weights.card["settings"]["iterations"])
        self.sha256 = weights.sha256
        self.notice = ""
        # Convolutions on CUDA may otherwise be done in TF32, whose 10 bits give up the fourth decimal.
        torch.backends.cudnn.allow_tf32 = False
        self._way = self._way_of(weights.net.to(device))
        self._workers = workers
        self._lock = threading.Lock()

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the scores."""
        return self.shape.classes

    @property
    def device(self) -> str:
        """Where it computes: "cpu", "cuda" or "mps"."""
        return next(self._way.net.parameters()).device.type

    @property
    def parameters(self) -> dict[str, int]:
        """Number of parameters of each part that has some: of the paper's network "conv1", "primary", "digits", "decoder"."""
        return {
            name: sum(p.numel() for p in layer.parameters()) for name, layer in self._way.net.named_children()
        }

    def without_workers(self) -> "Model":
        """The same network, computing in the thread that asks: for a caller with threads of its own."""
        alone = copy.copy(self)
        alone._workers = None
        return alone

    def trace(self, image: ArrayLike, iterations: int | None = None) -> Any:
        """Classify one image and keep every step of the way.

        Args:
            image: [S, S], white ink on black in 0..1, as ``canvas_to_mnist`` makes it.
            iterations: routing iterations R, 1 to 100; as many as in training if not given. Where nothing
                iterates, 1 or nothing.

        Returns:
            The trace, of the kind that the network makes (``capsviz.traces``), with one entry along R for each iteration.

        Raises:
            ImageError: if the image has another shape, values outside 0..1, or NaN.
            CapsvizError: if ``iterations`` is no whole number from 1 to 100, or above 1 where nothing iterates.
        """
        pixels = pixels_of(image, (self.shape.size, self.shape.size), "An image")
        rounds = self._iterations(iterations)
        return self._run(lambda way: way.trace(self._to_device(pixels, way), rounds, self.shape), long=False)

    def predict(self, images: ArrayLike, batch_size: int = 250) -> np.ndarray:
        """Classify many images.

        Args:
            images: [N, S, S], white ink on black in 0..1.
            batch_size: how many are computed at once, at least 1.

        Returns:
            Scores [N, J] in 0..1; the ``shape.answers`` highest are the answer. What they are, ``shape.score`` says: lengths of capsules,
            each for itself, or probabilities, the shares of a softmax that sum to 1, or each for itself.

        Raises:
            ImageError: if the images have another shape, values outside 0..1, or NaN.
            CapsvizError: if ``batch_size`` is no whole number from 1 up.
        """
        pixels = pixels_of(images, (None, self.shape.size, self.shape.size), "Images")
        size = whole_number(batch_size)
        if size is None or size < 1:
            raise CapsvizError(f"A batch has 1 image or more, not {shown(batch_size)}: give a whole number.")

        def compute(way: Way) -> np.ndarray:
            scores = [np.empty((0, len(self.shape.classes)), np.float32)]
            for start in range(0, len(pixels), size):
                batch = self._to_device(pixels[start : start + size], way)
                scores.append(way.scores(batch, self.shape.trained).cpu().numpy())
            return np.concatenate(scores)

        return self._run(compute, long=len(pixels) > 1)

    def answers(self, images: ArrayLike, iterations: int | None = None) -> tuple[np.ndarray, Any]:
        """Classify some images at once: scores [N, J] as of ``predict``, and poses [N, J, D], None of a network without.

        Images are as of ``predict``, ``iterations`` as of ``trace``; it raises what they do.
        """
        pixels = pixels_of(images, (None, self.shape.size, self.shape.size), "Images")
        rounds = self._iterations(iterations)

        def compute(way: Way) -> tuple[np.ndarray, np.ndarray | None]:
            evidence, poses = way.outcome(self._to_device(pixels, way), rounds)
            if self.shape.score != LENGTH:
                evidence = evidence.sigmoid() if self.shape.score == INDEPENDENT else evidence.softmax(1)
            return evidence.cpu().numpy(), None if poses is None else poses.cpu().numpy()

        return self._run(compute)

    def votes(self, images: ArrayLike) -> np.ndarray:
        """û [N, I, J, D], float32, of some images [N, S, S], 0.7 MB each in the paper's size; it raises what ``predict`` does."""
        if not self.shape.iterates:
            raise CapsvizError(f"{self.spec.name} has no votes for Procedure 1: load a network that has.")
        pixels = pixels_of(images, (None, self.shape.size, self.shape.size), "Images")

        votes: np.ndarray = self._run(
            lambda way: getattr(way, "votes", way.net.votes)(self._to_device(pixels, way)).cpu().numpy()
        )
        return votes.swapaxes(1, 2)  # [J, I] -> [I, J]

    def scores_by_iteration(self, images: ArrayLike, iterations: int | None = None) -> np.ndarray:
        """Classify many images, and say what the answer would have been after each routing iteration.

        Args:
            images: [N, S, S], white ink on black in 0..1.
            iterations: routing iterations R, 1 to 100; if not given 10, or 1 where nothing iterates.

        Returns:
            Scores [R, N, J] in 0..1, as of ``predict``: a routing of r iterations is the beginning of any longer one.

        Raises:
            ImageError: if the images have another shape, values outside 0..1, or NaN.
            CapsvizError: if ``iterations`` is no whole number from 1 to 100, or above 1 where nothing iterates.
        """
        pixels = pixels_of(images, (None, self.shape.size, self.shape.size), "Images")
        rounds = self._iterations(10 if iterations is None and self.shape.iterates else iterations)

        def compute(way: Way) -> np.ndarray:
            scores = [np.empty((rounds, 0, len(self.shape.classes)), np.float32)]
            for start in range(0, len(pixels), _ROUTED):
                batch = self._to_device(pixels[start : start + _ROUTED], way)
                scores.append(way.scores_by_iteration(batch, rounds).cpu().numpy())
            return np.concatenate(scores, axis=1)

        return self._run(compute)

    lengths_by_iteration = scores_by_iteration  # its name while all scores were lengths

    def decode(self, pose: ArrayLike, digit: int | None = None) -> np.ndarray:
        """Draw what a pose stands for.

        Args:
            pose: [..., J, D], already masked as you wish, or with ``digit`` [..., D].
            digit: the class capsule that a [..., D] pose belongs to; all others are fed as 0.

        Returns:
            Images [..., S, S] in 0..1.

        Raises:
            CapsvizError: if the network has no decoder, the pose has another shape, NaN or numbers beyond a million, or
                there is no such capsule.
        """
        self._see_that_it_draws()
        classes, size = len(self.shape.classes), self.shape.pose
        capsule = whole_number(digit)
        if digit is not None and capsule not in range(classes):
            raise CapsvizError(
                f"There is no {self.shape.kind} capsule {shown(digit)}: give one from 0 to {classes - 1}."
            )
        try:
            poses = real_array(pose)
        except ValueError as error:
            raise CapsvizError(
                f"A pose must be an array of numbers ({error}): give {size} for one {self.shape.kind}."
            ) from error
        expected = (classes, size) if digit is None else (size,)
        if poses.shape[-len(expected) :] != expected:
            raise CapsvizError(
                f"A pose is an array of {' x '.join(map(str, expected))} numbers"
                f"{f' when no {self.shape.kind} is named' if digit is None else ''}, not of shape {poses.shape}."
            )
        if not (np.abs(poses) <= _FARTHEST).all():
            raise CapsvizError(
                f"A pose has finite numbers, at most {_FARTHEST:,.0f}: this one has others, or NaN."
            )
        if digit is not None:
            masked = np.zeros((*poses.shape[:-1], classes, size), np.float32)
            masked[..., capsule, :] = poses
            poses = masked
        flat = poses.reshape(-1, classes, size)
        images = self._run(
            lambda way: way.net.decoder(self._to_device(flat, way)).cpu().numpy(), len(flat) > 64
        )
        return images.reshape(*poses.shape[:-2], self.shape.size, self.shape.size)

    def reconstructions(self, trace: RoutingTrace | PlainTrace) -> np.ndarray:
        """[R, J, S, S] what the pose of each class alone would have drawn after each iteration.

        Raises:
            CapsvizError: if the network has no decoder.
        """
        self._see_that_it_draws()
        assert trace.v is not None  # a trace of this network, which has poses
        return self.decode(trace.v[:, :, None] * np.eye(len(trace.classes), dtype=np.float32)[:, :, None])

    def decoder_layers(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Weight [out, in] and bias [out] of the decoder's dense layers, float32."""
        layers = [layer for layer in self._way.net.decoder if isinstance(layer, torch.nn.Linear)]
        return [(layer.weight.detach().cpu().numpy(), layer.bias.detach().cpu().numpy()) for layer in layers]

    def first_layer(self) -> FirstLayer:
        """The kernels that see the image itself."""
        return first_layer(self._way.net)

    def transforms(self) -> np.ndarray:
        """[I, J, D, K] W_ij, which make of each u_i its votes û_{j|i} (Eq. 2), float32."""
        weights: np.ndarray = self._way.net.transforms().detach().cpu().numpy()
        return weights

    def _see_that_it_draws(self) -> None:
        if POSES not in self.spec.offers:
            raise CapsvizError(
                f"{self.spec.name} has no poses, and no decoder to draw them: load a network that has, such as {DEFAULT}."
            )

    def _way_of(self, net: torch.nn.Module) -> Way:
        """The way that is quickest on the device of ``net``."""
        on_cpu = next(net.parameters()).device.type == "cpu"
        return self.spec.quick(net) if self.spec.quick and on_cpu else Plain(net)

    @staticmethod
    def _to_device(array: np.ndarray, way: Way) -> torch.Tensor:
        return torch.tensor(array, device=next(way.net.parameters()).device)

    def _iterations(self, count: int | None) -> int:
        rounds = self.shape.trained if count is None else whole_number(count)
        if rounds != 1 and not self.shape.iterates:
            raise CapsvizError(
                f"Nothing iterates in {self.spec.name}: give 1 iteration, or none, not {shown(count)}."
            )
        if rounds is None or not 1 <= rounds <= MOST_ITERATIONS:
            raise CapsvizError(
                f"Routing takes 1 to {MOST_ITERATIONS} iterations, not {shown(count)}: give a whole number."
            )
        return rounds

    def _run(self, compute: Callable[[Way], T], long: bool = True) -> T:
        """Compute in this thread, or where there are workers in one of theirs; ``long`` as of ``Workers.run``."""
        if self._workers is None:
            return self._compute(compute)
        return self._workers.run(lambda: self._compute(compute), long)

    def _compute(self, compute: Callable[[Way], T]) -> T:
        """Compute on the device; where its memory runs out, go on with the CPU for good and say so."""
        way = self._way
        with torch.inference_mode():
            try:
                return compute(way)
            except RuntimeError as error:
                if not _is_full(error) or next(way.net.parameters()).device.type == "cpu":
                    raise
            with self._lock:
                if self._way is way:  # no other thread has met the same
                    self.notice = FULL.format(device=self.device)
                    warnings.warn(self.notice, RuntimeWarning, stacklevel=4)
                    # A copy: other threads may be computing with the one on the device.
                    self._way = self._way_of(copy.deepcopy(way.net).to("cpu"))
            return compute(self._way)


def load_model(name: str | Path = DEFAULT, device: str = "auto", workers: Workers | None = None) -> Model:
    """Load a trained network and see that its device computes.

    Args:
        name: a name in ``weights/``, a folder with weights and their card, or the path of a .safetensors file.
        device: "auto" (CUDA, then MPS, then CPU), "cpu", "cuda", "cuda:N" or "mps".
        workers: threads to compute in, for a server of many people; without, each call computes in its own.

    Returns:
        The model on that device; on the CPU, with a ``notice``, if the device is full, or was chosen
        by "auto" and does not work (a card that this PyTorch has no kernels for, say).

    Raises:
        WeightsError: if the weights are missing, damaged or of another network.
        DeviceError: if the device is not there, or was named and does not work.
    """
    chosen = choose_device(device)
    try:
        return _tried(Model(load_weights(name), chosen, workers))
    except RuntimeError as error:
        if chosen.type == "cpu":
            raise
        full, reason = _is_full(error), str(error).partition("\n")[0]
        if not full and device != "auto":
            raise DeviceError(f"The device {device} does not work ({reason}): use --device cpu.") from error
    model = _tried(Model(load_weights(name), torch.device("cpu"), workers))
    model.notice = (
        FULL.format(device=chosen.type)
        if full
        else f"The {chosen.type} device does not work ({reason}), so the CPU computes: update PyTorch or its driver."
    )
    warnings.warn(model.notice, RuntimeWarning, stacklevel=2)
    return model


def _tried(model: Model) -> Model:
    """The model after one pass, which shows whether the device works and is slower than all others."""
    model.trace(np.zeros((model.shape.size, model.shape.size), np.float32))
    return model


def _is_full(error: RuntimeError) -> bool:
    # MPS raises a plain RuntimeError for what is an OutOfMemoryError on CUDA.
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error)
