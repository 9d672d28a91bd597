from capsviz import ui, ui_routing

ui.question(
    "Why did this capsule win?",
    ("pages/draw.py", "The whole way of the image"),
    ("pages/pose.py", "What its numbers mean"),
)
trace, reconstructions = ui.answered()
ui_routing.explorer(trace, reconstructions)
ui_routing.surgery()
ui_routing.transforms()
