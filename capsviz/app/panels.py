"""The panels of all pages and the controls that can be fixed, by name: one table for lessons, prepared links and scripts.

A lesson's step lights a panel, a prepared link takes some away (``hide=``) and fixes controls (``lock=``). Views with a
script of their own declare their elements by the same names (figures/browser/lesson.js).
"""

from dataclasses import dataclass

from capsviz.measures.claims import CLAIMS
from capsviz.networks.base import Spec
from capsviz.traces.base import POSES


@dataclass(frozen=True)
class Panel:
    """One part of a page; its words are the text panel.NAME.

    Attributes:
        name: in links and in lessons' files.
        page: name of the page on which it stands; "" for all.
        where: of which networks: "iterates" of those whose routing does, "poses" of those that have them, "attends" of those
            with attention; "" of all.
        selector: CSS of what Python shows of it; "" of what a view's script declares.
        hides: whether it can be taken away.
        fills: whether it can fill a screen in presenter mode.
        way: of a page that shows one thing or another (``WAYS``), which; "" with either.
    """

    name: str
    page: str = ""
    where: str = ""
    selector: str = ""
    hides: bool = True
    fills: bool = True
    way: str = ""


PANELS = (
    Panel("pad", selector=".st-key-canvas"),
    Panel("answer", selector=".st-key-rail .cv-reading"),
    Panel("network", selector=".st-key-networks button", fills=False),
    Panel("doors", selector=".st-key-question > :not(:first-child)", fills=False),
    Panel("files", selector=".st-key-exporting", fills=False),
    Panel("strip", "draw", selector=".cv-strip", hides=False),  # all of it
    Panel("seen", "draw", selector="[data-panel=seen]"),
    Panel("maps", "draw", selector="[data-panel=maps]"),
    Panel("primary", "draw", selector="[data-panel=primary]"),
    Panel("lengths", "draw", selector="[data-panel=lengths]"),
    Panel("redrawn", "draw", "poses", "[data-panel=redrawn]"),
    Panel("compared", "draw", "poses", "[data-panel=compared]"),
    Panel("each", "draw", "poses", "[data-panel=each]"),
    Panel("replay", "draw", selector=".st-key-replay"),
    Panel("picture", "routing"),
    Panel("algorithm", "routing"),
    Panel("clock", "routing", "iterates", fills=False),
    Panel("iterations", "routing", "iterates", fills=False),
    Panel("scale", "routing", fills=False),
    Panel("places", "routing", "iterates"),
    Panel("clouds", "routing"),
    Panel("microscope", "routing"),
    Panel("matrix", "routing", "attends"),
    Panel("film", "routing", "iterates"),
    Panel("drawn", "routing", "attends"),
    Panel("surgery", "routing"),
    Panel("sliders", "pose"),
    Panel("decoder", "pose"),
    Panel("strongest", "pose", hides=False),  # one of the sliders
    Panel("capsules", "pose"),
    Panel("morph", "pose"),
    Panel("sweep", "pose"),
    Panel("both", "overlap"),
    Panel("apart", "overlap"),
    Panel("voters", "overlap"),
    Panel("strokes", "overlap", fills=False),
    Panel("laid", "overlap", fills=False),
    Panel("growth", "overlap", selector=".st-key-growth"),
    Panel("columns", "compare", way="networks"),
    Panel("changes", "compare", way="networks"),
    Panel("rule", "compare", fills=False, way="networks"),
    Panel("facing", "compare", way="drawings"),
    Panel("causes", "compare", way="drawings"),
    Panel("poses", "compare", way="drawings"),
    Panel("kernels", "inside"),
    Panel("types", "inside"),
    Panel("sizes", "inside"),
    Panel("plan", "training", selector=".st-key-training_form", fills=False),
    Panel("controls", "training", selector=".st-key-training_controls", fills=False),
    Panel("curves", "training", selector=".st-key-training_curves"),
    Panel("forming", "training", selector=".st-key-training_forming"),
    Panel("checkpoints", "training", selector=".st-key-training_checkpoints", fills=False),
    Panel("filters", "training", selector=".st-key-training_filters"),
    Panel("claims", "lab", selector=".st-key-section_claims", fills=False),
    *(Panel(name, "lab", selector=f".st-key-claim_{name}", hides=False) for name in CLAIMS),
    Panel("ablations", "lab", selector=".st-key-section_ablations"),
    Panel("placed", "lab", selector=".st-key-section_placed"),
    Panel("few", "lab", selector=".st-key-section_few"),
    Panel("price", "lab", selector=".st-key-section_price", fills=False),  # eight charts
    Panel("wall", "class", hides=False),
    Panel("joining", "class", hides=False),
    Panel("poll", "class", hides=False),
    Panel("counts", "class", hides=False),
    Panel("networks", "model", selector=".cv-networks"),
    Panel("headline", "model", selector=".cv-headline"),
    Panel("layers", "model", selector="[data-testid=layers]"),
    Panel("measured", "model", selector=".st-key-part_measured"),
    Panel("training", "model", selector=".st-key-part_training"),
    Panel("limits", "model", selector=".st-key-part_limits"),
    Panel("facts", "model", selector=".st-key-part_facts"),
)
WAYS = ("networks", "drawings")  # of Compare: several networks and a drawing, or two drawings and a network
# What a link to the Lab opens: a part of it, or one of its claims (``measures.claims.CLAIMS``).
SECTIONS = tuple(panel.name for panel in PANELS if panel.page == "lab" and panel.name != "claims")
HIDEABLE = tuple(panel.name for panel in PANELS if panel.hides)
FILLING = tuple(panel.name for panel in PANELS if panel.fills)
SELECTORS = {panel.name: panel.selector for panel in PANELS if panel.selector}

PAGE_LOCK = "page"
# What can be fixed, and the pages that have such a control; none for all. Words: the texts lock.NAME.
LOCKS: dict[str, tuple[str, ...]] = {
    "drawing": (),
    "network": (),
    "iterations": ("routing",),
    "step": ("routing",),
    "surgery": ("routing",),
    "compare": ("compare",),
    "training": ("training",),
    "pose": ("pose",),
    "predict": (),
    "language": (),
    PAGE_LOCK: (),
}


def stands(panel: Panel, page: str, network: Spec) -> bool:
    """Whether a page shows a panel, with a network."""
    if panel.page not in ("", page):
        return False
    shape = network.shape
    return {
        "": True,
        "iterates": shape.iterates,
        "poses": POSES in network.offers,
        "attends": shape.routing == "attention",
    }[panel.where]


def locks_of(page: str, network: Spec) -> tuple[str, ...]:
    """What can be fixed on a page with a network, by name."""
    lacks = set() if network.shape.iterates else {"iterations"}
    return tuple(name for name, where in LOCKS.items() if name not in lacks and (not where or page in where))


def of_page(page: str, network: Spec) -> tuple[Panel, ...]:
    """The panels that a page shows with a network, those of all pages first, in their order."""
    return tuple(panel for panel in PANELS if stands(panel, page, network))


def views_of(page: str, network: Spec, way: str = "") -> tuple[str, ...]:
    """Names of what can fill a screen in presenter mode: of the page, its own view first, and then of the frame.

    Args:
        way: of ``WAYS``, the one that is shown; "" for those of all.
    """
    here = [panel for panel in of_page(page, network) if panel.fills and (not way or panel.way in ("", way))]
    return tuple(panel.name for panel in sorted(here, key=lambda panel: not panel.page))
