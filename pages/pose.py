from capsviz.app import pose as ui_pose
from capsviz.app import ui

ui.question("What do the sixteen numbers mean?", ("routing", "Where they come from"))
trace, reconstructions = ui.answered()
ui_pose.sliders(trace, reconstructions[-1, trace.prediction])
