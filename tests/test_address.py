"""What a link says: a checked value for each parameter, or its default and one sentence."""

import random
import string
from pathlib import Path
from urllib.parse import parse_qsl, quote

import pytest
from reference import assert_one_sentence

from capsviz.app import address
from capsviz.app.address import Asked, read
from capsviz.networks.base import DEFAULT, find
from capsviz.texts import say
from capsviz.traces.base import CapsuleGrid, Shape

ROOT = Path(__file__).resolve().parent.parent
PAPER = find(DEFAULT).shape
SMALL = Shape(
    size=20,
    classes=("kite", "ring", "zigzag"),
    kind="shape",
    grid=CapsuleGrid(types=4, rows=3, columns=5, field=9, stride=2),
    components=4,
    pose=5,
    routing="dynamic",
    trained=2,
)


def asked(query: dict[str, str]) -> Asked:
    return read(query, lambda name: PAPER)


def test_a_link_says_what_it_says() -> None:
    assert asked({}) == Asked()
    assert asked({"R": "7"}) == Asked(iterations=7)
    assert asked({"network": "dynamic.mnist", "lang": "en", "R": "10"}) == Asked("dynamic.mnist", "en", 10)
    assert asked({"utm_source": "mail", "digit": "x", "step": "99"}) == Asked()  # not Python's to read


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("R", "0", "from 1 to 10"),
        ("R", "11", "from 1 to 10"),
        ("R", "٣", "from 1 to 10"),
        ("R", "9" * 5000, "from 1 to 10"),
        ("R", "![](//a.b/c)", "from 1 to 10"),
        ("lang", "klingon", "en"),
        ("network", "../../etc", "dynamic.mnist"),
        ("network", "", "dynamic.mnist"),
    ],
)
def test_a_value_that_cannot_be_gives_way_with_one_sentence(name: str, text: str, says: str) -> None:
    found = asked({name: text, "utm_campaign": "1"})
    assert (found.network, found.language, found.iterations, found.bad) == (None, None, None, (name,))
    assert says in found.problem
    assert len(found.problem) < 300
    assert "](" not in found.problem


def test_a_parameter_that_is_none_is_said_to_be_none() -> None:
    found = asked({"Digit": "3", "R": "2"})
    assert (found.iterations, found.bad) == (2, ("Digit",))
    assert "“Digit”" in found.problem
    assert "network, lang, R, digit, capsule, step, pose, lesson, stop" in found.problem
    many = asked({f"{letter * 30}": "1" for letter in "abcd"})
    assert (len(many.bad), len(many.problem) < 200) == (4, True)
    assert f"“{'a' * 20}…”, “{'b' * 20}…”: a link may have" in many.problem
    assert asked({"embed": "true", "embed_options": "x", "utm_source": "mail"}) == Asked()


def test_what_is_wrong_is_said_of_each_and_the_rest_is_done() -> None:
    found = asked({"R": "x", "lang": "xx", "network": "dynamic.mnist"})
    assert found.network == "dynamic.mnist"
    assert found.bad == ("R", "lang")
    assert "“x”" in found.problem
    assert "“xx”" in found.problem


def test_a_network_in_which_nothing_iterates_has_no_iterations_to_ask_for() -> None:
    plain = find("cnn.mnist").shape
    for query in ({"R": "5", "network": "dynamic.mnist"}, {"network": "dynamic.mnist", "R": "5"}):
        found = read(query, lambda name: plain if name == "dynamic.mnist" else PAPER)
        assert (found.network, found.iterations, found.bad) == ("dynamic.mnist", None, ("R",))
        assert "nothing iterates in this network" in found.problem
    assert address.for_script("pose", find("cnn.decoder.mnist").shape, 1) == {"digit": (0, 9)}


def test_an_alias_asks_for_the_network_that_it_leads_to() -> None:
    assert asked({"network": "dynamic"}) == asked({"network": "capsnet-mnist"}) == Asked(network=DEFAULT)


def test_scripts_are_told_the_ranges_of_their_parameters() -> None:
    """Ten digits, 1152 capsules, four steps an iteration; three classes, 4 x 3 x 5 capsules."""
    assert address.for_script("routing", PAPER, 3) == {"digit": (0, 9), "capsule": (0, 1151), "step": (0, 11)}
    assert address.for_script("routing", SMALL, 2) == {"digit": (0, 2), "capsule": (0, 59), "step": (0, 7)}
    assert address.for_script("pose", PAPER, 3) == {"digit": (0, 9)}
    assert address.for_script("draw", PAPER, 3) == {}


def test_ten_thousand_mangled_addresses_are_read_or_refused() -> None:
    rng = random.Random(17)
    names = [parameter.name for parameter in address.PARAMETERS] + ["r", "R ", "", "Ｒ", "digit[]"]
    pieces = [
        "1",
        "3",
        "10",
        "11",
        "-1",
        "0x2",
        "1e1",
        "٣",
        "en",
        "dynamic.mnist",
        "<b>",
        "%00",
        "\n",
        "💥",
        "a" * 300,
    ]
    good = 0
    for _ in range(10_000):
        text = "".join(rng.choice([*pieces, rng.choice(string.printable)]) for _ in range(rng.randint(0, 4)))
        query = "&".join(f"{rng.choice(names)}={quote(text)}" for _ in range(rng.randint(1, 5)))
        found = asked(dict(parse_qsl(query, keep_blank_values=True)))
        assert found.iterations is None or 1 <= found.iterations <= 10
        assert found.network in (None, "dynamic.mnist")
        assert found.language in (None, "en")
        assert bool(found.bad) == bool(found.problem)
        assert found.problem.isprintable()
        assert len(found.problem) < 450
        assert not set("<>[]()`*_") & set(found.problem.replace("dynamic.mnist", ""))
        good += found.iterations is not None
    assert good > 50


def test_each_parameter_is_documented_in_the_table_made_of_it() -> None:
    written = (ROOT / "docs" / "links.md").read_text("utf-8")
    table = address.documentation(PAPER)
    assert table in written
    for parameter in address.PARAMETERS:
        assert f"| `{parameter.name}` |" in table
        assert_one_sentence(say(f"address.{parameter.name}.does").replace(";", ","), "")
