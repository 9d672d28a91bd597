"""Pictures of a trace: pure functions, one module a figure, without PyTorch and without Streamlit.

Most return HTML to be shown with ``STYLE`` (in a notebook: ``IPython.display.HTML(STYLE + html)``). The live
views are packed for the scripts in ``browser/``; ``routing_html`` makes a page of its own of them. ``slides`` are
Matplotlib figures, and ``export`` writes files that say where they come from.
"""

from pathlib import Path

from capsviz.figures.attention import attention_payload
from capsviz.figures.comparison import networks_table, networks_text
from capsviz.figures.evaluation import evaluation_figures, measurements
from capsviz.figures.handout import routing_html
from capsviz.figures.layers import layers_table
from capsviz.figures.lengths import lengths_bars
from capsviz.figures.numbers import chart_table, chart_words
from capsviz.figures.pose import decoder_payload, pose_payload
from capsviz.figures.reading import named, reading_card, together, verdict
from capsviz.figures.reconstructions import reconstruction_panels
from capsviz.figures.replay import replay_payload
from capsviz.figures.routing import routing_payload
from capsviz.figures.strip import pipeline_strip
from capsviz.figures.surgery import attention_surgery_payload, surgery_payload
from capsviz.figures.training import loss_figure, training_figure

STYLE = f"<style>\n{(Path(__file__).parent / 'style.css').read_text('utf-8')}</style>"

__all__ = [
    "STYLE",
    "attention_payload",
    "attention_surgery_payload",
    "chart_table",
    "chart_words",
    "decoder_payload",
    "evaluation_figures",
    "layers_table",
    "lengths_bars",
    "loss_figure",
    "measurements",
    "named",
    "networks_table",
    "networks_text",
    "pipeline_strip",
    "pose_payload",
    "reading_card",
    "reconstruction_panels",
    "replay_payload",
    "routing_html",
    "routing_payload",
    "surgery_payload",
    "together",
    "training_figure",
    "verdict",
]
