"""What each command of the command line does with its arguments, as ``__main__`` has parsed them; returns the exit status."""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

# Nothing here, or in what these import, may import PyTorch: --help would take seconds.
from capsviz.checks import one_line, shown
from capsviz.errors import CapsvizError, DataError
from capsviz.networks.base import find
from capsviz.training.settings import Settings, sensible


def predict(arguments: argparse.Namespace) -> int:
    """Say what each file shows."""
    from capsviz.figures.reading import named, together, verdict
    from capsviz.inputs.images import MAX_BYTES, read_image
    from capsviz.inputs.preprocess import canvas_to_mnist
    from capsviz.models.model import load_model
    from capsviz.traces.base import LENGTH

    model = load_model(arguments.network, arguments.device)
    limit = float(model.card["unsure_below"])
    names, kind, score = model.shape.classes, model.shape.kind, model.shape.score
    scores_are = "lengths" if score == LENGTH else "probabilities"
    answers: list[dict[str, Any]] = []
    for path in arguments.files:
        name = one_line(str(path))
        try:
            with path.open("rb") as file:  # no more of it than shows that it is too large: it may have no end
                content = file.read(MAX_BYTES + 2**20)
            pixels, shape = read_image(content), model.shape
            scores = model.predict(canvas_to_mnist(pixels, size=shape.size, digits=shape.answers)[None])[0]
        except (CapsvizError, OSError) as error:
            # The other files are still read.
            reason = plain(error)
            answers.append({"file": str(path), "error": reason})
            print(f"capsviz: {name}: {one_line(reason)}", file=sys.stderr)
            continue
        order, places = scores.argsort()[::-1], named(scores, limit, shape.answers)
        first, second = names[order[0]], names[order[len(places)]]
        found = verdict(scores, limit, score)
        answers.append(
            {
                "file": str(path),
                kind: None if found == "no digit" else int(first) if first.isdecimal() else first,
                **({"all": [names[place] for place in places]} if shape.answers > 1 else {}),
                "unsure": found != "digit",
                "unsure_below": round(limit, 4),
                scores_are: [round(v, 4) for v in scores.tolist()],
            }
        )
        if not arguments.json:
            highest = " and ".join(f"{scores[place]:.2f}" for place in places)
            then = f"next {second}, {scores[order[len(places)]]:.2f}"
            first, what = together(names, places), "length" if score == LENGTH else "probability"
            said = {
                "digit": f"{first} ({what} {highest}; {then})",
                "unsure": f"{first} ({what} {highest}; {then}; unsure, perhaps no {kind}: below {limit:.2f})",
                "no digit": f"no {kind} ({'longest capsule' if score == LENGTH else 'most probable'}: {first}, {highest}; {then})",
            }
            print(f"{name}: {said[found]}")
    if arguments.json:
        print(json.dumps(answers, indent=2))
    return 2 if any("error" in answer for answer in answers) else 0


def evaluate(arguments: argparse.Namespace) -> int:
    """Measure a network, and print and keep what was found."""
    from capsviz.figures.evaluation import write_figures
    from capsviz.measures.evaluate import evaluate as measure
    from capsviz.measures.evaluate import summary
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
    measured = measure(
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


def train(arguments: argparse.Namespace) -> int:
    """Train a network on its data, or on data of one's own."""
    from tqdm import tqdm

    from capsviz.inputs.own import Own
    from capsviz.inputs.own_files import find_own, source_of
    from capsviz.models.devices import keep_large_blocks
    from capsviz.models.weights import load_weights
    from capsviz.training.distributed import join
    from capsviz.training.folder import check_folder
    from capsviz.training.train import check_network, mixed_precision
    from capsviz.training.train import train as train_network

    keep_large_blocks()
    spec = find(arguments.network)
    final = arguments.final_learning_rate or min(Settings.final_learning_rate, arguments.learning_rate)
    if final > arguments.learning_rate:
        raise DataError(
            f"--final-learning-rate {final} is above --learning-rate {arguments.learning_rate}: give a smaller one."
        )
    if arguments.iterations and not spec.shape.iterates:
        raise DataError(f"Nothing iterates in {spec.name}: leave out --iterations.")
    if arguments.reconstruction is not None and not spec.shape.pose:
        raise DataError(f"{spec.name} has no decoder: leave out --reconstruction.")
    settings = Settings(
        seed=arguments.seed,
        learning_rate=arguments.learning_rate,
        final_learning_rate=final,
        augment=arguments.augment,
        noise=arguments.noise,
        synthetic=arguments.synthetic,
        others=arguments.others,
        pool=arguments.pool,
        iterations=arguments.iterations or spec.shape.trained,
        reconstruction=Settings.reconstruction
        if arguments.reconstruction is None
        else arguments.reconstruction,
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
        train_network(
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


def ablate(arguments: argparse.Namespace) -> int:
    """Train the capsule network without some of its parts, and write what was measured."""
    from tqdm import tqdm

    from capsviz.measures.ablations import VARIANTS
    from capsviz.models.devices import choose_device, keep_large_blocks
    from capsviz.training.ablate import ablate as train_variants
    from capsviz.training.ablate import time_variants

    keep_large_blocks()
    device = choose_device(arguments.device)
    chosen = [variant for variant in VARIANTS if arguments.only in (None, variant.name)]
    if not chosen:
        names = ", ".join(variant.name for variant in VARIANTS)
        raise DataError(f"There is no variant {shown(arguments.only)}: give one of {names} to --only.")

    def say(line: str) -> None:
        tqdm.write(one_line(line))

    if arguments.time:
        time_variants(arguments.out, chosen, device, say)
    else:
        train_variants(arguments.data, arguments.out, chosen, arguments.seeds, arguments.epochs, device, say)
    return 0


def generalise(arguments: argparse.Namespace) -> int:
    """Train networks for what they have not seen, and write what was measured."""
    from tqdm import tqdm

    from capsviz.models.devices import choose_device, keep_large_blocks
    from capsviz.training.generalise import able, train_few, train_placed

    keep_large_blocks()
    device = choose_device(arguments.device)
    chosen = [find(name).name for name in arguments.network or able()]
    unable = [name for name in chosen if name not in able()]
    if unable:
        raise DataError(
            f"{unable[0]} does not read single digits of any size: choose of {', '.join(able())}."
        )

    def say(line: str) -> None:
        tqdm.write(one_line(line))

    common = (arguments.data, arguments.out, chosen, arguments.seeds)
    if arguments.part in (None, "placed"):
        train_placed(*common, arguments.epochs, device, say)
    if arguments.part in (None, "few"):
        train_few(*common, arguments.steps, device, say)
    return 0


def findings(arguments: argparse.Namespace) -> int:
    """Print what ablations and generalisation came to, as tables."""
    from capsviz.figures import generalisation as figures
    from capsviz.measures import ablations, generalisation
    from capsviz.measures.findings import FOLDER, check, found
    from capsviz.measures.runs import Ablation, Few, Placed, Timing

    folder = arguments.folder or FOLDER
    check(folder)
    tables = []
    results = ablations.results(found(Ablation, folder), found(Timing, folder))
    if results:
        tables.append(figures.ablations_table(results))
    runs = generalisation.runs_of(found(Placed, folder))
    if runs:
        tables.append(figures.placed_table(generalisation.stopped(runs, generalisation.level(runs))))
    few = generalisation.by_examples(found(Few, folder))
    if few:
        tables.append(figures.few_table(few))
    print("\n\n".join(map(figures.table_text, tables)))
    return 0


def average(arguments: argparse.Namespace) -> int:
    """Make the mean of several weights."""
    from capsviz.models.devices import choose_device, keep_large_blocks
    from capsviz.models.weights import load_weights
    from capsviz.training.average import average as average_weights

    keep_large_blocks()
    device = choose_device(arguments.device)
    parts = [load_weights(name) for name in arguments.weights]
    average_weights(parts, arguments.data, arguments.out, device, say=lambda line: print(one_line(line)))
    return 0


def poses(arguments: argparse.Namespace) -> int:
    """Measure what the components of poses do, and keep it beside the weights."""
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


def networks(arguments: argparse.Namespace) -> int:
    """Print the table of all networks."""
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


def plain(error: Exception) -> str:
    """What went wrong, without the number and the path that an error of the system also holds."""
    return f"{error.strerror}." if isinstance(error, OSError) and error.strerror else str(error)
