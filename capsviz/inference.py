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
from capsviz.capsules import DIGITS, IMAGE_SIZE, POSE_DIM, CapsNet
from capsviz.checks import whole_number
from capsviz.devices import choose_device
from capsviz.errors import CapsvizError, DeviceError, ImageError
from capsviz.trace import RoutingTrace
from capsviz.weights import DEFAULT, Weights, load_weights

T = TypeVar("T")
FULL = (
    "The {device} device ran out of memory, so the CPU computes from here on: close other programs that use "
    "the device and start again to go back to it."
)
# From here on the CPU formulation of ``fast`` earns back the cost of transforming its kernels.
_FAST_FROM = 16


class Model:
    """A trained CapsNet on one device; safe to share between threads.

    Attributes:
        card: the facts of its training.
        sha256: checksum of its weights file.
        notice: one sentence when something happened that a user should know, else "".
    """

    def __init__(self, weights: Weights, device: torch.device) -> None:
        self.card = weights.card
        self.sha256 = weights.sha256
        self.notice = ""
        # Convolutions on CUDA may otherwise be done in TF32, whose 10 bits give up the fourth decimal.
        torch.backends.cudnn.allow_tf32 = False
        self._net = weights.net.to(device)
        # The order in which a CPU's convolution wants its weights: else it puts them into it at every call.
        self._net.primary.to(memory_format=torch.channels_last)
        self._lock = threading.Lock()

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
            iterations: routing iterations R, at least 1; the network was trained with 3.

        Returns:
            The trace, with one entry along R for each iteration.

        Raises:
            ImageError: if the image has another shape, values outside 0..1, or NaN.
            CapsvizError: if ``iterations`` is no whole number from 1 up.
        """
        pixels = _check(image, (IMAGE_SIZE, IMAGE_SIZE), "An image")
        rounds = whole_number(iterations)
        if rounds is None or rounds < 1:
            raise CapsvizError(
                f"Routing takes 1 or more iterations, not {iterations!r}: give a whole number."
            )

        def compute(net: CapsNet) -> RoutingTrace:
            out = net(self._to_device(pixels[None], net), rounds)
            b, c, s, v = (
                torch.cat([getattr(step, name) for step in out.steps]).cpu().numpy() for name in "bcsv"
            )
            return RoutingTrace(
                image=pixels,
                features=out.features[0].cpu().numpy(),
                u=out.u[0].cpu().numpy(),
                u_hat=out.u_hat[0].cpu().numpy().transpose(1, 0, 2),  # [J, I, D] -> [I, J, D]
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
            batch_size: how many are computed at once.

        Returns:
            Capsule lengths [N, 10] in 0..1; the longest is the answer.

        Raises:
            ImageError: if the images have another shape, values outside 0..1, or NaN.
        """
        pixels = _check(images, (None, IMAGE_SIZE, IMAGE_SIZE), "Images")

        def compute(net: CapsNet) -> np.ndarray:
            lengths = [np.empty((0, DIGITS), np.float32)]
            spectra = None
            for start in range(0, len(pixels), batch_size):
                batch = self._to_device(pixels[start : start + batch_size], net)
                if batch.device.type == "cpu" and len(batch) >= _FAST_FROM:
                    if spectra is None:
                        spectra = fast.kernel_spectra(net)
                    v = fast.digit_capsules(net, batch, spectra=spectra)
                else:
                    v = net(batch).v
                lengths.append(v.norm(dim=-1).cpu().numpy())
            return np.concatenate(lengths)

        return self._run(compute)

    def decode(self, pose: ArrayLike, digit: int | None = None) -> np.ndarray:
        """Draw what a pose stands for.

        Args:
            pose: [..., 10, 16], already masked as you wish, or with ``digit`` [..., 16].
            digit: the digit capsule that a [..., 16] pose belongs to; all others are fed as 0.

        Returns:
            Images [..., 28, 28] in 0..1.

        Raises:
            CapsvizError: if the pose has another shape or NaN, or the digit is not 0 to 9.
        """
        capsule = whole_number(digit)
        if digit is not None and capsule not in range(DIGITS):
            raise CapsvizError(f"There is no digit capsule {digit!r}: give one from 0 to 9.")
        try:
            poses = np.asarray(pose, np.float32)
        except (TypeError, ValueError) as error:
            raise CapsvizError(
                f"A pose must be an array of numbers ({error}): give 16 for one digit."
            ) from error
        expected = (DIGITS, POSE_DIM) if digit is None else (POSE_DIM,)
        if poses.shape[-len(expected) :] != expected or not np.isfinite(poses).all():
            raise CapsvizError(
                f"A pose is an array of {' x '.join(map(str, expected))} finite numbers"
                f"{' when no digit is named' if digit is None else ''}, not of shape {poses.shape}."
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

    def _run(self, compute: Callable[[CapsNet], T]) -> T:
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
                    warnings.warn(self.notice, RuntimeWarning, stacklevel=3)
                    # A copy: other threads may be computing with the one on the device.
                    self._net = copy.deepcopy(net).to("cpu")
            return compute(self._net)


def load_model(name: str | Path = DEFAULT, device: str = "auto") -> Model:
    """Load a trained network and see that its device computes.

    Args:
        name: a name in ``weights/``, or a path to a .safetensors file with its card beside it.
        device: "auto" (CUDA, then MPS, then CPU), "cpu", "cuda", "cuda:N" or "mps".

    Returns:
        The model on that device; on the CPU, with a ``notice``, if the device is full, or was chosen
        by "auto" and does not work (a card that this PyTorch has no kernels for, say).

    Raises:
        WeightsError: if the weights are missing, damaged or of another network.
        DeviceError: if the device is not there, or was named and does not work.
    """
    chosen = choose_device(device)
    try:
        return _tried(Model(load_weights(name), chosen))
    except RuntimeError as error:
        if chosen.type == "cpu":
            raise
        full, reason = _is_full(error), str(error).partition("\n")[0]
        if not full and device != "auto":
            raise DeviceError(f"The device {device} does not work ({reason}): use --device cpu.") from error
    model = _tried(Model(load_weights(name), torch.device("cpu")))
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


def _is_full(error: RuntimeError) -> bool:
    # MPS raises a plain RuntimeError for what is an OutOfMemoryError on CUDA.
    return isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error)


def _check(array: ArrayLike, shape: tuple[int | None, ...], what: str) -> np.ndarray:
    """The array as contiguous float32, if it is of ``shape`` and within 0..1."""
    wanted = " x ".join("N" if size is None else str(size) for size in shape)
    try:
        pixels = np.ascontiguousarray(array, np.float32)
    except (TypeError, ValueError) as error:
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
