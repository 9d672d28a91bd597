"""Why a wish of a phone or a presenter is not granted: one sentence, and what a script needs to know of it."""

from capsviz.errors import CapsvizError


class Refused(CapsvizError):  # noqa: N818 # every other says what was refused, and this is short
    """A wish that is not granted; the sentence is fit to be shown.

    Attributes:
        status: of HTTP.
        retry: seconds after which the same wish may be granted; None where it never will be as it is.
    """

    status = 400

    def __init__(self, sentence: str, retry: float | None = None) -> None:
        super().__init__(sentence)
        self.retry = retry


class NotAllowed(Refused):
    """A secret or a token that is wrong, or of somebody else."""

    status = 403


class NotThere(Refused):
    """A class, a drawing or an address that there is not."""

    status = 404


class Over(Refused):
    """A class that has ended, or is gone."""

    status = 410


class Waits(Refused):
    """What the class does not take now: a drawing while it pauses, a vote when the poll is closed."""

    status = 409


class TooLarge(Refused):
    """More than is read."""

    status = 413


class NoJson(Refused):
    """A body of another kind."""

    status = 415


class TooOften(Refused):
    """Too many wishes in too short a time, or altogether."""

    status = 429


class Busy(Refused):
    """Too much to do at the moment, or a database that cannot be reached: to be asked again."""

    status = 503
