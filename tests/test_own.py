"""Networks of one's own: pictures and strokes are found, split and refused as said; trained, they are kept and offered."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import reference
import torch
from PIL import Image, ImageDraw
from streamlit.testing.v1 import AppTest

import capsviz
from capsviz.__main__ import main
from capsviz.app import address
from capsviz.app.server import add_networks
from capsviz.errors import DataError, WeightsError
from capsviz.figures.comparison import cells
from capsviz.inputs import own_files as own
from capsviz.inputs import pictures
from capsviz.inputs.data import MNIST
from capsviz.inputs.letters import LETTERS
from capsviz.inputs.own import kind_of
from capsviz.inputs.own_files import data_set, find_own, parts_by_content, source_of
from capsviz.inputs.preprocess import canvas_to_mnist
from capsviz.models import own_networks, weights
from capsviz.models.comparison import Entry
from capsviz.models.own import family, own_name, own_spec, spec_of
from capsviz.models.size import sizes
from capsviz.models.weights import load_card, load_weights
from capsviz.networks.base import DEFAULT, find, networks, unregister
from capsviz.training.settings import sensible

CLASSES = ("cross", "ring", "zig & zag")


def picture(label: int, rng: np.random.Generator) -> Image.Image:
    """A cross, a ring or a zigzag in black ink on white paper."""
    image = Image.new("L", (64, 64), 255)
    draw = ImageDraw.Draw(image)
    x0, y0, x1, y1 = *rng.uniform(8, 16, 2), *rng.uniform(46, 56, 2)
    width = int(rng.integers(4, 7))
    if label == 0:
        draw.line((x0, y0, x1, y1), 0, width)
        draw.line((x0, y1, x1, y0), 0, width)
    elif label == 1:
        draw.ellipse((x0, y0, x1, y1), outline=0, width=width)
    else:
        draw.line([(x0, y0), (x1, y0), (x0, y1), (x1, y1)], 0, width)
    return image


def write(folder: Path, count: int = 20, classes: tuple[str, ...] = CLASSES, seed: int = 0) -> Path:
    """A folder of class folders; the second class is in a folder of its folder, the third as JPEG."""
    rng = np.random.default_rng(seed)
    for label, name in enumerate(classes):
        inner = folder / name / "inner" if label == 1 else folder / name
        inner.mkdir(parents=True)
        for k in range(count):
            ending = ".JPG" if label == 2 else ".png"
            picture(label % 3, rng).save(inner / f"{k}{ending}")
    return folder


def strokes(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def drawn(labels: tuple[object, ...], each: int, writers: int = 0) -> list[dict[str, Any]]:
    """Lines at random, one after the other of each label, by as many writers in turn, or by nobody."""
    rng = np.random.default_rng(1)
    rows = []
    for k in range(each):
        for label in labels:
            row = {"label": label, "strokes": rng.uniform(0, 9, (2, 3, 2)).round(3).tolist()}
            rows.append(row | ({"writer": str(k % writers)} if writers else {}))
    return rows


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("data") / "shapes")


def command(data: Path, out: Path, *more: str) -> list[str]:
    words = ["train", "--network", "cnn", "--data", str(data), "--out", str(out), "--device", "cpu"]
    return [*words, "--no-mixed-precision", *more]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """For batches of eight, threads cost more than they bring."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def trained(shapes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained within seconds."""
    out = tmp_path_factory.mktemp("runs") / "My shapes-1"
    assert main(command(shapes, out, "--epochs", "8", "--learning-rate", "3e-3")) == 0
    return out


@pytest.fixture
def added(trained: Path) -> Iterator[str]:
    """The name of the trained network, as long as the test runs."""
    name = own_networks.add(trained).name
    yield name
    unregister(name)
    del weights.places[name]


@pytest.fixture
def copy(trained: Path, tmp_path: Path) -> Path:
    """A copy of the trained network, to be damaged."""
    return shutil.copytree(trained, tmp_path / "copy")


def refused(data: Path, *mentioned: object, out: Path | None = None, skip: bool = False) -> None:
    """Nothing of it can be trained on, for a reason that is one sentence."""
    with pytest.raises(DataError) as caught:
        find_own(data, source_of(data, MNIST), skip, say=lambda line: None)
    reference.assert_one_sentence(caught.value, *mentioned)
    assert len(str(caught.value)) < 600


# --- what a path holds ------------------------------------------------------------------------------------


def test_what_a_path_holds_is_decided_in_one_place(tmp_path: Path, shapes: Path):
    file = strokes(tmp_path / "a.jsonl", drawn(("a", "b"), 5))
    (tmp_path / "mnist" / "MNIST").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    (tmp_path / "letters.jsonl.gz").write_bytes(b"")
    for path, of_mnist, of_letters in (
        (shapes, "pictures", "pictures"),
        (file, "strokes", "strokes"),
        (tmp_path / "mnist", "", "pictures"),
        (tmp_path / "empty", "", "pictures"),
        (tmp_path / "new", "", ""),
        (tmp_path / "gone.jsonl", "strokes", ""),
        (tmp_path / "letters.jsonl.gz", "strokes", ""),
    ):
        assert (source_of(path, MNIST), source_of(path, LETTERS)) == (of_mnist, of_letters), path


def test_pictures_are_found_and_prepared_as_uploads(shapes: Path):
    said: list[str] = []
    known = find_own(shapes, "pictures", say=said.append)
    assert (known.classes, known.kind, known.name) == (CLASSES, "class", "shapes")
    # Of 20 a fifth, 4, to test on; of the 16 others an eighth, 2, to choose by.
    assert (known.train, known.choose, known.test) == (3 * 16, 3 * 2, 3 * 4)
    assert said == [
        f"{shapes} is a folder of pictures: 3 classes (cross, ring, zig & zag), 42 images to train on, 6 to choose by, 12 "
        "to test on"
    ]
    data = data_set(known)
    train, test = data.load(shapes, "train"), data.load(shapes, "test")
    seen = sorted(image.numpy().tobytes() for half in (train, test) for image in half.images)
    expected = []
    for path in shapes.rglob("*.*"):
        pixels = canvas_to_mnist(np.asarray(Image.open(path)))
        expected.append(np.rint(255 * pixels).astype(np.uint8).tobytes())
    assert seen == sorted(expected)
    assert test.labels.bincount().tolist() == [4, 4, 4]
    assert train.labels[-6:].bincount().tolist() == [2, 2, 2]
    assert data.unlike(shapes, "test") == ""


def test_the_held_out_parts_are_those_with_the_lowest_hashes(shapes: Path):
    known = find_own(shapes, "pictures", say=lambda line: None)
    test = data_set(known).load(shapes, "test")
    rings = sorted(
        (shapes / "ring").rglob("*.png"), key=lambda path: hashlib.sha256(path.read_bytes()).digest()
    )
    expected = {
        np.rint(255 * canvas_to_mnist(np.asarray(Image.open(path)))).astype(np.uint8).tobytes()
        for path in rings[:4]
    }
    assert {image.numpy().tobytes() for image in test.images[test.labels == 1]} == expected


def test_copies_of_a_picture_are_on_one_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Whatever they are called: three of each, of 8. Each picture is prepared as the bytes of its hash here."""

    def prepared(files: tuple[Path, ...], contents: tuple[str, ...]) -> pictures.Prepared:
        hashes = [np.frombuffer(bytes.fromhex(content), np.uint8) for content in contents]
        return pictures.Prepared([np.resize(one, (28, 28)) for one in hashes], [])

    monkeypatch.setattr(own, "prepared", prepared)
    data = write(tmp_path / "data", 8)
    for path in list(data.rglob("*.*")):
        for n in (1, 2):
            shutil.copy(path, path.with_name(f"x{n}{path.name}"))
    known = find_own(data, "pictures", say=lambda line: None)
    assert (known.train, known.choose, known.test) == (3 * 3 * 6, 3 * 3 * 1, 3 * 3 * 2)
    half = {name: data_set(known).load(data, name).images.numpy() for name in ("train", "test")}
    chosen = {image.tobytes() for image in half["train"][-known.choose :]}
    trained_on = {image.tobytes() for image in half["train"][: -known.choose]}
    tested = {image.tobytes() for image in half["test"]}
    assert not tested & trained_on
    assert not tested & chosen
    assert not chosen & trained_on


def test_halves_of_ones_own(tmp_path: Path):
    """What is in test stays there; a copy of it to train on is left out, and said."""
    data = tmp_path / "data"
    write(data / "train", 16)
    write(data / "test", 3, seed=1)
    shutil.copy(data / "test" / "cross" / "0.png", data / "train" / "cross" / "copy.png")
    (data / "validation").mkdir()
    said: list[str] = []
    known = find_own(data, "pictures", say=said.append)
    assert (known.train, known.choose, known.test) == (48, 6, 9)
    assert any("1 other files and folders" in line for line in said)
    assert any("copies" in line and "copy.png" in line for line in said)


@pytest.mark.parametrize(("count", "parts"), [(5, (3, 1, 1)), (9, (6, 1, 2)), (100, (70, 10, 20))])
def test_how_many_are_held_out(count: int, parts: tuple[int, int, int]):
    items = [own._Drawn(f"{k:03}", 0, None) for k in range(count)]
    found = list(parts_by_content(items, test=True).values())
    assert tuple(map(found.count, ("train", "choose", "test"))) == parts
    only = list(parts_by_content(items, test=False).values())
    assert only.count("test") == 0
    assert only.count("choose") == max(1, round(count / 8))


@pytest.mark.parametrize(
    ("classes", "kind"),
    [
        (("0", "7"), "digit"),
        (("A", "b"), "letter"),
        (("1", "a"), "class"),
        (("10", "11"), "class"),
        (("ä", "ö"), "class"),
        (("cat", "dog"), "class"),
    ],
)
def test_kinds(classes: tuple[str, ...], kind: str):
    assert kind_of(classes) == kind


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (6, (60, 4)),
        (42, (60, 8)),
        (300, (60, 32)),
        (1_024, (60, 128)),
        (5_000, (20, 128)),
        (55_000, (14, 128)),
    ],
)
def test_epochs_and_batches_of_few_images(images: int, expected: tuple[int, int]):
    assert sensible(images) == expected


def test_a_file_of_strokes(tmp_path: Path):
    """Of ten writers the fifth and the tenth are to test on; of the others the eighth to choose by."""
    path = strokes(tmp_path / "marks.jsonl", drawn(("b", "a"), 10, writers=10))
    known = find_own(path, source_of(path, MNIST), say=lambda line: None)
    assert (known.classes, known.name, known.kind) == (("a", "b"), "marks", "letter")
    assert known.test == 2 * 2 * 4  # four pens
    assert (
        known.choose <= 2 * 3 < known.train <= 2 * 8 * 3
    )  # three pictures of each, but for what cannot be read
    data = data_set(known)
    assert data.drawings is not None
    tested = data.drawings(path)
    assert [(one.label, one.writer) for one in tested] == [(1, "4"), (0, "4"), (1, "9"), (0, "9")]
    assert data.load(path, "test").labels.tolist() == [1] * 4 + [0] * 4 + [1] * 4 + [0] * 4
    assert len(data.load(path, "train").labels) == known.train
    assert data.load(path, "test").labels.bincount().tolist() == [8, 8]


def test_a_file_of_strokes_that_changes(tmp_path: Path):
    """It is read anew, and other labels of the same strokes are other data."""
    rows = drawn(("a", "b"), 10)
    path = strokes(tmp_path / "marks.jsonl", rows)
    known = find_own(path, "strokes", say=lambda line: None)
    assert data_set(known).unlike(path, "test") == ""
    for row in rows[:2]:
        row["label"] = "b" if row["label"] == "a" else "a"
    strokes(path, rows)
    os.utime(path, ns=(1, 1))
    assert "not the same ones" in data_set(known).unlike(path, "test")


def test_strokes_by_one_hand_are_parted_by_what_is_drawn(tmp_path: Path):
    path = strokes(tmp_path / "marks.jsonl", drawn((10, 9), 10, writers=1))
    known = find_own(path, "strokes", say=lambda line: None)
    assert known.classes == ("9", "10")
    assert known.test == 2 * 2 * 4
    assert set(data_set(known).load(path, "train").labels[-known.choose :].tolist()) == {0, 1}


# --- bad input --------------------------------------------------------------------------------------------


def test_classes_that_are_too_few_or_too_many(tmp_path: Path, shapes: Path):
    flat = tmp_path / "flat"
    flat.mkdir()
    shutil.copy(shapes / "cross" / "0.png", flat)
    refused(flat, flat, "no class", "folder of pictures for each class")
    one = write(tmp_path / "one", 5, ("only",))
    refused(one, one, "1 class: give 2 to 62")
    many = tmp_path / "many"
    for k in range(63):
        (many / f"c{k}").mkdir(parents=True)
    refused(many, many, "63 classes: give 2 to 62")
    refused(tmp_path / "gone.jsonl", "gone.jsonl", "cannot be read")


def test_a_class_with_too_few_pictures(tmp_path: Path):
    data = write(tmp_path / "data", 5)
    for k in range(3):  # copies are the same picture
        shutil.copy(data / "cross" / "0.png", data / "cross" / f"copy{k}.png")
    find_own(data, "pictures", say=lambda line: None)
    (data / "cross" / "4.png").unlink()
    refused(data, data, "4 different pictures of the class cross", "5 or more")
    shutil.rmtree(data / "cross")
    (data / "cross").mkdir()
    refused(data, data, "no pictures of cross")
    path = strokes(tmp_path / "a.jsonl", [*drawn(("a",), 9), *drawn(("b",), 4)])
    refused(path, path, "4 different drawings of the class b")


def test_unreadable_pictures_are_told_and_left_out_only_if_asked(tmp_path: Path):
    data = write(tmp_path / "data", 7)
    blank, text, folder = (data / "cross" / name for name in ("blank.png", "text.png", "loop.png"))
    Image.new("L", (64, 64), 255).save(blank)
    text.write_text("no picture")
    folder.symlink_to(folder)  # a link to itself
    (data / "cross" / "notes.txt").write_text("no picture either, and not said to be one")
    (data / "cross" / ".hidden.png").write_text("nor this")
    said: list[str] = []
    with pytest.raises(DataError) as caught:
        find_own(data, "pictures", say=said.append)
    reference.assert_one_sentence(
        caught.value, data, "3 of the pictures", "cross/blank.png", "--skip-unreadable"
    )
    assert [line.partition(":")[0] for line in said] == [str(path) for path in (blank, folder, text)]
    known = find_own(data, "pictures", skip=True, say=said.append)
    assert (known.train + known.test, known.skip) == (21, True)
    assert "3 pictures are left out" in said
    assert any("1 other files" in line for line in said)
    assert len(data_set(known).load(data, "test").labels) == known.test  # without being told once more


def test_many_unreadable_pictures_are_not_all_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(own, "_TOLD", 2)
    data = write(tmp_path / "data", 5)
    for k in range(4):
        (data / "ring" / f"x{k}.png").write_bytes(b"")
    said: list[str] = []
    find_own(data, "pictures", skip=True, say=said.append)
    assert said[2:4] == ["and 2 more", "4 pictures are left out"]


def test_a_picture_of_two_classes(tmp_path: Path):
    data = write(tmp_path / "data", 6)
    shutil.copy(data / "cross" / "3.png", data / "zig & zag" / "also.png")
    refused(data, "cross/3.png", "zig & zag/also.png", "same picture in two classes", "take it out")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("Cat", "cat"), "hard to tell apart"),
        (("caf\u00e9", "cafe\u0301"), "hard to tell apart"),
        (("cat", "cat "), "hard to tell apart"),
        (("cat", "x" * 41), "1 to 40 characters"),
        (("cat", "a\u200bb"), "can be printed"),
        (("cat", " "), "can be printed"),
    ],
)
def test_names_that_collide_or_cannot_be_shown(tmp_path: Path, names: tuple[str, ...], said: str):
    data = write(tmp_path / "data", 1, names)
    refused(data, data, said)
    path = strokes(tmp_path / "a.jsonl", drawn(names, 1))
    with pytest.raises(DataError):
        find_own(path, "strokes", say=lambda line: None)


def test_names_that_may_be(tmp_path: Path):
    """Capital and small letters are two classes; a name is kept in its composed form, without spaces around it."""
    assert pictures.trouble(("a", "A", "1")) == ""
    data = write(tmp_path / "data", 5, ("A", "a", " cafe\u0301 "))
    assert find_own(data, "pictures", say=lambda line: None).classes == ("caf\u00e9", "A", "a")
    assert pictures.in_order(["b", "10", "9", "a"]) == ["9", "10", "a", "b"]


def test_train_without_test(tmp_path: Path):
    write(tmp_path / "train", 5)
    refused(tmp_path, tmp_path, "none called test")
    write(tmp_path / "test", 1, CLASSES[:2])
    refused(tmp_path, tmp_path / "test", "no pictures of zig & zag")
    (tmp_path / "test" / CLASSES[2]).mkdir()
    (tmp_path / "test" / CLASSES[2] / "a.png").write_bytes(b"")
    refused(tmp_path, tmp_path / "test", "no picture of the class zig & zag", skip=True)


def test_a_folder_with_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    data = write(tmp_path / "data", 5)
    monkeypatch.setattr(pictures, "MOST_PICTURES", 14)
    refused(data, data, "15 pictures: give at most 14")
    monkeypatch.setattr(pictures, "MOST_FILES", 12)
    refused(data, "too many files, beyond 12 in all")


def test_links_lead_in_no_circle(tmp_path: Path):
    data = write(tmp_path / "data", 5)
    (data / "ring" / "up").symlink_to(data)
    elsewhere = write(tmp_path / "elsewhere", 5, ("arrow", "b"), seed=2) / "arrow"
    (data / "arrow").symlink_to(elsewhere)  # a class may be one
    known = find_own(data, "pictures", say=lambda line: None)
    assert known.classes == ("arrow", *CLASSES)
    assert known.train + known.test == 20


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path):
    data = write(tmp_path / "data", 5)
    os.mkfifo(data / "ring" / "pipe.png")
    refused(data, "pipe.png")


def test_phones_animations_and_pictures_that_lie_on_their_side(tmp_path: Path):
    """As of an upload: of an animation the first picture, turned as the camera says; too large a one is refused."""
    data = write(tmp_path / "data", 5)
    rng = np.random.default_rng(5)
    frames = [picture(1, rng), Image.new("L", (64, 64), 255)]
    frames[0].save(data / "ring" / "moving.gif", save_all=True, append_images=frames[1:])
    upright = picture(2, rng)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it by a quarter to see it upright
    upright.transpose(Image.Transpose.ROTATE_90).save(data / "zig & zag" / "side.png", exif=exif)
    known = find_own(data, "pictures", say=lambda line: None)
    seen = torch.cat([data_set(known).load(data, half).images for half in ("train", "test")]).numpy()
    expected = np.rint(255 * canvas_to_mnist(np.asarray(upright))).astype(np.uint8)
    assert any(np.array_equal(image, expected) for image in seen)
    large = data / "ring" / "large.png"
    shutil.copy(data / "ring" / "inner" / "0.png", large)
    os.truncate(large, 20 * 2**20 + 1)
    refused(data, "1 of the pictures", "ring/large.png")
    large.unlink()
    (data / "ring" / "photo.HEIC").write_bytes(b"\0\0\0\x18ftypheic" + bytes(12))
    refused(data, "1 of the pictures", "ring/photo.HEIC")


def test_an_architecture_for_its_own_data_only(shapes: Path, tmp_path: Path):
    import tiny

    with tiny.registered(), pytest.raises(DataError) as caught:
        own_spec(tiny.SPEC, find_own(shapes, "pictures", say=lambda line: None), "own.x")
    reference.assert_one_sentence(caught.value, "tiny.shapes", "another --network")


def test_nothing_can_be_made_up(shapes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(command(shapes, tmp_path / "out", "--synthetic", "0.2")) == 2
    said = capsys.readouterr().err.rstrip("\n").removeprefix("capsviz: ")
    reference.assert_one_sentence(said, "data of your own", "--synthetic")


# --- specs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["dynamic", "attention", "cnn", "cnn-decoder", "letters"])
def test_every_architecture_is_made_for_other_data(name: str, shapes: Path):
    known = find_own(shapes, "pictures", say=lambda line: None)
    base = find(name)
    spec = own_spec(base, known, "own.shapes")
    assert spec.shape.classes == CLASSES
    assert (spec.shape.pose, spec.shape.grid, spec.shape.score) == (
        base.shape.pose,
        base.shape.grid,
        base.shape.score,
    )
    assert (spec.offers, spec.source.accuracy, spec.aliases) == (base.offers, "", ())
    with torch.device("meta"):
        net = spec.build(spec)
    assert set(dict(net.named_children())) == {layer.part for layer in spec.layers}
    if spec.shape.pose:
        assert dict(spec.layers[-1].facts)["zeros"] == 2 * 16
        assert net.decoder[0].in_features == 3 * 16


# --- training ---------------------------------------------------------------------------------------------


def test_trained_within_seconds_to_tell_shapes_apart(trained: Path, shapes: Path):
    card = load_card(trained / "weights.safetensors")
    assert card["name"] == "own.myshapes1"
    assert card["own"] == {
        **{"format": 1, "base": "cnn.mnist", "source": "pictures", "name": "shapes", "kind": "class"},
        **{"classes": list(CLASSES), "train": 48, "choose": 6, "test": 12, "skip": False},
        "sha256": card["own"]["sha256"],
    }
    assert card["settings"]["batch_size"] == 8
    assert card["data"] == "shapes: 42 images to train on, 6 to choose by, 12 to test on"
    assert "--network cnn.mnist" in card["command"]
    assert card["test_error"] <= 0.25
    low, high = reference_wilson(round(12 * card["test_error"]), 12)
    within = f"{low:.2%} to {high:.2%}"
    text = (trained / "card.md").read_text("utf-8")
    assert f"| Test error | {card['test_error']:.2%} (95% interval {within}), read after" in text
    assert re.search(rf"\n- Few pictures were held out .* \(12, .* anything from {within} \(95%", text)
    assert "It reads one figure at a time" in text  # not one class
    assert cells(Entry(spec_of(card), card, None, sizes(spec_of(card))))["error"].below == f"{within}, shapes"
    model = capsviz.load_model(trained, device="cpu")
    assert (model.spec.name, model.shape.classes) == ("own.myshapes1", CLASSES)
    test = model.spec.data.load(shapes, "test")
    scores = model.predict(test.images.numpy() / np.float32(255))
    assert np.mean(scores.argmax(1) != test.labels.numpy()) == card["test_error"]


def test_training_ends_with_error_interval_and_the_line_to_type(
    shapes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Interrupted after the first epoch and resumed; with the other classes of a folder that has changed it is not."""
    from capsviz.training.trainer import Trainer

    data, out = tmp_path / "data", tmp_path / "a run"
    shutil.copytree(shapes, data)
    run_epoch = Trainer.run_epoch

    def stop(trainer: Trainer) -> Iterator[None]:
        if trainer.step:
            raise KeyboardInterrupt
        yield from run_epoch(trainer)

    monkeypatch.setattr(Trainer, "run_epoch", stop)
    few = ["--epochs", "2", "--batch-size", "20"]
    assert main(command(data, out, *few)) == 130
    monkeypatch.setattr(Trainer, "run_epoch", run_epoch)
    with pytest.raises(WeightsError) as caught:
        load_weights(out)
    reference.assert_one_sentence(caught.value, out, "has not ended", "--resume")
    (data / "ring").rename(data / "sling")
    capsys.readouterr()
    assert main(command(data, out, *few, "--resume")) == 2
    said = capsys.readouterr().err.splitlines()[-1].removeprefix("capsviz: ")
    reference.assert_one_sentence(
        said, "classes cross, ring, zig & zag, not cross, sling, zig & zag", "--out"
    )
    (data / "sling").rename(data / "ring")
    assert main(command(data, out, *few, "--resume")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "resumed at step 2 of 4" in lines
    assert lines[-1] == f"to see it: make app NETWORKS='{out}'"
    wrong = round(12 * load_card(out / "weights.safetensors")["test_error"])
    low, high = reference_wilson(wrong, 12)
    assert f"(95% interval {low:.2%} to {high:.2%}, 12 images)" in lines[-2]
    assert lines[-3].startswith("few images to test on: ")
    # The weights of other classes are none to start from.
    other = tmp_path / "other"
    shutil.copytree(shapes, other)
    (other / "ring").rename(other / "sling")
    assert main(command(other, tmp_path / "next", "--start-from", str(out))) == 2
    said = capsys.readouterr().err.splitlines()[-1].removeprefix("capsviz: ")
    reference.assert_one_sentence(said, "cross, ring, zig & zag", "cross, sling, zig & zag", "same classes")


def reference_wilson(wrong: int, total: int) -> tuple[float, float]:
    """Both rates p of which ``wrong`` of ``total`` are as far away as 95% allow: (rate - p)^2 = z^2 p (1 - p) / n."""
    z, rate = 1.959964, wrong / total
    roots = np.roots([1 + z**2 / total, -(2 * rate + z**2 / total), rate**2])
    return float(min(roots)), float(max(roots))


def test_evaluate_and_predict_take_the_folder(
    trained: Path, shapes: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
):
    few = ["--limit", "6", "--device", "cpu"]
    assert main(["evaluate", "--network", str(trained), "--data", str(shapes), "--json", *few]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["images"], result["classes"], result["data"]) == (6, list(CLASSES), "shapes test set")
    ring = next((shapes / "ring").rglob("*.png"))
    for option in ("--network", "--weights"):
        assert main(["predict", option, str(trained), "--device", "cpu", str(ring)]) == 0
        assert capsys.readouterr().out.startswith(f"{ring}: ring (")


def test_evaluate_wants_the_data_of_the_training(trained: Path, shapes: Path, tmp_path: Path):
    data = capsviz.load_model(trained, device="cpu").spec.data
    changed = shutil.copytree(shapes, tmp_path / "changed")
    picture(0, np.random.default_rng(9)).save(changed / "cross" / "0.png")
    assert len(data.load(changed, "test").labels) == 12
    assert data.unlike(changed, "test") == "changed: as many images, but not the same ones"
    (changed / "cross" / "1.png").unlink()
    with pytest.raises(DataError) as caught:
        data.load(changed, "test")
    reference.assert_one_sentence(caught.value, changed, "41 + 6 + 12", "42 + 6 + 12", "trained on")
    (changed / "cross").rename(changed / "plus")
    with pytest.raises(DataError) as caught:
        data.load(changed, "train")
    reference.assert_one_sentence(caught.value, changed, "plus, ring, zig & zag", "cross, ring, zig & zag")


def test_the_mean_of_two_is_measured_on_the_same_held_out_images(trained: Path, shapes: Path, tmp_path: Path):
    """All of its numbers are means, those that normalise too; its card keeps the classes."""
    one, other = load_weights(trained), load_weights(trained)
    with torch.no_grad():
        other.net.dense.bias += torch.tensor([9.0, 0.0, 0.0])
        other.net.trunk.normalisations[0].running_var *= 1.5
    facts = {key: value for key, value in one.card.items() if key != "sha256"}
    (tmp_path / "other").mkdir()
    weights.save_weights(tmp_path / "other" / weights.FILE, weights.pack(other.net), facts)
    words = ["average", str(trained), str(tmp_path / "other"), "--data", str(shapes), "--device", "cpu"]
    assert main([*words, "--out", str(tmp_path / "mean")]) == 0
    mean = load_weights(tmp_path / "mean")
    assert (mean.card["own"], mean.spec.shape) == (one.card["own"], one.spec.shape)
    ours, theirs = one.net.state_dict(), other.net.state_dict()
    for name, tensor in mean.net.state_dict().items():
        torch.testing.assert_close(tensor, (ours[name] + theirs[name]) / 2, rtol=2e-3, atol=1e-6)
    train = one.spec.data.load(shapes, "train")
    model = capsviz.load_model(tmp_path / "mean", device="cpu")
    answers = model.predict(train.images[-6:].numpy() / np.float32(255)).argmax(1)
    assert mean.card["validation_error"] == np.mean(answers != train.labels[-6:].numpy())


# --- weights that were changed ----------------------------------------------------------------------------


def set_own(**facts: object) -> Callable[[dict[str, Any]], object]:
    return lambda card: card["own"].update(facts)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (set_own(classes=["cross", "ring", "zag"]), "other classes"),
        (set_own(classes=["ring", "cross", "zig & zag"]), "other classes"),
        (set_own(classes=["cross", "ring"]), "another network"),
        (set_own(classes=["cross", "Cross", "ring"]), "hard to tell apart"),
        (set_own(classes=["cross ", "ring", "zig & zag"]), "spaces"),
        (set_own(classes=["cross"]), "2 to 62"),
        (set_own(classes="abc"), "list"),
        (set_own(kind="digit"), "kind"),
        (set_own(source="web"), "source"),
        (set_own(name=""), "name"),
        (set_own(name="x" * 61), "name"),
        (set_own(choose=48), "choose"),
        (set_own(test=0), "test"),
        (set_own(base="attention.mnist"), "another network"),
        (set_own(base="cnn.moon"), "no such network"),
        (set_own(format=2), "another version"),
        (set_own(format="1"), "another version"),
        (lambda card: card.pop("own"), "another network"),
        (lambda card: card.update(own=[]), "own"),
        (lambda card: card.update(parameters=7), "7 parameters"),
        (lambda card: card["settings"].update(iterations=3), "3 routing iterations"),
    ],
)
def test_a_card_that_was_edited(copy: Path, change: Callable[[dict[str, Any]], object], said: str):
    path = copy / "card.json"
    card = json.loads(path.read_text("utf-8"))
    change(card)
    path.write_text(json.dumps(card))
    with pytest.raises(WeightsError) as caught:
        load_weights(copy)
    reference.assert_one_sentence(caught.value, copy, said)


# --- in the app -------------------------------------------------------------------------------------------


def test_a_title_without_its_data():
    assert family(find("attention.mnist")) == "CapsNet, self-attention"
    assert family(find("cnn.mnist")) == "Plain CNN"


def test_names_of_folders(tmp_path: Path):
    for name, expected in (
        ("My shapes-1", "own.myshapes1"),
        ("Ä.b", "own.ab"),
        ("2024", "own.n2024"),
        ("漢字", "own"),
        ("x" * 99, f"own.{'x' * 30}"),
    ):
        assert own_name(tmp_path / name) == expected


def test_networks_of_the_environment_are_added(
    trained: Path,
    copy: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    """Two of one name, one with spaces in it, one twice, and one that is none."""
    second = shutil.copytree(trained, tmp_path / "second" / "My shapes-1")
    (copy / "card.json").unlink()
    value = os.pathsep.join([str(trained), f"{copy} {trained.parent / 'gone'}", f" {second} ", str(trained)])
    monkeypatch.setenv("CAPSVIZ_NETWORKS", value)
    before = set(networks())
    try:
        add_networks()
        names = [name for name in networks() if name not in before]
        assert names == ["own.myshapes1", "own.myshapes1.n2"]
        assert [name for name in weights.available() if name in names] == names
        titles = [find(name).title for name in names]
        assert titles == ["Plain CNN, shapes", "Plain CNN, shapes (My shapes-1)"]
        assert capsviz.load_model(names[1], device="cpu").spec.name == names[1]
        assert [own_networks.called(name) for name in ("My shapes-1", "gone", "")] == [None] * 3  # two, none
        alone = shutil.copytree(trained, tmp_path / "Second One")
        own_networks.add(alone)
        shape = find(DEFAULT).shape
        for text in ("own.secondone", "Second One", "second one"):
            assert address.read({"network": text}, lambda _: shape).network == "own.secondone"
        unknown = address.read({"network": "My shapes-1"}, lambda _: shape)
        assert unknown.network is None
        for name in weights.available():  # what may be written instead
            assert name in unknown.problem
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 5
        assert [line for line in lines if str(copy / "card.json") in line and "missing" in line]
        assert [line for line in lines if "gone is left out" in line]
    finally:
        for name in set(networks()) - before:
            unregister(name)
            del weights.places[name]


def test_a_network_that_changed_under_its_name(added: str, trained: Path, monkeypatch: pytest.MonkeyPatch):
    card = load_card(trained / "weights.safetensors")
    other = {**card, "own": {**card["own"], "classes": ["cross", "ring", "zag"]}}
    with pytest.raises(WeightsError) as caught:
        weights.network_of(other, trained / "weights.safetensors")
    reference.assert_one_sentence(caught.value, "start the app again")


def test_it_is_in_the_menu_and_answers_with_its_classes(added: str, trained: Path):
    """Names of classes are escaped, and nothing says where on the server the weights are."""
    app = AppTest.from_file(str(Path(__file__).resolve().parents[1] / "capsviz" / "app" / "main.py"))
    app.query_params["network"] = added
    app.run(timeout=60)
    assert not app.exception
    assert app.session_state["network"] == added
    lists = [control.proto.options for kind in ("menu_button", "selectbox") for control in app.get(kind)]
    assert any("Plain CNN, shapes" in option for options in lists for option in options)
    page = "\n".join(element.proto.body for element in app.get("html"))
    for name in ("cross", "ring", "zig &amp; zag"):
        assert name in page
    assert "zig & zag" not in page
    assert str(trained.parent) not in page
