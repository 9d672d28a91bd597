"""The Routing page chooses its views by the kind of routing, and those of attention show the session's trace."""

import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from reference import CARD
from streamlit.testing.v1 import AppTest

from capsviz.app import address, session
from capsviz.app import attention as ui
from capsviz.app.experiments import Weighting
from capsviz.app.pages import FOLDER
from capsviz.figures import attention_payload
from capsviz.models import weights
from capsviz.networks.base import find
from capsviz.traces.attention import AttentionTrace
from capsviz.traces.base import COUPLING, POSES
from capsviz.traces.surgery import reattend

NAME = "attention.mnist"
LINK = address.for_script("routing", find("attention.mnist").shape, 1)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The Routing page of a network with attention, of weights that nobody has trained."""
    spec = find(NAME)
    torch.manual_seed(2)
    network = spec.build(spec)
    with torch.no_grad():
        network.capsules.W.mul_(6)
        network.capsules.prior.normal_(0, 0.1)
    facts = CARD | {
        "name": NAME,
        "paper": spec.source.paper,
        "settings": {**CARD["settings"], "iterations": 1},
    }  # type: ignore[dict-item]
    facts["parameters"] = sum(part.numel() for part in network.parameters())
    (tmp_path / NAME).mkdir()
    weights.save_weights(tmp_path / NAME / "weights.safetensors", weights.pack(network), facts)
    monkeypatch.setattr(weights, "DIRECTORY", tmp_path)
    monkeypatch.setattr(session, "_loaded", {})
    app = AppTest.from_file(str(FOLDER.parent / "capsviz" / "app" / "main.py"), default_timeout=60)
    app.query_params["network"] = NAME
    # What was asked of another network's capsules stays with them.
    app.session_state[f"{ui.WEIGHTING_KEY}.attention.letters"] = Weighting(3, "prior", (2,))
    app.session_state[f"{ui.SURGERY_KEY}.attention.letters"] = {"operation": {"coupling": "uniform"}}
    app.run().switch_page("../../pages/routing.py").run()
    assert not app.exception
    return app


def components(app: AppTest) -> dict[str, Any]:
    return {
        element.proto.component_name.removeprefix("capsviz_"): element.proto
        for element in app.get("bidi_component")
    }


def trace_of(app: AppTest) -> tuple[AttentionTrace, np.ndarray]:
    image = app.session_state[session.SEEN_KEY].image
    model = session._loaded[NAME]
    trace = model.trace(image, 1)
    return trace, model.reconstructions(trace)


def test_the_page_shows_the_session_s_attention_and_operates_on_it(app: AppTest) -> None:
    trace, drawings = trace_of(app)
    shown = components(app)
    assert {"attention", "attention_surgery"} <= shown.keys()
    assert not {"routing", "surgery", "transforms"} & shown.keys()
    assert shown["attention"].bytes == attention_payload(trace, drawings, link=LINK)
    assert sum(shown[name].ByteSize() for name in ("attention", "attention_surgery")) < 400_000
    sent = json.loads(shown["attention_surgery"].json)
    np.testing.assert_allclose(sent["after"]["lengths"], trace.lengths[0], atol=1e-6)
    assert sent["after"]["drawing"] == sent["before"]["drawing"]
    assert (sent["operation"], sent["problem"]) == (
        {"number": 0, "coupling": "attention", "capsules": []},
        "",
    )

    app.session_state[f"{ui.SURGERY_KEY}.{NAME}"] = {
        "operation": {"number": 5, "coupling": "prior", "capsules": [3, 1]}
    }
    app.run()
    sent = json.loads(components(app)["attention_surgery"].json)
    after = reattend(trace.u_hat, trace.prior, "prior", silenced=np.isin(np.arange(16), [1, 3]))
    np.testing.assert_allclose(sent["after"]["lengths"], after.lengths, atol=1e-6)
    best = int(after.lengths.argmax())
    redrawn = session._loaded[NAME].decode(after.v[best], best)
    np.testing.assert_allclose(sent["after"]["drawing"], 255 * redrawn.ravel(), atol=0.51)
    assert sent["operation"] == {"number": 5, "coupling": "prior", "capsules": [1, 3]}

    app.session_state[f"{ui.SURGERY_KEY}.{NAME}"] = {"operation": {"number": 6, "capsules": [16]}}
    app.run()
    assert not app.exception
    sent = json.loads(components(app)["attention_surgery"].json)
    assert "from 0 to 15" in sent["problem"]
    assert sent["operation"]["coupling"] == "prior"  # what could be read last stays
    del app.session_state[f"{ui.SURGERY_KEY}.{NAME}"]  # as when the page is left
    app.run()
    assert json.loads(components(app)["attention_surgery"].json)["operation"]["coupling"] == "prior"


def test_a_kind_of_routing_without_a_view_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("routing_page", FOLDER / "routing.py")
    assert spec is not None
    assert spec.loader is not None
    page = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(page)
    assert set(page.VIEWS) == {"dynamic", "attention"}

    class Stopped(Exception):  # noqa: N818 (no error: how session.stop ends a page)
        pass

    def stop(sentence: str) -> None:
        raise Stopped(sentence)

    def answer(routing: str, *offers: str) -> Any:
        made = SimpleNamespace(shape=SimpleNamespace(routing=routing), offers=frozenset(offers))
        return SimpleNamespace(trace=made)

    monkeypatch.setattr(session, "stop", stop)
    monkeypatch.setattr(session, "spec", lambda: SimpleNamespace(title="CapsNet, EM routing"))
    for made in (answer("em", COUPLING, POSES), answer("attention", COUPLING)):
        monkeypatch.setattr(session, "answered", lambda made=made: made)
        with pytest.raises(Stopped, match="“CapsNet, EM routing” routes in a way"):
            page.show.__wrapped__()
