"""Figures from a small hand-built trace: what is drawn is what the trace holds."""

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import reference
from PIL import Image

from capsviz import figures
from capsviz.figures import theme
from capsviz.figures.reconstructions import squared_error
from capsviz.figures.strip import place_shares, strongest_features
from capsviz.models.size import Size
from capsviz.networks.base import DEFAULT, find
from capsviz.traces.routing import RoutingTrace

SPEC = find(DEFAULT)
PAPER = SPEC.shape
LENGTHS = np.array([0.0, 0.05, 0.1, 0.2, 0.95, 0.3, 0.4, 0.5, 0.6, 0.7])
HALF_A_SHADE = 255 / 48 + 0.51  # of a picture in 25 shades


@pytest.fixture
def trace() -> RoutingTrace:
    """Digit 4 wins with 0.95; one primary capsule (type 5, row 2, column 3) alone votes for it."""
    v = np.zeros((1, 10, 16))
    v[0, :, 0] = LENGTHS
    u_hat = np.zeros((1152, 10, 16))
    u_hat[(5 * 6 + 2) * 6 + 3, 4, 0] = 8
    c = np.full((1, 1152, 10), 0.1)
    image = np.zeros((28, 28))
    image[10, 12] = 1
    features = np.zeros((256, 20, 20))
    features[17] = 0.5
    features[200] = 2
    return RoutingTrace(
        image=image,
        features=features,
        u=np.zeros((1152, 8)),
        u_hat=u_hat,
        b=np.zeros((1, 1152, 10)),
        c=c,
        s=np.einsum("rij,ijd->rjd", c, u_hat),
        v=v,
        shape=reference.PAPER,
    )


@pytest.fixture
def reconstructions(trace: RoutingTrace) -> np.ndarray:
    images = np.zeros((10, 28, 28), np.float32)
    images[4] = trace.image
    images[4, 0, :2] = 0.5
    return images


def pictures(html: str) -> list[np.ndarray]:
    """The pixels of all images in a piece of HTML, in order."""
    found = re.findall(r'(?:src="|url\()data:image/png;base64,([^")]+)', html)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))) for data in found]


class Balance(HTMLParser):
    """Every tag that is opened is closed, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag != "img":
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag


def test_all_html_is_well_formed(trace: RoutingTrace, reconstructions: np.ndarray) -> None:
    sizes = {name: Size(1, 2) for name in ("conv1", "primary", "digits", "decoder")}
    for html in (
        figures.pipeline_strip(trace, reconstructions[4]),
        figures.reconstruction_panels(trace, reconstructions),
        figures.reading_card(trace.image, trace.lengths[-1], PAPER),
        figures.reading_card(None, None, PAPER),
        figures.layers_table(trace, reconstructions, sizes, SPEC),
    ):
        balance = Balance()
        balance.feed(html)
        assert not balance.stack
        assert "http" not in html


def test_bars_are_as_long_as_the_capsules() -> None:
    html = figures.lengths_bars(LENGTHS)
    widths = [float(width) / 100 for width in re.findall(r"width:([\d.]+)%", html)]
    np.testing.assert_allclose(widths, LENGTHS, atol=1e-4)
    assert re.findall(r'cv-value">([\d.]+)<', html) == [f"{length:.2f}" for length in LENGTHS]
    assert html.count("cv-longest") == 1
    assert re.search(r'cv-longest".*?cv-numeral">4<', html)
    assert "left:10%" in html
    assert "left:90%" in html


def test_the_reading_names_the_longest_capsule(trace: RoutingTrace) -> None:
    html = figures.reading_card(trace.image, LENGTHS, PAPER)
    assert 'data-testid="answer">4<' in html
    assert 'data-testid="length">0.95<' in html
    np.testing.assert_array_equal(pictures(html)[0], trace.image * 255)


def test_a_length_that_few_digits_have_is_called_unsure(trace: RoutingTrace) -> None:
    sure = figures.reading_card(trace.image, LENGTHS, PAPER, unsure_below=float(LENGTHS.max()))
    assert "cv-unsure" not in sure
    assert ">unsure<" not in sure
    assert '"dashed">dashed: unsure below 0.95<' in sure
    assert 'data-testid="dashed"' not in figures.reading_card(trace.image, LENGTHS, PAPER)
    html = figures.reading_card(trace.image, LENGTHS, PAPER, unsure_below=0.96)
    assert 'data-testid="answer">4<' in html
    assert re.search(r'cv-unsure.*>unsure<b data-testid="length">0.95<', html)
    assert re.search(r'data-testid="doubt">Perhaps no digit, or an unusual one: .* reaches 0\.96\.<', html)


def test_a_reading_gives_advice_where_there_is_some(trace: RoutingTrace) -> None:
    for limit in (0.5, 0.96):
        html = figures.reading_card(trace.image, LENGTHS, PAPER, unsure_below=limit, advice="Draw it larger.")
        assert 'data-testid="doubt">Draw it larger.<' in html


def test_ten_capsules_as_short_as_those_of_absent_digits_are_no_digit(trace: RoutingTrace) -> None:
    lengths = np.full(10, 0.02, np.float32)
    lengths[3] = 0.0999
    html = figures.reading_card(trace.image, lengths, PAPER, unsure_below=0.7)
    assert 'data-testid="answer">–<' in html
    assert re.search(r'>no digit<b data-testid="length">0\.10<', html)
    assert "No capsule is longer than 0.1" in html
    lengths[3] = 0.1001  # m- is 0.1 (Eq. 4)
    assert 'data-testid="answer">3<' in figures.reading_card(trace.image, lengths, PAPER, unsure_below=0.7)
    lengths[3] = 0.05  # with a number of routing iterations for which no limit is known
    assert 'data-testid="answer">3<' in figures.reading_card(trace.image, lengths, PAPER)
    # Longer with more iterations, but not with those that the limit is for.
    html = figures.reading_card(trace.image, LENGTHS, PAPER, unsure_below=0.7, judged=lengths)
    assert "After the 3 iterations of training the longest is 3, 0.05: no digit." in html
    assert 'data-testid="dashed"' not in html


def test_without_a_drawing_the_reading_claims_nothing() -> None:
    html = figures.reading_card(None, None, PAPER)
    assert "no digit yet" in html
    assert 'data-testid="answer"' not in html
    assert not pictures(html)


def test_the_strip_shows_pixels_features_places_and_reconstruction(
    trace: RoutingTrace, reconstructions: np.ndarray
) -> None:
    html = figures.pipeline_strip(trace, reconstructions[4])
    pixels, mosaic, places, redrawn = pictures(html)
    np.testing.assert_array_equal(pixels, trace.image * 255)
    assert mosaic.shape == (62, 62)  # 3 x 3 maps of 20 x 20 with a gap of 1
    assert (mosaic[:20, :20] == 255).all()  # map 200, the most active, first and brightest
    assert (mosaic[:20, 21:41] == 64).all()  # map 17, a quarter as bright
    assert places.shape == (6, 6, 3)
    assert tuple(places[2, 3]) == theme.FOR_COLOUR
    assert places.sum() == sum(theme.FOR_COLOUR)  # black everywhere else
    np.testing.assert_array_equal(redrawn, np.rint(reconstructions[4] * 255))
    assert f"here {LENGTHS.sum():.2f}" in html
    assert "white is 2.0" in html
    assert "the strongest makes 100% of |s|." in html
    against = replace(trace, u_hat=-trace.u_hat)  # which the capsule's v was not made of
    html = figures.pipeline_strip(against, reconstructions[4])
    assert "the strongest takes 100% of |s| away." in html


def test_shares_of_places_sum_to_the_length_of_s(trace: RoutingTrace) -> None:
    shares = place_shares(trace, 4)
    assert shares[2, 3] == pytest.approx(0.8, abs=1e-6)  # c u_hat . v / |v| = 0.1 * 8
    assert shares.sum() == pytest.approx(np.linalg.norm(trace.s[-1, 4]), abs=1e-6)


def test_strongest_features_come_first(trace: RoutingTrace) -> None:
    assert list(strongest_features(trace.features, 2)) == [200, 17]


def test_reconstructions_state_the_summed_squared_error(
    trace: RoutingTrace, reconstructions: np.ndarray
) -> None:
    html = figures.reconstruction_panels(trace, reconstructions)
    assert squared_error(trace.image, reconstructions[4]) == pytest.approx(2 * 0.5**2)
    assert 'data-testid="error">0.5<' in html
    _, _, difference, each = pictures(html)
    assert each.shape == (28, 10 * 28)
    assert tuple(difference[0, 0]) == (120, 69, 18)  # half of the orange: ink added
    assert not difference[10, 12].any()


def test_signed_colours_are_black_at_zero_and_full_at_the_limit() -> None:
    colours = theme.signed(np.array([[-2.0, 0.0, 2.0, 8.0]]), limit=2.0)[0]
    assert [tuple(colour) for colour in colours] == [
        theme.AGAINST_COLOUR,
        (0, 0, 0),
        theme.FOR_COLOUR,
        theme.FOR_COLOUR,
    ]


@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (3, 280), (5, 7, 3), (6, 4, 4)])
def test_a_picture_is_the_png_that_others_read(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, shape).astype(np.uint8)
    for drawn in (pixels, pixels[::-1, ::-1]):  # also one that is no block of memory
        (shown,) = pictures(f'<img src="{theme.data_uri(drawn)}">')
        np.testing.assert_array_equal(shown, drawn)


def test_digit_colours_differ_in_lightness() -> None:
    """For grey print: no two of the ten have the same luminance."""
    values = [[int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)] for colour in theme.CLASS_COLOURS]
    linear = np.where(
        np.array(values) <= 0.04045, np.array(values) / 12.92, ((np.array(values) + 0.055) / 1.055) ** 2.4
    )
    lightness = np.sort(np.cbrt(linear @ [0.2126, 0.7152, 0.0722]))
    assert len(lightness) == 10
    assert np.diff(lightness).min() > 0.015


def test_training_figure_plots_the_log() -> None:
    log = [
        {"epoch": 1, "train_error": 0.1, "validation_error": 0.02},
        {"epoch": 2, "train_error": 0.03, "validation_error": 0.01},
    ]
    figure = figures.training_figure(log, test_error=0.005)
    training, validation, test = figure.data
    assert list(training.x) == [1, 2]
    np.testing.assert_allclose(training.y, [10, 3])
    np.testing.assert_allclose(validation.y, [2, 1])
    assert (test.x[0], test.y[0]) == (2, 0.5)
    assert "augmented" in training.name
    assert figures.training_figure(log, changed=False).data[0].name == "training"
    assert figure.layout.yaxis.title.text
    assert figure.layout.xaxis.title.text == "epoch"


def test_training_figure_of_averaged_weights_tells_them_from_those_of_the_last_epoch() -> None:
    log = [{"epoch": 1, "train_error": 0.1, "validation_error": 0.02}]
    figure = figures.training_figure(log, test_error=0.005, averaged=0.015)
    validation, mean, test = figure.data[1:]
    assert (validation.y[0], mean.y[0], test.y[0]) == (2, 1.5, 0.5)
    # The mark of the one is drawn first, is empty, and reaches beyond the other: both are seen at one place.
    assert mean.marker.symbol.endswith("-open")
    assert mean.marker.size > 1.5 * test.marker.size
    assert [point.name for point in (mean, test)] == [
        "validation, of the mean",
        "test (10,000), of the mean",
    ]


def test_loss_figure_plots_both_parts_on_axes_of_their_own() -> None:
    log = [
        {"epoch": 1, "margin_loss": 0.12, "reconstruction_loss": 63.0},
        {"epoch": 2, "margin_loss": 0.03, "reconstruction_loss": 38.0},
    ]
    figure = figures.loss_figure(log)
    margin, reconstruction = figure.data
    assert (list(margin.x), list(margin.y), margin.yaxis) == ([1, 2], [0.12, 0.03], "y")
    assert (list(reconstruction.y), reconstruction.yaxis) == ([63, 38], "y2")
    assert (figure.layout.yaxis.title.text, figure.layout.yaxis2.title.text) == (
        "margin loss",
        "squared error",
    )
    assert (
        figure.layout.yaxis2.tickmode == "auto"
    )  # else its ticks stand where the left axis's do, at no round number


def test_loss_figure_of_a_network_that_draws_nothing() -> None:
    log = [
        {"epoch": 1, "cross_entropy": 0.4, "reconstruction_loss": 0.0},
        {"epoch": 2, "cross_entropy": 0.1, "reconstruction_loss": 0.0},
    ]
    figure = figures.loss_figure(log)
    (loss,) = figure.data
    assert (loss.name, list(loss.x), list(loss.y)) == ("cross-entropy", [1, 2], [0.4, 0.1])
    assert figure.layout.yaxis.title.text == "cross-entropy"
    assert "yaxis2" not in figure.layout.to_plotly_json()
    log[0]["reconstruction_loss"] = 30.0
    assert figures.loss_figure(log).data[0].name == "cross-entropy"
    assert len(figures.loss_figure(log).data) == 2


def test_training_figures_say_what_came_before() -> None:
    log = [
        {
            "epoch": 1,
            "train_error": 0.1,
            "validation_error": 0.02,
            "margin_loss": 0.1,
            "reconstruction_loss": 6.0,
        }
    ]
    for figure in (figures.training_figure(log, before=44), figures.loss_figure(log, before=44)):
        assert figure.layout.xaxis.title.text == "epoch, after 44 of earlier trainings"


def test_training_figure_of_an_empty_log_is_still_labelled() -> None:
    figure = figures.training_figure([])
    assert figure.layout.yaxis.title.text
    assert not any(len(curve.x) for curve in figure.data)


@pytest.fixture
def routed() -> RoutingTrace:
    """Three iterations of numbers at random, in which 3 wins at first and 8 in the end."""
    random = np.random.default_rng(5)
    v = 0.1 * random.standard_normal((3, 10, 16))
    v[:, 3] *= 2
    v[2, 8] *= 8 / 3
    u_hat = random.standard_normal((1152, 10, 16))
    c = random.dirichlet(np.ones(10), (3, 1152))
    u = random.standard_normal((1152, 8)) * 0.1
    u[0], u[-1] = 0.001, 0.35  # the shortest and the longest
    features = np.maximum(random.standard_normal((256, 20, 20)), 0) * random.uniform(0.5, 3, (256, 1, 1))
    return RoutingTrace(
        image=random.uniform(0, 1, (28, 28)),
        features=features,
        u=u,
        u_hat=u_hat,
        b=np.zeros((3, 1152, 10)),
        c=c,
        s=np.einsum("rij,ijd->rjd", c, u_hat),
        v=v,
        shape=reference.PAPER,
    )


def alternatives(html: str) -> list[str]:
    return re.findall(r'(?:alt|role="img" aria-label)="([^"]*)"', html)


def test_the_strip_is_of_the_last_iteration(routed: RoutingTrace) -> None:
    assert routed.lengths[0].argmax() != routed.prediction == 8
    html = figures.pipeline_strip(routed, np.zeros((28, 28)))
    assert alternatives(html) == [
        "the 28 by 28 pixels the network sees",
        "the nine strongest feature maps",
        "shares of the 6 by 6 places in digit 8",
        "digit 8 as its capsule redraws it",
    ]
    assert re.findall("<p>([^<]*)</p>", html) == [
        "28 × 28, 0 to 1",
        "256 filters, 9 × 9",
        "9 × 9, stride 2",
        "routing, 3 iterations",
        "decoder",
    ]
    assert "The 9 most active of 256" in html
    lengths = np.linalg.norm(routed.v[2], axis=1)
    assert re.findall(r'cv-value">([\d.]+)<', html) == [f"{length:.2f}" for length in lengths]
    assert f"(here {lengths.sum():.2f})" in html

    # Capsule i is type i // 36 at row i % 36 // 6 and column i % 6: its share in s is c (u_hat . v) / |v|.
    shares = np.zeros((6, 6))
    for i in range(1152):
        shares[i % 36 // 6, i % 6] += routed.c[2, i, 8] * routed.u_hat[i, 8] @ routed.v[2, 8] / lengths[8]
    np.testing.assert_allclose(place_shares(routed, 8), shares, rtol=1e-4, atol=1e-4)
    colours = pictures(html)[2].astype(int)
    limit = np.abs(shares).max()
    for row in range(6):
        for column in range(6):
            full = theme.FOR_COLOUR if shares[row, column] > 0 else theme.AGAINST_COLOUR
            expected = np.array(full) * abs(shares[row, column]) / limit
            assert np.abs(colours[row, column] - expected).max() <= 1
    strongest = shares.ravel()[np.abs(shares).argmax()] / np.linalg.norm(routed.s[2, 8])
    said = re.search(r"the strongest (takes|makes) (\d+)% of \|s\|", html)
    assert said is not None
    assert said.groups() == ("takes" if strongest < 0 else "makes", f"{100 * abs(strongest):.0f}")


def test_the_mosaic_reads_like_a_page(routed: RoutingTrace) -> None:
    mosaic = pictures(figures.pipeline_strip(routed, np.zeros((28, 28))))[1]
    means = [float(feature.mean()) for feature in routed.features]
    order = sorted(range(256), key=lambda index: -means[index])[:9]
    brightest = max(float(routed.features[index].max()) for index in order)
    for position, index in enumerate(order):
        row, column = position // 3 * 21, position % 3 * 21
        np.testing.assert_allclose(
            mosaic[row : row + 20, column : column + 20],
            255 * routed.features[index] / brightest,
            atol=HALF_A_SHADE,
        )
    assert not mosaic[[20, 41]].any()
    assert not mosaic[:, [20, 41]].any()


def test_bars_have_each_digits_colour_and_length(routed: RoutingTrace) -> None:
    html = figures.lengths_bars(routed.lengths[-1])
    assert re.findall(r"background:(#\w+)", html) == list(theme.CLASS_COLOURS)
    assert re.findall(r'cv-numeral">(\d)<', html) == [*"0123456789"]
    lengths = np.linalg.norm(routed.v[2], axis=1)
    widths = [float(width) for width in re.findall(r"width:([\d.]+)%", html)]
    np.testing.assert_allclose(widths, 100 * lengths, atol=0.0051)
    assert re.findall(r'title="([^"]*)"', html) == [
        f"|v| of digit {digit} is {length:.4f}" for digit, length in enumerate(lengths)
    ]
    assert html.count("left:0") == html.count("left:10%") == html.count("left:90%") == 1


def test_what_each_capsule_would_have_drawn_stands_under_its_own_digit(routed: RoutingTrace) -> None:
    drawn = np.random.default_rng(6).uniform(0, 1, (10, 28, 28))
    html = figures.reconstruction_panels(routed, drawn)
    *shown, together = pictures(html)
    each = np.split(together, 10, axis=1)
    assert alternatives(html) == [
        "pixels seen",
        "redrawn by digit capsule 8",
        "difference of the two",
        *(f"what digit capsule {digit} would have drawn" for digit in range(10)),
    ]
    np.testing.assert_allclose(shown[0], 255 * routed.image, atol=0.51)
    np.testing.assert_allclose(shown[1], 255 * drawn[8], atol=HALF_A_SHADE)
    for digit in range(10):
        np.testing.assert_allclose(each[digit], 255 * drawn[digit], atol=HALF_A_SHADE)
        assert len(np.unique(each[digit])) == 25
    assert re.findall(r"--at:(\d+)", html) == list("0123456789")
    assert "--last:9;" in html
    lengths = np.linalg.norm(routed.v[2], axis=1)
    errors = [((drawn[digit] - routed.image) ** 2).sum() for digit in range(10)]
    assert re.findall(r'title="([^"]*)"', html) == [
        f"capsule {digit}: length {lengths[digit]:.3f}, squared error {errors[digit]:.1f}"
        for digit in range(10)
    ]
    assert f'data-testid="error">{errors[8]:.1f}<' in html
    assert re.findall(r"<b>(\d)</b> ([\d.]+)<", html) == [
        (str(digit), f"{lengths[digit]:.2f}") for digit in range(10)
    ]
    assert re.findall(r"--digit:(#\w+)", html) == list(theme.CLASS_COLOURS)
    assert re.findall(r'class="cv-longest" style="--digit:(#\w+);--at:8"', html) == [theme.CLASS_COLOURS[8]]
    assert html.index("seen<") < html.index("redrawn by 8<") < html.index("difference<")
    # Ink added is orange, ink left out blue, each as strong as the difference.
    row, column = np.unravel_index((drawn[8] - routed.image).argmin(), (28, 28))
    left_out = routed.image[row, column] - drawn[8, row, column]
    np.testing.assert_allclose(
        shown[2][row, column], left_out * np.array(theme.AGAINST_COLOUR), atol=HALF_A_SHADE
    )


def test_a_reading_is_sure_from_its_limit_on_and_no_digit_up_to_that_of_absent_ones() -> None:
    image, lengths = np.zeros((28, 28)), np.full(10, 0.05)

    def found(longest: float, limit: float) -> str:
        lengths[6] = longest
        (word,) = re.findall(r'cv-length">([a-z ]+)<b', figures.reading_card(image, lengths, PAPER, limit))
        return str(word)

    assert [found(longest, 0.7) for longest in (0.7, 0.69999, 0.10001, 0.1, 0.05)] == [
        "length",
        "unsure",
        "unsure",
        "no digit",
        "no digit",
    ]
    assert found(0.05, 0.0) == "length"


def test_a_readings_bars_and_limit_are_as_high_as_they_say(routed: RoutingTrace) -> None:
    html = figures.reading_card(routed.image, routed.lengths[-1], PAPER, 0.725)
    lengths = np.linalg.norm(routed.v[2], axis=1)
    assert re.findall(r"height:([\d.]+)%;background:(#\w+)", html) == [
        (f"{100 * length:.1f}", colour) for length, colour in zip(lengths, theme.CLASS_COLOURS, strict=True)
    ]
    assert re.findall(r'title="([^"]*)"', html) == [
        f"dashed: unsure below {0.725:.2f}",
        *(f"|v| of digit {digit} is {length:.3f}" for digit, length in enumerate(lengths)),
    ]
    assert "--unsure:72.5%" in html
    assert re.findall(r"<i>(\d)</i>", html) == [*"0123456789"]
    assert alternatives(html) == ["the 28 by 28 pixels seen"]
    assert f'data-testid="length">{lengths.max():.2f}<' in html
    assert "--unsure" not in figures.reading_card(routed.image, routed.lengths[-1], PAPER)


def test_lengths_of_other_iterations_are_judged_by_those_of_training(routed: RoutingTrace) -> None:
    judged = np.full(10, 0.2)
    judged[1] = 0.8
    html = figures.reading_card(routed.image, routed.lengths[-1], PAPER, 0.9, "Draw it larger.", judged)
    assert "longest is 1, 0.80: unsure, below 0.90." in html
    assert 'data-testid="answer">8<' in html
    assert f'unsure<b data-testid="length">{np.linalg.norm(routed.v[2, 8]):.2f}<' in html
    assert "--unsure" not in html  # it would be no limit of these bars
    html = figures.reading_card(routed.image, routed.lengths[-1], PAPER, 0.8, "", judged)
    assert "longest is 1, 0.80: sure." in html


def test_the_layers_are_told_by_what_they_made(routed: RoutingTrace) -> None:
    drawn = np.random.default_rng(7).uniform(0, 1, (10, 28, 28))
    sizes = {
        **{"conv1": Size(1_001, 5), "primary": Size(20_020, 60_000)},
        **{"digits": Size(3_003, 700), "decoder": Size(400_400, 8_000_000)},
    }
    html = figures.layers_table(routed, drawn, sizes, SPEC)
    # One digit of ten is fed: nine times sixteen numbers are 0.
    assert "dense 512, 1024 (ReLU), 784 (sigmoid), fed one digit’s 16 numbers and 144 zeros" in html
    assert "256 filters of 9 × 9, stride 2; 8 filters make a capsule; squash (Eq. 1)" in html
    rows = [
        re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)
        for row in re.findall("<tr>(.*?)</tr>", html.partition("<tbody>")[2])
    ]
    lengths = np.sqrt((routed.u**2).sum(axis=1))
    error = ((drawn[8] - routed.image) ** 2).sum()
    assert [[row[0], *row[2:]] for row in rows[:4]] == [
        [
            "Convolution",
            "256 × 20 × 20",
            f"{100 * np.count_nonzero(routed.features > 0) / 102_400:.0f}% of the values are above 0",
            "1,001",
            "5",
        ],
        [
            "Primary capsules",
            "1152 × 8",
            f"lengths {lengths.min():.3f} to {lengths.max():.3f}, mean {lengths.mean():.3f}",
            "20,020",
            "60,000",
        ],
        [
            "Digit capsules",
            "10 × 16",
            f"the longest is 8: {np.linalg.norm(routed.v[2, 8]):.2f}",
            "3,003",
            "700",
        ],
        ["Decoder", "28 × 28", f"squared error {error:.1f}", "400,400", "8,000,000"],
    ]
    assert "3 routing iterations" in rows[2][1]
    assert rows[4] == ["All trained numbers", "424,424", "8,060,705"]
    heads = re.findall(r"<th[^>]*>(.*?)</th>", html.partition("<tbody>")[0])
    for row in re.findall("<tr>(.*?)</tr>", html.partition("<tbody>")[2])[:4]:
        assert re.findall(r'data-column="(.*?)"', row) == heads[1:]  # each value's, where there is no head
    empty = figures.layers_table(None, None, sizes, SPEC)
    assert len(re.findall("<td[^>]*>–</td>", empty)) == 4
    assert ", routing</td>" in empty


def test_grey_levels_are_rounded_and_cut_off() -> None:
    image = np.array([[-0.2, 0.0, 0.5 / 255 + 1e-4], [1.4 / 255, 1.0, 1.7]])
    assert theme.ink(image).tolist() == [[0, 0, 1], [1, 255, 255]]
    assert theme.levels(image) == [0, 0, 1, 1, 255, 255]
    half = theme.signed(np.array([-1.0, 1.0]), limit=4.0)
    assert half.tolist() == [[14, 34, 56], [60, 34, 9]]


def test_training_figures_mark_the_last_epoch_and_fit_the_epochs() -> None:
    log = [
        {
            "epoch": epoch,
            "train_error": 0.1 / epoch,
            "validation_error": 0.02 / epoch,
            "margin_loss": 0.1,
            "reconstruction_loss": 6.0,
        }
        for epoch in range(1, 31)
    ]
    figure = figures.training_figure(log, 0.003, averaged=0.0005)
    assert [curve.name for curve in figure.data[2:]] == [
        "validation, of the mean",
        "test (10,000), of the mean",
    ]
    assert [(point.x[0], point.y[0]) for point in figure.data[2:]] == [
        (30, pytest.approx(0.05)),
        (30, pytest.approx(0.3)),
    ]
    assert figure.layout.xaxis.range == (0.5, 30.5)
    assert figure.layout.xaxis.dtick == 3
    assert figure.layout.yaxis.type == "log"
    assert list(figure.layout.yaxis.ticktext) == [f"{value:g}" for value in figure.layout.yaxis.tickvals]
    losses = figures.loss_figure(log[:4])
    assert losses.layout.xaxis.dtick == 1
    assert losses.layout.yaxis.rangemode == losses.layout.yaxis2.rangemode == "tozero"
    assert losses.layout.yaxis2.side == "right"
    assert losses.layout.dragmode is figure.layout.dragmode is False  # a finger scrolls the page
    assert [curve.name for curve in figures.training_figure(log).data] == [
        curve.name for curve in figure.data[:2]
    ]


def test_headings_of_a_page_come_next_below_its_question(
    routed: RoutingTrace, reconstructions: np.ndarray
) -> None:
    for html, count in (
        (figures.pipeline_strip(routed, reconstructions[0]), 5),
        (figures.reconstruction_panels(routed, reconstructions), 2),
    ):
        assert re.findall(r"<(h\d)>", html) == ["h2"] * count
