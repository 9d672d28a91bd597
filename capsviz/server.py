"""What the server does beside serving: it says where it can be reached, and asks nobody outside."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from streamlit import App, config, net_util


def ask_nobody_outside() -> None:
    """Let Streamlit check its visitors without asking an outside host for this machine's public address.

    It does so when a page of another site knocks. It would also do so at every start without a display, before any
    of this is imported: ``browser.serverAddress`` in .streamlit/config.toml keeps it from that.
    """
    net_util.get_external_ip = _unknown


def _unknown() -> None:
    return None


@asynccontextmanager
async def started(app: App) -> AsyncIterator[None]:
    """Say at which address other machines of the same network find the app."""
    address = net_util.get_internal_ip()
    if address:
        print(f"  In this network: http://{address}:{config.get_option('server.port')}\n", flush=True)
    yield
