"""Training by several processes: the result of one, whoever failed in one sentence, and nobody waits for ever."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import NamedTuple

import pytest
import reference
import torch
import torch.distributed as dist
from safetensors.torch import load_file
from torch import Tensor

from capsviz.__main__ import main
from capsviz.errors import DataError, DeviceError
from capsviz.inputs import data
from capsviz.inputs.data import NO_CLASS
from capsviz.models.weights import FILE
from capsviz.networks.base import DEFAULT, find
from capsviz.traces.base import RECONSTRUCTION_WEIGHT
from capsviz.training.distributed import Team, join
from capsviz.training.objective import Objective
from capsviz.training.settings import Settings
from capsviz.training.train import train
from capsviz.training.trainer import Trainer

ROOT = Path(__file__).parent.parent
# Of the four images in a batch the second process gets the two that are no digit.
MIXED = [
    "--batch-size",
    "4",
    "--augment",
    "--noise",
    "0.3",
    "--synthetic",
    "0.2",
    "--others",
    "0.4",
    "--pool",
    "8",
]
PROGRAM = """
import os, signal, sys
from capsviz.inputs import data
from capsviz.errors import DataError
from capsviz.training.trainer import Trainer
from capsviz.__main__ import main
data.SIZES = {"train": 12, "test": 5}
vars(data.MNIST)["held_out"] = 4
rank = int(os.environ["RANK"])
if rank:  # on a machine that has neither the data nor the run
    sys.argv[3] = sys.argv[5] = os.path.join(os.path.dirname(__file__), "nowhere")
update = Trainer._update
def changed(self, images, labels):
    {change}
    update(self, images, labels)
Trainer._update = changed
status = main(sys.argv[1:])
tasks = "/proc/self/task"  # where Linux tells of threads
names = [open(f"{tasks}/{task}/comm").read() for task in os.listdir(tasks)] if os.path.isdir(tasks) else []
# A thread of the group's that is left now may abort the process while Python ends.
sys.exit(status or ("the group is still there" if any("gloo" in name for name in names) else 0))
"""


class Run(NamedTuple):
    """A finished run of one process."""

    data: Path  # MNIST of 12 and 5 digits
    out: Path
    half: Path  # as ``out`` was after the first of two epochs


def command(data: Path, out: Path, *more: str) -> list[str]:
    options = [
        "--epochs",
        "2",
        "--learning-rate",
        "3e-5",
        "--device",
        "cpu",
        "--no-mixed-precision",
        *MIXED,
        *more,
    ]
    return ["train", "--data", str(data), "--out", str(out), *options]


def launch(
    folder: Path, arguments: list[str], processes: int = 2, change: str = "pass"
) -> subprocess.CompletedProcess[str]:
    """Run the command in ``processes`` processes; ``change`` comes before every step of each."""
    program = folder / "program.py"
    program.write_text(PROGRAM.replace("{change}", change))
    torchrun = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    return subprocess.run(
        [sys.executable, *torchrun, str(program), *arguments],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,  # for a machine that is busy with other things
    )


def assert_failed(result: subprocess.CompletedProcess[str], *mentioned: object) -> None:
    """One process says one sentence; what torchrun adds stands below it."""
    assert result.returncode != 0
    said = [line for line in result.stderr.splitlines() if "capsviz: " in line]
    assert len(said) == 1, result.stderr
    reference.assert_one_sentence(said[0].partition("capsviz: ")[2], *mentioned)
    assert result.stderr.count("Traceback") == 1, result.stderr  # torchrun's own


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that does not outlive the test: checkpoints have 100 MB each."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture(scope="module")
def alone() -> Iterator[Run]:
    """Two epochs of two steps by a single process, here."""
    save, threads = Trainer.save, torch.get_num_threads()

    def keep(trainer: Trainer, path: Path) -> None:
        save(trainer, path)
        if trainer.step == 2:
            shutil.copytree(path.parent, path.parent.parent / "half")

    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        patch.setattr(data, "SIZES", {"train": 12, "test": 5})
        patch.setitem(vars(data.MNIST), "held_out", 4)
        patch.setattr(Trainer, "save", keep)
        reference.write_mnist(folder, 12, 5)
        torch.set_num_threads(1)
        assert main(command(folder, folder / "out")) == 0
        torch.set_num_threads(threads)
        yield Run(folder, folder / "out", folder / "half")


def assert_same_run(ours: Path, theirs: Path) -> None:
    """The same weights, moments and log, but for the last digits of sums in another order."""
    found, expected = (load_file(out / "checkpoint.safetensors") for out in (ours, theirs))
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        if name.startswith("net."):
            assert (found[name] - tensor).abs().max() < 1e-5, name
        else:  # Adam's moments: its steps hide a wrong factor in the gradient, they do not
            assert (found[name] - tensor).norm() < 1e-3 * tensor.norm(), name
    cards = [json.loads((out / "card.json").read_text()) for out in (ours, theirs)]
    assert [card["device"] for card in cards] == ["2 x cpu", "cpu"]
    assert cards[0]["command"] == cards[1]["command"]
    assert cards[0]["test_error"] == cards[1]["test_error"]
    for a, b in zip(*(card["log"] for card in cards), strict=True):
        assert {**a, "seconds": 0} == pytest.approx({**b, "seconds": 0}, rel=1e-5)


# --- the result -----------------------------------------------------------------------------------------


def test_two_processes_give_the_result_of_one(alone: Run, folder: Path):
    result = launch(folder, command(alone.data, folder / "out"))
    assert result.returncode == 0, result.stderr
    assert_same_run(folder / "out", alone.out)
    for line in ("drawing 3 digits", "epoch 2: margin loss", "test error"):
        assert result.stdout.count(line) == 1
    assert "warn" not in result.stderr.lower()
    assert {path.name for path in folder.iterdir()} == {"program.py", "out"}  # no "nowhere"


def test_two_processes_resume_what_one_began(alone: Run, folder: Path):
    shutil.copytree(alone.half, folder / "out")
    result = launch(folder, command(alone.data, folder / "out", "--resume"))
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("resumed at step 2 of 4") == 1
    assert result.stdout.count("processes 1 (now 2): the run goes on, but not bit for bit") == 1
    assert_same_run(folder / "out", alone.out)


@pytest.mark.parametrize("labels", [[3, NO_CLASS, 4, 1], [3, 1, NO_CLASS, NO_CLASS]])
def test_the_mean_of_the_parts_gradients_is_that_of_the_batch(labels: list[int]):
    """However what is no digit, and so is not drawn, falls to the parts."""
    torch.manual_seed(0)
    net = find(DEFAULT).build(find(DEFAULT))
    with torch.no_grad():
        net.primary.conv.weight.mul_(10)  # capsules as long as a trained network's
    images, answers = torch.tensor(reference.synthetic_digits(4)[0]) / 255, torch.tensor(labels)
    digits = int((answers != NO_CLASS).sum())

    def gradients(team: Team) -> tuple[Tensor, list[Tensor]]:
        objective = Objective(deepcopy(net), iterations=3, mixed_precision=False)
        part = team.share(4)
        losses = objective(images[part], images[part], answers[part], digits / team.size)
        assert losses.total.item() == pytest.approx(
            (losses.parts[0] + RECONSTRUCTION_WEIGHT * losses.parts[1]).item()
        )
        losses.total.backward()
        return losses.parts, [parameter.grad for parameter in objective.parameters()]

    whole, expected = gradients(Team())
    (one, ours), (other, theirs) = (gradients(Team(rank, 2)) for rank in range(2))
    assert ((one + other)[:2] / 2).tolist() == pytest.approx(whole[:2].tolist(), rel=1e-5)
    assert (one + other)[2] == whole[2]
    for a, b, c in zip(ours, theirs, expected, strict=True):
        assert ((a + b) / 2 - c).norm() <= 1e-4 * c.norm()


# --- what goes wrong ------------------------------------------------------------------------------------


def test_a_loss_that_is_no_number_in_one_process_stops_all(alone: Run, folder: Path):
    shutil.copytree(alone.half, folder / "out")
    before = (folder / "out" / "checkpoint.safetensors").read_bytes()
    change = "images[2:] = float('nan') if rank == 1 and self.step == 3 else images[2:]"
    result = launch(folder, command(alone.data, folder / "out", "--resume"), change=change)
    assert_failed(result, "The loss is nan at step 4 of 4", "last checkpoint is kept", "--learning-rate")
    assert (folder / "out" / "checkpoint.safetensors").read_bytes() == before
    assert not (folder / "out" / FILE).exists()


def test_a_failure_of_the_first_process_alone_ends_all(alone: Run, folder: Path):
    """It reads the data while the other waits for them."""
    reference.write_mnist(folder, 12, 5)
    (folder / "MNIST" / "raw" / "t10k-images-idx3-ubyte").unlink()
    assert_failed(launch(folder, command(folder, folder / "out")), "t10k-images-idx3-ubyte missing")
    assert not (folder / "out").exists()


def test_a_failure_of_another_process_ends_all(alone: Run, folder: Path):
    change = "if rank == 1: raise DataError('It was only here.')"
    assert_failed(launch(folder, command(alone.data, folder / "out"), change=change), "It was only here.")


def test_a_batch_that_cannot_be_shared_out(tmp_path: Path):
    with pytest.raises(DataError) as caught:
        train(tmp_path, tmp_path / "out", Settings(batch_size=128), torch.device("cpu"), team=Team(2, 3))
    reference.assert_one_sentence(caught.value, "128", "multiple of 3", "--batch-size")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def fourth(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let this process take itself for the last of four, the second of its machine; it talks to no other.

    Returns:
        What the group is to talk over, as soon as it is there.
    """
    store, backends = dist.HashStore(), []
    for name, value in {"WORLD_SIZE": "4", "RANK": "3", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(dist, "rendezvous", lambda *_, **__: iter([(store, 3, 4)]))
    monkeypatch.setattr(dist, "init_process_group", lambda backend, **_: backends.append(backend))
    monkeypatch.setattr(dist, "destroy_process_group", lambda: None)
    return backends


def test_a_lost_process_is_spoken_of_once(fourth: list[str]):
    lost = RuntimeError(
        "[/pytorch/third_party/gloo/gloo/transport/tcp/pair.cc:547] Connection closed by peer"
    )
    with pytest.raises(DeviceError) as caught, join("cpu"):
        raise lost
    reference.assert_one_sentence(caught.value, "Another process", "--resume")
    with pytest.raises(SystemExit) as silent, join("cpu"):
        raise lost
    assert silent.value.code == 2


def pretend(monkeypatch: pytest.MonkeyPatch, cuda: int, mps: bool = False) -> None:
    """Let PyTorch see ``cuda`` CUDA devices and an Apple GPU or none."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: None)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize("name", ["auto", "cuda"])
def test_each_process_of_a_machine_has_its_own_gpu(
    fourth: list[str], monkeypatch: pytest.MonkeyPatch, name: str
):
    pretend(monkeypatch, cuda=2)
    with join(name) as (_, device):
        assert device == torch.device("cuda", 1)
    assert fourth == ["cpu:gloo,cuda:nccl"]


def test_a_team_on_the_cpu(fourth: list[str]):
    with join("cpu") as found:
        assert found == (Team(3, 4), torch.device("cpu"))
    assert fourth == ["gloo"]


def test_two_are_a_team(fourth: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(dist, "rendezvous", lambda *_, **__: iter([(dist.HashStore(), 1, 2)]))
    with join("cpu") as (team, _):
        assert team == Team(1, 2)


def test_each_process_takes_its_part():
    parts = [Team(rank, 3).share(6) for rank in range(3)]
    assert parts == [slice(0, 2), slice(2, 4), slice(4, 6)]
    assert [Team(rank, 3).first for rank in range(3)] == [True, False, False]


def test_two_processes_talk_to_each_other(monkeypatch: pytest.MonkeyPatch):
    """As the second of two hears it: sums and what the first made come from the group."""
    made: list[str] = []
    monkeypatch.setattr(dist, "all_reduce", lambda values: values.mul_(2))
    monkeypatch.setattr(dist, "broadcast_object_list", lambda things: things.__setitem__(0, "the first's"))
    monkeypatch.setattr("capsviz.training.distributed.DistributedDataParallel", lambda module: [module])
    team, module = Team(1, 2), torch.nn.Linear(1, 1)
    assert team.sum(torch.tensor([1, 2])).tolist() == [2, 4]
    assert team.from_first(lambda: made.append("mine")) == "the first's"
    assert made == []
    assert team.average_gradients(module) == [module]
    assert Team().average_gradients(module) is module


@pytest.mark.parametrize(("name", "cuda"), [("auto", 1), ("cuda", 1), ("cuda:0", 2)])
def test_too_few_gpus(fourth: list[str], monkeypatch: pytest.MonkeyPatch, name: str, cuda: int):
    pretend(monkeypatch, cuda)
    with pytest.raises(DeviceError) as caught, join(name):
        pass
    reference.assert_one_sentence(caught.value, "Process 1", f"{cuda} CUDA devices", name)


def test_an_apple_gpu_is_not_shared(fourth: list[str], monkeypatch: pytest.MonkeyPatch):
    pretend(monkeypatch, cuda=0, mps=True)
    with join("auto") as (_, device):
        assert device == torch.device("cpu")
    with pytest.raises(DeviceError) as caught, join("mps"):
        pass
    reference.assert_one_sentence(caught.value, "mps", "--device cpu")


def test_a_process_alone_meets_nobody():
    with join("cpu") as (team, device):
        assert team == Team(0, 1)
        assert device == torch.device("cpu")
        assert team.first
        assert team.share(7) == slice(0, 7)
        assert team.from_first(lambda: "made") == "made"
        assert team.sum(torch.ones(2)).tolist() == [1, 1]
