from capsviz import ui, ui_routing

ui.question("Why did this capsule win?", ("pages/draw.py", "The whole way of the image"))
trace, reconstructions = ui.answered()
ui_routing.explorer(trace, reconstructions)
ui.heading("Surgery: what if routing went another way?")
ui_routing.surgery()
