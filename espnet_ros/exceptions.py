"""
The error tree of the package.

Every message says what was expected, what was found and what to do::

    EspnetError
      ConfigError              a setting, parameter or label set is not valid
      InputError               an image, video or camera message cannot be used
      OutputError              a result cannot be written
      ModelError               a checkpoint or model file cannot be used
      DownloadError            published weights could not be fetched or verified
      RuntimeUnavailableError  the requested runtime, device or precision is not on this machine
      BuildCancelled           somebody ended the build of an engine
      InferenceError           a runtime failed while it ran
        DeviceLostError        its device cannot be used any more until it is opened again

``ValueError`` and ``TypeError`` stay for mistakes of the calling code.
"""


class EspnetError(Exception):
    """The root of every error that this package raises on purpose."""


class ConfigError(EspnetError):
    """A setting, parameter or label set is not valid."""


class InputError(EspnetError):
    """An image, video or camera message cannot be used."""


class OutputError(EspnetError):
    """A result cannot be written."""


class ModelError(EspnetError):
    """A checkpoint or model file cannot be used."""


class DownloadError(EspnetError):
    """Published weights could not be fetched or verified."""


class RuntimeUnavailableError(EspnetError):
    """The requested runtime, device or precision is not on this machine."""


class InferenceError(EspnetError):
    """A runtime failed while it ran."""


class BuildCancelled(EspnetError):  # noqa: N818  it is no error of the build
    """Somebody ended the build of an engine; nothing was kept."""


class DeviceLostError(InferenceError):
    """The device of a runtime cannot be used any more until it is opened again."""


def last_line(error: Exception) -> str:
    """Return the last line of an error that says something; C++ puts locations before it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
