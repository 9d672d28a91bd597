"""Drawings as a data set: parted by their writers, drawn with every pen; and the letters that are shipped with weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import capsviz
from capsviz.inputs import drawn, letters
from capsviz.inputs.drawn import by_writer, pictures
from capsviz.inputs.strokes import Drawing
from capsviz.models.weights import load_card, load_evaluation, locate

STROKES = Path(__file__).resolve().parents[2] / "shared" / "data" / "strokes"
STICK = [np.array([[0.0, 0.0], [0.0, 1.0]])]


def test_writers_are_parted_in_the_order_of_their_numbers() -> None:
    """Of 20 the fifth, tenth, ... are to test on; of the 16 others the eighth and the sixteenth to choose by."""
    names = [str(number) for number in (9, 10, *range(11, 21), *range(1, 9))]
    parts = by_writer([Drawing(0, STICK, name) for name in names for _ in range(2)])
    writers = {part: {int(one.writer) for one in found} for part, found in parts.items()}
    assert writers["test"] == {5, 10, 15, 20}
    assert writers["choose"] == {9, 19}
    assert writers["train"] == set(range(1, 21)) - {5, 10, 15, 20, 9, 19}
    assert [len(parts[part]) for part in ("train", "choose", "test")] == [28, 4, 8]
    # Without a name, each is its own writer.
    assert [len(found) for found in by_writer([Drawing(0, STICK)] * 10).values()] == [7, 1, 2]


def test_each_drawing_to_test_on_is_drawn_with_every_pen(monkeypatch: pytest.MonkeyPatch) -> None:
    pens: list[tuple[float, float]] = []

    def render(strokes: Any, width: float, size: float, rng: np.random.Generator) -> np.ndarray:
        pens.append((width, size))
        return drawn_there(strokes, width, size, rng)

    drawn_there = drawn.render_anywhere
    monkeypatch.setattr(drawn, "render_anywhere", render)
    two = [Drawing(1, STICK), Drawing(0, STICK)]
    tested = pictures(two, "test")
    assert tested.labels.tolist() == [1] * 4 + [0] * 4
    assert [width for width, _ in pens] == 2 * [8, 12, 18, 26]
    pictures(two * 15, "test")
    sizes = [size for _, size in pens]
    assert 90 <= min(sizes) < 95
    assert 195 < max(sizes) <= 200
    pens.clear()
    assert pictures(two, "train").labels.tolist() == [1] * 3 + [0] * 3
    assert all(6 <= width <= 28 and 85 <= size <= 230 for width, size in pens)
    assert len(set(pens)) == 6


def test_what_the_app_would_refuse_is_black_to_test_on_and_left_out_to_train_on() -> None:
    dot = Drawing(0, [np.array([[0.0, 0.0]])])
    assert not pictures([dot], "test").images.any()
    assert len(pictures([dot], "train").labels) == 0


def test_the_letters_to_choose_by_come_last(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = {part: [Drawing(label, STICK)] for label, part in enumerate(("train", "choose", "test"))}
    monkeypatch.setattr(letters, "_parts", lambda directory: parts)
    assert letters.load_letters("", "train").labels.tolist() == [0] * 3 + [1] * 3
    assert letters.load_letters("", "test").labels.tolist() == [2] * 4
    assert letters.letters_drawn("") == parts["test"]


@pytest.mark.skipif(not STROKES.is_dir(), reason="the letters are not in ../shared/data")
def test_the_shipped_weights_misread_the_letters_that_their_evaluation_counts() -> None:
    """The first hundred: which of their pictures are misread, not only how many."""
    name = "attention.letters"
    kept = load_evaluation(name, load_card(locate(name)))
    some = letters.letters_drawn(STROKES)[:100]
    tested = pictures(some, "test")
    read = capsviz.load_model(name, device="cpu").predict(tested.images.numpy() / np.float32(255))
    misread = torch.from_numpy(read.argmax(1)) != tested.labels
    assert torch.nonzero(misread).ravel().tolist() == [place for place in kept["misread"] if place < 400]
    assert kept["drawings"]["drawings"] == 4_011
