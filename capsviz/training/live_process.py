"""The one training of this machine, as a server starts it and looks at it.

A lock on a file in the machine's folder of trainings says that one is going on. The process that trains inherits it, so
that the lock lasts exactly as long as that process, however it ends, and whichever server has started it.
"""

import os
import shutil
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from capsviz.errors import TrainingError
from capsviz.training.live_plan import ENDED, FREE, Controls, Place, Plan, Story

try:
    import fcntl
except ImportError:  # Windows has none: there, each server has one training
    fcntl = None  # type: ignore[assignment]

FOLDER = Path(__file__).resolve().parents[2]
_starting = threading.Lock()
_processes: dict[Path, "subprocess.Popen[bytes]"] = {}  # of this server, by their root


def place(root: Path) -> Place:
    """Where the run is."""
    return Place(root / "run")


def start(root: Path, plan: Plan | None, controls: Controls, source: Path) -> None:
    """Begin to train in a process of its own, or go on from the last checkpoint.

    Args:
        root: the machine's folder of trainings.
        plan: what; None to go on with the run that is there.
        controls: how, for now.
        source: where MNIST or data of one's own are.

    Raises:
        TrainingError: if one is going on already, or there is none to go on with.
        OSError: if the folder cannot be written to.
    """
    with _starting:
        lock = _lock(root)
        if lock is None:
            raise TrainingError("A training is going on: end it first.")
        try:
            there = place(root)
            if plan is not None:
                shutil.rmtree(there.folder, ignore_errors=True)
                there.folder.mkdir()
                there.write(plan)
            elif there.plan() is None:
                raise TrainingError("There is no training to go on with: begin one.")
            there.write(replace(controls, paused=False, ended=False))
            if root in _processes:
                _close(_processes.pop(root))  # which has ended
            story = there.story()
            there.write(replace(story, state="preparing", reason="") if story else Story("preparing"))
            _processes[root] = subprocess.Popen(
                [sys.executable, "-m", "capsviz.training.live", str(there.folder), str(source)],
                cwd=FOLDER,
                stdin=subprocess.PIPE,  # which closes when this server ends, in whatever way
                stdout=subprocess.DEVNULL,
                pass_fds=(lock,) if fcntl else (),
                start_new_session=True,  # Control C ends the server, and the server's end the training, in order
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
        finally:
            os.close(lock)


def going(root: Path) -> bool:
    """Whether a process trains, of this server or another."""
    process = _processes.get(root)
    if process is not None and process.poll() is None:
        return True
    with _starting:
        lock = _lock(root)
        if lock is None:
            return True
        os.close(lock)
        return False


def look(root: Path) -> Story | None:
    """What the run says of itself; None without a run.

    Where its process has gone without a word, it has "failed", or had not even room on the disk for one.
    """
    there = place(root)
    at_work = going(root)  # before its last words are read
    story = there.story()
    if story is None:
        return None
    if at_work or story.state == ENDED:
        return story
    full = shutil.disk_usage(there.folder).free < FREE
    return replace(story, state=ENDED, reason="disk" if full else "failed")


def stop(root: Path, seconds: float = 30.0) -> None:
    """Have this server's process end, and wait for it: its pipe closes as if the server had gone."""
    process = _processes.pop(root, None)
    if process is None:
        return
    _close(process)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _close(process: "subprocess.Popen[bytes]") -> None:
    """Close this server's end of the pipe."""
    assert process.stdin is not None
    with suppress(OSError):
        process.stdin.close()


def _lock(root: Path) -> int | None:
    """A file descriptor that holds the machine's lock; None while another holds it."""
    descriptor = os.open(root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    process = _processes.get(root)
    busy = process is not None and process.poll() is None
    if fcntl and not busy:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            busy = True
    if busy:
        os.close(descriptor)
        return None
    return descriptor
