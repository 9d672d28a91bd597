"""The tiny network's whole way on real weights: trained, traced, rerouted, moved, measured, kept, loaded again."""

import hashlib
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import reference
import tiny
from PIL import Image

from capsviz.errors import CapsvizError, DataError, ImageError, WeightsError
from capsviz.inputs.drawings import Drawing
from capsviz.inputs.examples import EXAMPLES, render
from capsviz.inputs.preprocess import canvas_to_mnist
from capsviz.measures.evaluate import evaluate, summary
from capsviz.measures.poses import PoseMeasurements, Settings, load_poses, measure_poses, save_poses, standard
from capsviz.measures.sweeps import gif, grid_picture, morph, sweep
from capsviz.models import weights
from capsviz.models.card import card_markdown, card_table, departures, limits, loss, measured_tables
from capsviz.models.model import Model, load_model
from capsviz.networks.base import Spec
from capsviz.traces.routing import RoutingTrace
from capsviz.traces.surgery import carried_over, reroute, silence

CLASSES, I, D = 3, 100, 5


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """[90, 20, 20] its test images in 0..1; classes 0, 1, 2, 0, ..."""
    return tiny.draw("test")[0] / np.float32(255)


@pytest.fixture
def trace(tiny_model: Model, images: np.ndarray) -> RoutingTrace:
    """Of a zigzag."""
    return tiny_model.trace(images[2])


# --- answers --------------------------------------------------------------------------------------------


def test_it_has_learnt(tiny_model: Model, images: np.ndarray) -> None:
    scores = tiny_model.predict(images)
    assert scores.shape == (90, CLASSES)
    assert (scores.argmax(axis=1) == np.arange(90) % CLASSES).mean() > 0.95
    assert tiny_model.card["test_error"] < 0.05
    assert tiny_model.parameters == {
        **{"conv1": 12 * 7 * 7 + 12, "primary": 12 * 16 * 5 * 5 + 16, "digits": 100 * 3 * 5 * 4},
        "decoder": (15 + 1) * 24 + (24 + 1) * 40 + (40 + 1) * 400,
    }


def test_a_trace_has_the_networks_sizes_and_names(trace: RoutingTrace) -> None:
    shapes = {
        name: getattr(trace, name).shape for name in ("image", "features", "u", "u_hat", "b", "c", "s", "v")
    }
    assert shapes == {
        **{"image": (20, 20), "features": (12, 14, 14), "u": (I, 4), "u_hat": (I, CLASSES, D)},
        **{"b": (2, I, CLASSES), "c": (2, I, CLASSES), "s": (2, CLASSES, D), "v": (2, CLASSES, D)},
    }
    assert (trace.answer, trace.prediction, trace.iterations) == ("zigzag", 2, 2)
    np.testing.assert_allclose(trace.c[0], 1 / 3, atol=1e-7)
    np.testing.assert_allclose(trace.c.sum(axis=2), 1, atol=1e-6)
    np.testing.assert_allclose(trace.share.sum(axis=1), np.linalg.norm(trace.s, axis=2), atol=1e-5)
    np.testing.assert_allclose(trace.entropy[0], np.log(3), atol=1e-6)


def test_a_trace_against_numpy(tiny_model: Model, trace: RoutingTrace) -> None:
    """Votes of the primary capsules by Eq. 2, and three iterations of Procedure 1, in loops."""
    votes = reference.prediction_vectors(trace.u, tiny_model.transforms())
    np.testing.assert_allclose(trace.u_hat, votes, atol=1e-5)
    longer = tiny_model.trace(trace.image, 3)
    for r, step in enumerate(reference.routing(trace.u_hat, 3)):
        for name in ("b", "c", "s", "v"):
            np.testing.assert_allclose(getattr(longer, name)[r], getattr(step, name), atol=1e-5)


def test_primary_capsules_against_numpy(tiny_model: Model, trace: RoutingTrace) -> None:
    """The convolutions in loops over places: a capsule is taken across the four filters of its type."""
    state = {name: value.numpy().astype(float) for name, value in tiny_model._way.net.state_dict().items()}
    windows = np.lib.stride_tricks.sliding_window_view(trace.image.astype(float), (7, 7))  # [14, 14, 7, 7]
    features = (
        np.einsum("yxij,fij->fyx", windows, state["conv1.weight"][:, 0]) + state["conv1.bias"][:, None, None]
    )
    features = np.maximum(features, 0)
    np.testing.assert_allclose(trace.features, features, atol=1e-5)
    for type_, row, column in ((0, 0, 0), (1, 0, 4), (2, 4, 0), (3, 3, 2)):
        seen = features[:, 2 * row : 2 * row + 5, 2 * column : 2 * column + 5]
        filters = slice(4 * type_, 4 * type_ + 4)
        maps = (
            np.einsum("fij,kfij->k", seen, state["primary.conv.weight"][filters])
            + state["primary.conv.bias"][filters]
        )
        capsule = trace.grid.capsule(type_, row, column)
        assert capsule == type_ * 25 + row * 5 + column
        np.testing.assert_allclose(trace.u[capsule], reference.squash(maps), atol=1e-5)


def test_trained_iterations_are_the_cards(tiny_model: Model, images: np.ndarray) -> None:
    by_iteration = tiny_model.lengths_by_iteration(images[:4], 3)
    np.testing.assert_allclose(tiny_model.predict(images[:4]), by_iteration[1], atol=1e-6)
    assert np.abs(by_iteration[2] - by_iteration[1]).max() > 1e-3


def test_reconstructions_are_of_the_images_size(tiny_model: Model, trace: RoutingTrace) -> None:
    drawn = tiny_model.reconstructions(trace)
    assert drawn.shape == (2, CLASSES, 20, 20)
    np.testing.assert_allclose(drawn[-1, 2], tiny_model.decode(trace.v[-1, 2], 2), atol=1e-6)
    errors = np.square(drawn[-1] - trace.image).sum(axis=(1, 2))
    assert errors.argmin() == 2  # of its own capsule, it draws what it was shown best


@pytest.mark.parametrize("shape", [(28, 28), (20, 21), (1, 20, 20)])
def test_images_of_another_size_are_refused(tiny_model: Model, shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError) as caught:
        tiny_model.trace(np.zeros(shape))
    reference.assert_one_sentence(caught.value, "20 x 20")


@pytest.mark.parametrize(
    ("pose", "capsule"), [(np.zeros(16), 0), (np.zeros(5), 3), (np.zeros((10, 16)), None)]
)
def test_poses_of_another_size_are_refused(tiny_model: Model, pose: np.ndarray, capsule: int | None) -> None:
    with pytest.raises(CapsvizError) as caught:
        tiny_model.decode(pose, capsule)
    reference.assert_one_sentence(caught.value, "shape" if capsule is None else str(5 if capsule == 0 else 2))


# --- experiments ----------------------------------------------------------------------------------------


def test_routing_again_is_the_traces_routing(trace: RoutingTrace) -> None:
    again = reroute(trace.u_hat, 2)
    for name in ("b", "c", "s", "v"):
        np.testing.assert_allclose(getattr(again, name), getattr(trace, name), atol=1e-5)
    left = carried_over(again, trace.u_hat)
    np.testing.assert_allclose(left, reference.routing(trace.u_hat, 3)[2].b, atol=1e-5)


def test_silenced_capsules_have_no_vote(trace: RoutingTrace) -> None:
    silenced = silence(trace.grid, types=[1], places=[3 * 5 + 2])
    assert silenced.sum() == 25 + 3
    votes = trace.u_hat * ~silenced[:, None, None]
    last = reference.routing(votes, 2)[-1]
    np.testing.assert_allclose(reroute(trace.u_hat, 2, silenced=silenced).v[-1], last.v, atol=1e-5)
    for chosen, last_one in (({"types": [4]}, 3), ({"places": [25]}, 24)):
        with pytest.raises(CapsvizError, match=f"from 0 to {last_one}"):
            silence(trace.grid, **chosen)


def test_poses_move_one_component_at_a_time(tiny_model: Model, trace: RoutingTrace) -> None:
    pose = trace.v[-1, 2]
    drawn = sweep(tiny_model, pose, 2, span=0.5, steps=3)
    assert drawn.shape == (D, 3, 20, 20)
    for k in range(D):
        step = 0.5 * np.eye(D)[k]
        np.testing.assert_allclose(drawn[k, 0], tiny_model.decode(pose - step, 2), atol=1e-5)
        np.testing.assert_allclose(drawn[k, 2], tiny_model.decode(pose + step, 2), atol=1e-5)
    assert grid_picture(drawn, scale=1, gap=1).shape == (D * 21 - 1, 3 * 21 - 1)


def test_one_shape_turns_into_another(tiny_model: Model, images: np.ndarray) -> None:
    poses = [tiny_model.trace(image).v[-1, k] for k, image in enumerate(images[:2])]
    film = morph(tiny_model, *poses, (0, 1), steps=5)
    np.testing.assert_allclose(film[0], tiny_model.decode(poses[0], 0), atol=1e-5)
    np.testing.assert_allclose(film[-1], tiny_model.decode(poses[1], 1), atol=1e-5)
    assert Image.open(io.BytesIO(gif(film, scale=3))).size == (60, 60)


# --- pictures -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [14, 20, 28, 33, 56])
def test_a_drawing_is_made_of_any_size_in_the_proportions_of_mnist(size: int) -> None:
    """20 of 28 pixels for the larger side, the centre of mass half a pixel beyond the middle."""
    for example in EXAMPLES[:4]:
        image = canvas_to_mnist(render(example.strokes, example.width), "light", size)
        assert (image.shape, image.dtype) == ((size, size), np.float32)
        assert (image.min(), image.max()) == (0, 1)
        places = np.arange(size) + 0.5
        for axis in (0, 1):
            assert image.sum(axis=axis) @ places / image.sum() == pytest.approx(size / 2 + 0.5, abs=0.12)
        rows, columns = np.nonzero(image > 0.25)
        assert max(np.ptp(rows), np.ptp(columns)) + 1 == pytest.approx(20 * size / 28, abs=1.6)


def test_a_drawing_of_the_pad_is_seen_in_the_networks_size(tiny_model: Model) -> None:
    image = Drawing(example=3).image(20)
    np.testing.assert_array_equal(image, canvas_to_mnist(Drawing(example=3).pixels(), "light", 20))
    assert tiny_model.trace(image).answer in tiny.CLASSES


def test_an_uploaded_picture_is_seen_in_the_networks_size() -> None:
    picture = np.zeros((28, 28), np.uint8)
    picture[:14] = 255
    drawing = Drawing(picture=picture)
    np.testing.assert_array_equal(drawing.image(), np.float32(picture) / 255)
    seen = drawing.image(20)
    assert (seen.shape, seen.dtype) == ((20, 20), np.float32)
    assert seen[:9].min() == 1
    assert seen[11:].max() == 0


# --- what is measured -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def measured_poses(tiny_weights: Path) -> PoseMeasurements:
    with tiny.registered():
        model = load_model(tiny_weights, device="cpu")
        pictures, labels = tiny.draw("train")
        settings = Settings("Shapes training set", per_digit=12, range_per_digit=30, shift=1, iterations=2)
        return measure_poses(model, pictures / np.float32(255), labels, settings)


def test_poses_are_measured_and_kept(
    tiny_model: Model, measured_poses: PoseMeasurements, tiny_weights: Path, tmp_path: Path
) -> None:
    assert [len(kind.components) for kind in measured_poses.digits] == [D] * CLASSES
    assert all(kind.length.mean > 0.5 for kind in measured_poses.digits)
    assert any(part.strength > 1e-4 for kind in measured_poses.digits for part in kind.components)
    for name in ("weights.safetensors", "card.json"):
        (tmp_path / name).write_bytes((tiny_weights / name).read_bytes())
    path = save_poses(measured_poses, tmp_path)
    assert path == tmp_path / "poses.json"
    assert load_poses(tmp_path) == measured_poses
    kept = json.loads(path.read_text("utf-8"))
    kept["digits"] = kept["digits"][:2]
    path.write_text(json.dumps(kept))
    with pytest.raises(WeightsError) as caught:
        load_poses(tmp_path)
    reference.assert_one_sentence(caught.value, path, "3 shapes with 5 components")


def test_poses_are_measured_as_the_network_was_trained(
    tiny_model: Model, images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert standard(tiny_model) == Settings("Shapes training set", 200, 1000, 0, 0.25, 2, iterations=2)
    few = Settings("few", per_digit=2, range_per_digit=3, iterations=1)
    with monkeypatch.context() as patch:
        patch.setattr("capsviz.measures.poses.standard", lambda model: few)
        assert measure_poses(tiny_model, images, np.arange(90) % CLASSES).settings == few
    with pytest.raises(DataError) as caught:  # without settings it takes 200 images of each class
        measure_poses(tiny_model, images, np.arange(90) % CLASSES)
    reference.assert_one_sentence(caught.value, "the shape kite", "of 200")


@pytest.fixture(scope="module")
def result(tiny_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    with tiny.registered():
        model = load_model(tiny_weights, device="cpu")
        return json.loads(json.dumps(evaluate(model, tmp_path_factory.mktemp("data"))))


def test_it_is_measured_on_its_own_data(tiny_model: Model, result: dict, images: np.ndarray) -> None:
    assert (result["data"], result["kind"], result["classes"]) == (
        "Shapes test set",
        "shape",
        list(tiny.CLASSES),
    )
    assert result["images"] == 90
    answers, labels = tiny_model.predict(images).argmax(axis=1), np.arange(90) % CLASSES
    expected = [[int(((labels == a) & (answers == b)).sum()) for b in range(CLASSES)] for a in range(CLASSES)]
    assert result["confusion"] == expected
    assert result["misread"] == np.flatnonzero(answers != labels).tolist()
    routing = result["iterations"]
    assert (routing["trained"], len(routing["rows"])) == (2, 10)
    assert routing["rows"][1]["same"] == 1
    assert routing["rows"][1]["wrong"] == result["wrong"]
    assert set(result["curves"]) == {"rotated", "shifted", "scaled", "noised"}
    assert "made_up" not in result
    assert set(result["unsure"]) == {"threshold", "digits", "below"}
    assert set(result["unsure"]["below"]) == {"length", "digits"}


def test_what_was_measured_is_printed_with_the_names_of_the_classes(tiny_network: Spec, result: dict) -> None:
    lines = [line.split() for line in summary(result).splitlines()]
    assert list(tiny.CLASSES) in lines
    for name, row in zip(tiny.CLASSES, result["confusion"], strict=True):
        assert [name, *map(str, row)] in lines
    assert "digit" not in summary(result)


def test_strokes_are_read_by_the_names_of_the_classes(tiny_model: Model, tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    stick = [[[0, 0], [0, 9]]]
    lines = [{"label": label, "strokes": stick} for label in ("ring", "kite", "zigzag")]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    drawn = evaluate(tiny_model, tmp_path, path, limit=3)["drawings"]
    counts = np.array(drawn["confusion"])
    assert counts.shape == (3, 3)
    assert counts.sum(axis=1).tolist() == [4, 4, 4]
    assert len({tuple(row) for row in counts.tolist()}) == 1  # all three look alike
    path.write_text(json.dumps({"label": 7, "strokes": stick}))
    with pytest.raises(CapsvizError) as caught:
        evaluate(tiny_model, tmp_path, path)
    reference.assert_one_sentence(caught.value, "label 7", "kite, ring, zigzag")


def test_what_was_measured_is_kept_with_the_card(
    tiny_network: Spec, tiny_weights: Path, result: dict, tmp_path: Path
) -> None:
    for name in ("weights.safetensors", "card.json"):
        (tmp_path / name).write_bytes((tiny_weights / name).read_bytes())
    card = weights.load_card(weights.locate(tmp_path))
    assert weights.save_evaluation(tmp_path, card, result) == tmp_path / "evaluation.json"
    assert weights.load_evaluation(tmp_path, card) == result
    assert (tmp_path / "card.md").read_text("utf-8") == card_markdown(card, result)
    wrong = {**result, "confusion": [[1] * 10] * 10}
    (tmp_path / "evaluation.json").write_text(json.dumps(wrong))
    with pytest.raises(WeightsError) as caught:
        weights.load_evaluation(tmp_path, card)
    reference.assert_one_sentence(caught.value, tmp_path / "evaluation.json", "confusion", "--save")


def test_the_card_speaks_of_its_own_classes(tiny_model: Model, result: dict) -> None:
    card = tiny_model.card
    said = [card_table(card), measured_tables(result), *limits(card, result), loss(card)]
    assert "It knows three shapes and nothing else" in said[2]
    assert "each of the three shapes k" in said[-1]
    assert "its 400 pixels" in said[-1]
    assert "Shapes, test error" in said[1]
    assert "90 test shapes, by routing iterations" in said[1]
    for text in said:
        assert "digit" not in text
        assert "10" not in text or "MNIST" in text or text is said[1] or text is said[0]
    assert "300 of Shapes" in departures(card)


# --- weights --------------------------------------------------------------------------------------------


def test_it_is_found_by_its_name_where_weights_are(
    tiny_network: Spec, tiny_weights: Path, tiny_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "DIRECTORY", tiny_weights.parent)
    assert weights.available() == ["tiny.shapes"]
    found = load_model("tiny.shapes", device="cpu")
    assert found.sha256 == tiny_model.sha256
    assert {path.name for path in tiny_weights.iterdir()} >= {"weights.safetensors", "card.json", "card.md"}


def test_weights_of_a_network_that_is_not_here(tiny_weights: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        load_model(tiny_weights, device="cpu")
    reference.assert_one_sentence(
        caught.value, tiny_weights / "card.json", "'tiny.shapes'", "dynamic.mnist", "give other weights"
    )


def test_weights_that_do_not_fit_their_spec(tiny_network: Spec, tiny_weights: Path, tmp_path: Path) -> None:
    """The card of one network beside the weights of another, with their checksum."""
    data = (tiny_weights / "weights.safetensors").read_bytes()
    card = json.loads((tiny_weights / "card.json").read_text("utf-8"))
    card["settings"]["network"] = card["name"] = "dynamic.mnist"
    assert card["sha256"] == hashlib.sha256(data).hexdigest()
    (tmp_path / "weights.safetensors").write_bytes(data)
    (tmp_path / "card.json").write_text(json.dumps(card))
    with pytest.raises(WeightsError) as caught:
        load_model(tmp_path, device="cpu")
    reference.assert_one_sentence(
        caught.value, tmp_path / "weights.safetensors", "than dynamic.mnist", "[12, 1, 7, 7]", "give weights"
    )


def test_a_trace_keeps_its_shape(trace: RoutingTrace) -> None:
    with pytest.raises(ValueError, match=r"instead of \(100, 4\)"):
        replace(trace, u=np.zeros((1152, 8)))
    with pytest.raises(ValueError, match="instead of"):
        replace(trace, shape=reference.PAPER)
