"""The mean of several trainings' weights: its parameters, what is measured of it, and how it fails."""

import json
import shutil
from copy import deepcopy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import reference
import torch
from safetensors.torch import load_file

from capsviz.__main__ import build_parser, main
from capsviz.inputs.data import MNIST, load_mnist, split_validation
from capsviz.models.card import averaged_error, card_table, departures, limits
from capsviz.models.card import command as training_command
from capsviz.models.weights import FILE, load_weights
from capsviz.training.average import _told, average
from capsviz.training.validation import error_rate


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an MNIST of which all but a few images are held out."""
    folder = tmp_path_factory.mktemp("data")
    with pytest.MonkeyPatch.context() as patch:
        _few(patch)
        reference.write_mnist(folder, 8, 5)
    return folder


def _few(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("capsviz.inputs.data.SIZES", {"train": 8, "test": 5})
    patch.setitem(vars(MNIST), "held_out", 4)


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight training images, four of them held out, and five to test on."""
    _few(monkeypatch)


@pytest.fixture(scope="module")
def runs(data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The weights of three short trainings."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        _few(patch)
        for seed in range(3):
            words = ["train", "--data", str(data), "--out", str(folder / str(seed)), "--seed", str(seed)]
            assert main([*words, "--epochs", "1", "--batch-size", "4", "--device", "cpu"]) == 0
    return [folder / str(seed) / FILE for seed in range(3)]


def command(data: Path, out: Path, *weights: Path | str) -> list[str]:
    return ["average", *map(str, weights), "--data", str(data), "--out", str(out), "--device", "cpu"]


def test_the_mean_of_three(data: Path, runs: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(command(data, tmp_path, *runs)) == 0
    found = load_weights(tmp_path / FILE)
    parts = [load_file(run) for run in runs]
    for name, parameter in found.net.named_parameters():
        mean = np.mean([part[name].numpy().astype(np.float64) for part in parts], axis=0)
        np.testing.assert_allclose(parameter.numpy(), mean, atol=1e-6, rtol=2**-10)  # half precision
    _, validation = split_validation(load_mnist(data, "train"), 4)
    assert found.card["validation_error"] == error_rate(found.net, validation, 3)
    assert found.card["test_error"] == error_rate(found.net, load_mnist(data, "test"), 3)
    said = capsys.readouterr().out
    assert f"the mean of 3: validation error {found.card['validation_error']:.2%} (of the parts" in said
    assert f"test error {found.card['test_error']:.2%}" in said
    assert ", ".join(f"{load_weights(run).card['validation_error']:.2%}" for run in runs) in said
    lengths = found.net((validation.images / 255).float()).lengths
    loss = reference.margin_loss(lengths.numpy(), validation.labels.numpy())
    assert found.card["validation_loss"] == pytest.approx(loss, rel=1e-4)


def test_the_parts_stay_what_they_are(data: Path, runs: list[Path], tmp_path: Path):
    parts = [load_weights(run) for run in runs]
    before = [{name: tensor.clone() for name, tensor in part.net.state_dict().items()} for part in parts]
    cards = deepcopy([part.card for part in parts])
    said: list[str] = []
    average(parts, data, tmp_path, torch.device("cpu"), said.append)
    for part, state in zip(parts, before, strict=True):
        for name, tensor in part.net.state_dict().items():
            assert torch.equal(tensor, state[name]), name
    assert [part.card for part in parts] == cards
    unlike = [line for line in said if "not its original bytes" in line]
    assert [line.partition("-")[0] for line in unlike] == ["train", "t10k"]  # both halves are made up


def test_the_card_names_what_was_averaged(data: Path, runs: list[Path], tmp_path: Path):
    first, _, last = runs
    assert main(command(data, tmp_path, first, last)) == 0
    card = load_weights(tmp_path / FILE).card
    parts = [load_weights(run) for run in (first, last)]
    sums = [part.sha256 for part in parts]
    errors = [(part.card["validation_error"], part.card["test_error"]) for part in parts]
    averaged = card["settings"].pop("averaged")
    assert card["settings"] == parts[1].card["settings"]
    assert [part["sha256"] for part in averaged] == sums
    assert [(part["validation_error"], part["test_error"]) for part in averaged] == errors
    # The last one's training is the card's own.
    assert [part["trainings"] for part in averaged] == [[parts[0].card["settings"]], []]
    card["settings"]["averaged"] = averaged
    assert card["log"] == load_weights(last).card["log"]
    assert averaged_error(card) == card["validation_error"]
    table = card_table(card)
    assert "| Weights | the mean of 2, the last of them trained as said below |" in table
    assert f"| Part 1 | SHA-256 `{sums[0]}`, validation error {errors[0][0]:.2%}, test error" in table
    assert f"made by `{training_command(parts[0].card['settings'])}`" in table
    one, other = errors[0][1], errors[1][1]
    spread = abs(one - other) / 2**0.5  # of two, n - 1 in the denominator
    assert (
        f"| Parts, test error | {(one + other) / 2:.2%} on average, standard deviation {spread:.2%} |"
        in table
    )
    assert "of the mean; no epoch was picked" in table
    assert "| the weights of one training | the mean of those of 2 |" in departures(card)
    assert table in (tmp_path / "card.md").read_text("utf-8")
    words = card["command"].split()[3:]
    assert build_parser().parse_args(words).weights == ["WEIGHTS", "WEIGHTS"]


def test_of_each_part_is_told_what_the_last_has_not_gone_through():
    """Of trainings a to e, and a mean."""
    a, b, c, d, e = ({"epochs": epochs} for epochs in range(1, 6))
    mean = {"epochs": 6, "averaged": []}

    def trainings(*parts: list[dict]) -> list[list[dict]]:
        errors = {"validation_error": 0.5, "test_error": 0.25}
        weights = [
            SimpleNamespace(sha256="", card={**errors, "started_from": before, "settings": last})
            for *before, last in parts
        ]
        return [part["trainings"] for part in _told(weights)]

    assert trainings([a, b], [c, d, e], [a, c]) == [[b], [d, e], []]
    assert trainings([b], [a, mean]) == [[b], [mean]]  # the mean's own parts take the place of its settings


def test_a_training_may_start_from_a_mean(data: Path, runs: list[Path], tmp_path: Path):
    assert main(command(data, tmp_path / "mean", *runs)) == 0
    path = tmp_path / "mean" / FILE
    start = load_weights(path)
    words = ["train", "--data", str(data), "--out", str(tmp_path / "out"), "--start-from", str(path)]
    assert main([*words, "--epochs", "1", "--batch-size", "4", "--device", "cpu"]) == 0
    card = load_weights(tmp_path / "out" / FILE).card
    assert averaged_error(card) is None
    (row,) = [line for line in card_table(card).splitlines() if line.startswith("| Started from")]
    assert start.sha256 in row
    assert all(part["sha256"] in row for part in start.card["settings"]["averaged"])


def test_limits_count_every_training_behind_a_mean():
    """The clean one comes last, and the noisy one is a mean's own part."""
    noisy, clean = {"epochs": 1, "noise": 0.3}, {"epochs": 2}
    inner = {"epochs": 1, "averaged": [{"trainings": [noisy]}, {"trainings": []}]}
    card = {"settings": {**clean, "averaged": [{"trainings": [inner]}, {"trainings": []}]}}
    assert "of a standard deviation of up to 0.3" in limits(card)[-1]
    assert "trained on clean pictures" in limits({"settings": clean})[-1]


def test_what_cannot_be_averaged(
    data: Path, runs: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    other = tmp_path / "other.safetensors"
    shutil.copy(runs[0], other)
    (tmp_path / "other.json").write_text(json.dumps({**load_weights(runs[1]).card}))
    out = tmp_path / "out"
    for weights, said in (
        (runs[:1], "two or more"),
        ([runs[0], runs[1], runs[0]], "given twice"),
        ([runs[0], "klingon"], "klingon"),
        ([runs[0], other], "is not the file its card describes"),
    ):
        assert main(command(data, out, *weights)) == 2
        reference.assert_one_sentence(capsys.readouterr().err.rstrip("\n").removeprefix("capsviz: "), said)
        assert not out.exists()


def test_a_folder_that_holds_a_run_is_left_alone(
    data: Path, runs: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    before = runs[2].read_bytes()
    assert main(command(data, runs[2].parent, *runs[:2])) == 2
    reference.assert_one_sentence(capsys.readouterr().err.rstrip("\n"), "finished run", "--out")
    assert runs[2].read_bytes() == before
    (tmp_path / "checkpoint.safetensors").write_bytes(b"begun")
    assert main(command(data, tmp_path, *runs[:2])) == 2
    said = capsys.readouterr().err.rstrip("\n")
    reference.assert_one_sentence(said, "unfinished run", "another folder")
    assert "--resume" not in said  # a mean has nothing to go on with
    assert torch.is_grad_enabled()
