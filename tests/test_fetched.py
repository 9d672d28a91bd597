"""What browsers fetch and keep: addresses that hold a hash of what is there, and scripts that mount when they have come."""

import gzip
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from asgi import Reply, ask
from scripting import evaluate
from starlette.applications import Starlette
from streamlit import config

from capsviz import load_model, texts
from capsviz.app import assets, fetched
from capsviz.app.assets import SCRIPTS, script_asset
from capsviz.figures import decoder_payload
from capsviz.figures.bundle import browser_assets
from capsviz.figures.routing import transforms_payload
from capsviz.networks.base import DEFAULT

ZIPPED = {"accept-encoding": "br, gzip"}


@pytest.fixture(scope="module")
def app() -> Starlette:
    return Starlette(routes=fetched.asset_routes())


def content(reply: Reply) -> bytes:
    return gzip.decompress(reply.body) if reply.headers.get("content-encoding") == "gzip" else reply.body


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_comes_with_its_style_under_a_name_that_tells_its_content(
    app: Starlette, script: str
) -> None:
    address = f"/{script_asset(script).address}"
    reply = ask(app, "GET", address, ZIPPED)
    assert (reply.status, reply.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert reply.headers["content-encoding"] == "gzip"
    assert len(reply.body) < 40_000
    whole = content(reply)
    assert hashlib.sha256(whole).hexdigest()[:16] in address
    source, style = browser_assets(script, *SCRIPTS[script])
    assert source.encode().partition(b"\nexport ")[0] in whole
    assert json.dumps(style) in whole.decode()
    assert whole.count(b"\nexport default") == 1
    plain = ask(app, "GET", address)
    assert "content-encoding" not in plain.headers
    assert plain.body == whole
    again = ask(app, "GET", address, ZIPPED | {"if-none-match": reply.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize("script", assets.WORDS)
def test_a_component_s_words_are_those_of_the_language(app: Starlette, script: str) -> None:
    for code, hint in (("en", "one"), ("de", "eins")):
        with texts.speaking(code):
            address = assets.words(script)
            expected = texts.for_script(*assets.WORDS[script])
        reply = ask(app, "GET", f"/{address}", ZIPPED)
        assert (reply.status, reply.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
        before, said, after = content(reply).decode().partition(json.dumps(expected, ensure_ascii=False))
        assert before == "export default "
        fixed = after.removeprefix(";\n").removeprefix("export const fixed = ").removesuffix(";\n")
        assert json.loads(fixed or "{}") == json.loads(json.dumps(assets.FIXED.get(script, {})))
        assert json.loads(said)["language"] == code
        assert f'"common.number.1": "{hint}"' in said or script == "tour"


def test_the_speaker_s_page_is_all_of_its_window_and_runs_no_word_as_a_script(
    app: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"/{assets.speaker_asset('de').address}"
    reply = ask(app, "GET", address, ZIPPED)
    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page = content(reply).decode()
    assert page.count('<html lang="de">') == page.count("</script>") == 1
    assert "Schwarz" in page
    assert "src=" not in page
    monkeypatch.setattr(texts, "say", lambda name: f"</script><b>{name}")
    hostile = gzip.decompress(assets.speaker_asset.__wrapped__("en").packed).decode()
    assert hostile.count("</script>") == 1
    assert "<b>" not in hostile
    assert "<b>talk.notes.window" in hostile.encode().decode("unicode_escape")


def test_large_arrays_are_those_of_the_weights(app: Starlette) -> None:
    model = load_model(device="cpu")
    name = model.sha256[:16]
    for what, expected in (
        ("decoder", decoder_payload(model.decoder_layers(), name)),
        ("transforms", transforms_payload(model.transforms(), name)),
    ):
        asset = fetched.array_asset(what, DEFAULT)
        reply = ask(app, "GET", f"/{asset.address}", ZIPPED)
        assert (reply.status, reply.headers["content-type"]) == (200, "application/octet-stream")
        assert "immutable" in reply.headers["cache-control"]
        assert content(reply) == expected
        assert len(reply.body) < 3_000_000
        assert fetched.array_asset(what, DEFAULT) is asset  # made once


@pytest.mark.parametrize(
    "name",
    [
        "explorer-0000000000000000.js",
        "explorer.js",
        "-.js",
        "nothing-0000000000000000.js",
        "decoder.nothing-0000000000000000.bin",
        "pad.en-0000000000000000.js",
        "pad.xx-0000000000000000.js",
        "explorer.en-0000000000000000.js",  # has its words in its payload
        "loading-0000000000000000.js",
        "decoder.cnn.mnist-0000000000000000.bin",  # has no poses
        "transforms.attention.mnist-0000000000000000.bin",  # does not iterate
        f"decoder.{DEFAULT}-0000000000000000.bin",
        "..",
        "../app.py",
        "..%2f..%2fapp.py",
        "%2e%2e/%2e%2e/weights/dynamic.mnist/card.json",
        "<script>",
        "x" * 100_000,
    ],
)
def test_any_other_name_is_not_there(app: Starlette, name: str) -> None:
    reply = ask(app, "GET", f"/assets/{name}", ZIPPED)
    assert (reply.status, reply.body if "/" not in name else b"") == (404, b"")
    assert "immutable" not in reply.headers.get("cache-control", "")


def test_no_words_are_made_for_a_language_that_there_is_not(app: Starlette) -> None:
    made = assets.words_asset.cache_info().misses
    ask(app, "GET", "/assets/pad.xx-0000000000000000.js", ZIPPED)
    assert assets.words_asset.cache_info().misses == made


def test_files_are_only_read(app: Starlette) -> None:
    assert ask(app, "POST", f"/{script_asset('pad').address}").status == 405


def test_routes_lie_below_the_server_s_prefix() -> None:
    before = config.get_option("server.baseUrlPath")
    config.set_option("server.baseUrlPath", "lab/capsviz/")
    try:
        app = Starlette(routes=fetched.asset_routes())
    finally:
        config.set_option("server.baseUrlPath", before)
    address = script_asset("pad").address
    assert ask(app, "GET", f"/lab/capsviz/{address}").status == 200
    assert ask(app, "GET", f"/{address}").status == 404


def test_every_script_of_a_component_can_be_fetched() -> None:
    folder = Path(assets.__file__).parent
    text = "".join(path.read_text("utf-8") for path in folder.glob("*.py"))
    declared = re.findall(r'assets\.component\("capsviz_\w+", "(\w+)"\)', text)
    assert sorted(declared) == sorted(SCRIPTS)
    assert "browser_assets(" not in text.replace("browser_assets(script, *SCRIPTS[script])", "")


def loading(tmp_path: Path, body: str) -> Any:
    """What a function makes of a loader's ``mount``, whose script stands in ``source`` and is written by ``write``."""
    (tmp_path / "loader.mjs").write_text(assets.loader("assets/script.js"), "utf-8")
    shared = assets.loading_asset()
    (tmp_path / "assets").mkdir()
    (tmp_path / shared.address).write_bytes(gzip.decompress(shared.packed))
    (tmp_path / "assets/words.js").write_text("export default { said: 7 };", "utf-8")
    fixed = 'export default { said: 9 };\nexport const fixed = { known: ["R"], digit: 0 };'
    (tmp_path / "assets/fixed.js").write_text(fixed, "utf-8")
    (tmp_path / "package.json").write_text('{"type": "module"}', "utf-8")
    page = f"""
import {{ writeFileSync }} from "node:fs";
globalThis.document = {{ baseURI: {(tmp_path / "page").as_uri()!r} }};
globalThis.seen = [];
const source = "export default (component) => {{ seen.push(component.data); return () => seen.push('gone'); }};";
const write = () => writeFileSync({str(tmp_path / "assets" / "script.js")!r}, source);
const {{ default: mount }} = await import("./loader.mjs");
"""
    return evaluate(tmp_path, page, body)


def test_of_what_is_mounted_while_a_script_comes_the_last_stands(tmp_path: Path) -> None:
    """Else the one before, which its page has given up, would take away what the last one has mounted."""
    seen, ends = loading(
        tmp_path,
        """
        write();
        const one = {}, two = {};
        const ends = await Promise.all([
            mount({ parentElement: one, data: 1 }), mount({ parentElement: two, data: 2 }),
            mount({ parentElement: one, data: 3 }),
        ]);
        await mount({ parentElement: one, data: 4 });
        return [seen, ends.map((end) => typeof end)];
        """,
    )
    assert seen == [2, 3, 4]
    assert ends == ["undefined", "function", "function"]


def test_words_are_fetched_where_there_is_an_address_in_their_place(tmp_path: Path) -> None:
    assert loading(
        tmp_path,
        """
        write();
        await mount({ parentElement: {}, data: { texts: "assets/words.js", digit: 1 } });
        await mount({ parentElement: {}, data: { texts: { said: 8 } } });
        await mount({ parentElement: {}, data: null });
        await mount({ parentElement: {}, data: { texts: "assets/fixed.js", digit: 2 } });
        return seen;
        """,
    ) == [
        {"texts": {"said": 7}, "digit": 1},
        {"texts": {"said": 8}},
        None,
        {"texts": {"said": 9}, "digit": 2, "known": ["R"]},
    ]


def test_a_script_that_does_not_come_is_asked_for_again(tmp_path: Path) -> None:
    assert loading(
        tmp_path, "setTimeout(write, 300); await mount({ parentElement: {}, data: 1 }); return seen;"
    ) == [1]


def test_what_all_loaders_share_is_asked_for_again_too(tmp_path: Path) -> None:
    assert loading(
        tmp_path,
        f"""
        write();
        const {{ renameSync }} = await import("node:fs");
        const shared = {str(tmp_path / assets.loading_asset().address)!r};
        renameSync(shared, shared + ".gone");
        setTimeout(() => renameSync(shared + ".gone", shared), 300);
        await mount({{ parentElement: {{}}, data: 1 }});
        return seen;
        """,
    ) == [1]


def test_a_style_is_put_beside_the_view_once(tmp_path: Path) -> None:
    source = gzip.decompress(script_asset("keys").packed).decode()
    source = source.replace("return $keys.default(component);", "return 7;")
    (tmp_path / "keys.mjs").write_text(source, "utf-8")
    page = """
globalThis.document = { createElement: (name) => ({ name }) };
const kept = [];
const parentElement = { querySelector: () => kept[0] ?? null, prepend: (node) => kept.unshift(node) };
const { default: mount } = await import("./keys.mjs");
"""
    kept, ends = evaluate(
        tmp_path,
        page,
        "const ends = [mount({ parentElement }), mount({ parentElement })]; return [kept, ends];",
    )
    assert ends == [7, 7]
    assert [(node["name"], node["className"]) for node in kept] == [("style", "capsviz")]
    assert kept[0]["textContent"] == browser_assets("keys", "keys")[1]


def test_an_array_is_fetched_once_while_it_comes_and_again_after_a_failure(tmp_path: Path) -> None:
    from scripting import write

    from capsviz.figures.packing import pack

    write(tmp_path, "fetching")
    packed = list(pack({}, {"name": "weights"}))
    page = f"""
const {{ fetched }} = await import("./fetching.mjs");
const asked = [];
let refused = 1;
globalThis.document = {{ baseURI: "http://class.test/lab/routing?R=3" }};
globalThis.fetch = async (address) => {{
  asked.push(address);
  return {{ ok: refused-- <= 0, status: 404, arrayBuffer: async () => new Uint8Array({packed}).buffer }};
}};
"""
    names, asked = evaluate(
        tmp_path,
        page,
        """
        const both = await Promise.all([fetched("assets/a.bin"), fetched("assets/a.bin")]);
        globalThis.setTimeout = (then) => queueMicrotask(then);
        refused = 5;
        const given = await fetched("assets/b.bin").catch(({ message }) => ({ name: message }));
        const late = await fetched("assets/b.bin");
        return [[...both, given, late].map(({ name }) => name), asked];
        """,
    )
    assert names == ["weights", "weights", "The server answered 404.", "weights"]
    assert asked == 2 * ["http://class.test/lab/assets/a.bin"] + 6 * ["http://class.test/lab/assets/b.bin"]
