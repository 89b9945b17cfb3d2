"""The version of the package: the one place where it is written by hand."""

from __future__ import annotations

from importlib import metadata
from typing import Final

DISTRIBUTION: Final = 'espnet-ros'
VERSION: Final = '1.0.0rc1'
"""By PEP 440. package.xml holds the three numbers alone, as ROS knows no pre-releases."""


def is_installed() -> bool:
    """Return whether pip knows this package; colcon does not leave what pip reads."""
    try:
        metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return False
    return True
