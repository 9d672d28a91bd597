"""What whoever runs the server can set of the classes on it, by environment variables."""

import math
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from capsviz.errors import CapsvizError

HOURS, MOST_HOURS = 24.0, 24.0 * 14  # that a class lasts


@dataclass(frozen=True)
class Settings:
    """Where classes are kept, and for how long.

    Attributes:
        folder: of the server's key, and of the database where no other is named.
        database: URL of SQLAlchemy's; "" for SQLite in the folder.
        hours: after which a class ends and is removed for good.
        key: what tokens are signed with, the same on all servers that share a database; "" for one kept in the folder.
        address: at which phones reach the server, "https://host/prefix"; "" where it is found out.
    """

    folder: Path
    database: str = ""
    hours: float = HOURS
    key: str = ""
    address: str = ""

    @property
    def url(self) -> str:
        """Of the database."""
        return self.database or f"sqlite:///{self.folder / 'classes.sqlite'}"

    @property
    def file(self) -> Path | None:
        """The database's file, if it is one in the folder."""
        return None if self.database else self.folder / "classes.sqlite"


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings by CAPSVIZ_DATABASE, CAPSVIZ_DATA, CAPSVIZ_CLASS_HOURS, CAPSVIZ_KEY and CAPSVIZ_ADDRESS.

    Raises:
        CapsvizError: naming the variable that cannot be used.
    """
    hours = environment.get("CAPSVIZ_CLASS_HOURS", "")
    try:
        lasting = float(hours) if hours else HOURS
    except ValueError:
        lasting = math.nan
    if not 0 < lasting <= MOST_HOURS:
        raise CapsvizError(
            f"CAPSVIZ_CLASS_HOURS must be a number above 0 and up to {MOST_HOURS:g}: give the hours that a class lasts."
        )
    address = environment.get("CAPSVIZ_ADDRESS", "").rstrip("/")
    if address and not address.startswith(("http://", "https://")):
        raise CapsvizError(
            "CAPSVIZ_ADDRESS must begin with http:// or https://: give the address that phones reach."
        )
    folder = environment.get("CAPSVIZ_DATA", "")
    return Settings(
        Path(folder) if folder else data_folder(environment),
        environment.get("CAPSVIZ_DATABASE", ""),
        lasting,
        environment.get("CAPSVIZ_KEY", ""),
        address,
    )


def data_folder(environment: Mapping[str, str], platform: str = sys.platform) -> Path:
    """Where a program keeps a user's data on this platform."""
    if platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "capsviz"
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "capsviz"
    named = environment.get("XDG_DATA_HOME", "")  # to be ignored unless absolute, says its specification
    return (Path(named) if os.path.isabs(named) else Path.home() / ".local" / "share") / "capsviz"
