"""A trained network to ask questions of: image -> trace, images -> lengths, pose -> image."""

import copy
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import ArrayLike

from capsviz import fast
from capsviz.arrays import real_array
from capsviz.capsules import DIGITS, IMAGE_SIZE, POSE_DIM, CapsNet, dynamic_routing
from capsviz.checks import shown, whole_number
from capsviz.devices import Workers, choose_device
from capsviz.errors import CapsvizError, DeviceError, ImageError
from capsviz.trace import MOST_ITERATIONS, RoutingTrace
from capsviz.weights import DEFAULT, Weights, load_weights

T = TypeVar("T")
FULL = (
    "The {device} device ran out of memory, so the CPU computes from here on: close other programs that use "
    "the device and start again to go back to it."
)
_TRAINED = 3  # routing iterations of training
# From so many images at once the spectra of ``fast`` are quicker on a CPU than its products of patches.
_SPECTRA_FROM = 8
_ROUTED = 50  # images whose votes, 0.7 MB each, are kept at once where every iteration is asked for
_FARTHEST = 1e6  # of a pose's components: far beyond any capsule, and no sum of the decoder overflows


class Model:
    """A trained CapsNet on one device; safe to share between threads.

    Each call computes in the thread it comes from, or in one of ``workers``. The first ``predict`` of many images
    on a CPU keeps 155 MB, its kernels' spectra, for the next ones.

    Attributes:
        card: the facts of its training.
        sha256: checksum of its weights file.
        notice: one sentence when something happened that a user should know, else "".
    """

    def __init__(self, weights: Weights, device: torch.device, workers: Workers | None = None) -> None:
        self.card = weights.card
        self.sha256 = weights.sha256
        self.notice = ""
        # Convolutions on CUDA may otherwise be done in TF32, whose 10 bits give up the fourth decimal.
        torch.backends.cudnn.allow_tf32 = False
        self._net = weights.net.to(device)
        # The order that ``fast.encode`` reads: else it would put the kernel into it at every call.
        self._net.primary.to(memory_format=torch.channels_last)
        self._workers = workers
        self._lock = threading.Lock()
        self._spectra: fast.Spectra | None = None  # made when first needed; there is but one network on a CPU

    @property
    def device(self) -> str:
        """Where it computes: "cpu", "cuda" or "mps"."""
        return next(self._net.parameters()).device.type

    @property
    def parameters(self) -> dict[str, int]:
        """Number of parameters of each layer: "conv1", "primary", "digits" and "decoder"."""
        return {
            name: sum(p.numel() for p in layer.parameters()) for name, layer in self._net.named_children()
        }

    def trace(self, image: ArrayLike, iterations: int = 3) -> RoutingTrace:
        """Classify one image and keep every step of the way.

        Args:
            image: [28, 28], white ink on black in 0..1, as ``canvas_to_mnist`` makes it.
            iterations: routing iterations R, 1 to 100; the network was trained with 3.

        Returns:
            The trace, with one entry along R for each iteration.

        Raises:
            ImageError: if the image has another shape, values outside 0..1, or NaN.
            CapsvizError: if ``iterations`` is no whole number from 1 to 100.
        """
        pixels = _check(image, (IMAGE_SIZE, IMAGE_SIZE), "An image")
        rounds = _iterations(iterations)

        def compute(net: CapsNet) -> RoutingTrace:
            features, u = _encode(net, self._to_device(pixels[None], net))
            u_hat = net.digits(u)
            steps = dynamic_routing(u_hat, rounds)
            b, c, s, v = (torch.cat([getattr(step, name) for step in steps]).cpu().numpy() for name in "bcsv")
            return RoutingTrace(
                image=pixels,
                features=features[0].cpu().numpy(),
                u=u[0].cpu().numpy(),
                u_hat=u_hat[0].cpu().numpy().transpose(1, 0, 2),  # [J, I, D] -> [I, J, D]
                b=b.transpose(0, 2, 1),  # [R, J, I] -> [R, I, J]
                c=c.transpose(0, 2, 1),
                s=s,
                v=v,
            )

        return self._run(compute)

    def predict(self, images: ArrayLike, batch_size: int = 250) -> np.ndarray:
        """Classify many images.

        Args:
            images: [N, 28, 28], white ink on black in 0..1.
            batch_size: how many are computed at once, at least 1.

        Returns:
            Capsule lengths [N, 10] in 0..1; the longest is the answer.

        Raises:
            ImageError: if the images have another shape, values outside 0..1, or NaN.
            CapsvizError: if ``batch_size`` is no whole number from 1 up.
        """
        pixels = _check(images, (None, IMAGE_SIZE, IMAGE_SIZE), "Images")
        size = whole_number(batch_size)
        if size is None or size < 1:
            raise CapsvizError(f"A batch has 1 image or more, not {shown(batch_size)}: give a whole number.")

        def compute(net: CapsNet) -> np.ndarray:
            lengths = [np.empty((0, DIGITS), np.float32)]
            for start in range(0, len(pixels), size):
                batch = self._to_device(pixels[start : start + size], net)
                spectra = self._kernel_spectra(net, batch)
                if spectra is None:
                    v = dynamic_routing(net.digits(_encode(net, batch)[1]), _TRAINED)[-1].v
                else:
                    v = fast.digit_capsules(net, batch, _TRAINED, spectra)
                lengths.append(v.norm(dim=-1).cpu().numpy())
            return np.concatenate(lengths)

        return self._run(compute)

    def lengths_by_iteration(self, images: ArrayLike, iterations: int = 10) -> np.ndarray:
        """Classify many images, and say what the answer would have been after each routing iteration.

        Args:
            images: [N, 28, 28], white ink on black in 0..1.
            iterations: routing iterations R, 1 to 100.

        Returns:
            Capsule lengths [R, N, 10] in 0..1: a routing of r iterations is the beginning of any longer one.

        Raises:
            ImageError: if the images have another shape, values outside 0..1, or NaN.
            CapsvizError: if ``iterations`` is no whole number from 1 to 100.
        """
        pixels = _check(images, (None, IMAGE_SIZE, IMAGE_SIZE), "Images")
        rounds = _iterations(iterations)

        def compute(net: CapsNet) -> np.ndarray:
            lengths = [np.empty((rounds, 0, DIGITS), np.float32)]
            for start in range(0, len(pixels), _ROUTED):
                batch = self._to_device(pixels[start : start + _ROUTED], net)
                spectra = self._kernel_spectra(net, batch)
                if spectra is None:
                    u = _encode(net, batch)[1]
                else:
                    u = fast.primary_capsules(net, batch, spectra).transpose(1, 2)
                steps = dynamic_routing(net.digits(u), rounds)
                lengths.append(torch.stack([step.v.norm(dim=-1) for step in steps]).cpu().numpy())
            return np.concatenate(lengths, axis=1)

        return self._run(compute)

    def decode(self, pose: ArrayLike, digit: int | None = None) -> np.ndarray:
        """Draw what a pose stands for.

        Args:
            pose: [..., 10, 16], already masked as you wish, or with ``digit`` [..., 16].
            digit: the digit capsule that a [..., 16] pose belongs to; all others are fed as 0.

        Returns:
            Images [..., 28, 28] in 0..1.

        Raises:
            CapsvizError: if the pose has another shape, NaN or numbers beyond a million, or the digit is not 0 to 9.
        """
        capsule = whole_number(digit)
        if digit is not None and capsule not in range(DIGITS):
            raise CapsvizError(f"There is no digit capsule {shown(digit)}: give one from 0 to 9.")
        try:
            poses = real_array(pose)
        except ValueError as error:
            raise CapsvizError(
                f"A pose must be an array of numbers ({error}): give 16 for one digit."
            ) from error
        expected = (DIGITS, POSE_DIM) if digit is None else (POSE_DIM,)
        if poses.shape[-len(expected) :] != expected:
            raise CapsvizError(
                f"A pose is an array of {' x '.join(map(str, expected))} numbers"
                f"{' when no digit is named' if digit is None else ''}, not of shape {poses.shape}."
            )
        if not (np.abs(poses) <= _FARTHEST).all():
            raise CapsvizError(
                f"A pose has finite numbers, at most {_FARTHEST:,.0f}: this one has others, or NaN."
            )
        if digit is not None:
            masked = np.zeros((*poses.shape[:-1], DIGITS, POSE_DIM), np.float32)
            masked[..., capsule, :] = poses
            poses = masked
        flat = poses.reshape(-1, DIGITS, POSE_DIM)
        images = self._run(lambda net: net.decoder(self._to_device(flat, net)).cpu().numpy())
        return images.reshape(*poses.shape[:-2], IMAGE_SIZE, IMAGE_SIZE)

    def reconstructions(self, trace: RoutingTrace) -> np.ndarray:
        """[R, 10, 28, 28] what each digit capsule alone would have drawn after each iteration."""
        return self.decode(trace.v[:, :, None] * np.eye(DIGITS, dtype=np.float32)[:, :, None])

    def decoder_layers(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Weight [out, in] and bias [out] of the decoder's three dense layers, float32."""
        layers = [layer for layer in self._net.decoder if isinstance(layer, torch.nn.Linear)]
        return [(layer.weight.detach().cpu().numpy(), layer.bias.detach().cpu().numpy()) for layer in layers]

    def transforms(self) -> np.ndarray:
        """[1152, 10, 16, 8] W_ij, which make of each u_i its votes û_{j|i} (Eq. 2), float32."""
        weights: np.ndarray = self._net.digits.W.detach().cpu().numpy()
        return weights

    @staticmethod
    def _to_device(array: np.ndarray, net: CapsNet) -> torch.Tensor:
        return torch.tensor(array, device=next(net.parameters()).device)

    def _kernel_spectra(self, net: CapsNet, batch: torch.Tensor) -> fast.Spectra | None:
        """What ``fast`` computes a batch with; None for a batch that is quicker without."""
        if batch.device.type != "cpu" or len(batch) < _SPECTRA_FROM:
            return None
        with self._lock:
            if self._spectra is None:
                self._spectra = fast.kernel_spectra(net)
            return self._spectra

    def _run(self, compute: Callable[[CapsNet], T]) -> T:
        """Compute in this thread, or where there are workers in one of theirs."""
        return self._workers.run(lambda: self._compute(compute)) if self._workers else self._compute(compute)

    def _compute(self, compute: Callable[[CapsNet], T]) -> T:
        """Compute on the device; where its memory runs out, go on with the CPU for good and say so."""
        net = self._net
        with torch.inference_mode():
            try:
                return compute(net)
            except RuntimeError as error:
                if not _is_full(error) or next(net.parameters()).device.type == "cpu":
                    raise
            with self._lock:
                if self._net is net:  # no other thread has met the same
                    self.notice = FULL.format(device=self.device)
                    warnings.warn(self.notice, RuntimeWarning, stacklevel=4)
                    # A copy: other threads may be computing with the one on the device.
                    self._net = copy.deepcopy(net).to("cpu")
            return compute(self._net)


def load_model(name: str | Path = DEFAULT, device: str = "auto", workers: Workers | None = None) -> Model:
    """Load a trained network and see that its device computes.

    Args:
        name: a name in ``weights/``, or a path to a .safetensors file with its card beside it.
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
    model.trace(np.zeros((IMAGE_SIZE, IMAGE_SIZE), np.float32))
    return model


def _encode(net: CapsNet, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Features and primary capsules u [B, I, K] of a few images, the way that is quickest on their device."""
    return fast.encode(net, images) if images.device.type == "cpu" else net.encode(images)


def _is_full(error: RuntimeError) -> bool:
    # MPS raises a plain RuntimeError for what is an OutOfMemoryError on CUDA.
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error)


def _iterations(count: int) -> int:
    rounds = whole_number(count)
    if rounds is None or not 1 <= rounds <= MOST_ITERATIONS:
        raise CapsvizError(
            f"Routing takes 1 to {MOST_ITERATIONS} iterations, not {shown(count)}: give a whole number."
        )
    return rounds


def _check(array: ArrayLike, shape: tuple[int | None, ...], what: str) -> np.ndarray:
    """The array as contiguous float32, if it is of ``shape`` and within 0..1."""
    wanted = " x ".join("N" if size is None else str(size) for size in shape)
    try:
        pixels = real_array(array)
    except ValueError as error:
        raise ImageError(f"{what} must be {wanted} numbers in 0..1 ({error}).") from error
    fits = pixels.ndim == len(shape) and all(
        size in (None, found) for size, found in zip(shape, pixels.shape, strict=True)
    )
    if not fits:
        raise ImageError(
            f"{what} must be {wanted}, not of shape {pixels.shape}: pass it through canvas_to_mnist first."
        )
    if pixels.size and not (np.isfinite(pixels).all() and pixels.min() >= 0 and pixels.max() <= 1):
        raise ImageError(
            f"{what} must have finite values in 0..1: divide grey levels by 255, or pass it through "
            "canvas_to_mnist first."
        )
    return pixels
