"""The least that a page with the same canvas can do: say how many strokes there are."""

import streamlit as st
from streamlit_drawable_canvas import st_canvas

canvas = st_canvas(
    stroke_width=18,
    stroke_color="#ffffff",
    background_color="#000000",
    width=280,
    height=280,
    return_image_data=True,
    key="canvas",
)
st.html(f'<p class="cv-reading" data-testid="answer">{len((canvas.json_data or {}).get("objects", []))}</p>')
