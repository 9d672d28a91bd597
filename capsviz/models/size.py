"""How large a network is: parameters, multiply-adds and memory of each of its parts, counted on the module as it is built."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from capsviz.networks.base import Spec
from capsviz.traces.base import Shape

DECODER = "decoder"  # the part that no answer needs


class Size(NamedTuple):
    """Of one part, or of several together."""

    parameters: int
    multiply_adds: (
        int  # for one image, in convolutions and products of matrices; what is added alone is not counted
    )


SINGLE = 4  # bytes of a number in single precision

_counted: dict[tuple[Any, Shape], tuple[Mapping[str, Size], Mapping[str, int]]] = {}


def sizes(spec: Spec) -> Mapping[str, Size]:
    """The size of each part of a network, by ``Layer.part``; imports PyTorch.

    What is computed between the parts, routing that is, counts as the last part's before the decoder.
    """
    return _counts(spec)[0]


def activations(spec: Spec) -> Mapping[str, int]:
    """Bytes of what each part makes of one image, by ``Layer.part``, in single precision; imports PyTorch.

    Counted is all that its convolutions and products of matrices make, whatever is kept of it: of routing, the votes and the
    sums and agreements of every iteration.
    """
    return _counts(spec)[1]


def _counts(spec: Spec) -> tuple[Mapping[str, Size], Mapping[str, int]]:
    key = (spec.build, spec.shape)
    if key not in _counted:
        _counted[key] = _count(spec)
    return _counted[key]


def together(parts: Mapping[str, Size], decoder: bool = True) -> Size:
    """The size of all parts, or of those that an answer needs: all but the decoder."""
    chosen = [size for part, size in parts.items() if decoder or part != DECODER]
    return Size(sum(size.parameters for size in chosen), sum(size.multiply_adds for size in chosen))


def _count(spec: Spec) -> tuple[dict[str, Size], dict[str, int]]:
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    shape, aten = spec.shape, torch.ops.aten
    with torch.device("meta"):
        net: Any = spec.build(spec)
    net.to_empty(device="cpu").eval()  # nothing depends on the values
    routed = [name for name, _ in net.named_children() if name != DECODER][-1]
    products = {name: 0 for name, _ in net.named_children()}
    numbers = dict(products)
    now = routed

    class Counting(TorchDispatchMode):
        """Counts the products of what is computed while it is entered."""

        def __torch_dispatch__(self, function: Any, types: Any, inputs: Any = (), named: Any = None) -> Any:
            made = function(*inputs, **(named or {}))
            if function is aten.convolution.default:
                products[now] += made.numel() * inputs[1][0].numel()  # each output is made of one kernel
                numbers[now] += made.numel()
            elif function in (aten.mm.default, aten.bmm.default, aten.addmm.default):
                products[now] += made.numel() * inputs[-1].shape[-2]
                numbers[now] += made.numel()
            return made

    def enter(name: str) -> Any:
        def follow(*_: Any) -> None:
            nonlocal now
            now = name

        return follow

    for name, child in net.named_children():
        child.register_forward_pre_hook(enter(name))
        child.register_forward_hook(enter(routed))
    with torch.no_grad(), Counting():
        net.scores(torch.zeros(1, shape.size, shape.size), shape.trained)
        if DECODER in products:
            net.decoder(torch.zeros(1, len(shape.classes), shape.pose))
    sizes = {
        name: Size(sum(parameter.numel() for parameter in child.parameters()), products[name])
        for name, child in net.named_children()
    }
    return sizes, {name: SINGLE * count for name, count in numbers.items()}
