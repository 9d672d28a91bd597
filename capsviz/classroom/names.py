"""Codes, nicknames and secrets: what a class and its phones are known by."""

import hashlib
import os
import secrets
from collections.abc import Collection
from pathlib import Path

from itsdangerous import BadData, URLSafeSerializer

from capsviz.classroom.refusals import NotAllowed
from capsviz.classroom.settings import Settings
from capsviz.errors import CapsvizError
from capsviz.texts import language, say, speak

# What can be taken for another from the last row (0 and O, 1 and I, 2 and Z, 5 and S, 8 and B, U and V), and vowels,
# which make words, are left out: 16 signs, so a code is 24 random bits.
SIGNS = "CFHJKMNPRTWX3479"
LENGTH = 6
MOST_TOKEN = 200  # characters


def new_code() -> str:
    """Six signs that are easy to tell apart."""
    return "".join(secrets.choice(SIGNS) for _ in range(LENGTH))


def plain_code(text: str) -> str | None:
    """The code that somebody has typed, small, with spaces or dashes; None if it cannot be one."""
    code = "".join(text.split()).replace("-", "").upper() if len(text) <= 40 else ""
    return code if len(code) == LENGTH and set(code) <= set(SIGNS) else None


def new_nickname(code: str, taken: Collection[str]) -> str:
    """Two words, in the language ``code``, that nobody in the class is called by yet."""
    before = language()
    speak(code)
    try:
        first, second = say("class.nickname.first").split(), say("class.nickname.second").split()
    finally:
        speak(before)
    free = [
        name for a in first for b in second if (name := f"{a} {b}") not in taken
    ]  # some thousands, in a millisecond
    return secrets.choice(free) if free else f"{secrets.choice(first)} {secrets.choice(second)} {len(taken)}"


def new_id() -> int:
    """A random number for a class or a phone that JavaScript has too: none comes back when a database begins anew."""
    return secrets.randbits(52) + 1


def new_secret() -> str:
    """For a presenter: 192 random bits."""
    return secrets.token_urlsafe(24)


def digest(secret: str) -> str:
    """What is kept of a presenter's secret. It is random and long: nobody finds it again from this."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Tokens:
    """What a phone keeps to be known again: the numbers of its class and of itself, signed with the server's key."""

    def __init__(self, key: str) -> None:
        self._signer = URLSafeSerializer(key, salt="phone", signer_kwargs={"digest_method": hashlib.sha256})

    def token(self, room: int, phone: int) -> str:
        """For a phone to keep."""
        return str(self._signer.dumps([room, phone]))

    def read(self, token: str) -> tuple[int, int]:
        """Numbers of the class and of the phone.

        Raises:
            NotAllowed: if this server has not signed it.
        """
        try:
            if len(token) > MOST_TOKEN:
                raise BadData("too long")
            room, phone = self._signer.loads(token)
        except (BadData, ValueError, TypeError) as error:
            raise NotAllowed(say("class.refused.token")) from error
        return int(room), int(phone)


def key_of(settings: Settings) -> str:
    """What tokens are signed with: as set, or kept in the folder, where only its owner can read it.

    Raises:
        CapsvizError: if it can neither be read nor made.
    """
    if settings.key:
        return settings.key
    path = settings.folder / "key"
    try:
        settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make(path)
        key = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CapsvizError(
            f"{path} cannot be used ({error}): let the server write there, or name another folder by CAPSVIZ_DATA."
        ) from error
    if len(key) < 32:
        raise CapsvizError(f"{path} is damaged: delete it; phones that have joined will have to join again.")
    return key


def _make(path: Path) -> None:
    """A key, unless there is one: written whole beside its place first, so that of two servers both read the same."""
    if path.exists():
        return
    own = path.with_name(f"key.{os.getpid()}.{secrets.token_hex(4)}")
    with open(os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        os.link(own, path)
    except FileExistsError:
        pass
    finally:
        own.unlink()
