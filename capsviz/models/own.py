"""Networks trained on data of one's own: what their card keeps of them, and their specs made of it again."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from capsviz.errors import DataError
from capsviz.inputs.own import Own
from capsviz.networks.base import DEFAULT, Spec, find

FORMAT = 1  # of what a card says of one: one more whenever it says it in another way
PREFIX = "own"  # of the names of all that are not in networks/
_LONGEST = 30  # characters of what follows it


def own_name(folder: Path) -> str:
    """A network's name of the folder of its weights: its letters and digits, as a link can have them."""
    letters = unicodedata.normalize("NFKD", folder.resolve().name.lower())
    short = re.sub("[^a-z0-9]", "", letters.encode("ascii", "ignore").decode())[:_LONGEST]
    if not short:
        return PREFIX
    return f"{PREFIX}.{short if short[0].isalpha() else f'n{short}'}"


def family(spec: Spec) -> str:
    """A network's title without its data."""
    return spec.title.rpartition(", ")[0] or spec.title


def own_spec(base: Spec, own: Own, name: str) -> Spec:
    """The network of ``base``'s architecture for data of one's own.

    Raises:
        DataError: if that architecture is for its own data only.
    """
    if base.of is None:
        raise DataError(
            f"{base.name} is for {base.data.name} alone: give --data {base.data.name}, or another --network."
        )
    from capsviz.inputs.own_files import (
        data_set,  # with NumPy and Pillow, which shipped networks are listed without
    )

    return base.of(name, f"{family(base)}, {own.name}", data_set(own))


def card_facts(base: Spec, own: Own) -> dict[str, Any]:
    """What a card keeps, as "own"; ``facts.own`` checks it."""
    return {
        "format": FORMAT,
        "base": base.name,
        "kind": own.kind,
        **asdict(own),
        "classes": list(own.classes),
    }


def own_of(facts: Mapping[str, Any]) -> Own:
    """What is known of the data, of a card's "own"."""
    known = {name: facts[name] for name in Own.__dataclass_fields__}
    return Own(**{**known, "classes": tuple(known["classes"])})


def spec_of(card: Mapping[str, Any]) -> Spec:
    """The network that a card is of; cards of older versions name it by an alias.

    Raises:
        NetworkError: if there is no such network here.
    """
    if "own" in card:
        own = card["own"]
        return own_spec(find(own["base"]), own_of(own), card["name"])
    return find(card["settings"].get("network", card.get("name", DEFAULT)))


def alike(one: Spec, other: Spec) -> bool:
    """Whether two specs are of one architecture with the same classes, so that either's weights fit the other."""
    return one.build is other.build and replace(one.shape, kind="") == replace(other.shape, kind="")
