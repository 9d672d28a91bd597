"""The preset drawings: complete, inside the canvas, and drawn as a canvas would."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from capsviz.inputs.examples import CURVE_STEPS, EXAMPLES, examples_for, render, smooth
from capsviz.inputs.preprocess import canvas_to_mnist


def test_every_digit_is_there_and_every_name_once():
    assert len(EXAMPLES) >= 14
    assert {example.digit for example in EXAMPLES if example.kind == "digit"} == set(range(10))
    letters = [example for example in EXAMPLES if example.kind == "letter"]
    assert len({example.shows for example in letters}) == len(letters) >= 6
    assert all(len(example.shows) == 1 and example.shows.isupper() for example in letters)
    # A link names an example by its place: later ones come after these.
    assert [example.kind for example in EXAMPLES] == ["digit"] * 19 + ["letter"] * len(letters)
    assert {example.kind for example in examples_for("letter")} == {"letter"}
    assert examples_for("shape") == examples_for("digit") == EXAMPLES[:19]
    assert len({example.name for example in EXAMPLES}) == len(EXAMPLES)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_examples_lie_inside_the_canvas_and_can_be_read(example):
    image = render(example.strokes, example.width)
    assert not image[[0, -1]].any()
    assert not image[:, [0, -1]].any()
    assert canvas_to_mnist(image).max() == 1


def test_a_spline_goes_through_its_control_points():
    points = [[0.1, 0.2], [0.5, 0.9], [0.8, 0.3], [0.9, 0.4]]
    assert [list(point) for point in smooth(points)[::CURVE_STEPS]] == points


def test_a_spline_through_points_on_a_line_is_that_line():
    x, y = np.array(smooth([[0.1, 0.1], [0.2, 0.2], [0.7, 0.7]])).T
    np.testing.assert_allclose(x, y)


def test_a_point_given_twice_is_a_corner():
    polyline = smooth([[0.1, 0.5], [0.5, 0.5], [0.5, 0.5], [0.5, 0.9]])
    assert all(y == 0.5 or x == 0.5 for x, y in polyline)  # two straight legs, nothing rounded between them


def test_a_line_is_as_wide_as_the_pen_and_ends_round():
    image = render((((0.25, 0.5), (0.75, 0.5)),), width=0.1, size=200) / 255
    # Half the pen's width of 20 pixels above and below row edge 100, and beyond both ends.
    assert image[:, 100].sum() == pytest.approx(20, abs=0.5)
    assert (image[:, 100] * (np.arange(200) + 0.5)).sum() / image[:, 100].sum() == pytest.approx(100, abs=0.3)
    assert image.sum() == pytest.approx(100 * 20 + np.pi * 10**2, rel=0.01)


def test_a_point_alone_is_a_round_dot():
    image = render((((0.5, 0.5),),), width=0.2, size=100) / 255
    assert image.sum() == pytest.approx(np.pi * 10**2, rel=0.02)


@pytest.mark.parametrize(
    "points",
    [
        [(0.5, 0.4)],
        [(0.02, 0.03), (0.98, 0.97)],
        [(0.31, 0.2), (0.44, 0.83), (0.7, 0.31), (0.31, 0.2)],
        [(-0.2, 0.4), (0.3, 1.4), (1.6, -0.1)],
        [(1.02, 0.5), (1.4, 0.5)],
        [(3.0, 0.5)],
        [(-2.0, -2.0), (-1.0, 4.0)],
    ],
)
def test_what_is_drawn_is_what_the_whole_canvas_would_show(points):
    """As large as the canvas, and averaged all over: the pen's own box is all that is drawn, and nothing differs."""
    large = Image.new("L", (400, 400))
    pen = ImageDraw.Draw(large)
    places = [(x * 400 - 0.5, y * 400 - 0.5) for x, y in points]
    pen.line(places, fill=255, width=36)
    for place in places:
        pen.circle(place, 17.5, fill=255)
    np.testing.assert_array_equal(render((tuple(points),), 0.09, 100), np.asarray(large.reduce(4)))


def test_nothing_drawn_is_blank():
    assert not render((), 0.1, 20).any()
