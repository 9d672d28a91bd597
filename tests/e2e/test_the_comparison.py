"""The Compare page in Chromium: a digit is turned, and what is shown at a value is what each network measures there."""

import re

import numpy as np
from playwright.sync_api import Browser, Page, expect

from capsviz.inputs.changes import Changes, change
from capsviz.inputs.examples import EXAMPLES, render
from capsviz.inputs.preprocess import canvas_to_mnist
from capsviz.models.model import load_model
from capsviz.traces.surgery import reroute
from tests.e2e.looking import failing_no_script, opened

CLASSES = 10


def shown(page: Page, column: int) -> np.ndarray:
    """[10] the scores that a network's column shows, of three decimals."""
    return np.array(
        [float(page.get_by_test_id(f"score-{column}-{at}").inner_text()) for at in range(CLASSES)]
    )


def measured(page: Page) -> None:
    """Wait until what is shown has been measured."""
    expect(page.locator(".compare-note")).to_have_text("")


def test_a_digit_is_turned_and_every_network_follows(browser: Browser, url: str) -> None:
    network, other = load_model(device="cpu"), load_model("attention.mnist", "cpu")
    image = canvas_to_mnist(render(EXAMPLES[0].strokes, EXAMPLES[0].width))
    with opened(browser, url, "compare") as page, failing_no_script(page):
        view = page.get_by_test_id("compare")
        view.wait_for()
        measured(page)
        # Without any change: the live answer, beside the pad too.
        length = float(page.get_by_test_id("length").inner_text())
        np.testing.assert_allclose(shown(page, 0), network.trace(image).scores[-1], atol=6e-4)
        assert abs(shown(page, 0).max() - length) < 6e-3

        # Nine steps of six degrees to the left, by keys.
        turn = page.get_by_test_id("change-rotation")
        turn.focus()
        for _ in range(9):
            turn.press("ArrowRight")
        turned = change(image, Changes(rotation=54))
        np.testing.assert_allclose(shown(page, 0), network.predict(turned[None])[0], atol=6e-4)
        np.testing.assert_allclose(shown(page, 1), other.predict(turned[None])[0], atol=6e-4)
        assert abs(shown(page, 2).sum() - 1) < 0.01  # shares of a softmax
        expect(page).to_have_url(re.compile("compare=rotation.9"))

        # Noise on top: the curve of the noise is another one.
        noise = page.get_by_test_id("change-noise")
        noise.focus()
        measured(page)
        for _ in range(4):
            noise.press("ArrowRight")
        noisy = change(image, Changes(rotation=54, noise=0.1))
        np.testing.assert_allclose(shown(page, 0), network.predict(noisy[None])[0], atol=6e-4)

        # Another rule of routing on the same votes, and other networks beside.
        page.get_by_test_id("rule").select_option("leaky")
        page.get_by_test_id("network-2").select_option("cnn.mnist")
        page.get_by_test_id("class").select_option("7")
        measured(page)
        votes = network.votes(noisy[None])[0]
        np.testing.assert_allclose(shown(page, 0), reroute(votes, 3, "leaky").lengths, atol=6e-4)
        expect(page).to_have_url(re.compile("compare=noise.4_rotation.9_with.*cnn.mnist_rule.leaky&digit=7"))

        # There and back: the same numbers.
        before = [shown(page, column) for column in range(3)]
        noise.press("ArrowRight")
        noise.press("ArrowLeft")
        np.testing.assert_array_equal([shown(page, column) for column in range(3)], before)
        link = page.url.partition("/compare")[2]
        assert view.get_attribute("data-change") == "noise"

    with opened(browser, url, f"compare{link}") as page, failing_no_script(page):
        measured(page)
        expect(page.get_by_test_id("class")).to_have_value("7")
        expect(page.get_by_test_id("network-2")).to_have_value("cnn.mnist")
        np.testing.assert_array_equal([shown(page, column) for column in range(3)], before)
