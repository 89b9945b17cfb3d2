"""The version of the package."""

from importlib import metadata

DISTRIBUTION = 'espnet-ros'


def package_version() -> str:
    """Return the version of the installed package, or ``unknown`` in a bare source tree."""
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return 'unknown'
