"""Weights of networks as they are before any training: for tests of what surrounds a network, whatever it answers."""

from pathlib import Path

from capsviz.models.weights import FILE, pack, save_weights
from capsviz.networks.base import find


def write(folder: Path, name: str, seed: int = 0, unsure_below: float = 0.0) -> Path:
    """Write weights of a network, and a card, into ``folder / name``, which is returned; the same ones for a seed."""
    import torch

    spec = find(name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = spec.build(spec)
    settings = {
        **{"epochs": 1, "batch_size": 1, "iterations": spec.shape.trained, "seed": seed, "warmup_steps": 0},
        **{"shift": 0, "learning_rate": 0.001, "final_learning_rate": 0.001, "network": spec.name},
    }
    texts = dict.fromkeys(("data", "command", "commit", "device", "torch"), "none")
    facts = {
        **texts,
        **{"name": spec.name, "paper": spec.source.paper, "settings": settings},
        **{"parameters": sum(p.numel() for p in net.parameters()), "unsure_below": unsure_below},
        **{"validation_error": 0.9, "test_error": 0.9},
        "log": [
            {
                "epoch": 1,
                "seconds": 1.0,
                "train_error": 0.9,
                "validation_error": 0.9,
                "reconstruction_loss": 1.0,
            }
        ],
    }
    path = folder / spec.name
    path.mkdir(parents=True)
    save_weights(path / FILE, pack(net), facts)
    return path
