"""At which addresses phones can reach this server: the likeliest first."""

import ipaddress
import socket
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import urlsplit

from streamlit import config

from capsviz.app.classes import settings

EVERYWHERE = (None, "", "0.0.0.0", "::")  # a server so configured listens on all of the machine's addresses
# Somewhere else, and on networks that a laptop opens by itself for phones (NetworkManager, Windows, macOS, Android,
# iPhone): which own address the system would send from. Nothing is sent.
SOMEWHERE = ("192.0.2.1", "10.42.0.2", "192.168.137.2", "192.168.2.2", "192.168.43.2", "172.20.10.2")
MOST = 6


def addresses(opened_at: str) -> list[str]:
    """The addresses below which phones find this server, "http://192.168.0.7:8501" say; at least one.

    Args:
        opened_at: address of the page, as the presenter's browser has it.
    """
    secure = bool(config.get_option("server.sslCertFile"))
    return offered(
        settings().address,
        opened_at,
        config.get_option("server.address"),
        own_addresses(),
        f"{'https' if secure else 'http'}://{{host}}:{config.get_option('server.port')}",
        config.get_option("server.baseUrlPath").strip("/"),
    )


def offered(
    fixed: str, opened_at: str, bound: str | None, own: Iterable[str], form: str, prefix: str
) -> list[str]:
    """Of what is known, the addresses to offer.

    Args:
        fixed: the one that whoever runs the server has set; "" where nobody has.
        opened_at: address of the page in the presenter's browser.
        bound: the only address that the server listens on, if it is one.
        own: of the machine.
        form: of an address, with a place for the host.
        prefix: below which the server's addresses lie.
    """
    if fixed:
        return [fixed]
    parts = urlsplit(opened_at)
    tail = f"/{prefix}" if prefix else ""
    here = f"{parts.scheme}://{parts.netloc}{tail}" if parts.netloc else form.format(host="127.0.0.1") + tail
    hosts = sorted(own, key=_unlikely) if bound in EVERYWHERE else [str(bound)]
    found = [
        form.format(host=f"[{host}]" if ":" in host else host) + tail for host in hosts if not local(host)
    ]
    if not local(parts.hostname or "localhost"):
        found.insert(0, here)  # by which one has come here
    return list(dict.fromkeys(found))[:MOST] or [here]


def local(host: str) -> bool:
    """Whether every machine calls itself so."""
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")


def is_local(address: str) -> bool:
    """Whether only this machine finds an address."""
    return local(urlsplit(address).hostname or "")


def _unlikely(address: str) -> tuple[bool, bool]:
    """Above others what is of no network at home or at school: public ones, those of containers."""
    found = ipaddress.ip_address(address)
    return not found.is_private or found.is_link_local, found in ipaddress.ip_network("172.16.0.0/12")


def own_addresses() -> list[str]:
    """The machine's own, of the network first by which it reaches others."""
    found = []
    for there in SOMEWHERE:
        with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((there, 9))
            found.append(probe.getsockname()[0])
    with suppress(OSError):
        found += socket.gethostbyname_ex(socket.gethostname())[2]
    return list(dict.fromkeys(str(address) for address in found))
