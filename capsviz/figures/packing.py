"""Arrays for the browser: a JSON header, then the arrays, little-endian (packing.js unpacks them)."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np


def pack(arrays: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> bytes:
    """Length of the header (4 bytes), header (UTF-8, padded to a multiple of 4), arrays (each padded so).

    Args:
        arrays: float16, int32 and uint8 as they are; all other floats become float32.
        header: whatever else the view needs, fit for JSON; "id" (of the arrays' content) and "arrays" (where
            each lies) are added.
    """
    packed: list[bytes] = []
    table: dict[str, Any] = {}
    offset = 0
    for name, array in arrays.items():
        single = array.dtype.kind == "f" and array.dtype != np.float16
        data = np.ascontiguousarray(array, np.float32 if single else array.dtype)
        raw = data.tobytes() + bytes(-data.nbytes % 4)
        table[name] = {"type": data.dtype.name, "shape": data.shape, "offset": offset}
        packed.append(raw)
        offset += len(raw)
    body = b"".join(packed)
    content = hashlib.sha256(body).hexdigest()[:16]
    text = json.dumps({"id": content, **header, "arrays": table}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    return len(text).to_bytes(4, "little") + text + body
