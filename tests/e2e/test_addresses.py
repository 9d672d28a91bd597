"""Ten thousand mangled addresses, read by the scripts that read them: what they take lies within its limits."""

from typing import Any

from playwright.sync_api import Browser

from capsviz import texts
from tests.e2e.looking import serve_scripts, without_errors

ADDRESS = "http://capsviz.test"
READ = """async ({ texts, link, pose, count }) => {
    const { speak } = await import("/browser/texts.js");
    const { readLink } = await import("/browser/address.js");
    const { readPose } = await import("/browser/poses.js");
    speak(texts);
    let seed = 17;
    const random = (below) => (seed = (seed * 48271) % 2147483647) % below;
    const pieces = ["1", "3", "9", "10", "1151", "1152", "-1", "0.5", "1e1", "NaN", "٣", "%", "%00", "<b>", ",", ",,", "\\n", "💥",
        "0".repeat(400), Array(16).fill("0.25").join(","), Array(160).fill("-1").join(","), Array(17).fill("1").join(",")];
    const names = ["digit", "capsule", "step", "pose", "R", "Digit", "", "%"];
    const taken = { link: 0, pose: 0 };
    const wrong = [];
    for (let k = 0; k < count; k++) {
        const text = () => Array.from({ length: random(3) }, () => pieces[random(pieces.length)]).join("");
        const encoded = (text) => (random(2) ? encodeURIComponent(text) : text);
        const search = "?" + Array.from({ length: 1 + random(4) }, () => `${names[random(names.length)]}=${encoded(text())}`).join("&");
        const read = readLink(search, link);
        for (const [name, number] of Object.entries(read.found)) {
            taken.link += 1;
            if (!(Number.isInteger(number) && number >= link[name][0] && number <= link[name][1])) wrong.push(search);
        }
        const posed = readPose(search, pose);
        if (posed.numbers) {
            taken.pose += 1;
            const right = [pose.dimensions, pose.classes * pose.dimensions].includes(posed.numbers.length);
            if (!right || !posed.numbers.every((x) => Math.abs(x) <= pose.farthest)) wrong.push(search);
        }
        if (posed.digit !== undefined && !(posed.digit >= 0 && posed.digit < pose.classes)) wrong.push(search);
        for (const problem of [...read.problems, posed.problem ?? ""]) {
            if (problem.length > 400 || /[<>\\[\\]`]/.test(problem)) wrong.push(problem);
        }
    }
    return { taken, wrong: wrong.slice(0, 5) };
}"""


def test_scripts_take_nothing_beyond_its_limits_from_ten_thousand_addresses(browser: Browser) -> None:
    asked: dict[str, Any] = {
        "texts": texts.for_script("common", "address", "pose"),
        "link": {"digit": [0, 9], "capsule": [0, 1151], "step": [0, 11]},
        "pose": {"classes": 10, "dimensions": 16, "farthest": 2},
        "count": 10_000,
    }
    with without_errors(browser.new_page()) as page:
        serve_scripts(page, lambda: "<!doctype html>")
        page.goto(ADDRESS)
        found = page.evaluate(READ, asked)
    assert found["wrong"] == []
    assert found["taken"]["link"] > 100
    assert found["taken"]["pose"] > 10
