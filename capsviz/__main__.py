"""The command line: ``python -m capsviz predict | evaluate | train | average | poses | networks``."""

import argparse
import io
import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

# Nothing here, or in what these import, may import PyTorch: --help would take seconds.
from capsviz.checks import one_line
from capsviz.errors import CapsvizError, DataError
from capsviz.inputs.data import SIZES, VALIDATION_SIZE
from capsviz.networks.base import DEFAULT, find
from capsviz.training.settings import FEW_EPOCHS, Settings, sensible

WEIGHTS = "network's name, folder with weights (what train wrote) or .safetensors file"
NETWORK = ("--network", "--weights")  # the second is its older name
DATA = "folder or file with the network's data; MNIST is downloaded to a folder that is empty"
OWN_DATA = f"{DATA}; or data of your own: a folder of class folders of pictures, or a file of strokes"
MOST = 10_000_000  # epochs, images a step, made-up images: with more, memory or patience end


def _predict(arguments: argparse.Namespace) -> int:
    from capsviz.figures.reading import verdict
    from capsviz.inputs.images import MAX_BYTES, read_image
    from capsviz.inputs.preprocess import canvas_to_mnist
    from capsviz.models.model import load_model

    model = load_model(arguments.network, arguments.device)
    limit = float(model.card["unsure_below"])
    names, kind, score = model.shape.classes, model.shape.kind, model.shape.score
    answers: list[dict[str, Any]] = []
    for path in arguments.files:
        name = one_line(str(path))
        try:
            with path.open("rb") as file:  # no more of it than shows that it is too large: it may have no end
                content = file.read(MAX_BYTES + 2**20)
            lengths = model.predict(canvas_to_mnist(read_image(content), size=model.shape.size)[None])[0]
        except (CapsvizError, OSError) as error:
            # The other files are still read.
            reason = _plain(error)
            answers.append({"file": str(path), "error": reason})
            print(f"capsviz: {name}: {one_line(reason)}", file=sys.stderr)
            continue
        first, second = (names[place] for place in lengths.argsort()[:-3:-1])
        found = verdict(lengths, limit, score)
        answers.append(
            {
                "file": str(path),
                kind: None if found == "no digit" else int(first) if first.isdecimal() else first,
                "unsure": found != "digit",
                "unsure_below": round(limit, 4),
                "lengths": [round(v, 4) for v in lengths.tolist()],
            }
        )
        if not arguments.json:
            length, then = (f"{length:.2f}" for length in sorted(lengths.tolist())[:-3:-1])
            then = f"next {second}, {then}"
            said = {
                "digit": f"{first} ({score} {length}; {then})",
                "unsure": f"{first} ({score} {length}; {then}; unsure, perhaps no {kind}: below {limit:.2f})",
                "no digit": f"no {kind} (longest capsule: {first}, {length}; {then})",
            }
            print(f"{name}: {said[found]}")
    if arguments.json:
        print(json.dumps(answers, indent=2))
    return 2 if any("error" in answer for answer in answers) else 0


def _evaluate(arguments: argparse.Namespace) -> int:
    from capsviz.figures.evaluation import write_figures
    from capsviz.measures.evaluate import evaluate, summary
    from capsviz.models.devices import keep_large_blocks
    from capsviz.models.model import load_model
    from capsviz.models.weights import save_evaluation, write_atomically
    from capsviz.training.folder import make_folder

    keep_large_blocks()
    model = load_model(arguments.network, arguments.device)

    def say(line: str) -> None:
        print(one_line(line), file=sys.stderr)

    if arguments.save and arguments.limit:
        raise DataError("--save keeps what all images say: leave out --limit.")
    as_file = arguments.json if arguments.json != Path("-") else None
    # Before minutes of measuring, not after.
    if as_file and (as_file.is_dir() or not as_file.parent.is_dir()):
        raise DataError(f"{as_file} cannot be a file: give --json one in a folder that is there.")
    if arguments.figures:
        make_folder(arguments.figures, "--figures")
    measured = evaluate(
        model, arguments.data, arguments.strokes, arguments.limit, lambda part: say(f"measuring: {part}")
    )
    result = {"weights": str(arguments.network), **measured}
    text = json.dumps(result, indent=2)
    # Printed before anything is written: a full disk must not cost what took minutes.
    in_words = f"{one_line(arguments.network)}: {summary(result)}"
    print(text if arguments.json and not as_file else in_words, flush=True)
    try:
        if arguments.save:
            say(f"kept in {save_evaluation(arguments.network, model.card, measured)}")
        if as_file:
            write_atomically(as_file, f"{text}\n".encode())
            say(f"kept in {as_file}")
        if arguments.figures:
            say(f"{len(write_figures(result, arguments.figures))} figures in {arguments.figures}")
    except OSError as error:
        raise DataError(
            f"What was measured stands above, but could not be kept ({error.strerror or error}): make room, and "
            "what was kept before is whole."
        ) from error
    return 0


def _train(arguments: argparse.Namespace) -> int:
    from tqdm import tqdm

    from capsviz.inputs.own import Own
    from capsviz.inputs.own_files import find_own, source_of
    from capsviz.models.devices import keep_large_blocks
    from capsviz.models.weights import load_weights
    from capsviz.training.distributed import join
    from capsviz.training.folder import check_folder
    from capsviz.training.train import check_network, mixed_precision, train

    keep_large_blocks()
    spec = find(arguments.network)
    final = arguments.final_learning_rate or min(Settings.final_learning_rate, arguments.learning_rate)
    if final > arguments.learning_rate:
        raise DataError(
            f"--final-learning-rate {final} is above --learning-rate {arguments.learning_rate}: give a smaller one."
        )
    settings = Settings(
        seed=arguments.seed,
        learning_rate=arguments.learning_rate,
        final_learning_rate=final,
        augment=arguments.augment,
        noise=arguments.noise,
        synthetic=arguments.synthetic,
        others=arguments.others,
        pool=arguments.pool,
        iterations=spec.shape.trained,
        average_start=arguments.average_start,
        network=spec.name,
    )

    def say(line: str) -> None:
        tqdm.write(one_line(line))

    def own_data() -> Own | None:
        source = source_of(arguments.data, spec.data)
        if not source:
            say(f"{arguments.data} is for {spec.data.name}")
            return None
        check_folder(arguments.out, arguments.resume)  # before minutes of preparing pictures, not after
        check_network(spec, settings, own=True)
        return find_own(arguments.data, source, arguments.skip_unreadable, say)

    with join(arguments.device) as (team, device):
        own = team.from_first(own_data)
        epochs, batch = sensible(own.train - own.choose) if own else (Settings.epochs, Settings.batch_size)
        mixed = arguments.mixed_precision
        if mixed is None:
            mixed = team.from_first(lambda: mixed_precision(arguments.out, device))
        name = arguments.start_from
        start = team.from_first(lambda: load_weights(name)) if name else None
        train(
            arguments.data,
            arguments.out,
            replace(
                settings,
                epochs=arguments.epochs or epochs,
                batch_size=arguments.batch_size or batch,
                mixed_precision=mixed,
            ),
            device,
            arguments.resume,
            start,
            say=say,
            team=team,
            own=own,
        )
    return 0


def _average(arguments: argparse.Namespace) -> int:
    from capsviz.models.devices import choose_device, keep_large_blocks
    from capsviz.models.weights import load_weights
    from capsviz.training.average import average

    keep_large_blocks()
    device = choose_device(arguments.device)
    parts = [load_weights(name) for name in arguments.weights]
    average(parts, arguments.data, arguments.out, device, say=lambda line: print(one_line(line)))
    return 0


def _poses(arguments: argparse.Namespace) -> int:
    from capsviz.measures.poses import measure_poses, save_poses
    from capsviz.models.devices import keep_large_blocks
    from capsviz.models.model import load_model

    keep_large_blocks()
    model = load_model(arguments.network, arguments.device)
    data = model.spec.data
    digits = data.load(arguments.data, "train")
    unlike = data.unlike(arguments.data, "train")
    if unlike:
        print(one_line(unlike), file=sys.stderr)
    measurements = measure_poses(model, (digits.images / 255).numpy(), digits.labels.numpy())
    path = save_poses(measurements, arguments.network)
    for name, poses in zip(model.shape.classes, measurements.digits, strict=True):
        print(f"{model.shape.kind.capitalize()} {name}, strongest component first")
        components = sorted(enumerate(poses.components), key=lambda entry: -entry[1].strength)
        for index, component in components:
            # Not every terminal has a real minus sign.
            print(f"  {index:2}  {component.caption.replace('−', '-').replace('²', '2')}")
    print(f"Written to {one_line(str(path))}")
    return 0


def _networks(arguments: argparse.Namespace) -> int:
    from capsviz.figures.comparison import networks_text
    from capsviz.models.comparison import as_json, entries, milliseconds
    from capsviz.models.model import load_model

    found = entries()
    times = {}
    if arguments.time:
        times = {one.spec.name: milliseconds(load_model(one.spec.name, arguments.device)) for one in found}
    if arguments.json:
        print(json.dumps([as_json(one, times.get(one.spec.name)) for one in found], indent=2))
    else:
        print(networks_text(found, times))
    return 0


def _plain(error: Exception) -> str:
    """What went wrong, without the number and the path that an error of the system also holds."""
    return f"{error.strerror}." if isinstance(error, OSError) and error.strerror else str(error)


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
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Any, purpose: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=purpose, description=purpose)
        command.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (%(default)s)")
        command.set_defaults(run=run)
        return command

    command = add("predict", _predict, "Say what each image file shows.")
    command.add_argument(
        "files",
        type=_path,
        nargs="+",
        metavar="FILE",
        help="PNG, JPEG or WebP of one digit, or what the network knows",
    )
    command.add_argument(*NETWORK, default=DEFAULT, metavar="NETWORK", help=f"{WEIGHTS} (%(default)s)")
    command.add_argument("--json", action="store_true", help="print all lengths as JSON")

    command = add("evaluate", _evaluate, "Measure a network on its test set, on drawings and beyond.")
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

    command = add("poses", _poses, "Measure what each pose component does to a drawing, beside the weights.")
    command.add_argument("--data", type=_path, required=True, help=DATA)
    command.add_argument(*NETWORK, default=DEFAULT, metavar="NETWORK", help=f"{WEIGHTS} (%(default)s)")

    command = add("train", _train, "Train a network on its data, or on your own.")
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
        "--mixed-precision",
        action=argparse.BooleanOptionalAction,
        help="multiply in bfloat16 in the large convolutions; if neither is said, where that is quicker",
    )
    command.add_argument(
        "--resume", action="store_true", help="go on from the checkpoint in --out; without one, begin"
    )

    command = add("average", _average, "Make the mean of the weights of several trainings.")
    command.add_argument("weights", nargs="+", metavar="WEIGHTS", help=f"each a {WEIGHTS}")
    command.add_argument("--data", type=_path, required=True, help=OWN_DATA)
    command.add_argument("--out", type=_path, required=True, help="folder for the weights and their card")

    command = add("networks", _networks, "Compare all networks that are here, from their cards.")
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
        return _failed(f"{f'{path}: ' if path else ''}{_plain(error)}")
    except MemoryError:
        return _failed("The memory is full: close other programs, or ask for less at once.")
    except RuntimeError as error:  # what PyTorch raises when a device fails or its memory is full
        full = re.search("out of memory|allocate memory", str(error))
        if not (full or re.search("CUDA|cuDNN|CUBLAS|NCCL|MPS", str(error))):
            raise
        advice = "give a smaller --batch-size" if full else "try --device cpu"
        return _failed(f"The device failed ({str(error).partition(chr(10))[0]}): {advice}.")
    except KeyboardInterrupt:
        going_on = " Add --resume to go on from the last checkpoint." if parsed.run is _train else ""
        print(f"capsviz: interrupted.{going_on}", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
