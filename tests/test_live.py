"""A training on the page: what it can be asked, that it follows, how it comes back, and that it ends with its server."""

import json
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from bars import write_pictures
from reference import assert_one_sentence
from test_own import drawn, strokes

from capsviz.app import trained, training_rights
from capsviz.errors import CapsvizError, DataError, MessageError, TrainingError
from capsviz.figures.live import Picture, changes, forming, losses_figure, mosaic, read_picture, shares_figure
from capsviz.figures.numbers import chart_table
from capsviz.inputs.data import Digits
from capsviz.layers.attention import AttentionNet
from capsviz.layers.switched import Switched, coefficients
from capsviz.models.facts import parse_card
from capsviz.models.model import load_model
from capsviz.models.weights import CHECKPOINT, places
from capsviz.networks.base import find, networks, unregister
from capsviz.training import live, live_card, live_images, live_plan, live_process
from capsviz.training.live_networks import spec_of
from capsviz.training.live_plan import (
    Controls,
    Place,
    Plan,
    Row,
    Story,
    Told,
    parse_controls,
    parse_plan,
)

TOLD = Told("made-up digits", tuple("0123456789"), "digit", 64, 20, 30)
KINDS = {"attention": Plan(types=4, number=7), "dynamic": Plan("dynamic", types=2, number=8)}


# --- what is asked --------------------------------------------------------------------------------------------


def test_a_plan_is_what_a_browser_chose() -> None:
    sent = {"kind": "dynamic", "data": "mnist", "types": 4, "iterations": 2}
    assert parse_plan(sent, ("mnist", "made_up")) == Plan("dynamic", "mnist", 4, 2)
    assert parse_plan({}, ("made_up",)) == Plan("attention", "made_up", 16, 1)  # attention does not iterate
    assert parse_plan(asdict(KINDS["dynamic"]), live_plan.DATA) == KINDS["dynamic"]


@pytest.mark.parametrize(
    "sent",
    [
        *(
            None,
            [],
            {"kind": "cnn"},
            {"kind": 3},
            {"data": "mnist"},
            {"data": "/etc"},
            {"types": 3},
            {"types": 32},
        ),
        *(
            {"types": "16"},
            {"kind": "dynamic", "iterations": 6},
            {"kind": "dynamic", "iterations": 0},
            {"seed": -1},
        ),
    ],
)
def test_any_other_plan_is_refused_with_a_sentence(sent: object) -> None:
    with pytest.raises(MessageError) as refused:
        parse_plan(sent, ("made_up",))
    assert_one_sentence(str(refused.value))


def test_controls_change_what_is_named_and_no_more() -> None:
    now = Controls(rate=1e-3, iterations=2, weight=0.0, routed=False, number=4)
    assert parse_controls({}, now) == now
    assert parse_controls({"rate": 0.01, "paused": True}, now) == replace(now, rate=0.01, paused=True)
    assert parse_controls({"back": 30}, now) == replace(now, back=30, number=5)


@pytest.mark.parametrize(
    "sent",
    [
        *(
            None,
            {"rate": 0},
            {"rate": 0.02},
            {"rate": math.nan},
            {"rate": "1e-3"},
            {"weight": -0.1},
            {"weight": 1},
        ),
        *({"iterations": 0}, {"iterations": 6}, {"routed": 1}, {"paused": "yes"}, {"ended": None}),
        *({"back": 0}, {"back": "1"}, {"back": [1]}),
    ],
)
def test_any_other_control_is_refused_with_a_sentence(sent: object) -> None:
    with pytest.raises(MessageError) as refused:
        parse_controls(sent, Controls())
    assert_one_sentence(str(refused.value))


def test_the_data_are_what_is_at_the_servers_own_path(tmp_path: Path) -> None:
    assert live_plan.offered(tmp_path / "data") == ("made_up",)  # still to be made
    assert live_plan.offered(tmp_path) == ("made_up",)
    (tmp_path / ".DS_Store").touch()
    lost = tmp_path / "lost.jsonl"
    assert [live_plan.nothing_at(path) for path in (tmp_path, tmp_path / "data", lost)] == [
        "empty",
        "absent",
        "absent",
    ]
    assert live_plan.offered(tmp_path) == live_plan.offered(lost) == ("made_up",)
    (tmp_path / "cats").mkdir()
    assert live_plan.nothing_at(tmp_path) == ""
    assert live_plan.offered(tmp_path) == ("own", "made_up")
    (tmp_path / "MNIST" / "raw").mkdir(parents=True)
    assert live_plan.offered(tmp_path) == ("mnist", "made_up")
    assert live_plan.source({"CAPSVIZ_TRAINING_DATA": str(tmp_path)}) == tmp_path


def test_where_several_images_are_of_one_drawing_that_is_known(tmp_path: Path) -> None:
    write_pictures(tmp_path / "bars")
    file = strokes(tmp_path / "a.jsonl", drawn(("a", "b"), 10))
    told = [live_images.images(Plan(data="own"), tmp_path, data).told for data in (tmp_path / "bars", file)]
    assert [one.alone for one in told] == [True, False]
    assert live_plan.told_of(json.loads(json.dumps(asdict(told[1])))) == told[1]
    first = ("name", "classes", "kind", "train", "held", "test")
    older = {name: value for name, value in asdict(TOLD).items() if name in first}
    assert live_plan.told_of({**older, "classes": list(TOLD.classes)}) == TOLD


def test_pictures_that_cannot_be_read_are_told_of_and_the_others_trained_on(tmp_path: Path) -> None:
    folder = tmp_path / "bars"
    write_pictures(folder)
    whole = live_images.images(Plan(data="own"), tmp_path, folder).told
    assert (whole.left_out, whole.unread) == (0, ())
    for name in ("a.png", "b.png", "c\n.png", "d.png"):
        (folder / "1" / name).write_bytes(b"" if name == "a.png" else name.encode())
    told = live_images.images(Plan(data="own"), tmp_path, folder).told
    assert (told.train, told.held, told.test) == (whole.train, whole.held, whole.test)
    assert told.left_out == 4
    assert [one.file for one in told.unread] == ["1/a.png", "1/b.png", r"1/c\n.png"]
    assert "is empty" in told.unread[0].why["en"]
    assert "ist leer" in told.unread[0].why["de"]
    assert "is not an image" in told.unread[1].why["en"]
    assert live_plan.told_of(json.loads(json.dumps(asdict(told)))) == told
    for file in (folder / "0").iterdir():
        file.write_bytes(b"")
    with pytest.raises(
        DataError, match=r"0 different pictures.*cannot be read: 44; the first is 0/.* is empty"
    ):
        live_images.images(Plan(data="own"), tmp_path, folder)


def test_only_who_sits_at_the_machine_steers_unless_all_may() -> None:
    assert [
        training_rights.mode({"CAPSVIZ_TRAINING": value}) for value in ("", " Here", "everyone", "off", "no")
    ] == [*("here", "here", "everyone", "off", "off")]
    here = [
        None,
        "127.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "192.168.0.7",
        "::ffff:10.0.0.1",
        "2001:db8::1",
        "x",
    ]
    assert [training_rights.is_here(address) for address in here] == [True] * 4 + [False] * 4


def test_a_folder_of_somebody_else_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = {"CAPSVIZ_TRAINING_FOLDER": str(tmp_path / "new")}
    assert live_plan.root(named) == tmp_path / "new"
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(CapsvizError, match="somebody else"):
        live_plan.root(named)


# --- the networks ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_network_is_as_its_spec_says(kind: str) -> None:
    spec = spec_of(KINDS[kind], TOLD)
    net = spec.build(spec)
    grid = spec.shape.grid
    assert grid is not None
    assert [layer.part for layer in spec.layers] == [name for name, _ in net.named_children()]
    assert grid.types == KINDS[kind].types
    features, u = net.encode(torch.zeros(2, 28, 28))
    assert u.shape == (2, grid.capsules, 8)
    first = net.trunk.convolutions[0] if kind == "attention" else net.conv1
    told = {layer.part: layer.facts for layer in spec.layers}
    filters = str(told["trunk"]["maps"]).split(", ")[0] if kind == "attention" else told["conv1"]["filters"]
    assert features.shape[1] == len(first.weight) == int(filters)
    hidden = [module.out_features for module in net.decoder if isinstance(module, torch.nn.Linear)]
    assert told["decoder"]["hidden"] == ", ".join(map(str, hidden[:-1]))
    if kind == "attention":
        shapes = [convolution.weight.shape for convolution in net.trunk.convolutions]
        assert told["trunk"]["maps"] == ", ".join(str(shape[0]) for shape in shapes)
        assert told["trunk"]["kernels"] == ", ".join(str(shape[2]) for shape in shapes)
        assert told["trunk"]["whole"] == net.trunk.whole.kernel_size[0]


def test_attention_that_is_off_gives_all_classes_the_same() -> None:
    torch.manual_seed(0)
    spec = spec_of(KINDS["attention"], TOLD)
    net: Any = spec.build(spec).eval()
    assert isinstance(net, Switched)
    images = torch.rand(3, 28, 28)
    net.capsules.prior.data.normal_()
    u = net.encode(images)[1]
    torch.testing.assert_close(net.route(u)[1].v, AttentionNet.route(net, u)[1].v)
    net.routed = False
    u_hat, routed = net.route(u)
    s = ((0.1 + net.capsules.prior)[None, :, :, None] * u_hat).sum(2)
    norm = s.norm(dim=2, keepdim=True)
    torch.testing.assert_close(routed.v, s / norm * (1 - torch.exp(-norm)))
    assert torch.equal(coefficients(net, images, 1), torch.full((3, 4, 10), 0.1))


# --- a run, within this process ---------------------------------------------------------------------------------


def images(count: int, seed: int) -> Digits:
    rng = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 10
    pictures = torch.zeros(count, 28, 28, dtype=torch.uint8)
    for place, label in enumerate(labels.tolist()):  # a bar for each class, at a height of its own
        pictures[place, 2 + 2 * label : 5 + 2 * label, 6:22] = 255
    noise = torch.randint(0, 40, pictures.shape, generator=rng)
    return Digits((pictures + noise).clamp(max=255).to(torch.uint8), labels)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A folder for a run on bars; each picture comes after some steps, by a clock that the steps turn."""
    monkeypatch.setattr(
        live, "images", lambda *_: live_images.Images(images(64, 1), images(20, 2), images(30, 3), TOLD)
    )
    monkeypatch.setattr(live, "PICTURE", 0.0)
    monkeypatch.setattr(live, "LOOK", 0.001)
    monkeypatch.setattr(live, "WARM_UP", 3)
    monkeypatch.setattr(live, "register", lambda *_: None)  # names stay this process's
    monkeypatch.setattr(live, "measured", lambda *_: dict.fromkeys(MEASURED, 0.25))
    monkeypatch.setattr(live, "save_weights", lambda path, data, facts: path.write_bytes(data))
    (tmp_path / "run").mkdir()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # products so small are slower by several
    yield Place(tmp_path / "run")
    torch.set_num_threads(threads)


MEASURED = ("validation_error", "validation_loss", "unsure_below", "test_error")


class Scripted(live.Run):
    """A run that is told things at steps: {step: what}; "gone" and "damage" are what happens to it."""

    def __init__(self, place: Place, script: dict[int, Any]) -> None:
        super().__init__(place, Path(), threading.Event())
        self.script, self.seen = script, list[tuple[int, float, int]]()

    def _listen(self) -> bool:
        step = self.trainer.step
        rates = {group["lr"] for group in self.trainer.optimizer.param_groups}
        self.seen.append((step, *rates, self.trainer.objective.iterations))
        wish = self.script.pop(step, None)
        if wish == "gone":
            self.gone.set()
        elif wish:
            self.place.write(parse_controls(wish, self.place.controls()))
        return super()._listen()


def begun(place: Place, plan: Plan, script: dict[int, Any]) -> Scripted:
    place.write(plan)
    place.write(Controls(iterations=plan.iterations, rate=1e-3))
    run = Scripted(place, script)
    run.go()
    return run


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_measures_what_it_says_and_follows(kind: str, place: Place) -> None:
    script = {5: {"rate": 5e-3, "weight": 0.0}, 8: {"routed": False}, 12: {"ended": True}}
    run = begun(place, KINDS[kind], script)
    story = place.story()
    assert story is not None
    assert (story.state, story.reason, story.step) == ("ended", "asked", 12)
    assert [row.step for row in story.rows] == list(range(13))
    last = story.rows[-1]
    assert last.controls == {"rate": 5e-3, "iterations": 1, "weight": 0.0, "routed": False}
    assert story.rows[0].loss is None
    # Counted again: of 20 held-out images the misread ones, and c even without routing.
    net = run.trainer.net.eval()
    with torch.no_grad():
        made = net.outcome(images(20, 2).images.float() / 255, 1)
    assert last.error == int((made.evidence.argmax(1) != images(20, 2).labels).sum()) / 20
    assert last.entropy == pytest.approx(1, abs=1e-6)
    assert story.rows[7].entropy < 1
    # After the warm-up of 3 steps the rate is what was asked for, from the next step on.
    rates = {step: rate for step, rate, _ in run.seen}
    assert [rates[step] for step in (4, 5, 6)] == pytest.approx([1e-3, 1e-3, 5e-3])
    assert {step: count for step, _, count in run.seen}[8] == (3 if kind == "dynamic" else 1)
    assert run.trainer.objective.reconstruction == 0.0
    facts = live_card.card(run.trainer, TOLD, story.rows, {}, "")
    assert (
        facts["settings"]["reconstruction"] == Controls.weight
    )  # until step 5: its decoder has learnt something
    assert facts["tested"] == 30
    assert "tested" not in live_card.card(run.trainer, replace(TOLD, alone=False), story.rows, {}, "")
    assert changes(story.rows) == [story.rows[6].seconds, story.rows[9].seconds]
    picture = read_picture(place.picture, 10)
    np.testing.assert_array_equal(picture.labels, range(10))
    np.testing.assert_array_equal(picture.seen, images(20, 2).images[:10])
    with torch.no_grad():
        own = torch.zeros_like(made.poses[:10])
        own[range(10), range(10)] = made.poses[range(10), range(10)]
        drawn = 255 * net.decoder(own)
    np.testing.assert_allclose(picture.redrawn, drawn, atol=0.51)


def test_going_back_is_as_if_what_came_after_had_not_been(place: Place) -> None:
    other = Place(place.folder.parent / "other")
    other.folder.mkdir()
    runs = []
    for folder, script in ((place, {6: {"ended": True}}), (other, {5: {"back": 2}, 6: {"ended": True}})):
        folder.write(Story("preparing", interval=0.0))  # a checkpoint at each picture
        runs.append(begun(folder, KINDS["attention"], script))
    straight, back = runs
    assert [step for step, *_ in back.seen] == [1, 2, 3, 4, 5, 3, 4, 5, 6]
    assert back.story.checkpoints == straight.story.checkpoints == (1, 2, 3, 4, 5, 6)
    for one, two in zip(straight.trainer.net.parameters(), back.trainer.net.parameters(), strict=True):
        assert torch.equal(one, two)
    measured = [[(row.step, row.loss, row.error) for row in run.story.rows] for run in runs]
    assert measured[0] == measured[1]


def test_a_paused_run_that_goes_back_trains_on(place: Place) -> None:
    place.write(Story("preparing", interval=0.0))
    waits: list[str] = []

    class Asked(Scripted):
        def _tell(self, **changes: Any) -> None:
            super()._tell(**changes)
            waits.append(self.story.state)
            if changes == {"state": live.PAUSED}:
                self.place.write(parse_controls({"back": 2, "paused": False}, self.place.controls()))

    place.write(KINDS["attention"])
    place.write(Controls(rate=1e-3))
    run = Asked(place, {4: {"paused": True}, 6: {"ended": True}})
    run.go()
    assert [step for step, *_ in run.seen] == [1, 2, 3, 4, 3, 4, 5, 6]
    assert live.PAUSED in waits
    assert (run.story.state, run.story.step) == ("ended", 6)


def test_checkpoints_are_few_and_a_damaged_one_is_passed_over(place: Place) -> None:
    place.write(Story("preparing", interval=0.0))
    first = begun(place, KINDS["attention"], {13: {"ended": True}})
    assert first.story.checkpoints == (1, 3, 5, 7, 9, 11, 13)  # the thirteenth had every second go
    assert [step for step in range(14) if place.has(step)] == [1, 3, 5, 7, 9, 11, 13]
    (place.checkpoint(13) / CHECKPOINT).write_bytes(b"cut short")
    place.write(replace(place.controls(), ended=False))
    second = Scripted(place, {12: {"ended": True}})
    second.go()
    assert second.seen[0][0] == 12
    assert second.story.checkpoints == (1, 3, 5, 7, 9, 11, 12)


def test_the_last_step_of_an_epoch_is_one_to_go_on_from(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards: list[dict[str, Any]] = []

    def keep(path: Path, data: bytes, facts: dict[str, Any]) -> None:
        cards.append(parse_card({**facts, "sha256": 64 * "0"}))

    monkeypatch.setattr(live, "save_weights", keep)
    first = begun(place, KINDS["attention"], {8: {"ended": True}})
    assert first.trainer.steps_per_epoch == 8  # of 64 images
    assert [row["epoch"] for row in cards[-1]["log"]] == [1]
    place.write(replace(place.controls(), ended=False))
    second = Scripted(place, {19: {"ended": True}})
    second.go()
    assert [step for step, *_ in second.seen] == list(range(9, 20))  # from 8, and not from the start
    assert [row["epoch"] for row in cards[-1]["log"]] == [1, 2, 3]
    for card in cards:
        assert card["settings"]["epochs"] == len(card["log"])
        assert all(0 <= row["train_error"] <= 1 for row in card["log"])


@pytest.mark.parametrize(
    ("what", "raised", "reason"),
    [
        ("images", DataError("Lost."), "data"),
        ("Trainer", TrainingError("Away."), "diverged"),
        ("Trainer", OSError(28, "full"), "disk"),
        ("Trainer", RuntimeError("broken"), "failed"),
        ("MOST_SECONDS", 0.0, "time"),
        ("FREE", 2**80, "disk"),
    ],
)
def test_what_ends_a_run_is_said(
    what: str, raised: Any, reason: str, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **named: Any) -> None:
        raise raised

    monkeypatch.setattr(live, what, fail if isinstance(raised, Exception) else raised)
    run = begun(place, KINDS["attention"], {9: {"ended": True}})
    story = place.story()
    assert story == run.story
    assert (story.state, story.reason) == ("ended", reason)
    assert story.detail == ("Lost." if reason == "data" else "")


def test_a_disk_without_room_for_the_last_word_is_said_in_a_line(
    place: Place, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(KINDS["attention"])
    place.write(Controls())
    run = live.Run(place, Path(), threading.Event())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Place, "write", full)
    run.go()
    lines = capfd.readouterr().err.splitlines()
    assert lines == 2 * ["capsviz: training: [Errno 28] No space left on device"]
    assert run.story.reason == "disk"


def test_a_pause_waits_and_a_server_that_goes_ends_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_PAUSE", 0.01)
    run = begun(place, KINDS["attention"], {2: {"paused": True}})
    assert (run.story.reason, run.story.step, run.story.checkpoints) == ("waited", 2, (2,))
    place.write(replace(place.controls(), paused=False))
    later = Scripted(place, {5: "gone"})
    later.go()
    assert (later.story.reason, later.story.checkpoints) == ("server", (2, 5))
    assert later.seen[0][0] == 3  # it went on from its checkpoint


# --- a run in a process of its own --------------------------------------------------------------------------------


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 90
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_process_that_is_asked_to_end_ends_well_with_its_server_there(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    root, folder = tmp_path / "root", tmp_path / "bars"
    root.mkdir()
    write_pictures(folder)
    try:
        plan = Plan(data="own", types=4, number=int(time.time()))
        live_process.start(root, plan, Controls(rate=1e-3), folder)
        place = live_process.place(root)
        until(lambda: bool(live_process.look(root).rows))  # type: ignore[union-attr]
        place.write(replace(place.controls(), ended=True))
        assert live_process._processes[root].wait(60) == 0
        assert "Fatal" not in capfd.readouterr().err
    finally:
        live_process.stop(root)


def test_a_process_trains_is_killed_goes_on_and_ends_with_its_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, folder = tmp_path / "root", tmp_path / "bars"
    root.mkdir()
    write_pictures(folder)
    plan = Plan(data="own", types=4, number=int(time.time()))
    try:
        live_process.start(root, plan, Controls(rate=1e-3), folder)
        place = live_process.place(root)
        with pytest.raises(TrainingError):
            live_process.start(root, plan, Controls(), folder)
        until(lambda: len(live_process.look(root).rows) > 1)  # type: ignore[union-attr]
        place.write(replace(place.controls(), paused=True))
        until(lambda: live_process.look(root).state == "paused")  # type: ignore[union-attr]
        story = live_process.look(root)
        assert story is not None
        assert story.told is not None
        assert story.told.classes == ("0", "1")
        step = story.checkpoints[-1]
        assert story.step == step

        process = live_process._processes[root]
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert not live_process.going(root)
        killed = live_process.look(root)
        assert killed == replace(story, state="ended", reason="failed")
        with monkeypatch.context() as full:
            full.setattr(live_process, "FREE", 2**80)
            assert live_process.look(root) == replace(story, state="ended", reason="disk")

        live_process.start(root, None, place.controls(), folder)
        until(lambda: live_process.look(root).step > step)  # type: ignore[union-attr]
        live_process.stop(root)
        ended = live_process.look(root)
        assert ended is not None
        assert (ended.state, ended.reason) == ("ended", "server")
        assert ended.checkpoints[-1] == ended.step > step
    finally:
        live_process.stop(root)

    # Its network is one like any other, in this server and in the next.
    monkeypatch.setenv("CAPSVIZ_TRAINING_FOLDER", str(root))
    before = set(networks())
    name = trained.keep(place, plan, ended.step)
    try:
        assert name == f"live.r{plan.number}.s{ended.step}"
        model = load_model(name, "cpu")
        pixels = np.zeros((1, 28, 28), np.float32)
        pixels[0, 4:7, 6:22] = 1
        assert model.predict(pixels).shape == (1, 2)
        live_process.place(root).folder.rename(root / "gone")
        forget(before)
        trained.restore()
        assert find(name).title.endswith(f"step {ended.step}")
        assert load_model(name, "cpu").sha256 == model.sha256
        (root / "kept" / name / "plan.json").write_text("{")
        forget(before)
        trained.restore()
        assert set(networks()) == before
    finally:
        forget(before)


def forget(before: set[str]) -> None:
    for name in set(networks()) - before:
        unregister(name)
        places.pop(name, None)


# --- pictures -------------------------------------------------------------------------------------------------


def test_kernels_stand_in_rows_of_eight() -> None:
    kernels = np.arange(1, 10, dtype=np.float32)[:, None, None] * np.ones((9, 2, 2), np.float32)
    picture = mosaic(kernels)
    assert picture.shape == (5, 23)
    np.testing.assert_array_equal(picture[0], [n for k in range(1, 9) for n in (k, k, 0)][:-1])
    np.testing.assert_array_equal(picture[3, :4], [9, 9, 0, 0])
    assert not picture[2].any()


def test_what_is_misread_is_said_and_names_are_text() -> None:
    pixels = np.zeros((2, 4, 4), np.uint8)
    picture = Picture(pixels, pixels, np.ones((1, 2, 2)), np.array([0, 1]), np.array([0, 0]), 12)
    html = forming(picture, ("<b>", "two"))
    assert html.count("read as") == 1
    assert "read as &lt;b&gt;" in html
    assert "<b><b>" not in html


def test_a_picture_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "picture.npz"
    pixels = np.zeros((2, 4, 4), np.uint8)
    good = dict(zip(Picture._fields, (pixels, pixels, np.ones((1, 2, 2)), [0, 1], [1, 0], 3), strict=True))
    np.savez(path, **good)
    assert read_picture(path, 2).step == 3
    wrong: list[dict[str, Any]] = [
        *({"labels": [0, 2]}, {"answers": [-1, 0]}, {"labels": [0]}, {"seen": pixels.astype(float)}),
        *({"redrawn": pixels[:1]}, {"filters": np.full((1, 2, 2), np.nan)}, {"filters": np.ones(3)}),
        *({"seen": np.zeros((11, 4, 4), np.uint8), "redrawn": np.zeros((11, 4, 4), np.uint8)}, {"step": "x"}),
    ]
    for change in wrong:
        np.savez(path, **(good | change))
        with pytest.raises(CapsvizError):
            read_picture(path, 2)
    path.write_bytes(b"cut")
    with pytest.raises(CapsvizError):
        read_picture(path, 2)


def test_curves_are_the_rows() -> None:
    told = {"rate": 0.1, "iterations": 1, "weight": 0.0, "routed": True}
    rows = [
        Row(0, 0.0, None, None, 0.9, 1.0, told),
        Row(5, 2.0, 0.5, 60.0, 0.5, 0.9, told),
        Row(9, 4.0, 0.25, 40.0, 0.25, 0.8, {**told, "weight": 0.02}),
    ]
    losses, shares = losses_figure(rows), shares_figure(rows, 20, at=2.0)
    assert [list(curve.y) for curve in losses.data] == [[0.5, 0.25], [60, 40]]
    assert [list(curve.y) for curve in shares.data] == [[90, 50, 25], [100, 90, 80]]
    assert [shape.x0 for shape in losses.layout.shapes] == [4.0]
    assert [shape.x0 for shape in shares.layout.shapes] == [4.0, 2.0]
    assert losses_figure([]).data
    assert "60" in chart_table(losses, "Loss")


def test_a_story_that_was_cut_short_is_none(tmp_path: Path) -> None:
    place = Place(tmp_path)
    assert place.story() is place.plan() is None
    assert place.controls() == Controls()
    place.write(Story("running", step=3, told=TOLD))
    assert place.story() == Story("running", step=3, told=TOLD)
    told = json.loads((tmp_path / "story.json").read_text())
    for change in ({"state": "lost"}, {"step": -1}, {"checkpoints": list(range(1, 99))}, {"told": {}}):
        (tmp_path / "story.json").write_text(json.dumps(told | change))
        assert place.story() is None
