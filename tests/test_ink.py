"""Finding ink, step by step, against masks counted by hand and brute force; and on papers whose ink is known."""

import numpy as np
import papers
import pytest
from PIL import Image, ImageDraw

from capsviz.errors import ImageError
from capsviz.inputs import ink as ink_module
from capsviz.inputs import parts as parts_module
from capsviz.inputs.examples import EXAMPLES, render
from capsviz.inputs.ink import find_ink
from capsviz.inputs.parts import find_parts, label
from capsviz.texts import say

THREE = (EXAMPLES[0], EXAMPLES[7], EXAMPLES[12])


def canvas(*rectangles: tuple[int, int, int, int], shape: tuple[int, int] = (60, 80)) -> np.ndarray:
    """Rows and columns (top, bottom, left, right), the ends excluded, inked on black."""
    image = np.zeros(shape, np.float32)
    for top, bottom, left, right in rectangles:
        image[top:bottom, left:right] = 1
    return image


# --- parts ---


def test_components_are_joined_by_corners_and_by_nothing_farther():
    mask = np.array([[1, 0, 0, 1], [0, 1, 0, 0], [1, 0, 0, 1], [0, 0, 0, 1]], bool)
    labels = label(mask)
    assert labels[0, 0] == labels[1, 1] == labels[2, 0]
    assert labels[2, 3] == labels[3, 3]
    assert len({labels[0, 0], labels[0, 3], labels[2, 3]}) == 3


def test_components_are_those_that_a_flood_reaches():
    rng = np.random.default_rng(0)
    for share in (0.1, 0.3, 0.4, 0.5, 0.9, 0, 1):
        mask = rng.random((23, 17)) < share
        expected = np.arange(mask.size).reshape(mask.shape)
        seen = np.zeros_like(mask)
        for start in np.argwhere(mask):  # row by row: the first of a component has the lowest index
            if seen[tuple(start)]:
                continue
            lowest, waiting = expected[tuple(start)], [tuple(start)]
            while waiting:
                y, x = waiting.pop()
                if 0 <= y < 23 and 0 <= x < 17 and mask[y, x] and not seen[y, x]:
                    seen[y, x], expected[y, x] = True, lowest
                    waiting += [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
        np.testing.assert_array_equal(label(mask), expected)


@pytest.mark.parametrize("shape", [(60, 80), (280, 280), (300, 190)])
def test_parts_of_a_cutting_are_those_of_the_picture(shape):
    rng = np.random.default_rng(1)
    whole = np.zeros(shape, np.float32)
    for _ in range(6):
        y, x = rng.integers(0, np.array(shape) - 20)
        whole[y : y + rng.integers(3, 20), x : x + rng.integers(3, 20)] = rng.uniform(0.4, 1)
    for level in (0.3, 0.6):
        rows, columns = parts_module.box_of(whole >= level)
        expected, found = (
            find_parts(whole, level),
            find_parts(whole[rows, columns], level, shape, (rows.start, columns.start)),
        )
        for name, value in vars(expected).items():
            np.testing.assert_allclose(getattr(found, name), value, rtol=1e-12, err_msg=name)


def test_the_box_of_what_is_true():
    mask = np.zeros((9, 7), bool)
    assert mask[parts_module.box_of(mask)].size == 0
    mask[2, 5] = mask[6, 3] = True
    assert parts_module.box_of(mask) == (slice(2, 7), slice(3, 6))


def test_parts_are_measured():
    # In a picture of 60 x 80 a cell is a pixel.
    parts = find_parts(canvas((10, 20, 30, 34), (0, 6, 70, 80)), 0.5)
    assert parts.cell == 1
    first, second = parts.labels[10, 30], parts.labels[0, 70]
    assert parts.labels[30, 30] == -1
    assert parts.area[[first, second]].tolist() == [40, 60]
    assert parts.strength.tolist() == [1, 1]
    assert [int(a[first]) for a in (parts.top, parts.bottom, parts.left, parts.right)] == [10, 19, 30, 33]
    assert [int(a[second]) for a in (parts.top, parts.bottom, parts.left, parts.right)] == [0, 5, 70, 79]
    assert (parts.height()[first], parts.width()[first]) == (10, 4)
    assert parts.cover()[first] == pytest.approx(0.4)
    assert parts.at_border[[first, second]].tolist() == [False, True]
    # Its middle, row 15 of 60 and column 32 of 80, lies half the way up and a fifth of the way to the left.
    assert parts.off_centre[first] == pytest.approx(np.hypot(0.5, 0.2))
    # Rows 10 to 19 are nearest to the upper border: 14.5 of 30 on average.
    assert parts.depth[first] == pytest.approx(14.5 / 30)


@pytest.mark.parametrize(
    "rectangle", [(10, 16, 20, 60), (44, 50, 20, 60), (20, 40, 10, 16), (20, 40, 64, 70)], ids="NSWE"
)
def test_depth_is_counted_from_the_nearest_side(rectangle):
    # Six rows or columns, ten away from one side: 12.5 of 30 on average.
    assert find_parts(canvas(rectangle), 0.5).depth == pytest.approx([12.5 / 30])


@pytest.mark.parametrize(
    "rectangle", [(0, 5, 20, 30), (55, 60, 20, 30), (20, 30, 0, 5), (20, 30, 75, 80)], ids="NSWE"
)
def test_each_side_is_a_border(rectangle):
    assert find_parts(canvas(rectangle), 0.5).at_border.tolist() == [True]
    top, bottom, left, right = rectangle
    inside = (max(top, 1), min(bottom, 59), max(left, 1), min(right, 79))
    assert find_parts(canvas(inside), 0.5).at_border.tolist() == [False]


def test_parts_of_large_pictures_are_counted_in_cells():
    parts = find_parts(canvas((50, 150, 100, 110), shape=(200, 300)), 0.5)
    assert parts.cell == 4  # 75 cells
    assert parts.labels.shape == (50, 75)
    assert parts.area.tolist() == [1000]
    assert parts.cover() == pytest.approx([1000 / 104**2])  # rows 12 to 37 of cells
    mask = parts.pixels(parts.select(np.array([True])), (200, 300))
    assert mask.shape == (200, 300)
    assert mask[48:152, 100:112].all()
    assert mask.sum() == 104 * 12


def test_strength_is_the_mean_of_what_reaches_the_level():
    image = canvas((10, 20, 10, 20)) * 0.5
    image[10:15, 10:20] = 0.9
    image[30:40, 30:40] = 0.2
    parts = find_parts(image, 0.3)
    assert parts.strength == pytest.approx([0.7])


def test_a_frame_is_large_and_runs_along_its_own_box():
    frame = canvas((5, 55, 5, 75))
    frame[8:52, 8:72] = 0
    assert find_parts(frame, 0.5).is_frame().tolist() == [True]
    small = canvas((20, 40, 20, 40))
    small[22:38, 22:38] = 0
    assert find_parts(small, 0.5).is_frame().tolist() == [False]
    crossed = frame.copy()
    crossed[8:52, 25:55] = 1
    assert find_parts(crossed, 0.5).is_frame().tolist() == [False]


def test_how_much_runs_along_its_own_box_is_counted_within_six_hundredths_of_it():
    # 1 + 0.06 x 59 = 4.5: the five outermost rows and columns of 60 x 60.
    assert find_parts(canvas((0, 60, 10, 70)), 0.5).hugging == pytest.approx([(60**2 - 50**2) / 60**2])
    frame = canvas((5, 55, 5, 75))
    frame[8:52, 8:72] = 0
    frame[8:31, 30:39] = 1  # a bar within, of which three rows are still near the box
    parts = find_parts(frame, 0.5)
    assert parts.hugging == pytest.approx([(684 + 27) / (684 + 207)])  # 0.80 of it: less than a frame has
    assert parts.is_frame().tolist() == [False]


def test_points_name_the_nearest_part_within_three_cells():
    parts = find_parts(canvas((10, 20, 10, 20), (10, 20, 24, 40)), 0.5)
    first, second = parts.labels[10, 10], parts.labels[10, 24]

    def refused(x: float, y: float) -> set[int]:
        return set(np.flatnonzero(~parts.allowed([(x / 80, y / 60)])).tolist())

    assert refused(15, 15) == {first}
    assert refused(30, 15) == {second}
    assert refused(21, 15) == {first}  # 1.5 from one, 3.5 from the other
    assert refused(23.2, 15) == {second}
    assert refused(15, 22.4) == {first}  # 2.9 below its last row
    assert refused(15, 22.6) == set()
    assert parts.allowed([]).all()
    assert not parts.allowed([(15 / 80, 0.25), (30 / 80, 0.25)]).any()


# --- what stands out ---


@pytest.mark.parametrize("size", [1, 3, 5, 9, 13])
@pytest.mark.parametrize("largest", [False, True])
def test_sliding_extremes_are_those_of_each_square(size, largest):
    image = np.random.default_rng(size).random((11, 17)).astype(np.float32)
    half = size // 2
    of = np.max if largest else np.min
    expected = [
        [
            of(image[max(0, i - half) : i + half + 1, max(0, j - half) : j + half + 1])
            for j in range(image.shape[1])
        ]
        for i in range(image.shape[0])
    ]
    np.testing.assert_array_equal(ink_module._slide(image, size, largest), expected)


def test_dark_ink_is_measured_as_a_share_of_the_paper_s_light():
    soft = np.full((60, 60), 0.8, np.float32)
    soft[:, 30:] = 0.4  # a shadow with an edge
    soft[10:50, 14:18] *= 0.5
    soft[10:50, 44:48] *= 0.5
    view = ink_module._from_paper(soft, "dark", 15)
    assert view.excess[30, 15] == pytest.approx(0.5, abs=1e-3)
    assert view.excess[30, 45] == pytest.approx(0.5, abs=1e-3)
    assert np.abs(view.excess[:, 25:35]).max() < 1e-3  # the edge of the shadow does not stand out
    assert np.abs(ink_module._from_paper(soft, "light", 5).excess[30, 15]) < 1e-3
    chalk = ink_module._from_paper(1 - soft, "light", 15)
    assert chalk.excess[30, 15] == pytest.approx(0.4, abs=1e-3)


def test_noise_is_measured_where_there_is_no_ink():
    rng = np.random.default_rng(0)
    noise = rng.normal(0.5, 0.02, (160, 160)).astype(np.float32)
    blank = ink_module._from_paper(noise, "dark", 21).noise
    noise[20:140, 60:80] -= 0.3
    view = ink_module._from_paper(noise, "dark", 41)
    assert view.noise < 2 * blank
    assert (view.excess[30:130, 62:78] > view.noise).mean() > 0.95
    assert ink_module._from_paper(np.full((50, 50), 0.5, np.float32), "dark", 9).noise == 0.045


def test_noise_is_five_deviations_of_the_side_without_ink():
    # The smallest value of each 2 x 2 pixels is 0, and that is the ground everywhere.
    tile = np.array([[0, 0.4], [0.5, 0.6]], np.float32)
    view = ink_module._from_paper(np.tile(tile, (40, 40)), "light", 3)
    # Half of all lies below 0.45, by 0.45 or 0.05: by 0.25 at the median, 1 / 1.4826 of a deviation.
    assert view.noise == pytest.approx(5 * 1.4826 * 0.25)
    np.testing.assert_allclose(view.excess[:2, :2], tile - 0.45, atol=1e-6)
    # From more than 80 pixels a side every second one is a sample, and these are all 0 here.
    coarse = ink_module._from_paper(np.tile(tile, (41, 20)), "light", 3)
    assert coarse.noise == ink_module.FAINT
    np.testing.assert_allclose(coarse.excess[:2, :2], tile, atol=1e-6)


def test_ink_on_black_is_a_share_of_a_quarter_of_white():
    soft = np.full((60, 60), 0.1, np.float32)
    soft[10:50, 14:18] = 0.05
    assert ink_module._from_paper(soft, "dark", 15).excess[30, 15] == pytest.approx(0.05 / 0.25, abs=1e-6)


def test_softening_keeps_the_mean_and_takes_the_middle_most():
    image = np.zeros((7, 7), np.float32)
    image[3, 3] = 16
    np.testing.assert_allclose(ink_module._soften(image)[2:5, 2:5], [[1, 2, 1], [2, 4, 2], [1, 2, 1]])
    np.testing.assert_allclose(ink_module._soften(np.ones((4, 9), np.float32)), 1)


# --- lines ---


def test_runs_are_counted_along_columns():
    mask = np.array([[1, 0, 1], [1, 1, 0], [0, 1, 1], [1, 1, 1]], bool)
    np.testing.assert_array_equal(parts_module._runs(mask), [[2, 0, 1], [2, 3, 0], [0, 3, 2], [1, 3, 2]])


def ruled(lines: int, slope: float = 0.0, width: int = 3) -> np.ndarray:
    image = Image.new("L", (200, 200))
    draw = ImageDraw.Draw(image)
    for k in range(lines):
        y = 30 + 40 * k
        draw.line((-10, y - 105 * slope, 210, y + 105 * slope), 255, width)
    return np.asarray(image, np.float32) / 255


@pytest.mark.parametrize("slope", [0.0, 0.08, -0.15])
@pytest.mark.parametrize("upright", [False, True])
def test_rulings_are_cut_out_and_strokes_across_them_are_not(slope, upright):
    lines = ruled(4, slope)
    stroke = canvas((20, 180, 80, 100), shape=(200, 200))
    image = np.maximum(lines, stroke)
    left = parts_module.without_lines(image.T if upright else image, 0.3)
    left = left.T if upright else left
    assert (left[stroke > 0] > 0).mean() > 0.97
    beside = (lines > 0) & (stroke == 0)
    beside[:, 74:106] = False
    assert (left[beside] > 0).mean() < 0.05


def test_a_line_that_ends_within_the_picture_is_a_stroke():
    image = ruled(4)
    image[:, :30] = image[:, 170:] = 0
    np.testing.assert_array_equal(parts_module.without_lines(image, 0.3), image)


def test_bits_at_both_sides_are_no_line():
    image = ruled(4)
    image[:, 60:140] = 0  # six tenths are left
    np.testing.assert_array_equal(parts_module.without_lines(image, 0.3), image)


def test_a_bar_as_thick_as_the_rest_is_the_digit_s():
    seven = canvas((2, 10, 0, 200), (2, 200, 96, 104), shape=(200, 200))
    np.testing.assert_array_equal(parts_module.without_lines(seven, 0.3), seven)
    short = canvas((2, 10, 0, 200), (2, 150, 92, 100), shape=(200, 200))
    np.testing.assert_array_equal(parts_module.without_lines(short, 0.3), short)
    thin = canvas((2, 5, 0, 200), (2, 200, 90, 110), shape=(200, 200))
    left = parts_module.without_lines(thin, 0.3)
    assert not left[3, :80].any()
    assert (left[20:, 90:110] == 1).all()


@pytest.mark.parametrize(("height", "width"), [(100, 8), (8, 100)])
def test_the_width_of_a_stroke(height, width):
    mask = canvas((20, 20 + height, 20, 20 + width), shape=(140, 140)) > 0
    assert parts_module.stroke_width(mask) == pytest.approx(
        8 * 4 / np.pi, rel=0.1
    )  # axes are counted longest


# --- the choice ---


def test_a_ground_is_even_within_half_a_grey_level():
    checks = np.indices((40, 40)).sum(0) % 2 * 2 - 1.0
    assert ink_module._ground(0.5 + 0.0013 * checks) == (0.5, True)  # 1.4826 x 0.0013 = 0.0019
    assert ink_module._ground(0.5 + 0.0014 * checks) == (0.5, False)  # 0.0021


def picked(*rectangles: tuple[int, int, int, int]) -> ink_module.Choice:
    choice = ink_module._pick(canvas(*rectangles, shape=(96, 96)), 0.1, 1.0, (), lines=False)
    assert choice is not None
    return choice


def test_what_reaches_the_border_is_less_plausible_the_nearer_it_stays_and_the_more_solid_it_is():
    assert picked((30, 60, 40, 50)).plausible == 1
    # Columns 0 to 19: 9.5 of 48 from the border on average.
    in_over_it = 0.4 * (9.5 / 48 - 0.12) / 0.2
    assert picked((43, 53, 0, 20)).plausible == pytest.approx(in_over_it)  # covers half of its square
    assert picked((41, 53, 0, 20)).plausible == pytest.approx(0.1 * in_over_it)  # 0.6
    assert picked((0, 96, 0, 10)).plausible == pytest.approx(0.4 * 0.01)  # runs along it


@pytest.mark.parametrize(("count", "many"), [(6, False), (7, True)])
def test_seven_alike_are_a_text(count, many):
    assert picked(*[(20, 40, 6 + 12 * k, 10 + 12 * k) for k in range(count)]).many == many


def test_a_gap_between_broad_strokes_is_no_digit():
    painted = 1 - canvas((95, 185, 110, 170), (0, 280, 0, 40), (0, 280, 240, 280), shape=(280, 280))
    with pytest.raises(ImageError, match="more than one digit"):
        find_ink(painted, "auto")


def test_a_small_digit_within_a_broad_border_is_the_digit():
    image = canvas((0, 200, 0, 200), shape=(200, 200))
    image[16:184, 16:184] = 0
    image[75:125, 97:103] = 1  # 300 of the border's 11,776
    assert find_ink(image, "light").kept[100, 100]
    assert not find_ink(image, "light").kept[8, 100]


def test_a_digit_has_up_to_four_parts():
    bars = [(20, 100, 20 * k, 20 * k + 6) for k in range(1, 7)]
    for count in (1, 2, 4):
        kept = find_ink(canvas(*bars[:count], shape=(120, 160)), "light").kept
        np.testing.assert_array_equal(kept, canvas(*bars[:count], shape=(120, 160)) > 0)
    for count in (5, 6):
        with pytest.raises(ImageError, match="more than one digit"):
            find_ink(canvas(*bars[:count], shape=(120, 160)), "light")


def test_dust_is_less_than_a_twentieth_of_the_largest_part():
    for side, kept in ((6, True), (5, False)):  # 36 and 25 of 600
        image = canvas((20, 80, 40, 50), (20, 20 + side, 70, 70 + side), shape=(100, 120))
        found = find_ink(image, "light")
        assert found.kept[22, 72] == kept
        assert found.left_out[22, 72] != kept


@pytest.mark.parametrize("ink", ["light", "auto"])
def test_a_stroke_over_the_border_of_a_canvas_is_all_kept(ink):
    image = canvas((0, 100, 60, 70), (90, 100, 60, 110), shape=(140, 140))
    np.testing.assert_array_equal(find_ink(image, ink).kept, image > 0)


@pytest.mark.parametrize("ink", ["light", "auto"])
def test_a_tap_at_the_border_is_all_kept(ink):
    image = canvas((0, 12, 60, 72), shape=(140, 140))
    np.testing.assert_array_equal(find_ink(image, ink).kept, image > 0)


def test_neighbours_cut_by_the_border_are_left_out():
    image = canvas((40, 160, 90, 104), (40, 160, 0, 10), (40, 160, 190, 200), shape=(200, 200))
    found = find_ink(image, "auto")
    assert found.kept[100, 97]
    assert not found.kept[100, 5]
    assert found.left_out[100, 5]
    assert found.left_out[100, 195]
    assert found.polarity == "light"


def test_a_frame_around_the_digit_is_left_out():
    image = canvas((10, 190, 10, 190), shape=(200, 200))
    image[14:186, 14:186] = 0
    image[60:140, 95:107] = 1
    found = find_ink(image, "light")
    expected = np.zeros_like(image, bool)
    expected[60:140, 95:107] = True
    np.testing.assert_array_equal(found.kept, expected)
    assert found.left_out[12, 100]


def test_a_zero_with_nothing_inside_is_no_frame():
    image = canvas((10, 190, 10, 190), shape=(200, 200))
    image[24:176, 24:176] = 0
    assert find_ink(image, "light").kept[12, 100]


def test_two_that_could_be_the_digit_leave_a_doubt():
    image = canvas((40, 160, 60, 70), (40, 160, 150, 160), (0, 200, 0, 3), shape=(200, 220))
    assert find_ink(image, "light").doubts == (say("image.another", kind="digit"),)
    assert find_ink(image, "light", [(155 / 220, 0.5)]).doubts == ()


def photographed(image: np.ndarray) -> np.ndarray:
    """With a grain, and light that falls off by a tenth: the ground is not even."""
    grain = np.random.default_rng(0).normal(0, 0.01, image.shape)
    return (image * np.linspace(1, 0.9, image.shape[1]) + grain).clip(0, 1).astype(np.float32)


@pytest.mark.parametrize("contrast", [0.13, 0.3])
def test_pencil_is_found_beside_what_is_far_darker(contrast):
    stroke = canvas((50, 150, 94, 104), shape=(200, 200))
    desk = np.tri(200, k=-140, dtype=np.float32)  # in over the lower left corner
    found = find_ink(photographed(0.9 - contrast * stroke - 0.7 * desk), "auto")
    assert found.polarity == "dark"
    assert overlap(found.kept, stroke > 0) > 0.9


def test_a_faint_smudge_beside_the_ink_is_left_out():
    stroke = canvas((50, 150, 80, 90), shape=(200, 200))
    smudge = canvas((50, 150, 90, 130), shape=(200, 200))
    bar = canvas((0, 200, 0, 10), shape=(200, 200))  # at the border
    found = find_ink(photographed(0.9 - 0.7 * (stroke + bar) - 0.1 * smudge), "auto")
    assert overlap(found.kept, stroke > 0) > 0.9


@pytest.mark.parametrize("column", [100, 120, 150])
def test_a_shadow_over_one_side_of_a_blank_sheet_is_no_digit(column):
    sheet = np.full((200, 200), 0.9, np.float32)
    sheet[:, column:] *= 0.5
    with pytest.raises(ImageError):
        find_ink(photographed(sheet), "auto")


def test_only_what_runs_along_the_border_is_refused():
    image = canvas((0, 200, 0, 12), shape=(200, 200)) * 0.6 + 0.2
    with pytest.raises(ImageError, match="runs along its border"):
        find_ink(image, "auto")


def drawing(example) -> tuple[np.ndarray, list[np.ndarray]]:
    size = np.ptp(np.concatenate(example.strokes), axis=0).max()
    return render(example.strokes, example.width), [np.array(stroke) / size for stroke in example.strokes]


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


@pytest.mark.parametrize("kind", {**papers.KINDS, **papers.CELLS, **papers.HELD_OUT})
def test_the_digit_s_ink_is_kept_whatever_else_is_in_the_picture(kind):
    """Intersection over union with the ink that was drawn; the median, since single digits may touch other things."""
    make = {**papers.KINDS, **papers.CELLS, **papers.HELD_OUT}[kind]
    rng = np.random.default_rng(5)
    found = []
    for example in THREE:
        pixels, ink = papers.paper(make, drawing(example)[1], rng, 240)
        try:
            kept = find_ink(pixels.mean(2, dtype=np.float32) / 255, "auto").kept
        except ImageError:
            kept = np.zeros((240, 240), bool)
        drawn = np.asarray(Image.fromarray(ink).resize((240, 240), Image.Resampling.BOX)) > 0.5
        found.append(overlap(kept, drawn))
    assert np.median(found) > 0.6
