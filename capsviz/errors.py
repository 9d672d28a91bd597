"""The errors capsviz raises on bad input: one sentence each, saying what is wrong and what to do."""


class CapsvizError(ValueError):
    """Something the caller gave cannot be used; ``str(error)`` is fit to be shown to a person."""


class ImageError(CapsvizError):
    """An image or a drawing in which no digit can be read."""


class WeightsError(CapsvizError):
    """A weights file that is missing, damaged or of another network."""


class DataError(CapsvizError):
    """A data set that is missing, incomplete or damaged."""


class TrainingError(CapsvizError):
    """A training run that cannot go on."""


class DeviceError(CapsvizError):
    """A device that this machine or this PyTorch does not have."""


class MessageError(CapsvizError):
    """A message from a browser, or a part of a link, that cannot be used."""


class NetworkError(CapsvizError):
    """A network that is not there, or whose description cannot be used."""


class TextError(CapsvizError):
    """A text of the screen that is missing, or lacks what is to be put into it."""


class PageError(CapsvizError):
    """A page whose description cannot be used."""
