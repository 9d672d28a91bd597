"""Who can start a training on the page, and tell it what to do."""

import ipaddress
import os
from collections.abc import Mapping

import streamlit as st

OFF, HERE, EVERYONE = "off", "here", "everyone"  # what CAPSVIZ_TRAINING can be
PROXIES = ("X-Forwarded-For", "X-Real-Ip", "Forwarded")


def mode(environment: Mapping[str, str] = os.environ) -> str:
    """Who can train on this server, by CAPSVIZ_TRAINING: nobody, who sits at it, or everyone.

    What is none of these words is read as nobody: whoever sets it wants to keep people off.
    """
    value = environment.get("CAPSVIZ_TRAINING", "").strip().lower() or HERE
    return value if value in (HERE, EVERYONE) else OFF


def steers() -> bool:
    """Whether this session may start trainings and tell them what to do.

    What comes by a proxy comes from this machine, whoever has sent it: that is told by what proxies add.
    """
    passed_on = any(name in st.context.headers for name in PROXIES)
    return mode() == EVERYONE or (mode() == HERE and is_here(st.context.ip_address) and not passed_on)


def sits() -> bool:
    """Whether this session is surely one of the machine's own, who may read where things lie on it."""
    return mode() == HERE and steers()


def is_here(address: str | None) -> bool:
    """Whether a browser's address is this machine's; None, as Streamlit says it of some of these, is."""
    if address is None:
        return True
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback
