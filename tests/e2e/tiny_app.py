"""The app as a server has it that knows one network more: that of tests/tiny.py.

The environment's TINY_WEIGHTS is the folder of the weights of all networks.
"""

import os
import sys
from pathlib import Path

import streamlit as st

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from capsviz.app.fetched import asset_routes  # noqa: E402
from capsviz.models import weights  # noqa: E402
from capsviz.networks.base import networks, register  # noqa: E402
from tests import tiny  # noqa: E402

if tiny.SPEC.name not in networks():
    register(tiny.SPEC, "tests/tiny.py")
weights.DIRECTORY = Path(os.environ["TINY_WEIGHTS"])
app = st.App(ROOT / "capsviz" / "app" / "main.py", routes=asset_routes())
