"""The version of the package, however it was installed."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from xml.etree import ElementTree

DISTRIBUTION = 'espnet-ros'
UNKNOWN = 'unknown'


def package_version() -> str:
    """
    Return the version, or ``unknown`` where nothing tells it.

    pip leaves it in the metadata of the distribution. colcon does not, but installs package.xml
    under ``share/espnet_ros`` of the prefix that the code lies in; in a source tree it lies
    beside the code.
    """
    try:
        return metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return _version_of_manifest(Path(__file__).resolve())


def _version_of_manifest(module: Path) -> str:
    """Return the version in the package.xml nearest above a module of the package."""
    for folder in module.parents[1:6]:
        for path in (folder / 'package.xml', folder / 'share' / 'espnet_ros' / 'package.xml'):
            try:
                manifest = ElementTree.parse(path)
            except (OSError, ElementTree.ParseError):
                continue
            if manifest.findtext('name') == 'espnet_ros':
                return (manifest.findtext('version') or UNKNOWN).strip()
    return UNKNOWN
