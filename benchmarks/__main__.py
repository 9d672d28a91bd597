"""Measure and print everything as one table: ``python -m benchmarks``."""

import platform
import sys
import traceback
from collections.abc import Sequence

import torch

from benchmarks import (
    answers,
    browser,
    compare,
    export,
    formulations,
    links,
    networks,
    overlap,
    pose,
    replay,
    routing,
    trace,
    training,
)
from capsviz.training.precision import instructions, is_quicker, share_of_time

ROWS = [
    ("One trace, CPU", trace.one_trace, "8 ms"),
    ("— processor time with one thread", trace.one_trace_alone, "5 ms"),
    (
        "The network's forward pass as it is written, without the app's order of weights",
        trace.one_forward,
        "",
    ),
    *formulations.ROWS,
    *training.ROWS,
    ("One trace of two digits over each other (36 × 36), CPU", overlap.one_trace, "25 ms"),
    ("The pictures that the Overlap page is sent of it", overlap.one_payload, ""),
    ("Preparing one canvas (280 × 280 → 28 × 28)", trace.one_canvas, ""),
    ("Preparing one photo (1024 × 1024 → 28 × 28)", trace.one_photo, ""),
    ("Replaying a drawing: 64 moments of it, answered in one batch", replay.replayed, "600 ms"),
    ("Export: a slide as PNG", export.picture, ""),
    ("Export: a replay of 64 moments as GIF", export.film_gif, ""),
    ("Export: the same as MP4", export.film_mp4, ""),
    ("Importing PyTorch", browser.import_torch, ""),
    ("First answer of a fresh server, from opening the page", browser.first_answer, "import + 2000 ms"),
    ("First answer of a running server, from opening the page", browser.next_answer, ""),
    ("Pen-up to new lengths, minimal page (the floor)", browser.pen_up_floor, ""),
    ("Pen-up to new lengths, Draw page", browser.pen_up, "1.5 × the floor"),
    ("Choosing a network that the server has not used yet, to its answer", networks.first_use, "1000 ms"),
    ("The same of one that it has loaded", networks.next_use, "100 ms"),
    ("Opening the Routing page with a drawing", routing.open_page, "1500 ms"),
    ("Pen-up to the new drawing's routing", routing.new_drawing, "600 ms"),
    ("From frame to frame while routing plays", routing.playback_frame, "33 ms"),
    ("Surgery, from a control to its answer", routing.surgery, "100 ms"),
    ("Compare, from a change's first value to the answers of three networks", compare.first_value, "100 ms"),
    ("The same along its curve, once that is measured", compare.along, "100 ms"),
    *answers.ROWS,
    ("Sent for the Routing page, in kB", routing.sent_kilobytes, "2000 kB"),
    ("Dragging a pose slider: frames with a new image, %", pose.frames_with_a_new_image, "95%"),
    ("Dragging a pose slider: from the hand to the new image", pose.drag_to_paint, "20 ms"),
    ("The same with Streamlit's slider, a rerun per change", pose.streamlit_slider, ""),
    ("Sliding from one digit alone to the other: frames with a new image, %", overlap.frames, "95%"),
    ("Fetched once to decode in the browser, in kB", pose.decoder_kilobytes, "3000 kB"),
    ("Opening Draw by a full link, % of a plain opening", links.draw, "130%"),
    ("Opening Routing by a full link, % of a plain opening", links.routing, "130%"),
    ("Opening Pose by a full link, % of a plain opening", links.pose, "130%"),
    ("Messages to the server while the address follows the hand", links.reruns, "0"),
]


def products() -> str:
    """Which products training uses on this processor, and why."""
    found, used = instructions(), is_quicker(torch.device("cpu"))
    if not found:
        return "Training multiplies in single precision: this processor has no products of bfloat16."
    return (
        f"Training multiplies in {'bfloat16' if used else 'single precision'}: a product by {' or '.join(found)} takes "
        f"{share_of_time():.0%} of the time."
    )


def main(arguments: Sequence[str] = ()) -> int:
    """Measure the rows named in ``arguments`` (or their modules), or all; 1 if one of them failed."""
    print(f"{platform.machine()}, {torch.get_num_threads()} threads, PyTorch {torch.__version__}")
    print(f"{products()}\n")
    print(
        "| what | median, ms where nothing else is said | 10th to 90th percentile | aim |\n|---|---:|---:|---|"
    )
    failed = 0
    for name, measure, aim in ROWS:
        if arguments and measure.__name__ not in arguments and measure.__module__ not in arguments:
            continue
        try:
            low, median, high = measure()
            row = f"{median:.1f} | {low:.1f} to {high:.1f}"
        except Exception as error:  # a browser that does not answer must not cost the other rows
            failed += 1
            traceback.print_exc()
            reason = " ".join(str(error).split())[:80].replace("|", "/")
            row = f"failed: {type(error).__name__}, {reason} | "
        print(f"| {name} | {row} | {aim} |", flush=True)
    if failed:
        print(f"\n{failed} of the rows could not be measured.")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
