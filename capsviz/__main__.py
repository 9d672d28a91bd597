"""The command line: ``python -m capsviz predict | evaluate | train | poses``."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from capsviz.errors import CapsvizError
from capsviz.weights import DEFAULT


def _predict(arguments: argparse.Namespace) -> int:
    from capsviz.images import read_image
    from capsviz.inference import load_model
    from capsviz.preprocess import canvas_to_mnist

    model = load_model(arguments.weights, arguments.device)
    answers: list[dict[str, Any]] = []
    for path in arguments.files:
        try:
            lengths = model.predict(canvas_to_mnist(read_image(path.read_bytes()))[None])[0]
        except (CapsvizError, OSError) as error:
            # The other files are still read.
            answers.append({"file": str(path), "error": str(error)})
            print(f"capsviz: {path}: {error}", file=sys.stderr)
            continue
        order = [int(digit) for digit in lengths.argsort()[::-1]]
        answers.append(
            {"file": str(path), "digit": order[0], "lengths": [round(v, 4) for v in lengths.tolist()]}
        )
        if not arguments.json:
            first, second = order[:2]
            print(f"{path}: {first} (length {lengths[first]:.2f}; next {second}, {lengths[second]:.2f})")
    if arguments.json:
        print(json.dumps(answers, indent=2))
    return 2 if any("error" in answer for answer in answers) else 0


def _evaluate(arguments: argparse.Namespace) -> int:
    from capsviz.data import load_mnist
    from capsviz.devices import keep_large_blocks
    from capsviz.inference import load_model

    keep_large_blocks()
    model = load_model(arguments.weights, arguments.device)
    digits = load_mnist(arguments.data, "test")
    lengths = model.predict(digits.images.numpy() / 255)
    wrong = int((lengths.argmax(axis=1) != digits.labels.numpy()).sum())
    total = len(digits.labels)
    result = {
        "weights": str(arguments.weights),
        "sha256": model.sha256,
        "data": "MNIST test set",
        "images": total,
        "wrong": wrong,
        "error_rate": wrong / total,
        "device": model.device,
    }
    if arguments.json:
        print(json.dumps(result, indent=2))
    else:
        print(f"{arguments.weights}: {wrong} of {total:,} wrong, error rate {wrong / total:.2%}")
    return 0


def _train(arguments: argparse.Namespace) -> int:
    from capsviz.devices import choose_device, keep_large_blocks
    from capsviz.train import Settings, train

    keep_large_blocks()
    settings = Settings(epochs=arguments.epochs, batch_size=arguments.batch_size, seed=arguments.seed)
    train(arguments.data, arguments.out, settings, choose_device(arguments.device), arguments.resume)
    return 0


def _poses(arguments: argparse.Namespace) -> int:
    from capsviz.data import load_mnist
    from capsviz.devices import keep_large_blocks
    from capsviz.inference import load_model
    from capsviz.poses import measure_poses, save_poses

    keep_large_blocks()
    model = load_model(arguments.weights, arguments.device)
    digits = load_mnist(arguments.data, "train")
    measurements = measure_poses(model, (digits.images / 255).numpy(), digits.labels.numpy())
    path = save_poses(measurements, arguments.weights)
    for digit, poses in enumerate(measurements.digits):
        print(f"Digit {digit}, strongest component first")
        components = sorted(enumerate(poses.components), key=lambda entry: -entry[1].strength)
        for index, component in components:
            # Not every terminal has a real minus sign.
            print(f"  {index:2}  {component.caption.replace('−', '-').replace('²', '2')}")
    print(f"Written to {path}")
    return 0


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


_positive.__name__ = "whole number above 0"  # what argparse calls it when the text is none


def _seed(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**31:
        raise ValueError
    return number


_seed.__name__ = "whole number from 0 to 2147483647"


def build_parser() -> argparse.ArgumentParser:
    """The parser of the command line, one subcommand for each thing to do."""
    parser = argparse.ArgumentParser(
        prog="python -m capsviz", description="A trained CapsNet on the command line."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Any, purpose: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=purpose, description=purpose)
        command.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (%(default)s)")
        command.set_defaults(run=run)
        return command

    command = add("predict", _predict, "Read the digit in each image file.")
    command.add_argument("files", type=Path, nargs="+", metavar="FILE", help="PNG, JPEG or WebP of one digit")
    command.add_argument("--weights", default=DEFAULT, help="name or .safetensors file (%(default)s)")
    command.add_argument("--json", action="store_true", help="print all ten lengths as JSON")

    command = add("evaluate", _evaluate, "Measure the error rate on MNIST's test set.")
    command.add_argument("--data", type=Path, required=True, help="folder with MNIST; if empty, downloaded")
    command.add_argument("--weights", default=DEFAULT, help="name or .safetensors file (%(default)s)")
    command.add_argument("--json", action="store_true", help="print the result as JSON")

    command = add("poses", _poses, "Measure what each pose component does to a drawing, beside the weights.")
    command.add_argument("--data", type=Path, required=True, help="folder with MNIST; if empty, downloaded")
    command.add_argument("--weights", default=DEFAULT, help="name or .safetensors file (%(default)s)")

    command = add("train", _train, "Train a network on MNIST.")
    command.add_argument("--data", type=Path, required=True, help="folder with MNIST; if empty, downloaded")
    command.add_argument("--out", type=Path, required=True, help="folder for checkpoint, log, weights, card")
    command.add_argument(
        "--epochs", type=_positive, default=14, help="passes over 55,000 images (%(default)s)"
    )
    command.add_argument("--batch-size", type=_positive, default=128, help="images a step (%(default)s)")
    command.add_argument("--seed", type=_seed, default=0, help="of weights, order and shifts (%(default)s)")
    command.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out, if any")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run one command; a mistake of the user's is one line on stderr and exit status 2."""
    parsed = build_parser().parse_args(arguments)
    try:
        status: int = parsed.run(parsed)
        return status
    except (CapsvizError, OSError) as error:
        print(f"capsviz: {error}", file=sys.stderr)
        return 2
    except RuntimeError as error:  # what PyTorch raises when a device fails or its memory is full
        advice = "give a smaller --batch-size" if "out of memory" in str(error) else "try --device cpu"
        print(f"capsviz: The device failed ({str(error).partition(chr(10))[0]}): {advice}.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("capsviz: interrupted.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
