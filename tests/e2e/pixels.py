"""What stands on the screen, as numbers."""

import io

import numpy as np
from PIL import Image
from playwright.sync_api import Locator


def pixels(locator: Locator) -> np.ndarray:
    """[H, W, 3] uint8 colours of an element as it is shown."""
    return np.asarray(Image.open(io.BytesIO(locator.screenshot(animations="disabled"))).convert("RGB"))
