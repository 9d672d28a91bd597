"""The command line: ``python -m capsviz predict | evaluate | train | average | poses | networks``."""

import argparse
import io
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

# Nothing here, or in what these import, may import PyTorch: --help would take seconds.
from capsviz import commands
from capsviz.checks import one_line
from capsviz.errors import CapsvizError
from capsviz.inputs.data import SIZES, VALIDATION_SIZE
from capsviz.networks.base import DEFAULT
from capsviz.training.settings import FEW_EPOCHS, Settings

WEIGHTS = "network's name, folder with weights (what train wrote) or .safetensors file"
NETWORK = ("--network", "--weights")  # the second is its older name
DATA = "folder or file with the network's data; MNIST is downloaded to a folder that is empty"
MNIST = "folder with MNIST; it is downloaded to one that is empty"
ROWS = "folder for the rows of what was measured, as CSV; what has one is not trained again"
OWN_DATA = f"{DATA}; or data of your own: a folder of class folders of pictures, or a file of strokes"
MOST = 10_000_000  # epochs, images a step, made-up images: with more, memory or patience end


def _number(kind: type, inside: Callable[[Any], bool], wanted: str) -> Callable[[str], Any]:
    """A type for argparse: a number of ``kind`` that is ``inside``; ``wanted`` says so in words."""

    def read(text: str) -> Any:
        try:
            number = kind(text)
        except ValueError:
            number = None
        if number is None or not inside(number):
            raise argparse.ArgumentTypeError(f"must be {wanted}, not {text[:20]!r}.")
        return number

    return read


_positive = _number(int, lambda number: 0 < number <= MOST, f"a whole number from 1 to {MOST:,}")
_seed = _number(int, lambda number: 0 <= number < 2**31, "a whole number from 0 to 2147483647")
_share = _number(float, lambda number: 0 <= number < 0.5, "a share from 0 to below 0.5")
_deviation = _number(float, lambda number: 0 <= number <= 1, "a standard deviation from 0 to 1")
_iterations = _number(int, lambda number: 0 < number <= 50, "a whole number from 1 to 50")
_weight = _number(float, lambda number: 0 <= number <= 1, "a weight from 0 to 1")
_rate = _number(float, lambda number: 0 < number < 1, "a number between 0 and 1")


def _path(text: str) -> Path:
    """A type for argparse: a path, not the "" that a variable of the shell's leaves where it is not set."""
    if not text:
        raise argparse.ArgumentTypeError("must be a path, not ''.")
    return Path(text)


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, like all others."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"capsviz: {one_line(message.removeprefix('argument '))} (--help shows how.)\n")


def build_parser() -> argparse.ArgumentParser:
    """The parser of the command line, one subcommand for each thing to do."""
    parser = _Parser(prog="python -m capsviz", description="A trained CapsNet on the command line.")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Any, purpose: str) -> argparse.ArgumentParser:
        command = subparsers.add_parser(name, help=purpose, description=purpose)
        command.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (%(default)s)")
        command.set_defaults(run=run)
        return command

    command = add("predict", commands.predict, "Say what each image file shows.")
    command.add_argument(
        "files",
        type=_path,
        nargs="+",
        metavar="FILE",
        help="PNG, JPEG or WebP of one digit, or what the network knows",
    )
    command.add_argument(*NETWORK, default=DEFAULT, metavar="NETWORK", help=f"{WEIGHTS} (%(default)s)")
    command.add_argument("--json", action="store_true", help="print all lengths, or probabilities, as JSON")

    command = add("evaluate", commands.evaluate, "Measure a network on its test set, on drawings and beyond.")
    command.add_argument("--data", type=_path, required=True, help=DATA)
    command.add_argument(*NETWORK, default=DEFAULT, metavar="NETWORK", help=f"{WEIGHTS} (%(default)s)")
    command.add_argument(
        "--strokes", type=_path, metavar="FILE", help="drawings as strokes, .jsonl or .jsonl.gz"
    )
    command.add_argument("--limit", type=_positive, metavar="N", help="at most N images of each kind")
    command.add_argument(
        "--json",
        type=_path,
        nargs="?",
        const=Path("-"),
        metavar="FILE",
        help="write the result as JSON, or print it",
    )
    command.add_argument(
        "--figures", type=_path, metavar="DIR", help="write figures there, each an .html file"
    )
    command.add_argument(
        "--save", action="store_true", help="keep the result beside the weights, and write their card anew"
    )

    command = add(
        "poses", commands.poses, "Measure what each pose component does to a drawing, beside the weights."
    )
    command.add_argument("--data", type=_path, required=True, help=DATA)
    command.add_argument(*NETWORK, default=DEFAULT, metavar="NETWORK", help=f"{WEIGHTS} (%(default)s)")

    command = add("train", commands.train, "Train a network on its data, or on your own.")
    command.add_argument("--data", type=_path, required=True, help=OWN_DATA)
    command.add_argument("--network", default=DEFAULT, metavar="NAME", help="what to train (%(default)s)")
    command.add_argument(
        "--skip-unreadable", action="store_true", help="train without the pictures that cannot be read"
    )
    command.add_argument(
        "--out", type=_path, required=True, help="folder for checkpoint, log, curves, weights"
    )
    command.add_argument(
        "--epochs",
        type=_positive,
        help=f"each goes once through the images to train on, of MNIST {SIZES['train'] - VALIDATION_SIZE:,} "
        f"({Settings.epochs}; of few images of your own up to {FEW_EPOCHS})",
    )
    command.add_argument(
        "--batch-size",
        type=_positive,
        help=f"images a step ({Settings.batch_size}; of fewer than 1,024 images of your own an eighth of them)",
    )
    command.add_argument(
        "--seed", type=_seed, default=Settings.seed, help="of weights, order and shifts (%(default)s)"
    )
    command.add_argument(
        "--learning-rate", type=_rate, default=Settings.learning_rate, help="at its highest (%(default)s)"
    )
    command.add_argument(
        "--final-learning-rate",
        type=_rate,
        help=f"at the end ({Settings.final_learning_rate:g}, or less if the first is)",
    )
    command.add_argument(
        "--augment", action="store_true", help="turn, scale, shear, bend, change the pen; not only shift"
    )
    command.add_argument(
        "--noise",
        type=_deviation,
        default=Settings.noise,
        help="add noise to the pixels of a quarter of the images: its largest deviation (%(default)s)",
    )
    command.add_argument(
        "--synthetic",
        type=_share,
        default=Settings.synthetic,
        help="share of made-up digits in a batch (%(default)s)",
    )
    command.add_argument(
        "--others",
        type=_share,
        default=Settings.others,
        help="share of letters, scribbles and the like (%(default)s)",
    )
    command.add_argument("--pool", type=_positive, default=Settings.pool, help="made-up images (%(default)s)")
    command.add_argument("--start-from", metavar="WEIGHTS", help=f"{WEIGHTS} to start from")
    command.add_argument(
        "--average-start", action="store_true", help="end with the mean of these weights and those trained to"
    )
    command.add_argument(
        "--iterations",
        type=_iterations,
        metavar="N",
        help="of routing, where it iterates (the network's own, 3)",
    )
    command.add_argument(
        "--reconstruction",
        type=_weight,
        metavar="WEIGHT",
        help=f"of the decoder's loss, summed over the pixels; 0 trains no decoder ({Settings.reconstruction:g})",
    )
    command.add_argument(
        "--mixed-precision",
        action=argparse.BooleanOptionalAction,
        help="multiply in bfloat16 in the large convolutions; if neither is said, where that is quicker",
    )
    command.add_argument(
        "--resume", action="store_true", help="go on from the checkpoint in --out; without one, begin"
    )

    command = add("ablate", commands.ablate, "Train the capsule network without some of its parts.")
    command.add_argument("--data", type=_path, required=True, help=MNIST)
    command.add_argument("--out", type=_path, required=True, help=ROWS)
    command.add_argument("--only", metavar="NAME", help="train this variant alone, r3-reconstruction say")
    command.add_argument("--seeds", type=_positive, default=3, metavar="K", help="0 to K - 1 (%(default)s)")
    command.add_argument(
        "--epochs", type=_positive, default=Settings.epochs, help="of each training (%(default)s)"
    )
    command.add_argument("--time", action="store_true", help="train nothing; time an answer of each")

    command = add(
        "generalise", commands.generalise, "Train for changed digits, and with few; measure what was learnt."
    )
    command.add_argument("--data", type=_path, required=True, help=MNIST)
    command.add_argument("--out", type=_path, required=True, help=ROWS)
    command.add_argument("--part", choices=("placed", "few"), help="do this part alone")
    command.add_argument("--network", nargs="+", metavar="NAME", help="train these alone")
    command.add_argument("--seeds", type=_positive, default=3, metavar="K", help="0 to K - 1 (%(default)s)")
    command.add_argument(
        "--epochs", type=_positive, default=5, help="of each training on placed digits (%(default)s)"
    )
    command.add_argument(
        "--steps", type=_positive, default=600, help="of each training on few digits (%(default)s)"
    )

    command = add("findings", commands.findings, "Print what ablate and generalise measured, as tables.")
    command.add_argument(
        "folder", type=_path, nargs="?", metavar="DIR", help="their --out (those that ship with capsviz)"
    )

    command = add("average", commands.average, "Make the mean of the weights of several trainings.")
    command.add_argument("weights", nargs="+", metavar="WEIGHTS", help=f"each a {WEIGHTS}")
    command.add_argument("--data", type=_path, required=True, help=OWN_DATA)
    command.add_argument("--out", type=_path, required=True, help="folder for the weights and their card")

    command = add("networks", commands.networks, "Compare all networks that are here, from their cards.")
    command.add_argument("--json", action="store_true", help="print the same as JSON")
    command.add_argument("--time", action="store_true", help="load each and time its answers on this machine")
    return parser


def _failed(sentence: str) -> int:
    print(f"capsviz: {one_line(sentence)}", file=sys.stderr)
    return 2


def main(arguments: list[str] | None = None) -> int:
    """Run one command; a mistake of the user's is one line on stderr and exit status 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a console's code page lacks is escaped, not an error
            stream.reconfigure(errors="backslashreplace")
    parsed = build_parser().parse_args(arguments)
    try:
        status: int = parsed.run(parsed)
        sys.stdout.flush()
        return status
    except (CapsvizError, OSError) as error:
        path = getattr(error, "filename", None)  # of an error of the system
        return _failed(f"{f'{path}: ' if path else ''}{commands.plain(error)}")
    except MemoryError:
        return _failed("The memory is full: close other programs, or ask for less at once.")
    except RuntimeError as error:  # what PyTorch raises when a device fails or its memory is full
        full = re.search("out of memory|allocate memory", str(error))
        if not (full or re.search("CUDA|cuDNN|CUBLAS|NCCL|MPS", str(error))):
            raise
        advice = "give a smaller --batch-size" if full else "try --device cpu"
        return _failed(f"The device failed ({str(error).partition(chr(10))[0]}): {advice}.")
    except KeyboardInterrupt:
        going_on = " Add --resume to go on from the last checkpoint." if parsed.run is commands.train else ""
        print(f"capsviz: interrupted.{going_on}", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
