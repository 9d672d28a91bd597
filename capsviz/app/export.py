"""Export, in the frame of every page: the same menu of files everywhere, each made when somebody asks for it."""

import base64
import sys
from collections.abc import Mapping
from typing import Any, cast

import streamlit as st

from capsviz.app import assets, compare, files, guess, lab_found, measured_files, overlap, session, versus
from capsviz.app.files import FILMS, NUMBERS, PAGE, PAGES, PICTURES, Offer, Wanted, made, parse_request
from capsviz.app.follow import follows
from capsviz.errors import CapsvizError
from capsviz.inputs import drawings
from capsviz.texts import drawn, language, say

EXPORT_KEY = "export"  # the component; its state: "asked", a request, None once its file has come
MADE_KEY = "export_made"  # (request as it came, what became of it): outlasts a run that is cut off
TYPES = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "gif": "image/gif",
    "mp4": "video/mp4",
    "html": "text/html",
    "npz": "application/octet-stream",
    "json": "application/json",
    "csv": "text/csv",
}
# Of the page itself, kinds of one sort have a heading; each thing on it has one of its own.
SORTS = {"picture": PICTURES, "animation": FILMS, "page": PAGES, "numbers": NUMBERS}

_export = assets.component("capsviz_export", "exporting")


@follows("export")
def control(page: str) -> None:
    """The button and its menu; only this part runs again for a file.

    Args:
        page: name of the page that is shown.
    """
    now = session.reading()
    answer = None if guess.covered() else now.answer  # a file would tell
    offered = files.offer(page, answer, now)
    notes = [say("export.carries") if offered else _why_not(page, now)]
    if page == "lab" and not lab_found.claims:
        notes.insert(0, say("export.lab"))
    if page == "class":  # whose script has its files, and knows whether there are any
        notes = [say("export.class")]
    if files.SWEEP in offered:
        notes.insert(0, say("export.sliders"))
    if any("gif" in kinds and "mp4" not in kinds for kinds in offered.values()):
        notes.append(say("export.without"))
    data = {
        "page": page,
        "groups": groups(offered),
        "notes": notes,
        "classes": len(session.spec().shape.classes),
        "made": _answered(page, now, offered),
        "texts": assets.words("exporting"),
    }
    _export(key=EXPORT_KEY, data=data, on_asked_change=lambda: None)


def _why_not(page: str, now: session.Reading) -> str:
    """Why a page offers no file."""
    if page == "training":
        return say("export.untrained")
    if guess.covered():
        return say("guess.covered")
    return say("export.nothing", kind=drawn()) if now.answer is None else say("export.nowhere")


def groups(offered: Offer) -> list[tuple[str, str, list[str]]]:
    """The menu: of each group its heading's key, the thing that its files are of, and their kinds."""
    found = []
    for thing, kinds in offered.items():
        for name, sort in SORTS.items() if thing == PAGE else [(thing, kinds)]:
            found.append((name, thing, [kind for kind in kinds if kind in sort]))
    return [group for group in found if group[2]]


def _answered(page: str, now: session.Reading, offered: Offer) -> dict[str, Any] | None:
    """The file that was asked for, or one sentence about why there is none; None once the browser has it."""
    state = st.session_state
    sent = state.get(EXPORT_KEY, {}).get("asked")
    if sent is None:
        state.pop(MADE_KEY, None)
        return None
    before, made = state.get(MADE_KEY, (None, None))
    if before != sent:
        made = _file(sent, page, now, offered)
        state[MADE_KEY] = (sent, made)
    return cast("dict[str, Any]", made)


def _file(sent: object, page: str, now: session.Reading, offered: Offer) -> dict[str, Any]:
    number = sent.get("number") if isinstance(sent, Mapping) else None
    try:
        request = parse_request(sent, session.model().shape, offered)
        wanted = Wanted(
            page,
            session.network(),
            session.model().sha256,
            drawings.encode(now.drawing),
            now.iterations,
            language(),
            request.thing,
            request.kind,
            request.dark,
            request.digit,
            request.pose,
            request.motion,
            compare.current() if page == "compare" and not versus.shown() else None,
            second=versus.current() if page == "compare" else None,
            laid=overlap.current() if page == "overlap" else None,
            looked=request.looked if page == "inside" else None,
            parts=request.parts if page == "overlap" else 0,
            stand=measured_files.stand(page, session.model().sha256),
        )
        data = made(wanted)
    except CapsvizError as error:
        return {"number": number, "problem": str(error)}
    except RuntimeError as error:  # what PyTorch raises when a device fails
        return {"number": number, "problem": session.failure(error)}
    except (OSError, ValueError, ImportError, MemoryError) as error:  # of a library that writes files
        print(f"capsviz: {error!r}", file=sys.stderr, flush=True)
        return {"number": number, "problem": say("export.failed", reason=type(error).__name__)}
    what = page if request.thing == PAGE else f"{page}-{request.thing}"
    network = (wanted.stand and wanted.stand.trained) or wanted.network  # what the numbers are of
    name = f"capsviz-{what}-{network}.{request.kind}"
    content = base64.b64encode(data).decode("ascii")
    return {"number": request.number, "name": name, "type": TYPES[request.kind], "data": content}
