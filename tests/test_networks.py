"""Networks as data: how they are found and checked, and what every one of them must do, whichever there are."""

import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import reference
import tiny
import torch

import capsviz.networks
from capsviz.errors import NetworkError
from capsviz.layers.capsules import mask
from capsviz.models.model import Model, load_model
from capsviz.models.weights import available, load_card, locate
from capsviz.networks import base
from capsviz.networks.base import DEFAULT, Spec, find, networks, register
from capsviz.traces.base import MOST_CAPSULES, OFFERS, POSES, CapsuleGrid, Shape
from capsviz.training.objective import Objective

# --- shapes ---------------------------------------------------------------------------------------------


def test_places_of_a_grid_that_is_no_square_by_hand() -> None:
    grid = CapsuleGrid(types=3, rows=2, columns=4, field=5, stride=3)
    assert (grid.places, grid.capsules) == (8, 24)
    assert grid.spot(15) == (1, 1, 3)  # 8 capsules of type 0, then 4 of the first row of type 1, then 3
    for capsule in range(24):
        assert grid.capsule(*grid.spot(capsule)) == capsule


@pytest.mark.parametrize(
    "change", [{"types": 0}, {"rows": -1}, {"columns": 1.5}, {"field": 0}, {"stride": 0}]
)
def test_grids_that_cannot_be(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="there is no grid"):
        replace(reference.PAPER.grid, **change)


def test_a_grid_has_at_most_so_many_capsules() -> None:
    assert CapsuleGrid(MOST_CAPSULES, 1, 1, 1, 1).capsules == 36_000
    with pytest.raises(ValueError, match="there is no grid"):
        CapsuleGrid(MOST_CAPSULES + 1, 1, 1, 1, 1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"size": 0}, "1 to 256 pixels"),
        ({"size": 257}, "1 to 256 pixels"),
        ({"classes": ("one",)}, "2 to 200 classes"),
        ({"classes": ("one", "one")}, "a name of its own"),
        ({"classes": ("one", "")}, "a name of its own"),
        ({"classes": tuple(map(str, range(201)))}, "2 to 200 classes"),
        ({"size": 26}, "pixel 27 of 26"),  # (6 - 1) * 2 + 17
        ({"grid": CapsuleGrid(32, 6, 7, 17, 2)}, "pixel 29 of 28"),
        ({"components": 0}, "components"),
        ({"pose": 0}, "poses"),
        ({"trained": 0}, "1 iteration or more"),
        ({"routing": ""}, "a routing"),
    ],
)
def test_shapes_that_cannot_be(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        replace(reference.PAPER, **change)
    reference.assert_one_sentence(caught.value)


def test_the_last_capsule_may_see_the_last_pixel() -> None:
    assert replace(reference.PAPER, size=27).size == 27


def test_a_network_may_have_no_capsules() -> None:
    shape = Shape(size=28, classes=("0", "1"), kind="digit")
    assert (shape.grid, shape.components, shape.pose, shape.routing, shape.trained) == (None, 0, 0, "", 1)


def test_the_shipped_network_is_the_papers() -> None:
    assert find("dynamic.mnist").shape == reference.PAPER


SHIPPED = list(networks())


# --- the registry ---------------------------------------------------------------------------------------


def test_the_default_comes_first_and_its_old_name_leads_to_it() -> None:
    assert next(iter(networks())) == DEFAULT
    assert find("capsnet-mnist") is find("dynamic.mnist") is networks()["dynamic.mnist"]


def test_nobody_changes_the_list_of_networks() -> None:
    with pytest.raises(TypeError):
        networks()["other"] = tiny.SPEC


def test_a_network_is_there_while_it_is_registered(tiny_network: Spec) -> None:
    assert list(networks()) == [*SHIPPED, "tiny.shapes"]
    assert find("tiny.shapes") is tiny_network


def test_a_network_is_forgotten_with_its_aliases() -> None:
    for _ in range(2):
        register(replace(tiny.SPEC, aliases=("tiny", "small")), "here.py")
        assert find("small") is find("tiny.shapes")
        base.unregister("tiny.shapes")
        for name in ("tiny.shapes", "tiny", "small"):
            with pytest.raises(NetworkError) as caught:
                find(name)
            reference.assert_one_sentence(caught.value, repr(name), "choose one of dynamic.mnist")


@pytest.mark.parametrize(
    "names",
    [("dynamic.mnist", ()), ("capsnet-mnist", ()), ("new", ("dynamic.mnist",)), ("new", ("old", "old"))],
)
def test_a_name_is_given_once(names: tuple[str, tuple[str, ...]]) -> None:
    name, aliases = names
    spec = replace(tiny.SPEC, name=name.replace("-", "."), aliases=aliases)
    if name == "capsnet-mnist":
        spec = replace(tiny.SPEC, aliases=(name,))
    before = dict(networks())
    with pytest.raises(NetworkError) as caught:
        register(spec, "networks/here.py")
    reference.assert_one_sentence(caught.value, "networks/here.py", "another name")
    assert dict(networks()) == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": ""}, "name"),
        ({"name": 5}, "name"),
        ({"name": "Dynamic"}, "small letters"),
        ({"name": "../weights"}, "small letters"),
        ({"name": "a..b"}, "small letters"),
        ({"title": ""}, "title"),
        ({"title": None}, "title"),
        ({"source": "arXiv:1710.09829"}, "source"),
        ({"data": "MNIST"}, "data"),
        ({"shape": (28, 28)}, "shape"),
        ({"offers": {"coupling"}}, "offers"),
        ({"offers": frozenset({"attention"})}, "cannot offer attention"),
        ({"layers": ()}, "layers"),
        ({"layers": list(tiny.SPEC.layers)}, "layers"),
        ({"layers": ("conv1",)}, "layers"),
        ({"build": None}, "build"),
        ({"quick": "fast"}, "quick"),
        ({"aliases": "tiny"}, "aliases"),
        ({"aliases": (7,)}, "aliases"),
        ({"aliases": ("..",)}, "alias"),
        ({"data": replace(tiny.DATA, classes=("ring", "kite", "zigzag"))}, "other classes than its data"),
        ({"data": replace(tiny.DATA, sizes={"train": 360})}, "a train and a test half"),
        ({"data": replace(tiny.DATA, held_out=0)}, "not all"),
        ({"data": replace(tiny.DATA, held_out=360)}, "not all"),
        ({"shape": replace(tiny.SHAPE, kind="glyph")}, "common.kind"),
        ({"shape": Shape(20, tiny.CLASSES, "shape")}, "cannot offer coupling, poses"),
    ],
    ids=lambda part: next(iter(part)) if isinstance(part, dict) else "",
)
def test_a_spec_that_cannot_be_used(change: dict[str, Any], said: str) -> None:
    with pytest.raises(NetworkError) as caught:
        register(replace(tiny.SPEC, **change), "networks/here.py")
    reference.assert_one_sentence(caught.value, "networks/here.py", said)
    assert list(networks()) == SHIPPED


def test_a_network_without_capsules_offers_nothing() -> None:
    spec = replace(tiny.SPEC, shape=Shape(20, tiny.CLASSES, "shape"), offers=frozenset())
    register(spec, "networks/here.py")
    base.unregister(spec.name)


# --- files of networks ----------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose modules stand beside those of ``capsviz/networks``, which are looked for anew."""
    monkeypatch.setattr(capsviz.networks, "__path__", [*capsviz.networks.__path__, str(tmp_path)])
    monkeypatch.setattr(base, "_known", {})
    monkeypatch.setattr(base, "_aliases", {})
    monkeypatch.setattr(base, "_found", False)
    yield tmp_path
    for path in tmp_path.glob("*.py"):
        sys.modules.pop(f"capsviz.networks.{path.stem}", None)


SECOND = """
from dataclasses import replace
from capsviz.networks.dynamic import NETWORKS as KNOWN
NETWORKS = (replace(KNOWN[0], name="another.mnist", aliases=()),)
"""


def test_a_file_more_is_a_network_more(folder: Path) -> None:
    (folder / "another.py").write_text(SECOND)
    assert set(networks()) == {*SHIPPED, "another.mnist"}
    assert next(iter(networks())) == DEFAULT  # though its file comes later
    assert find("another.mnist").shape == reference.PAPER


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "NETWORKS"),
        ("NETWORKS = (", "describes no network"),
        ("raise RuntimeError('two\\nlines.')", "two lines"),
        ("import nonsense", "nonsense"),
        ("from capsviz.networks.base import Spec\nNETWORKS = (Spec(name='x'),)", "title"),
        ("from capsviz.traces.base import CapsuleGrid\nCapsuleGrid(0, 1, 1, 1, 1)", "no grid"),
        ("NETWORKS = 5", "tuple"),
        ("NETWORKS = ('x',)", "specs"),
        (SECOND.replace("another.mnist", "dynamic.mnist"), "another name"),
        (SECOND.replace("aliases=()", "aliases=('capsnet-mnist',)"), "another name"),
    ],
)
def test_a_file_that_describes_no_network_is_named_each_time(folder: Path, text: str, said: str) -> None:
    (folder / "broken.py").write_text(text)
    for _ in range(2):
        with pytest.raises(NetworkError) as caught:
            networks()
        reference.assert_one_sentence(caught.value, "networks/broken.py", said)
        sys.modules.pop("capsviz.networks.broken", None)
    with pytest.raises(NetworkError):
        locate("dynamic.mnist")  # it is said there too, and not that there are no weights
    sys.modules.pop("capsviz.networks.broken", None)
    (folder / "broken.py").write_text("NETWORKS = ()")
    assert list(networks()) == SHIPPED


def test_without_the_default_there_is_nothing_to_open_with(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "DEFAULT", "gone.mnist")
    with pytest.raises(NetworkError) as caught:
        networks()
    reference.assert_one_sentence(caught.value, "gone.mnist", "networks/base.py")


def test_many_may_ask_at_once(folder: Path) -> None:
    (folder / "slow.py").write_text("import time\ntime.sleep(0.05)\n" + SECOND)
    with ThreadPoolExecutor(8) as threads:
        found = {frozenset(names) for names in threads.map(lambda _: networks(), range(8))}
        assert found == {frozenset({*SHIPPED, "another.mnist"})}


def test_networks_are_listed_without_numpy_or_pytorch() -> None:
    program = (
        "import sys; from capsviz.networks.base import networks; networks()\n"
        "print(*{'numpy', 'torch', 'PIL', 'babel'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""


# --- every network there is -----------------------------------------------------------------------------


@pytest.fixture(params=[*SHIPPED, tiny.SPEC.name])
def spec(request: pytest.FixtureRequest) -> Spec:
    """Each network of the package, and one of another shape."""
    return request.getfixturevalue("tiny_network") if request.param == tiny.SPEC.name else find(request.param)


@pytest.fixture
def trained(spec: Spec, request: pytest.FixtureRequest) -> Model:
    """It, with the weights that belong to it."""
    if spec.name == DEFAULT:
        return request.getfixturevalue("model")
    if spec.name == tiny.SPEC.name:
        return request.getfixturevalue("tiny_model")
    return load_model(spec.name, device="cpu")


def test_every_network_of_the_package_has_its_weights() -> None:
    assert available() == SHIPPED


def test_the_module_is_of_the_size_that_its_spec_says(spec: Spec) -> None:
    torch.manual_seed(0)
    net = spec.build(spec).eval()
    shape, images = spec.shape, torch.rand(2, spec.shape.size, spec.shape.size)
    assert [name for name, _ in net.named_children()] == [layer.part for layer in spec.layers]
    with torch.no_grad():
        scores = net.scores(images, shape.trained)
        again = net.scores_by_iteration(images, shape.trained)
    assert scores.shape == (2, len(shape.classes))
    assert again.shape == (shape.trained, 2, len(shape.classes))
    np.testing.assert_allclose(again[-1], scores, atol=1e-6)
    with torch.no_grad():
        evidence, poses = net.outcome(images, shape.trained)
    assert evidence.shape == scores.shape
    assert (poses is not None) == (POSES in spec.offers)
    assert poses is None or poses.shape == (2, len(shape.classes), shape.pose)
    if not shape.iterates:
        return
    with torch.no_grad():
        out = net(images)
        drawn = net.decoder(mask(out.v, torch.tensor([0, 1])))
    sizes = [tuple(part.shape[1:]) for part in (out.features, out.u, out.v, drawn)]
    assert sizes == [layer.size for layer in spec.layers]
    assert out.u.shape[1:] == (shape.grid.capsules, shape.components)
    assert len(out.steps) == shape.trained


def test_every_parameter_learns(spec: Spec) -> None:
    torch.manual_seed(0)
    net = spec.build(spec)
    images = torch.rand(4, spec.shape.size, spec.shape.size)
    labels = torch.arange(4) % len(spec.shape.classes)
    objective = Objective(net, spec.shape.trained, mixed_precision=False)
    objective(images, images, labels, 4.0).total.backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().max() > 0, name


def test_a_capsule_sees_the_pixels_of_its_place(spec: Spec) -> None:
    grid = spec.shape.grid
    if grid is None:
        pytest.skip("it has no capsules")
    torch.manual_seed(0)
    net = spec.build(spec).eval()
    for capsule in (0, grid.capsule(0, grid.rows - 1, 0), grid.capsules - 1):
        image = torch.rand(1, spec.shape.size, spec.shape.size, requires_grad=True)
        (gradient,) = torch.autograd.grad(net.encode(image)[1][0, capsule].sum(), image)
        rows, columns = (axis.tolist() for axis in gradient[0].numpy().nonzero())
        _, row, column = grid.spot(capsule)
        for found, place in ((rows, row), (columns, column)):
            assert min(found) >= grid.stride * place
            assert max(found) < grid.stride * place + grid.field
            assert max(found) - min(found) >= grid.field - 3  # a ReLU may leave a border without gradient


def test_weights_fit_and_their_card_is_theirs(spec: Spec, trained: Model) -> None:
    assert trained.spec is spec
    assert trained.shape == spec.shape
    assert trained.card["name"] == spec.name
    assert trained.card["paper"] == spec.source.paper
    assert trained.card["parameters"] == sum(trained.parameters.values())
    assert list(trained.parameters) == [layer.part for layer in spec.layers]
    if spec.name in SHIPPED:
        text = locate(spec.name).with_name("card.md").read_text("utf-8")
        assert text.startswith(f"# {spec.name}\n")
        assert re.search(r"\d\.\d\d%", text)
        assert load_card(locate(spec.name))["sha256"] == trained.sha256


def test_a_quicker_way_answers_as_the_module_does(spec: Spec, trained: Model) -> None:
    rng = np.random.default_rng(4)
    images = rng.uniform(0, 1, (9, spec.shape.size, spec.shape.size)).astype(np.float32)
    plain = trained._way.net.float()
    with torch.no_grad():
        expected = plain.scores(torch.from_numpy(images), spec.shape.trained).numpy()
    np.testing.assert_allclose(trained.predict(images), expected, atol=1e-4)
    np.testing.assert_allclose(trained.predict(images[:2]), expected[:2], atol=1e-4)


def test_a_trace_is_of_the_shape_and_offers_what_the_spec_says(spec: Spec, trained: Model) -> None:
    image = np.random.default_rng(5).uniform(0, 1, (spec.shape.size, spec.shape.size))
    trace = trained.trace(image)
    assert trace.shape == spec.shape
    assert spec.offers <= trace.offers <= set(OFFERS)
    assert trace.scores.shape == (spec.shape.trained, len(spec.shape.classes))
    assert trace.answer == spec.shape.classes[trace.scores[-1].argmax()]
    np.testing.assert_allclose(trace.scores[-1], trained.predict(image[None])[0], atol=1e-5)
