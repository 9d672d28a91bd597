"""The command line: what it prints, and how it fails."""

import io
import json
import os
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import reference
import tiny
import torch
from PIL import Image

from capsviz.__main__ import build_parser, main
from capsviz.inputs import data
from capsviz.inputs.examples import EXAMPLES, render
from capsviz.measures import changes
from capsviz.models.model import Model
from capsviz.models.weights import DEFAULT, load_card, locate
from capsviz.training.settings import Settings
from capsviz.training.train import train


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
    ("longest", "said", "digit", "unsure"),
    [
        (0.9512, "4 (length 0.95; next 9, 0.05)", 4, False),
        (0.4512, "4 (length 0.45; next 9, 0.05; unsure, perhaps no digit: below {limit:.2f})", 4, True),
        (0.0712, "no digit (longest capsule: 4, 0.07; next 9, 0.05)", None, True),
    ],
)
def test_predict_says_when_it_is_unsure(
    drawing: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    longest: float,
    said: str,
    digit: int | None,
    unsure: bool,
) -> None:
    lengths = np.full((1, 10), 0.02, np.float32)
    lengths[0, 4], lengths[0, 9] = longest, 0.05
    monkeypatch.setattr(Model, "predict", lambda self, images: lengths)
    limit = load_card(locate(DEFAULT))["unsure_below"]
    assert main(["predict", "--device", "cpu", str(drawing)]) == 0
    assert capsys.readouterr().out == f"{drawing}: {said.format(limit=limit)}\n"
    assert main(["predict", "--json", "--device", "cpu", str(drawing)]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert (answer["digit"], answer["unsure"]) == (digit, unsure)
    assert answer["unsure_below"] == pytest.approx(limit, abs=1e-4)
    assert answer["lengths"] == [0.02] * 4 + [longest] + [0.02] * 4 + [0.05]


def test_predict_speaks_of_probabilities_where_the_scores_are_such(
    drawing: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shares = np.full((1, 10), 0.0125, np.float32)
    shares[0, 4], shares[0, 9] = 0.75, 0.15
    monkeypatch.setattr(Model, "predict", lambda self, images: shares)
    words = ["predict", "--network", "cnn.mnist", "--device", "cpu", str(drawing)]
    assert main(words) == 0
    assert f"{drawing}: 4 (probability 0.75; next 9, 0.15" in capsys.readouterr().out
    assert main([*words, "--json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert "lengths" not in answer
    assert answer["probabilities"] == [0.0125] * 4 + [0.75] + [0.0125] * 4 + [0.15]


def test_predict_names_the_classes_of_another_network(
    drawing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter(np.float32([[[0.3, 0.1, 0.9]], [[2e-9, 3e-9, 1e-9]]]).repeat(2, axis=0))
    monkeypatch.setattr(Model, "predict", lambda self, images: next(answers))
    with tiny.registered():
        settings = Settings(epochs=1, batch_size=100, iterations=2, network=tiny.SPEC.name)
        train(tmp_path, tmp_path / "out", settings, torch.device("cpu"), say=lambda line: None)
        words = ["predict", "--device", "cpu", "--weights", str(tmp_path / "out"), str(drawing)]
        for said, shape in (
            ("zigzag (length 0.90; next kite, 0.30)", "zigzag"),
            ("no shape (longest capsule: ring, 0.00; next kite, 0.00)", None),
        ):
            assert main(words) == 0
            assert capsys.readouterr().out == f"{drawing}: {said}\n"
            assert main([*words, "--json"]) == 0
            (answer,) = json.loads(capsys.readouterr().out)
            assert (answer["shape"], len(answer["lengths"])) == (shape, 3)


def test_evaluate_counts_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # The same 7 three times, twice labelled as something else.
    from capsviz import canvas_to_mnist

    seven = next(example for example in EXAMPLES if example.digit == 7)
    image = canvas_to_mnist(render(seven.strokes, seven.width), ink="light")
    images = np.repeat(np.rint(image * 255)[None], 3, axis=0)
    for split, count in (("train", 1), ("t10k", 3)):
        reference.write_idx(tmp_path / "MNIST" / "raw" / f"{split}-images-idx3-ubyte", images[:count])
        labels = np.array([7, 1, 2])[:count]
        reference.write_idx(tmp_path / "MNIST" / "raw" / f"{split}-labels-idx1-ubyte", labels)
    monkeypatch.setattr(data, "SIZES", {"train": 1, "test": 3})
    monkeypatch.setattr(changes, "STEPS", 10**6)  # both ends of each are enough
    monkeypatch.setattr(changes, "EVERY", {})
    few = ["--limit", "3", "--device", "cpu"]
    assert main(["evaluate", "--data", str(tmp_path), "--json", *few]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["wrong"], result["images"], result["error_rate"]) == (2, 3, pytest.approx(2 / 3))
    assert main(["evaluate", "--data", str(tmp_path), *few]) == 0
    assert "2 of 3 wrong, error rate 66.67%" in capsys.readouterr().out


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
    "arguments", [["--help"], ["train", "--help"], ["predict"], ["train", "--epochs", "0"]]
)
def test_help_and_mistakes_do_not_wait_for_pytorch(arguments: list[str]) -> None:
    program = (
        "import sys; from capsviz.__main__ import main\n"
        f"try: main({arguments})\n"
        "except SystemExit: print(*{name.split('.')[0] for name in sys.modules})"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(result.stdout.splitlines()[-1].split())
    assert "capsviz" in loaded
    assert not loaded & {"torch", "torchvision", "safetensors", "numpy", "PIL", "plotly", "streamlit", "tqdm"}


def test_what_is_not_said_is_as_in_the_settings() -> None:
    parsed = build_parser().parse_args(["train", "--data", "x", "--out", "y"])
    shown = {field.name for field in fields(Settings)} & vars(parsed).keys()
    # What follows from others, from the data, or the machine.
    unlike = {"final_learning_rate", "start_from", "mixed_precision", "epochs", "batch_size"}
    unlike |= {"iterations", "reconstruction"}
    assert [getattr(parsed, name) for name in sorted(unlike)] == [None] * 7
    assert {name: getattr(parsed, name) for name in shown - unlike} == {
        **{"seed": 0, "learning_rate": 1e-3, "augment": False, "noise": 0.0},
        **{"synthetic": 0.0, "others": 0.0, "pool": 48_000, "average_start": False},
        "network": "dynamic.mnist",
    }


@pytest.mark.parametrize(
    ("option", "value", "number"),
    [
        ("--epochs", "1", 1),
        ("--epochs", "10000000", 10_000_000),
        ("--seed", "0", 0),
        ("--seed", "2147483647", 2147483647),
        ("--noise", "0", 0),
        ("--noise", "1", 1),
        ("--synthetic", "0", 0),
        ("--others", "0.4999", 0.4999),
        ("--learning-rate", "1e-300", 1e-300),
    ],
)
def test_the_edges_of_what_an_option_takes(option: str, value: str, number: float) -> None:
    parsed = build_parser().parse_args(["train", "--data", "x", "--out", "y", option, value])
    assert getattr(parsed, option.removeprefix("--").replace("-", "_")) == number


@pytest.mark.parametrize(
    ("given", "final"),
    [([], 1e-5), (["--learning-rate", "1e-6"], 1e-6), (["--final-learning-rate", "1e-4"], 1e-4)],
)
def test_the_final_learning_rate_is_never_above_the_first(
    given: list[str], final: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Settings] = []
    monkeypatch.setattr(
        "capsviz.training.train.train", lambda data, out, settings, *_, **__: seen.append(settings)
    )
    assert main(["train", "--data", "x", "--out", str(tmp_path), "--device", "cpu", *given]) == 0
    assert seen[0].final_learning_rate == final


def test_every_option_of_a_training_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []
    monkeypatch.setattr("capsviz.training.train.train", lambda *given, **more: asked.append(given))
    numbers = "--epochs 2 --batch-size 8 --seed 5 --noise 0.2 --synthetic 0.1 --others 0.3 --pool 70"
    rates = "--learning-rate 0.01 --final-learning-rate 0.01"  # as large as the first, which may be
    words = f"--data x --out y --device cpu --augment --average-start --resume {numbers} {rates}"
    words += " --network tiny.shapes --mixed-precision"
    with tiny.registered():
        assert main(["train", *words.split()]) == 0
    settings = Settings(
        epochs=2,
        batch_size=8,
        seed=5,
        learning_rate=0.01,
        final_learning_rate=0.01,
        augment=True,
        noise=0.2,
        synthetic=0.1,
        others=0.3,
        pool=70,
        iterations=2,  # as many as the network's specification says
        average_start=True,
        network="tiny.shapes",
        mixed_precision=True,
    )
    assert asked == [(Path("x"), Path("y"), settings, torch.device("cpu"), True, None)]


@pytest.mark.parametrize(
    ("words", "quicker", "mixed"),
    [
        ([], True, True),
        ([], False, False),
        (["--mixed-precision"], False, True),
        (["--no-mixed-precision"], True, False),
    ],
)
def test_mixed_precision_where_it_is_quicker_or_where_somebody_says_so(
    words: list[str], quicker: bool, mixed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Settings] = []
    monkeypatch.setattr(
        "capsviz.training.train.train", lambda data, out, settings, *_, **__: seen.append(settings)
    )
    monkeypatch.setattr("capsviz.training.train.is_quicker", lambda device: quicker)
    assert main(["train", "--data", "x", "--out", str(tmp_path), "--device", "cpu", *words]) == 0
    assert seen[0].mixed_precision is mixed


def test_of_several_processes_the_first_decides_what_is_quicker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What each of them measured might differ."""
    seen: list[Settings] = []
    said = iter([None, True])  # there are no data of one's own, and mixed precision is quicker
    team = SimpleNamespace(from_first=lambda make: next(said))
    monkeypatch.setattr(
        "capsviz.training.distributed.join", lambda device: nullcontext((team, torch.device("cpu")))
    )
    monkeypatch.setattr(
        "capsviz.training.train.train", lambda data, out, settings, *_, **__: seen.append(settings)
    )
    monkeypatch.setattr("capsviz.training.train.is_quicker", lambda device: False)
    assert main(["train", "--data", "x", "--out", str(tmp_path)]) == 0
    assert seen[0].mixed_precision is True


@pytest.mark.parametrize("name", ["capsnet-mnist", "dynamic.mnist"])
def test_a_network_is_trained_under_its_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Settings] = []
    monkeypatch.setattr(
        "capsviz.training.train.train", lambda data, out, settings, *_, **__: seen.append(settings)
    )
    words = ["--data", "x", "--out", "y", "--no-mixed-precision", "--device", "cpu", "--network", name]
    assert main(["train", *words]) == 0
    assert (seen[0].network, seen[0].iterations) == ("dynamic.mnist", 3)
    assert (seen[0].epochs, seen[0].batch_size) == (14, 128)  # where nobody says


@pytest.mark.parametrize("name", ["klingon", "", "capsules", "weights/dynamic.mnist"])
def test_an_unknown_network_is_told_with_those_there_are(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with tiny.registered():
        assert main(["train", "--data", "x", "--out", "y", "--network", name]) == 2
    said = capsys.readouterr().err.rstrip("\n").removeprefix("capsviz: ")
    reference.assert_one_sentence(said, f"no network {name!r}", "one of dynamic.mnist, ", ", tiny.shapes.")


def test_help_says_how_long_an_epoch_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Of 60,000 images 5,000 are held out."""
    with pytest.raises(SystemExit) as exit_:
        main(["train", "--help"])
    assert exit_.value.code == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "the images to train on, of MNIST 55,000 (14; of few images of your own up to 60)" in said


def test_poses_lists_the_strongest_component_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[object] = []

    def measure(model: SimpleNamespace, images: np.ndarray, labels: np.ndarray) -> SimpleNamespace:
        seen.append((model, images.tolist(), labels.tolist()))
        components = [
            SimpleNamespace(strength=strength, caption=caption)
            for strength, caption in ((0.1, "wider"), (0.5, "thicker: R² 0.9"), (0.3, "lower: −2"))
        ]
        return SimpleNamespace(digits=[SimpleNamespace(components=components)])

    def load(folder: Path, split: str) -> data.Digits:
        seen.append((folder, split))
        return data.Digits(torch.tensor([[[0, 51, 255]]], dtype=torch.uint8), torch.tensor([3]))

    measured = SimpleNamespace(load=load, unlike=lambda folder, split: f"{split} is odd")
    shape = SimpleNamespace(kind="letter", classes=("ß",))
    model = SimpleNamespace(spec=SimpleNamespace(data=measured), shape=shape)
    monkeypatch.setattr("capsviz.models.model.load_model", lambda *given: seen.append(given) or model)
    monkeypatch.setattr("capsviz.measures.poses.measure_poses", measure)
    monkeypatch.setattr(
        "capsviz.measures.poses.save_poses", lambda found, weights: Path(f"{weights}.poses.json")
    )
    assert main(["poses", "--data", "x", "--network", "net", "--device", "cpu"]) == 0
    pixels = [[[0, float(np.float32(0.2)), 1]]]
    assert seen == [("net", "cpu"), (Path("x"), "train"), (model, pixels, [3])]
    printed = capsys.readouterr()
    assert printed.err == "train is odd\n"
    assert printed.out.splitlines() == [
        "Letter ß, strongest component first",
        "   1  thicker: R2 0.9",
        "   2  lower: -2",
        "   0  wider",
        "Written to net.poses.json",
    ]


def test_a_final_learning_rate_above_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    rates = ["--learning-rate", "1e-4", "--final-learning-rate", "2e-4"]
    assert main(["train", "--data", "x", "--out", "y", *rates]) == 2
    reference.assert_one_sentence(capsys.readouterr().err.rstrip("\n"), "0.0002", "0.0001", "smaller")


# --- names and consoles ---------------------------------------------------------------------------------


def test_names_of_files_stay_on_their_line(
    drawing: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd, gone = tmp_path / "a\nb\x1b[31m\u202e.png", tmp_path / "no\nsuch.png"
    odd.write_bytes(drawing.read_bytes())
    assert main(["predict", "--device", "cpu", str(odd), str(gone)]) == 2
    printed = capsys.readouterr()
    assert printed.out.startswith(f"{tmp_path}/a\\nb\\x1b[31m\\u202e.png: {EXAMPLES[0].digit} (length")
    assert len(printed.out.splitlines()) == 1
    assert printed.err == f"capsviz: {tmp_path}/no\\nsuch.png: No such file or directory.\n"
    assert main(["predict", "--json", "--device", "cpu", str(odd), str(gone)]) == 2
    assert [answer["file"] for answer in json.loads(capsys.readouterr().out)] == [str(odd), str(gone)]
    assert main(["evaluate", "--data", str(gone), "--weights", "no\nnet"]) == 2
    reference.assert_one_sentence(capsys.readouterr().err.rstrip("\n"), "no\\nnet")


@pytest.mark.parametrize("encoding", ["cp437", "cp1252", "ascii", "utf-8"])
def test_a_console_that_lacks_a_letter(
    encoding: str, drawing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """≥ is in code page 437 alone, a lone surrogate (a byte of a name that is no UTF-8) in none."""
    names = ["sieben.png", "≥.png", os.fsdecode(b"\xff.png"), "七.png"]
    for name in names:
        (tmp_path / name).write_bytes(drawing.read_bytes())
    written, faults = (io.TextIOWrapper(io.BytesIO(), encoding) for _ in range(2))
    monkeypatch.setattr(sys, "stdout", written)
    monkeypatch.setattr(sys, "stderr", faults)
    assert main(["predict", "--device", "cpu", *(str(tmp_path / n) for n in names)]) == 0
    written.flush()
    faults.flush()
    assert faults.buffer.getvalue() == b""
    lines = written.buffer.getvalue().decode(encoding).splitlines()
    expected = [
        "sieben.png",
        "≥.png" if encoding in ("cp437", "utf-8") else "\\u2265.png",
        "\\udcff.png",
        "七.png" if encoding == "utf-8" else "\\u4e03.png",
    ]
    said = f": {EXAMPLES[0].digit} (length"
    assert [line.partition(said)[0].rpartition("/")[2] for line in lines] == expected


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="the system has no such files")
def test_a_file_without_end(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "--device", "cpu", "/dev/zero"]) == 2
    reference.assert_one_sentence(capsys.readouterr().err.rstrip("\n"), "/dev/zero", "over the limit")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no such file")
def test_what_cannot_be_printed_is_told(drawing: Path) -> None:
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "capsviz", "predict", "--device", "cpu", str(drawing)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert (result.returncode, result.stderr) == (2, "capsviz: No space left on device.\n")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "The memory is full"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
            "give a smaller --batch-size",
        ),
        (RuntimeError("CUDA out of memory.\nTried to"), "CUDA out of memory.): give a smaller --batch-size"),
        (RuntimeError("CUDA error: an illegal memory access"), "try --device cpu"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_MAPPING_ERROR"), "try --device cpu"),
        (RuntimeError("CUBLAS_STATUS_NOT_INITIALIZED"), "try --device cpu"),
        (RuntimeError("NCCL error in: ProcessGroupNCCL.cpp"), "try --device cpu"),
        (RuntimeError("The MPS backend failed"), "try --device cpu"),
    ],
)
def test_a_device_that_fails(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("capsviz.models.model.load_model", fail)
    assert main(["predict", "x.png"]) == 2
    reference.assert_one_sentence(capsys.readouterr().err.rstrip("\n"), said)


@pytest.mark.parametrize(
    ("words", "called", "more"),
    [
        ("predict x.png", "capsviz.models.model.load_model", ""),
        (
            "train --data x --out y",
            "capsviz.training.train.train",
            " Add --resume to go on from the last checkpoint.",
        ),
    ],
)
def test_an_interruption_says_how_to_go_on(
    words: str,
    called: str,
    more: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(called, interrupt)
    assert main([*words.split(), "--device", "cpu"]) == 130
    assert capsys.readouterr().err == f"capsviz: interrupted.{more}\n"


def test_a_mistake_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("shapes differ")

    monkeypatch.setattr("capsviz.models.model.load_model", fail)
    with pytest.raises(RuntimeError, match="shapes differ"):
        main(["predict", "x.png"])


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--epochs", "0", "--epochs: must be a whole number from 1 to 10,000,000, not '0'."),
        pytest.param(
            "--epochs",
            "9" * 5000,
            f"--epochs: must be a whole number from 1 to 10,000,000, not '{'9' * 20}'.",
            id="digits without end",
        ),
        ("--pool", "10000001", "--pool: must be a whole number from 1 to 10,000,000, not '10000001'."),
        ("--seed", "2147483648", "--seed: must be a whole number from 0 to 2147483647, not '2147483648'."),
        ("--data", "", "--data: must be a path, not ''."),
        ("--out", "", "--out: must be a path, not ''."),
        ("--learning-rate", "1", "--learning-rate: must be a number between 0 and 1, not '1'."),
        ("--learning-rate", "0", "--learning-rate: must be a number between 0 and 1, not '0'."),
        ("--noise", "1.01", "--noise: must be a standard deviation from 0 to 1, not '1.01'."),
        ("--kling\non", "1", "unrecognized arguments: --kling\\non=1"),
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
