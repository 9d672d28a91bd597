from capsviz import ui, ui_routing

ui.question(
    "Why did this capsule win?",
    ("draw", "The whole way of the image"),
    ("pose", "What its numbers mean"),
)
trace, reconstructions = ui.answered()
ui_routing.explorer(trace, reconstructions)
ui_routing.surgery()
