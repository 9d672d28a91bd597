"""Slides: what each page shows, as a picture of 1920 x 1080 pixels. Pure functions from a trace to a Matplotlib figure.

Each takes ``dark``, and ``origin``: a line at the bottom that says where the picture comes from (``Origin.line``).
"""

from capsviz.figures.slides.attention import attention_slide
from capsviz.figures.slides.compare import compare_slide
from capsviz.figures.slides.draw import draw_slide
from capsviz.figures.slides.inside import inside_slide
from capsviz.figures.slides.networks import networks_slide
from capsviz.figures.slides.overlap import overlap_slide
from capsviz.figures.slides.pose import pose_slide
from capsviz.figures.slides.poses import morph_slides, sweep_slide
from capsviz.figures.slides.replay import replay_film
from capsviz.figures.slides.routing import routing_slide
from capsviz.figures.slides.versus import versus_slide

__all__ = [
    "attention_slide",
    "compare_slide",
    "draw_slide",
    "inside_slide",
    "morph_slides",
    "networks_slide",
    "overlap_slide",
    "pose_slide",
    "replay_film",
    "routing_slide",
    "sweep_slide",
    "versus_slide",
]
