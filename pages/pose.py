from capsviz import ui, ui_pose

ui.question("What do the sixteen numbers mean?", ("routing", "Where they come from"))
trace, reconstructions = ui.answered()
ui_pose.sliders(trace, reconstructions[-1, trace.prediction])
