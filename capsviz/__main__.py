"""The command line: ``python -m capsviz predict | evaluate | train``."""

import argparse
import sys
from pathlib import Path

from capsviz.errors import CapsvizError


def _train(arguments: argparse.Namespace) -> None:
    from capsviz.devices import choose_device, keep_large_blocks
    from capsviz.train import Settings, train

    keep_large_blocks()
    settings = Settings(epochs=arguments.epochs, batch_size=arguments.batch_size, seed=arguments.seed)
    train(arguments.data, arguments.out, settings, choose_device(arguments.device), arguments.resume)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


_positive.__name__ = "whole number above 0"  # what argparse calls it when the text is none


def build_parser() -> argparse.ArgumentParser:
    """The parser of the command line, one subcommand for each thing to do."""
    parser = argparse.ArgumentParser(prog="python -m capsviz", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("train", help="train a network on MNIST", description="Train a network on MNIST.")
    command.add_argument("--data", type=Path, required=True, help="folder with MNIST; if empty, it is downloaded")
    command.add_argument("--out", type=Path, required=True, help="folder for checkpoint, log, weights and card")
    command.add_argument("--epochs", type=_positive, default=14, help="passes over the 55,000 images (%(default)s)")
    command.add_argument("--batch-size", type=_positive, default=128, help="images a step (%(default)s)")
    command.add_argument("--seed", type=int, default=0, help="decides weights, order and shifts (%(default)s)")
    command.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out, if there is one")
    command.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (%(default)s)")
    command.set_defaults(run=_train)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one command; a mistake of the user's is one line on stderr and exit status 2."""
    parsed = build_parser().parse_args(arguments)
    try:
        parsed.run(parsed)
    except (CapsvizError, OSError) as error:
        print(f"capsviz: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("capsviz: interrupted.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
