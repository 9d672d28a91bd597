"""A PostgreSQL of a test's own, from Debian's package."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from tests.e2e.serving import free_port


@contextmanager
def database() -> Iterator[str]:
    """URL of a database in a server of its own, stopped at the end; without PostgreSQL here, the test is skipped."""
    pytest.importorskip("psycopg", reason="no psycopg is installed, which speaks to PostgreSQL")
    programs = {name: shutil.which(name) for name in ("initdb", "postgres")}
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        programs = {name: found or shutil.which(name, path=str(folder)) for name, found in programs.items()}
    if not all(programs.values()):
        pytest.skip("no PostgreSQL is installed (Debian's package postgresql)")
    with tempfile.TemporaryDirectory() as given:  # pytest's own is closed to other users
        data, port = Path(given) / "data", free_port()
        data.mkdir(mode=0o700)
        common: dict[str, object] = {"env": {"PATH": os.environ["PATH"], "LC_ALL": "C"}, "cwd": given}
        if os.geteuid() == 0:  # it refuses to run as root
            try:
                owner = pwd.getpwnam("nobody")
            except KeyError:
                pytest.skip("PostgreSQL does not run as root, and there is nobody else")
            os.chmod(given, 0o755)
            os.chown(data, owner.pw_uid, owner.pw_gid)
            common |= {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        setting_up = [
            programs["initdb"],
            "-D",
            str(data),
            "-U",
            "capsviz",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        made = subprocess.run(setting_up, capture_output=True, text=True, **common)  # type: ignore[call-overload]
        if made.returncode:
            pytest.skip(f"no PostgreSQL can be set up here: {made.stderr.strip()[-200:]}")
        serving = [programs["postgres"], "-D", str(data), "-p", str(port), "-c", "listen_addresses=127.0.0.1"]
        serving += ["-c", "unix_socket_directories=", "-c", "fsync=off"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        server = subprocess.Popen(serving, **quiet, **common)  # type: ignore[call-overload]
        try:
            url = f"postgresql+psycopg://capsviz@127.0.0.1:{port}/postgres"
            for _ in range(200):
                try:
                    engine = create_engine(url)
                    engine.connect().close()
                    break
                except OperationalError:
                    assert server.poll() is None, "PostgreSQL stopped"
                    time.sleep(0.1)
                finally:
                    engine.dispose()
            yield url
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=30)
