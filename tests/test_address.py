"""What a link says: a checked value for each parameter, or its default and one sentence."""

import base64
import random
import string
import zlib
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pytest
from reference import assert_one_sentence

from capsviz.app import address, panels, parameters
from capsviz.app.address import Asked, read
from capsviz.app.experiments import Operation, Trial, Weighting
from capsviz.app.training_choice import Checkpoint, Choice, choice, of_text
from capsviz.errors import MessageError
from capsviz.inputs import drawings
from capsviz.inputs.changes import Changes
from capsviz.inputs.drawings import Drawing, encode, stroke_of
from capsviz.inputs.examples import EXAMPLES
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


def asked(query: dict[str, str], shape: Shape = PAPER) -> Asked:
    """What a link asks for; of a network that it names, by the shape of that one."""
    return read(query, lambda name: find(name).shape if name else shape)


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
    assert "network, lang, R, drawing, pen, digit, capsule, step, scale" in found.problem
    many = asked({f"{letter * 30}": "1" for letter in "abcd"})
    assert (len(many.bad), len(many.problem) < 250) == (4, True)
    assert f"“{'a' * 20}…”, “{'b' * 20}…”, “{'c' * 20}…”, “{'d' * 20}…”: a link may have" in many.problem
    more = asked(dict.fromkeys("abcdefgh", "1"))
    assert "“a”, “b”, “c”, “d”, …: a link may have" in more.problem
    both = asked({"R": "99", "pen": "99", "lang": "xx", "drawing": "A"})
    assert set(both.bad) == {"R", "pen", "lang", "drawing"}
    assert "“99”" in both.problem
    assert "Nor can lang, drawing be used" in both.problem
    assert len(asked({**dict.fromkeys(address.names(), "!"), "Digit": "3"}).problem) < 700
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
    assert address.for_script("pose", find("cnn.decoder.mnist").shape, 1)["digit"] == (0, 9)
    found = asked({"surgery": "uniform"}, plain)
    assert (found.surgery, found.bad) == (None, ("surgery",))
    assert "no routing" in found.problem


def test_an_alias_asks_for_the_network_that_it_leads_to() -> None:
    assert asked({"network": "dynamic"}) == asked({"network": "capsnet-mnist"}) == Asked(network=DEFAULT)


def test_scripts_are_told_the_values_of_their_parameters() -> None:
    """Ten digits, 1152 capsules, four steps an iteration; three classes, 4 x 3 x 5 capsules; 16 capsules of attention."""
    scales = ("c", "uniform", "last", "share")
    assert address.for_script("routing", PAPER, 3) == {
        **{"digit": (0, 9), "capsule": (0, 1151), "step": (0, 11), "scale": scales, "contrast": (0, 16)},
        **{"only": (0, 1), "clouds": (0, 9, 2)},
    }
    small = address.for_script("routing", SMALL, 2)
    assert [small[name] for name in ("digit", "capsule", "step", "clouds")] == [
        (0, 2),
        (0, 59),
        (0, 7),
        (0, 2, 2),
    ]
    attention = address.for_script("routing", find("attention.mnist").shape, 1)
    assert attention["other"] == attention["capsule"] == (0, 15)
    assert attention["scale"] == ("weight", "c", "score", "share")
    assert not {"only", "clouds"} & set(attention)
    inside = address.for_script("inside", PAPER, 1)
    assert (inside["capsule"], inside["map"], inside["scope"]) == (
        (0, 1151),
        (0, 255),
        ("map", "layer", "all"),
    )
    assert "output" not in inside
    assert address.for_script("inside", find("cnn.mnist").shape, 1)["output"] == (0, 4095)
    assert address.for_script("pose", PAPER, 3) == {"digit": (0, 9), "dimension": (0, 15), "span": (1, 12)}
    assert address.for_script("draw", PAPER, 3) == {}


def opened(link: str) -> dict[str, str]:
    """What a link asks for, in the words of links.txt."""
    page, _, search = link.partition("?")
    query = dict(parse_qsl(search, strict_parsing=True))
    found = asked(query)
    assert (found.bad, found.problem) == ((), ""), link
    shape = find(found.network or DEFAULT).shape
    said: dict[str, str] = {}
    if found.drawing is not None:
        ways = ["36 | " * (k == 0) + way(stroke) for k, stroke in enumerate(found.drawing.strokes)]
        assert all(stroke.width == 36 for stroke in found.drawing.strokes) or len(ways) == 1
        said["strokes"] = " | ".join(ways) or "none"
        said["example"] = "none" if found.drawing.example is None else EXAMPLES[found.drawing.example].name
        ink = "" if found.drawing.blank else f"{found.drawing.image().sum():.1f}"
        said["ink" if found.drawing.picture is None else "picture"] = ink
    for name, value in (
        *(("network", found.network), ("lang", found.language), ("R", found.iterations), ("pen", found.pen)),
        *(("lesson", found.lesson), ("stop", found.stop), ("draft", found.draft), ("present", found.present)),
        *(("hide", " ".join(found.hide or ()) or None), ("lock", " ".join(found.lock or ()) or None)),
        *(("ask", found.ask), ("on", found.on), ("answer", found.answer)),
        ("surgery", found.surgery and in_words(found.surgery)),
        ("compare", found.compare and tried(found.compare)),
        ("versus", found.versus and beside(found.versus)),
        *(("training", found.training and trained(found.training)), ("section", found.section)),
        ("checkpoint", found.checkpoint and f"run {found.checkpoint.run} step {found.checkpoint.step}"),
    ):
        if value is not None:
            said[name] = str(value)
    values = address.for_script(page.strip("/"), shape, found.iterations or shape.trained)
    for name in query.keys() - {*address.WRITTEN, "surgery", "compare", "versus", "present"}:
        said[name] = query[name]
        if name == "pose":
            said[name] = str(len(query[name].split(",")))
        elif name in ("scale", "scope"):
            assert query[name] in values[name]
        else:
            numbers = [int(part) for part in query[name].split(".")]
            least, most, *count = values[name]
            assert len(numbers) == (count or [1])[0]
            assert all(int(least) <= number <= int(most) for number in numbers)
    return said


def beside(drawing: drawings.Drawing) -> str:
    return "none" if drawing.example is None else EXAMPLES[drawing.example].name


def way(stroke: drawings.Stroke) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in stroke.points / 2)


def in_words(asked: Operation | Weighting) -> str:
    if isinstance(asked, Weighting):
        return f"{asked.coupling} capsules {' '.join(map(str, asked.capsules))}"
    parts = [asked.coupling]
    parts += [f"seed {asked.seed}"] * (asked.seed != 1) + [f"R {asked.iterations}"] * bool(asked.iterations)
    parts += [f"from {asked.example}"] * bool(asked.example)
    for name, silenced in (("types", asked.types), ("places", asked.places)):
        parts += [f"{name} {' '.join(map(str, silenced))}"] * bool(silenced)
    parts += ["bias"] * asked.bias
    return " ".join(parts)


def tried(asked: Trial) -> str:
    parts = [asked.change]
    for name, value in vars(asked.changes).items():
        if value != getattr(Changes(), name):
            parts += ["by"] * (len(parts) == 1) + [f"{name} {value:g}"]
    if asked.beside is not None:
        parts += ["beside", *(asked.beside or ["nobody"])]
    if asked.coupling.name != "routing":
        parts.append(asked.coupling.name)
    parts += [f"R {asked.coupling.iterations}"] * bool(asked.coupling.iterations)
    return " ".join(parts + ["bias"] * asked.coupling.bias)


def trained(asked: Choice) -> str:
    parts = [asked.kind, f"types {asked.shown_types}"]
    for name, value, usual in (
        *(("R", asked.iterations, 3), ("data", asked.data, "")),
        *(("rate", asked.rate, 0.002), ("weight", asked.weight, 0.005)),
    ):
        parts += [f"{name} {value}"] * (value != usual)
    return " ".join(parts + ["unrouted"] * (not asked.routed))


LINKS = [
    line.split(" => ")
    for line in (ROOT / "tests" / "links.txt").read_text("utf-8").splitlines()
    if line.startswith("/")
]


@pytest.mark.parametrize(("link", "opens"), LINKS, ids=[link[:40] for link, _ in LINKS])
def test_a_link_that_was_handed_out_opens_what_it_opened(link: str, opens: str) -> None:
    said = opened(link)
    for part in opens.split("; "):
        name, _, value = part.partition(" ")
        assert said.pop(name) == value, link
    assert set(said) <= {"strokes", "example", "ink"}, link  # a drawing's line need not say all of it


def test_each_parameter_stands_in_a_link_that_was_handed_out() -> None:
    named = {name for link, _ in LINKS for name, _ in parse_qsl(link.partition("?")[2])}
    assert named == {parameter.name for parameter in parameters.PARAMETERS}


@pytest.mark.parametrize(
    "text",
    [
        *(
            "routing_",
            "routing_R",
            "routing_R.",
            "routing_R.51",
            "routing_bias.2",
            "routing_R.2.3",
            "routing_R.2_R.3",
            "routing_x.1",
        ),
        *(
            "nonsense",
            "",
            "_",
            "random_seed.-1",
            "random_seed.٣",
            "carried",
            "carried_of.99",
            "random_seed.1e3",
        ),
        *(
            "routing_types.32",
            "routing_places.36",
            "routing_types.0.",
            "uniform_capsules.1",
            "routing_R.2.",
            "a" * 5000,
        ),
        *("routing_types" + ".1" * 33, "routing_places." + "0" * 380),
    ],
)
def test_an_experiment_that_cannot_be_is_none(text: str) -> None:
    """Of the paper's network, with 32 types and 36 places; capsules are silenced only with attention."""
    found = asked({"surgery": text, "R": "2"})
    if text == "uniform_capsules.1":
        assert found.surgery == Operation(coupling="uniform")  # a part of the other kind says nothing
        return
    if text.startswith("routing_places.0"):
        assert found.surgery == Operation(places=(0,))
        return
    assert (found.surgery, found.bad, found.iterations) == (None, ("surgery",), 2)
    assert len(found.problem) < 300


def test_what_a_training_begins_with_is_written_and_read() -> None:
    for text, expected in (
        ("", Choice()),
        ("dynamic", Choice("dynamic")),
        ("dynamic_types.2_R.1", Choice("dynamic", 2, 1)),
        ("attention_data.made-up_weight.0", Choice(data="made_up", weight=0.0)),
        ("attention_rate.0.0001_routed.0", Choice(rate=1e-4, routed=False)),
    ):
        assert expected.text() == text
        assert not text or of_text(text).text() == text
    assert of_text("attention_R.4") == of_text("attention") == Choice()  # where nothing iterates
    assert of_text("dynamic_types.8").text() == "dynamic"  # as many as are usual
    assert of_text("attention_rate.0.0019").rate == 0.002  # the nearest that can be chosen
    assert choice({"kind": "dynamic", "weight": 0}) == Choice("dynamic", weight=0.0)
    plan = of_text("dynamic_types.4_R.2").plan(("made_up",), 7)
    assert (plan.kind, plan.types, plan.iterations, plan.data, plan.number) == ("dynamic", 4, 2, "made_up", 7)
    told = of_text("dynamic_R.2_rate.0.01_weight.0.02_routed.0").controls()
    assert (told.rate, told.iterations, told.weight, told.routed) == (0.01, 2, 0.02, False)
    with pytest.raises(MessageError):
        of_text("attention_data.mnist").plan(("made_up",), 7)


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "dynamic_", "dynamic_types", "dynamic_types.3", "dynamic_types.x", "attention_types.2"),
        *(
            "dynamic_R.0",
            "dynamic_R.6",
            "dynamic_R.2_R.3",
            "dynamic_data.x",
            "dynamic_rate.1",
            "dynamic_rate.1e-3",
        ),
        *("dynamic_weight.9", "dynamic_weight.nan", "dynamic_routed.2", "dynamic_seed.1", "dynamic_types.٢"),
        *("dynamic_data.<b>", "a" * 5000, "dynamic" + "_rate.0.002" * 40),
    ],
)
def test_a_training_that_cannot_be_is_none(text: str) -> None:
    found = asked({"training": text, "R": "2"})
    assert (found.training, found.bad, found.iterations) == (None, ("training",), 2)
    assert len(found.problem) < 300


@pytest.mark.parametrize(
    "text",
    ["", "r1", "s1", "r1.s0", "r1.s01", "r.s1", "r1.s1x", "r1.s1.s2", "1.1", "r٢.s1", "r1.s" + "1" * 10],
)
def test_a_checkpoint_that_cannot_be_is_none(text: str) -> None:
    found = asked({"checkpoint": text, "R": "2"})
    assert (found.checkpoint, found.bad, found.iterations) == (None, ("checkpoint",), 2)
    assert asked({"checkpoint": Checkpoint(1764217000, 450).text()}).checkpoint == Checkpoint(1764217000, 450)


def test_a_network_that_was_trained_on_another_machine_is_said() -> None:
    found = asked({"network": "live.r1764217000.s450"})
    assert (found.network, found.bad) == (None, ("network",))
    assert "trained on another machine" in found.problem
    assert len(found.problem) < 300


def test_what_a_prepared_link_names_is_taken_in_order_and_the_rest_is_said() -> None:
    assert asked({"hide": "surgery.film.film"}).hide == ("film", "surgery")
    assert asked({"lock": "page.pose"}).lock == ("pose", "page")
    for name, known in (("hide", "film"), ("lock", "pose")):
        found = asked({name: f"{known}.<b>.{known}s.strongest..{'x' * 5000}", "R": "4"})
        assert getattr(found, name) == (known,)
        assert (found.iterations, found.bad) == (4, (name,))
        assert_one_sentence(found.problem.removesuffix(" The rest of it is shown."), "docs/links.md")
        assert len(found.problem) < 250
        assert getattr(asked({name: ""}), name) == ()
    assert asked({"hide": "strongest"}).hide == ()  # a slider among sliders
    assert asked({"answer": "shown", "on": "nowhere"}).bad == ("answer", "on")


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("Why?", "Why?"),
        ("  two\nlines\tand  more ", "two lines and more"),
        (
            "<b>bold</b> & *so* `on` [x](y)",
            "<b>bold</b> & *so* `on` [x](y)",
        ),  # plain text, escaped where it is shown
        ("right\u202eleft\x00\u200b", "rightleft"),
        ("ä" * 150, "ä" * 150),
        ("ä" * 151, None),
        ("", None),
        ("\u200b \n", None),
    ],
)
def test_a_question_is_one_line_of_what_prints(text: str, asks: str | None) -> None:
    found = asked({"ask": text})
    assert (found.ask, found.bad) == (asks, () if asks else ("ask",))


def test_a_draft_that_is_too_long_or_no_plain_text_is_none() -> None:
    assert asked({"draft": "pose?hide=film"}).draft == "pose?hide=film"
    for text in ("pose?" + "a" * 4_000, "pöse", "pose\n"):
        assert (asked({"draft": text}).draft, asked({"draft": text}).bad) == (None, ("draft",))


def drawing_of(body: bytes) -> str:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"\x01" + deflate.compress(body) + deflate.flush()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def test_a_drawing_that_is_none_too_long_or_a_bomb_is_left_out() -> None:
    points = np.random.default_rng(1).uniform(0, 280, (1000, 2))
    large = Drawing((stroke_of(points, 18),))
    bombs = [drawing_of(bytes(size)) for size in (65_535, 65_536, 65_537, 1_400_000)]  # 1000 to 1
    assert len(bombs[-1]) <= parameters.LONGEST_DRAWING
    for text in (*bombs, "", "A", "=", "AAAA", "AWNg", "💥", "<script>", "Ag" + encode(Drawing())[2:]):
        found = asked({"drawing": text, "pen": "22"})
        assert (found.drawing, found.bad, found.pen) == (None, ("drawing",), 22), text
        assert "cannot be read" in found.problem
    assert address.drawing_text(large) is None
    assert "longer than 2,000" in asked({"drawing": encode(large)}).problem
    assert address.drawing_text(Drawing(example=3)) == encode(Drawing(example=3))


def test_what_a_hand_draws_and_a_picture_are_short() -> None:
    """A ring of 200 points and a line through it, by a hand that trembles; noise is what packs worst."""
    rng = np.random.default_rng(2)
    around = np.linspace(0, 2 * np.pi, 200)
    ring = 140 + 90 * np.c_[np.cos(around), np.sin(around)] + rng.normal(0, 0.3, (200, 2))
    digit = Drawing(
        (
            stroke_of(ring, 18),
            stroke_of(np.c_[np.linspace(40, 240, 60), np.full(60, 130)] + rng.normal(0, 0.3, (60, 2)), 18),
        )
    )
    assert len(encode(digit)) <= 300
    noise = Drawing(picture=rng.integers(0, 256, (28, 28)).astype(np.uint8))
    text = address.drawing_text(noise)
    assert text is not None
    found = asked({"drawing": text}).drawing
    assert found is not None
    assert found.image().tobytes() == noise.image().tobytes()


def test_an_address_is_taken_apart_once_and_within_bounds() -> None:
    assert address.query_of("?R=1&R=2&pen=&x=%26") == {"R": "2", "pen": "", "x": "&"}
    assert address.query_of("http://h/p?R=1") == {"R": "1"}
    for text in (None, 7, "?" + "a=1&" * 101, "?R=1" + "0" * address.LONGEST):
        assert address.query_of(text) == {}


@pytest.mark.parametrize(
    "link", ["http://127.0.0.1:8501/", "https://a.example/x/routing?R=5&drawing=AWNgAAA&pose=1,2"]
)
def test_a_link_to_a_page_of_the_app_gets_a_code(link: str) -> None:
    assert address.link_of(link) == link


@pytest.mark.parametrize(
    "link",
    [
        *(None, 3, "", "/?R=5", "javascript:alert(1)", "ftp://a.example/?R=1", "http://", "http://[::1/?R=1"),
        *(
            "http://a.example/?x=1",
            "http://a.example/?R=1&R[]=2",
            "http://a.example/?R=1#x",
            "http://u:p@a.example/",
        ),
        *(
            "http://a.example/\n?R=1",
            "http://a.example/?R=💥",
            "http://a.example/?drawing=" + "A" * 8_000,
            "data:,x",
        ),
    ],
)
def test_a_link_to_anything_else_gets_none(link: object) -> None:
    with pytest.raises(MessageError) as refused:
        address.link_of(link)
    assert_one_sentence(str(refused.value), "copy it again")


def test_ten_thousand_hostile_addresses_are_read_or_refused() -> None:
    """Mangled, cut, repeated, oversized, with scripts and bombs in each parameter: never more than one sentence."""
    rng = random.Random(17)
    names = [parameter.name for parameter in parameters.PARAMETERS] + ["r", "R ", "", "Ｒ", "digit[]", "<b>"]
    right = [parse_qsl(link.partition("?")[2]) for link, _ in LINKS]
    pieces = [
        *(
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
        ),
        *(
            "<script>alert(1)</script>",
            "![](//a.b)",
            "javascript:",
            "_",
            ".",
            "random_seed.",
            "types" + ".1" * 900,
        ),
        *(
            drawing_of(bytes(65_537)),
            drawing_of(bytes([0, 200, 1, 36, 136, 39]) + bytes(10_000)),
            "A" * 60_000,
        ),
    ]
    good = drawn = 0
    for _ in range(10_000):
        query = [*rng.choice(right)] if rng.random() < 0.5 else []
        for _ in range(rng.randint(1, 5)):
            text = "".join(
                rng.choice([*pieces, rng.choice(string.printable)]) for _ in range(rng.randint(0, 4))
            )
            query.append((rng.choice(names), text))
        if rng.random() < 0.5:  # a letter lost, doubled or changed, or the end cut off
            at = rng.randrange(len(query))
            name, text = query[at]
            cut = rng.randrange(len(text) + 1)
            query[at] = (
                name,
                text[:cut] + rng.choice(["", text[cut : cut + 1] * 2, "A", "_"]) + text[cut + 1 :],
            )
        found = asked(dict(query))
        assert found.iterations is None or 1 <= found.iterations <= 10
        assert found.network in (
            None,
            *("dynamic.mnist", "attention.mnist", "attention.letters", "cnn.mnist", "overlap.mnist"),
        )
        assert found.language in (None, "en")
        assert found.pen is None or 6 <= found.pen <= 30
        assert found.drawing is None or sum(len(stroke.points) for stroke in found.drawing.strokes) <= 5_000
        assert bool(found.bad) == bool(found.problem)
        assert {*(found.hide or ())} <= {*panels.HIDEABLE}
        assert {*(found.lock or ())} <= {*panels.LOCKS}
        assert found.ask is None or (0 < len(found.ask) <= 150 and found.ask.isprintable())
        assert found.draft is None or len(found.draft) <= 4_000
        assert found.problem.isprintable()
        assert len(found.problem) < 600
        plain = found.problem.translate({ord("_"): None}) if "surgery" in found.bad else found.problem
        assert not set("<>[]()`*_") & set(plain.replace("dynamic.mnist", ""))
        good += found.iterations is not None
        drawn += found.drawing is not None
    assert good > 50
    assert drawn > 50


def test_each_parameter_is_documented_in_the_table_made_of_it() -> None:
    written = (ROOT / "docs" / "links.md").read_text("utf-8")
    table = parameters.documentation(PAPER)
    assert table in written
    for parameter in parameters.PARAMETERS:
        assert f"| `{parameter.name}` |" in table
        assert_one_sentence(say(f"address.{parameter.name}.does").replace(";", ","), "")
