from capsviz import ui, ui_pose

ui.question("What do the sixteen numbers mean?", ("views/routing.py", "Where they come from"))
trace, _ = ui.answered()
ui_pose.sliders(trace)
