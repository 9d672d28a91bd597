"""Predict first: what is covered is not sent, what was said is compared with what the card beside it names."""

import re
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from test_pages import PAGES, components, open_app, reading, shown

from capsviz.app import guess, pad, session
from capsviz.inputs.drawings import Drawing, stroke_of
from capsviz.inputs.examples import EXAMPLES
from capsviz.networks.base import DEFAULT

SEVEN = Drawing((stroke_of(np.array([[80, 70], [200, 70], [130, 220]], float), 18.0),))


def covering(drawing: Drawing | None = None, page: str = PAGES[0]) -> AppTest:
    app = open_app(drawing, page)
    app.button(key="predict").click().run()
    assert not app.exception
    return app


def say(app: AppTest, name: str) -> AppTest:
    choice: Any = app.button_group(key=guess.CHOICE_KEY)
    app = choice.set_value(name).run()
    assert not app.exception
    return app


def told(app: AppTest) -> str:
    found = re.search(r'data-testid="guess"[^>]*>([^<]*)<', shown(app))
    return found[1] if found else ""


def asked(app: AppTest) -> bool:
    """Whether the viewer is asked what it will be."""
    return any(element.key == guess.CHOICE_KEY for element in app.button_group)


@pytest.mark.parametrize("page", PAGES, ids=["draw", "routing", "pose", "model"])
def test_nothing_that_is_sent_tells_the_answer(page: str) -> None:
    answer = reading(open_app(page=page)).answer
    assert answer is not None
    app = covering(page=page)
    assert components(app) == []  # no live view
    html = shown(app).replace(guess.figures.STYLE, "")
    assert "covered" in html
    assert "cv-longest" not in html
    assert 'data-testid="answer"' not in html
    assert 'data-testid="length"' not in html
    assert 'cv-mini"' in html
    assert 'cv-mini" title' not in html
    written = re.sub(r"base64,[^\"]*", "", html)
    digits = 4 if "model" in page else 2  # its curves have all numbers of two digits
    assert f"{answer.trace.lengths[-1].max():.{digits}f}" not in written
    assert "the longest is" not in html
    seen = guess.figures.theme.data_uri(guess.figures.theme.ink(answer.trace.image)).partition(",")[2]
    left = pictures(app) - {f"base64,{seen}"}
    assert len(left) == (1 if "draw" in page else 0)  # the feature maps


def pictures(app: AppTest) -> set[str]:
    return set(re.findall(r"base64,[^\"]*", shown(app).replace(guess.figures.STYLE, "")))


def test_the_limit_is_held_against_the_lengths_that_the_card_holds_it_against(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = covering(SEVEN)
    app.session_state[session.ITERATIONS_KEY] = {DEFAULT: 1}
    app.run()
    held: list[np.ndarray] = []
    monkeypatch.setattr(guess.figures, "verdict", lambda scores, *others: held.append(scores) or "digit")
    say(app, "7")
    answer = reading(app).answer
    assert answer is not None
    assert len(answer.trace.scores) == 1
    np.testing.assert_array_equal(held[0], answer.judged)
    assert not np.allclose(held[0], answer.trace.scores[-1], atol=0.01)


def test_what_was_said_is_compared_and_counted() -> None:
    app = covering()
    say(app, "2")
    assert told(app) == "You said 2, and it reads 2. So far as predicted: 1 of 1."
    assert f'data-testid="answer">{EXAMPLES[0].digit}<' in shown(app)
    app.button(key="clear").click().run()
    assert told(app) == ""
    assert not asked(app)  # there is nothing to be covered


def test_a_wrong_guess_and_one_left_out() -> None:
    app = covering(SEVEN)
    say(app, "1")
    assert told(app) == "You said 1; it reads 7. So far as predicted: 0 of 1."
    app.session_state[pad.HISTORY_KEY].append(Drawing(example=0))
    app.run()
    assert asked(app)
    app.button(key="uncover").click().run()
    assert told(app) == ""
    assert 'data-testid="answer">2<' in shown(app)
    app.session_state[pad.HISTORY_KEY].append(Drawing(example=0))
    app.run()
    say(app, "2")
    assert told(app).endswith("So far as predicted: 1 of 2.")
    # Whoever goes back finds that answer as it was left.
    for _ in range(2):
        app.session_state[pad.HISTORY_KEY].pop()
    app.run()
    assert told(app) == "You said 1; it reads 7. So far as predicted: 1 of 2."


def test_a_network_that_names_nothing_proves_nobody_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    app = covering(SEVEN)
    monkeypatch.setattr(guess.figures, "verdict", lambda *arguments: "no digit")
    say(app, "7")
    assert told(app) == "You said 7; it names no digit."


def test_another_network_is_another_answer_to_predict() -> None:
    app = covering(SEVEN)
    say(app, "7")
    assert not asked(app)
    guesses: list[guess.Guess] = app.session_state[guess.GUESSES_KEY]
    assert [(made.network, made.said) for made in guesses] == [(DEFAULT, "7")]
    app.session_state[guess.GUESSES_KEY] = [guess.Guess(guesses[0].drawing, "other", "7")]
    app.run()
    assert asked(app)


def test_the_switch_uncovers_and_covers_again() -> None:
    app = covering()
    say(app, "2")
    app.button(key="predict").click().run()
    assert told(app) == ""
    assert 'data-testid="answer">2<' in shown(app)
    app.button(key="predict").click().run()
    assert asked(app)  # to be predicted anew
    assert app.session_state[guess.SCORE_KEY] == guess.Score(1, 1)
