"""The network of ``capsules`` again, in an order of operations that trains several times faster on a CPU.

``capsules.CapsNet`` is the reference: the same parameters, the same mathematics, written to be read, for any size.
Here, for the sizes that ``serves`` names, three things are rearranged, and a test holds values and gradients to the
reference. Sizes are those of images of 28x28; in parentheses those of 36x36:

1. The primary convolution takes nine tenths of the arithmetic. A stride of 2 splits image and kernel
   into four phases (even and odd rows and columns); in each, 6x6 outputs (10x10) are a correlation of 10x10
   inputs (14x14) with at most 5x5 taps, which a 10-point DFT (14) in both directions turns into products of
   spectra. Of the 100 frequencies (196) 4 are real and 48 pairs (96) complex; three real products each (Gauss)
   make 148 products (292) where the direct sum takes 729 (2025): ``out = A' [(G w) * (B x)]``. ``B`` is applied as
   it is defined, along the inputs' columns first and then along their rows.
2. The first convolution is a matrix product over patches, one phase after another and straight in the
   order that the second one reads: a phase stays in the processor's cache until it has been added up.
3. No gradient flows through the coupling coefficients (û is constant in all but the last iteration),
   so routing runs without one; and û itself is never stored: s_j = sum_i c_ij W_ij u_i is one product
   of c_ij u_i with W_j, and in the first iteration, where all c are equal, of u_i with all W at once.

In mixed precision all of 1 and 2 multiplies in bfloat16, transforms included, while sums inside a product are made in
single precision, as are squash and routing; ``training/precision.py`` says where that is quicker.

For a few images the spectra of the kernels, which are read as a whole, are too many: ``encode`` gives these
the features and primary capsules of the reference by one product for each convolution, of all patches at once.
That of the second is read from a kernel whose outputs stand innermost: a third less time than from rows of inputs.
"""

import math
import threading
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from capsviz.layers.capsules import CapsNet, Outcome, dynamic_routing, squash
from capsviz.traces.base import Shape
from capsviz.traces.routing import RoutingTrace

_KERNEL, _STRIDE = 9, 2  # side of both kernels, the second one's stride
_TAPS = 5  # of the kernel along a side of the first phase; the others have no more
_BLOCK = 32  # images routed at a time: what that writes and reads again stays near the processor's cache
# Of a kernel [out, in, 9, 9]: to [9, 9, in, out], and back.
_OUTPUTS_LAST, _OUTPUTS_FIRST = (2, 3, 1, 0), (3, 2, 0, 1)
_PHASES = [(0, 0), (0, 1), (1, 0), (1, 1)]  # (row, column) remainder modulo the stride of 2


class _Transforms(NamedTuple):
    """The constant matrices of the bilinear algorithm; frequencies stand in the order of their first component."""

    first: Tensor  # [n, n] along y: real frequency 0, real and imaginary parts of those between, real frequency n/2
    # Along x, for each first component: a matrix, and which rows of what ``first`` gives it turns into which of P.
    second: list[tuple[Tensor, slice, slice]]
    kernel: list[Tensor]  # G, [P, taps] for the kernel of each of the four phases
    back: Tensor  # A, [places, P] to the outputs


@cache
@torch.inference_mode(False)  # else a first call for inference would make tensors that training cannot use
def _transforms(n: int, dtype: torch.dtype) -> _Transforms:
    """Those of phases with n x n inputs, n even, that P products of spectra lead to the places of the grid."""
    if dtype != torch.float32:
        exact = _transforms(n, torch.float32)
        return _Transforms(
            exact.first.to(dtype),
            [(matrix.to(dtype), here, there) for matrix, here, there in exact.second],
            [kernel.to(dtype) for kernel in exact.kernel],
            exact.back.to(dtype),
        )
    grid = np.arange(n)
    waves = np.exp(-2j * np.pi * np.outer(grid, grid) / n)  # [frequency, place]
    taps = []
    for row, column in _PHASES:
        # 9 taps: those at 0, 2, 4, 6, 8 fall on the even phase, those at 1, 3, 5, 7 on the odd one.
        y, x = np.meshgrid(grid[: _TAPS - row], grid[: _TAPS - column], indexing="ij")
        taps.append((y.ravel(), x.ravel()))
    places = grid[: n - _TAPS + 1]
    out_y, out_x = (axis.ravel() for axis in np.meshgrid(places, places, indexing="ij"))

    first: list[np.ndarray] = []
    second: list[tuple[Tensor, slice, slice]] = []
    kernels: list[list[np.ndarray]] = [[] for _ in _PHASES]
    outputs: list[np.ndarray] = []
    for p in range(n // 2 + 1):  # the spectrum at those above is the conjugate of one below
        alone = -p % n == p
        start, done = len(first) * n, len(outputs)
        first += [waves[p].real] if alone else [waves[p].real, waves[p].imag]
        matrix: list[np.ndarray] = []
        for q in range(n // 2 + 1 if alone else n):
            # A real place along x adds its wave, an imaginary one i times that.
            real, imaginary = waves[q].real, waves[q].imag
            if not alone:
                real, imaginary = np.concatenate([real, -imaginary]), np.concatenate([imaginary, real])
            w_waves = [(waves[p][y] * waves[q][x]).conj() for y, x in taps]  # conjugate: a correlation
            back = (waves[p][out_y] * waves[q][out_x]).conj() / n**2
            if alone and -q % n == q:
                matrix.append(real)
                outputs.append(back.real)
                for kernel, w in zip(kernels, w_waves, strict=True):
                    kernel.append(w.real)
            else:
                # (a + ib)(c + id): k1 = c(a+b), k2 = a(d-c), k3 = b(c+d); real k1-k3, imaginary k1+k2.
                # Twice the real part of the product with ``back``, for the mirrored frequency's sake.
                matrix += [real + imaginary, real, imaginary]
                outputs += [2 * (back.real - back.imag), -2 * back.imag, -2 * back.real]
                for kernel, w in zip(kernels, w_waves, strict=True):
                    kernel += [w.real, w.imag - w.real, w.real + w.imag]
        second.append((_tensor(matrix), slice(start, len(first) * n), slice(done, len(outputs))))
    return _Transforms(
        _tensor(first), second, [_tensor(kernel) for kernel in kernels], _tensor(outputs).T.contiguous()
    )


def _tensor(rows: list[np.ndarray]) -> Tensor:
    return torch.tensor(np.array(rows), dtype=torch.float32)


class _Transformed(torch.autograd.Function):
    """Features [n*n, M] of one phase to their spectra [P, M]: a quarter of the products that one matrix takes."""

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        ctx.n = math.isqrt(len(features))
        transforms = _transforms(ctx.n, features.dtype)
        along = (transforms.first @ features.view(ctx.n, -1)).view(features.shape)
        x_hat = features.new_empty(transforms.back.shape[1], features.shape[1])
        for matrix, here, there in transforms.second:
            torch.mm(matrix, along[here], out=x_hat[there])
        return x_hat

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        transforms = _transforms(ctx.n, gradient.dtype)
        along = gradient.new_empty(ctx.n**2, gradient.shape[1])
        for matrix, here, there in transforms.second:
            torch.mm(matrix.T, gradient[there], out=along[here])
        return (transforms.first.T @ along.view(ctx.n, -1)).view(along.shape)


Spectra = tuple[Tensor, ...]  # [P, 256 in, 256 out] for each phase


def serves(net: Any) -> bool:
    """Whether it is a ``CapsNet`` with the kernels that this module is written for, whose four phases are of one size."""
    if not isinstance(net, CapsNet):
        return False
    kernels = {net.conv1.kernel_size, net.primary.conv.kernel_size}
    grid, n = net.grid, _inputs(net)
    return (kernels, grid.stride, grid.rows, n % 2) == ({(_KERNEL, _KERNEL)}, _STRIDE, grid.columns, 0) and (
        net.shape.size - _KERNEL + 1 == _STRIDE * n
    )


def _inputs(net: CapsNet) -> int:
    """n, the inputs along one side of a phase, and length of the DFT: 10 of 28 pixels, 14 of 36."""
    return net.grid.rows + _TAPS - 1


class _Spectra(torch.autograd.Function):
    """Kernel [256 out, 256 in, 9, 9] to its spectra, phase by phase.

    Autograd would keep copies of the taps, and write their gradient once for each phase and once together.
    """

    @staticmethod
    def forward(ctx: Any, weight: Tensor, n: int, dtype: torch.dtype) -> Spectra:
        ctx.n = n
        taps = weight.permute(_OUTPUTS_LAST).to(dtype).contiguous()  # [9, 9, in, out]
        ctx.shape = taps.shape
        return tuple(
            (g @ taps[row::2, column::2].reshape(g.shape[1], -1)).view(-1, *taps.shape[2:])
            for g, (row, column) in zip(_transforms(n, dtype).kernel, _PHASES, strict=True)
        )

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        kernels = _transforms(ctx.n, gradients[0].dtype).kernel
        taps = gradients[0].new_empty(ctx.shape)
        for g, gradient, (row, column) in zip(kernels, gradients, _PHASES, strict=True):
            part = taps[row::2, column::2]
            part.copy_((g.T @ gradient.flatten(1)).view(part.shape))
        return taps.permute(_OUTPUTS_FIRST), None, None


def kernel_spectra(net: CapsNet, mixed_precision: bool = False) -> Spectra:
    """The primary convolution's kernel in the frequency domain, 155 MB (306); in bfloat16 for mixed precision, half.

    Where the weights stay as they are it can be kept: it takes a third of a forward pass of 128 images.
    """
    dtype = torch.bfloat16 if mixed_precision else torch.float32
    spectra: Spectra = _Spectra.apply(net.primary.conv.weight, _inputs(net), dtype)
    return spectra


def lay_out(net: CapsNet) -> None:
    """Put the primary convolution's kernel and W into the order in which few images read them; values and axes stay."""
    kernel, W = net.primary.conv.weight, net.digits.W
    kernel.data = kernel.data.permute(_OUTPUTS_LAST).contiguous().permute(_OUTPUTS_FIRST)
    W.data = W.data.permute(0, 3, 1, 2).contiguous().permute(0, 2, 3, 1)  # [I, K, J, D] and back


def encode(net: CapsNet, images: Tensor) -> tuple[Tensor, Tensor]:
    """What ``net.encode(images)`` gives, for a few images.

    Args:
        net: the network, on the CPU; quickest after ``lay_out``.
        images: [B, S, S], pixels in 0..1.

    Returns:
        Features [B, 256, S - 8, S - 8] and primary capsules u [B, I, K], squashed.
    """
    patches = images.unfold(1, 9, 1).unfold(2, 9, 1).flatten(3)  # [B, h, h, 81]
    features = F.linear(patches, net.conv1.weight.flatten(1), net.conv1.bias).relu_()  # [B, h, h, 256]
    patches = features.unfold(1, 9, 2).unfold(2, 9, 2).permute(0, 1, 2, 4, 5, 3)  # [B, rows, rows, 9, 9, 256]
    kernel = net.primary.conv.weight.permute(_OUTPUTS_LAST).flatten(0, 2)  # [81 * 256, 256 out]
    out = torch.addmm(net.primary.conv.get_parameter("bias"), patches.flatten(3).flatten(0, 2), kernel)
    out = out.view(len(images), net.grid.places, -1)
    u = squash(out.unflatten(2, (net.grid.types, net.primary.components)))  # [B, places, 32, 8]
    return features.permute(0, 3, 1, 2), u.transpose(1, 2).flatten(1, 2)


def _features(net: CapsNet, images: Tensor, phase: tuple[int, int]) -> Tensor:
    """First convolution and ReLU of images [B, S, S] in the places of one phase: [n*n, B, 256]."""
    row, column = phase
    patches = images[:, row:, column:].unfold(1, 9, 2).unfold(2, 9, 2)  # [B, n, n, 9, 9]
    patches = patches.permute(1, 2, 0, 3, 4).reshape(-1, 81)
    kernel, bias = net.conv1.weight.flatten(1), net.conv1.get_parameter("bias")
    features = F.linear(patches, kernel.to(images.dtype), bias.to(images.dtype)).relu_()
    return features.view(-1, len(images), len(kernel))


def primary_capsules(net: CapsNet, images: Tensor, spectra: Spectra) -> Tensor:
    """Primary capsules [B, K, I], squashed, of images [B, S, S] with ``kernel_spectra``; all multiply in its type."""
    images = images.to(spectra[0].dtype)
    back = _transforms(_inputs(net), images.dtype).back
    products = images.new_zeros(back.shape[1], len(images), spectra[0].shape[-1])  # [P, B, 256]
    for phase, kernel in zip(_PHASES, spectra, strict=True):
        x_hat: Tensor = _Transformed.apply(_features(net, images, phase).flatten(1))
        products.baddbmm_(x_hat.view(len(x_hat), len(images), -1), kernel)
    out = (back @ products.flatten(1)).view(net.grid.places, len(images), -1)
    out = out + net.primary.conv.get_parameter("bias")  # in single precision from here on
    u = squash(out.unflatten(2, (net.grid.types, net.primary.components)))  # [places, B, 32, 8]
    return u.permute(1, 3, 2, 0).reshape(len(images), net.primary.components, net.grid.capsules)


def _weighted_sum(c: Tensor, u: Tensor, W: Tensor) -> Tensor:
    """s [J, B, D] from couplings c [J, B, I], primary capsules u [B, K, I] and W [J, K*I, D]."""
    return torch.bmm((c.unsqueeze(2) * u).flatten(2), W)


def _uniform_sum(u: Tensor, W: Tensor) -> Tensor:
    """s [J, B, D] of the first iteration, where every c_ij is 1/J: one product for all class capsules."""
    J, inputs, D = W.shape
    s = u.flatten(1) @ W.transpose(0, 1).reshape(inputs, J * D) / J
    return s.view(len(u), J, D).transpose(0, 1)


def _couplings(u: Tensor, W: Tensor, iterations: int) -> Tensor:
    """c [J, B, I] of the last of ``iterations``, at least 2."""
    v = squash(_uniform_sum(u, W))
    b = u.new_zeros(len(W), len(u), u.shape[2])
    for iteration in range(1, iterations):
        back = torch.bmm(v, W.transpose(1, 2)).view(len(W), *u.shape)  # W_ij' v_j
        b += back.mul_(u).sum(2)  # û . v = u . (W' v)
        c = b.softmax(dim=0)
        if iteration < iterations - 1:
            v = squash(_weighted_sum(c, u, W))
    return c


def class_capsules(
    net: CapsNet,
    images: Tensor,
    iterations: int,
    spectra: Spectra | None = None,
    mixed_precision: bool = False,
) -> Tensor:
    """The class capsules v [B, J, D] that ``net(images, iterations).v`` gives, gradient included.

    Args:
        net: the network, on the CPU.
        images: [B, S, S], pixels in 0..1.
        iterations: routing iterations, at least 1.
        spectra: ``kernel_spectra(net, mixed_precision)``, if it is known already.
        mixed_precision: whether the convolutions multiply in bfloat16.

    Raises:
        ValueError: if ``iterations`` is below 1.
    """
    if iterations < 1:
        raise ValueError(f"routing needs at least 1 iteration, not {iterations}.")
    u = primary_capsules(net, images, kernel_spectra(net, mixed_precision) if spectra is None else spectra)
    # [I, J, D, K] -> [J, K*I, D]: with the capsules innermost, what follows runs over long rows.
    primary, classes, pose, components = net.digits.W.shape
    W = net.digits.W.permute(1, 3, 0, 2).reshape(classes, components * primary, pose)
    if iterations == 1:
        return squash(_uniform_sum(u, W)).transpose(0, 1)
    with torch.no_grad():
        c = torch.cat([_couplings(part, W, iterations) for part in u.split(_BLOCK)], dim=1)
    return squash(_weighted_sum(c, u, W)).transpose(0, 1)


# From so many images at once the spectra are quicker than products of patches.
_SPECTRA_FROM = 8


class Quick:
    """A network that stays as it is, on the CPU: its answers, as ``CapsNet`` gives them, the way that is quickest.

    The first batch of many images keeps 155 MB (306), the kernel's spectra, for the next ones.
    """

    def __init__(self, net: CapsNet) -> None:
        self.net = net
        lay_out(net)  # else every call would
        self._lock = threading.Lock()
        self._spectra: Spectra | None = None

    def scores(self, images: Tensor, iterations: int) -> Tensor:
        """Lengths [B, J] of the class capsules of images [B, S, S]."""
        return self.outcome(images, iterations).evidence

    def outcome(self, images: Tensor, iterations: int) -> Outcome:
        """Lengths and poses of the class capsules of images [B, S, S]."""
        if len(images) < _SPECTRA_FROM:
            return Outcome.of_capsules(dynamic_routing(self.votes(images), iterations)[-1].v)
        return Outcome.of_capsules(class_capsules(self.net, images, iterations, self._kept()))

    def votes(self, images: Tensor) -> Tensor:
        """û [B, J, I, D] of images [B, S, S]."""
        return self.net.votes(images, self._encode)

    def scores_by_iteration(self, images: Tensor, iterations: int) -> Tensor:
        """Lengths [R, B, J] after each of R iterations."""
        return self.net.scores_by_iteration(images, iterations, self._encode)

    def trace(self, image: Tensor, iterations: int, shape: Shape) -> RoutingTrace:
        """Everything that was computed on the way of one image [S, S]."""
        return self.net.trace(image, iterations, shape, self._encode)

    def _encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        if len(images) < _SPECTRA_FROM:
            return encode(self.net, images)
        u = primary_capsules(self.net, images, self._kept()).transpose(1, 2)
        return images.new_empty(0), u  # nobody asks for the features of many

    def _kept(self) -> Spectra:
        with self._lock:
            if self._spectra is None:
                self._spectra = kernel_spectra(self.net)
            return self._spectra
