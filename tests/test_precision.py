"""Products in bfloat16: where a processor has them, whether they are quicker there, and that nothing else changes."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tiny
import torch

from capsviz.training import precision, train
from capsviz.training.precision import instructions, is_quicker, share_of_time
from capsviz.training.settings import Settings
from capsviz.training.trainer import Trainer

CPU = torch.device("cpu")
# As Linux writes them of a Sapphire Rapids, a Zen 4, a Skylake and an ARM.
CPUINFO = {
    "flags\t\t: fpu avx512f avx512_bf16 amx_bf16 amx_tile amx_int8": ["amx_bf16", "avx512_bf16"],
    "flags\t\t: fpu avx512f avx512_bf16 avx512_vbmi": ["avx512_bf16"],
    "flags\t\t: fpu avx512f avx512_vbmi": [],
    "Features\t: fp asimd avx512_bf16x": [],
}


@pytest.mark.parametrize(("line", "found"), CPUINFO.items())
def test_linux_says_what_a_processor_has(
    line: str, found: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    path = tmp_path / "cpuinfo"
    path.write_text(f"processor\t: 0\nmodel name\t: flags of amx_bf16\n{line}\nbugs\t\t: none\n")
    monkeypatch.setattr(precision, "CPUINFO", path)
    assert instructions() == found


@pytest.mark.parametrize(
    ("has", "found"),
    [
        ({"amx_bf16": True, "avx512_bf16": True}, ["amx_bf16", "avx512_bf16"]),
        ({"amx_bf16": False, "avx512_bf16": True, "amx_int8": True}, ["avx512_bf16"]),
        ({"amx_bf16": False, "avx512_bf16": False, "avx512_f": True}, []),
        ({"architecture": "aarch64"}, []),
    ],
)
def test_pytorch_is_asked_first(
    has: dict[str, Any], found: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "cpuinfo").write_text("flags : amx_bf16\n")
    monkeypatch.setattr(precision, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: has, raising=False)
    assert instructions() == found


def test_where_nobody_says_there_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    monkeypatch.setattr(precision, "CPUINFO", tmp_path / "missing")
    assert instructions() == []
    (tmp_path / "missing").write_text("")
    assert instructions() == []


@pytest.mark.parametrize(
    ("has", "share", "quicker"),
    [(["amx_bf16"], 0.79, True), (["avx512_bf16"], 0.8, False), (["avx512_bf16"], 1.7, False)],
)
def test_what_a_processor_has_is_used_where_it_is_quicker(
    has: list[str], share: float, quicker: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(precision, "instructions", lambda: has)
    monkeypatch.setattr(precision, "share_of_time", lambda: share)
    assert is_quicker(CPU) is quicker


@pytest.mark.parametrize(("device", "quicker"), [("cpu", False), ("cuda", True), ("mps", False)])
def test_no_time_is_taken_where_it_would_say_nothing(
    device: str, quicker: bool, monkeypatch: pytest.MonkeyPatch
):
    """What a processor imitates is never quicker; a GPU has products of bfloat16, and is not asked."""

    def fail() -> float:
        raise AssertionError("it was measured")

    monkeypatch.setattr(precision, "instructions", lambda: [])
    monkeypatch.setattr(precision, "share_of_time", fail)
    assert is_quicker(torch.device(device)) is quicker


def test_the_share_is_that_of_the_least_times(monkeypatch: pytest.MonkeyPatch):
    """Single precision takes 4 s at least, bfloat16 3 s; a machine that is busy makes both longer, now and then."""
    now, types = 0.0, []
    single, half = iter([9.0, 4.0, *13 * [5.0]]), iter([5.0, 50.0, *12 * [7.0], 3.0])

    def multiply(a: torch.Tensor, b: torch.Tensor) -> None:
        nonlocal now
        assert (a.shape, b.shape, a.dtype) == ((8, 128, 256), (8, 256, 256), b.dtype)
        assert torch.get_num_threads() == 1
        types.append(a.dtype)
        now += next(single if a.dtype == torch.float32 else half)

    threads = torch.get_num_threads()
    monkeypatch.setattr(torch, "bmm", multiply)
    monkeypatch.setattr(precision, "time", SimpleNamespace(perf_counter=lambda: now))
    assert share_of_time() == 0.75
    assert types == 15 * [torch.float32, torch.bfloat16]
    assert torch.get_num_threads() == threads


def test_the_time_is_really_taken():
    assert 0 < share_of_time() < 1000


@pytest.mark.parametrize("began", [True, False])
def test_a_run_goes_on_as_it_began(began: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Whatever would be quicker where it goes on; without a checkpoint that is what counts."""
    monkeypatch.setattr(train, "is_quicker", lambda device: not began)
    assert train.mixed_precision(tmp_path, CPU) is not began
    (tmp_path / "checkpoint.safetensors").write_bytes(b"no checkpoint")
    assert train.mixed_precision(tmp_path, CPU) is not began
    with tiny.registered() as spec:
        settings = Settings(epochs=2, batch_size=20, network=spec.name, mixed_precision=began)
        images = tiny.load(tmp_path, "train").take(slice(40))
        trainer = Trainer(settings, images, CPU)
        next(trainer.run_epoch())
        trainer.save(tmp_path / "checkpoint.safetensors")
    assert train.mixed_precision(tmp_path, CPU) is began


def test_only_convolutions_of_the_plain_formulation_are_in_bfloat16():
    """What they are given and give; capsules, votes, routing, drawing and every gradient are in single precision."""
    torch.manual_seed(0)
    net = tiny.build(tiny.SPEC)
    seen: dict[str, torch.dtype] = {}
    for name, module in net.named_modules():
        module.register_forward_hook(lambda module, given, made, name=name: seen.update({name: made}))
    images = tiny.load("", "train").images[:6] / 255
    found = net(images, 2, True)
    drawn = net.decoder(found.v)
    assert {seen[name].dtype for name in ("conv1", "primary.conv")} == {torch.bfloat16}
    assert {seen[name].dtype for name in ("primary", "digits", "decoder")} == {torch.float32}
    assert {step.v.dtype for step in found.steps} == {step.c.dtype for step in found.steps} == {torch.float32}
    (found.lengths.sum() + drawn.sum()).backward()
    assert {parameter.grad.dtype for parameter in net.parameters()} == {torch.float32}
    with torch.no_grad():
        exact = net(images, 2)
        difference = (found.v - exact.v).norm() / exact.v.norm()
    assert seen["primary.conv"].dtype == torch.float32  # nothing of it is left behind
    assert 1e-4 < difference < 9 * 2**-9  # four roundings of each convolution, and one of the image
