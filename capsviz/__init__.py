"""capsviz: a visual explorer of Capsule Networks, and the library under it.

Names are imported when first used: PyTorch takes seconds, and the figures and the frame of the app do
without it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from capsviz.errors import CapsvizError
    from capsviz.inputs.preprocess import canvas_to_mnist
    from capsviz.models.model import Model, load_model
    from capsviz.models.weights import list_networks
    from capsviz.traces.routing import RoutingTrace

__version__ = "0.1.0"
__all__ = ["CapsvizError", "Model", "RoutingTrace", "canvas_to_mnist", "list_networks", "load_model"]

_MODULES = {
    "CapsvizError": "errors",
    "Model": "models.model",
    "RoutingTrace": "traces.routing",
    "canvas_to_mnist": "inputs.preprocess",
    "list_networks": "models.weights",
    "load_model": "models.model",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
