from capsviz.app import routing as ui_routing
from capsviz.app import ui

ui.question(
    "Why did this capsule win?",
    ("draw", "The whole way of the image"),
    ("pose", "What its numbers mean"),
)
ui.answered()
ui_routing.explorer()
ui_routing.surgery()
ui_routing.transforms()
