"""The command line: what it prints, and how it fails."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import reference
import torch
from PIL import Image

from capsviz import data
from capsviz.__main__ import main
from capsviz.examples import EXAMPLES, render
from capsviz.inference import Model
from capsviz.weights import DEFAULT, load_card, locate


@pytest.fixture
def drawing(tmp_path: Path) -> Path:
    """The first example as a file, dark ink on light paper."""
    path = tmp_path / "digit.png"
    Image.fromarray(255 - render(EXAMPLES[0].strokes, EXAMPLES[0].width)).save(path)
    return path


def test_predict_says_digit_and_length(drawing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "--device", "cpu", str(drawing)]) == 0
    assert capsys.readouterr().out.startswith(f"{drawing}: {EXAMPLES[0].digit} (length 0.")


def test_predict_goes_on_after_a_file_that_cannot_be_read(
    drawing: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, missing = tmp_path / "notes.png", tmp_path / "missing.png"
    text.write_text("no picture")
    assert main(["predict", "--json", "--device", "cpu", str(text), str(missing), str(drawing)]) == 2
    printed = capsys.readouterr()
    first, second, third = json.loads(printed.out)
    assert "error" in first
    assert "error" in second
    assert second["error"] == "No such file or directory."
    assert third["digit"] == EXAMPLES[0].digit
    assert third["unsure"] is False
    assert len(third["lengths"]) == 10
    assert len(printed.err.splitlines()) == 2


@pytest.mark.parametrize(
    ("longest", "said", "digit"),
    [
        (0.45, "4 (length 0.45; next 9, 0.05; unsure, perhaps no digit: below {limit:.2f})", 4),
        (0.07, "no digit (longest capsule: 4, 0.07; next 9, 0.05)", None),
    ],
)
def test_predict_says_when_it_is_unsure(
    drawing: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    longest: float,
    said: str,
    digit: int | None,
) -> None:
    lengths = np.full((1, 10), 0.02, np.float32)
    lengths[0, 4], lengths[0, 9] = longest, 0.05
    monkeypatch.setattr(Model, "predict", lambda self, images: lengths)
    limit = load_card(locate(DEFAULT))["unsure_below"]
    assert main(["predict", "--device", "cpu", str(drawing)]) == 0
    assert capsys.readouterr().out == f"{drawing}: {said.format(limit=limit)}\n"
    assert main(["predict", "--json", "--device", "cpu", str(drawing)]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert (answer["digit"], answer["unsure"]) == (digit, True)
    assert answer["unsure_below"] == pytest.approx(limit, abs=1e-4)
    assert answer["lengths"][4] == pytest.approx(longest)


def test_evaluate_counts_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # The same 7 five times, twice labelled as something else.
    from capsviz import canvas_to_mnist

    seven = next(example for example in EXAMPLES if example.digit == 7)
    image = canvas_to_mnist(render(seven.strokes, seven.width), ink="light")
    images = np.repeat(np.rint(image * 255)[None], 5, axis=0)
    for split, count in (("train", 1), ("t10k", 5)):
        reference.write_idx(tmp_path / "MNIST" / "raw" / f"{split}-images-idx3-ubyte", images[:count])
        labels = np.array([7, 7, 1, 7, 2])[:count]
        reference.write_idx(tmp_path / "MNIST" / "raw" / f"{split}-labels-idx1-ubyte", labels)
    monkeypatch.setattr(data, "SIZES", {"train": 1, "test": 5})
    few = ["--limit", "5", "--device", "cpu"]
    assert main(["evaluate", "--data", str(tmp_path), "--json", *few]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["wrong"], result["images"], result["error_rate"]) == (2, 5, 0.4)
    assert main(["evaluate", "--data", str(tmp_path), *few]) == 0
    assert "2 of 5 wrong, error rate 40.00%" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["evaluate", "--data", "nowhere", "--weights", "klingon"], "There are no weights"),
        (["predict", "x.png", "--device", "tpu"], "no device named 'tpu'"),
        (["predict", "x.png", "--device", "cuda"], "use --device cpu"),
    ],
)
def test_mistakes_are_one_line_and_status_2(
    arguments: list[str], expected: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("capsviz: ")
    assert expected in error
    assert len(error.splitlines()) == 1


def test_runs_as_a_module() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "capsviz", "--help"], capture_output=True, text=True, check=True
    )
    assert all(command in result.stdout for command in ("predict", "evaluate", "train"))


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--epochs", "0", "--epochs: must be a whole number above 0, not '0'."),
        ("--seed", "-1", "--seed: must be a whole number from 0 to 2147483647, not '-1'."),
        ("--noise", "2", "--noise: must be a standard deviation from 0 to 1, not '2'."),
        ("--noise", "nan", "--noise: must be a standard deviation from 0 to 1, not 'nan'."),
        ("--learning-rate", "nan", "--learning-rate: must be a number between 0 and 1, not 'nan'."),
        ("--klingon", "1", "unrecognized arguments: --klingon=1"),
    ],
)
def test_a_wrong_option_is_one_line(
    option: str, value: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["train", "--data", "x", "--out", "y", f"{option}={value}"])
    assert exit_.value.code == 2
    error = capsys.readouterr().err
    assert error == f"capsviz: {said} (--help shows how.)\n"
