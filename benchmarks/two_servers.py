"""Two servers on one PostgreSQL behind Caddy, as compose.yaml has them, as plain processes of this machine."""

import os
import secrets
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.request import urlopen

from tests.e2e.serving import ROOT, children, free_port, serve
from tests.postgres import database


@contextmanager
def two_served() -> Iterator[tuple[str, str, str, list[int]]]:
    """Address at which the proxy answers, URL of the database, the servers' key, and their processes."""
    key = secrets.token_hex(20)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = stack.enter_context(database())
        common = {
            "CAPSVIZ_DATABASE": url,
            "CAPSVIZ_KEY": key,
            "CAPSVIZ_DATA": str(folder),
            "STREAMLIT_SERVER_COOKIE_SECRET": key,
        }
        before = children()
        servers = [stack.enter_context(serve("app.py", **common)) for _ in range(2)]
        processes = sorted(children() - before)
        port = free_port()
        proxying = {
            "CAPSVIZ_SITE": f":{port}",
            "CAPSVIZ_PREFIX": "",
            "CAPSVIZ_REPLICAS": " ".join(server.removeprefix("http://") for server in servers),
            "CAPSVIZ_KEY": key,
            "XDG_DATA_HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder),
        }
        command = [
            "caddy",
            "run",
            "--adapter",
            "caddyfile",
            "--config",
            str(ROOT / "docs/deploying/Caddyfile"),
        ]
        proxy = subprocess.Popen(
            command, env=os.environ | proxying, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        stack.callback(proxy.wait, 20)
        stack.callback(proxy.terminate)
        _until_answered(f"http://127.0.0.1:{port}/_stcore/health")
        yield f"http://127.0.0.1:{port}", url, key, processes


def _until_answered(address: str) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            urlopen(address, timeout=5).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
