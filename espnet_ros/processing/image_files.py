"""Which files of a folder are images, wherever images are read."""

from __future__ import annotations

from functools import lru_cache
import logging
from pathlib import Path

from espnet_ros.file_kinds import IMAGE_SUFFIXES

__all__ = ['IMAGE_SUFFIXES', 'image_files', 'tell_pages']

logger = logging.getLogger(__name__)

_NAMED = 5


@lru_cache(maxsize=4096)
def tell_pages(path: Path, pages: int) -> None:
    """Log once that a file holds more images than the one that is read."""
    if pages > 1:
        logger.warning('%s: %d pages, of which the first is read', path, pages)


def image_files(folder: Path) -> list[Path]:
    """
    Return the images of a folder in order of their names, hidden ones left out.

    Other files, links that lead nowhere, and folders that hold images too, are counted and logged.

    :raises OSError: the folder cannot be read
    """
    images: list[Path] = []
    others: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith('.') or (path.is_dir() and not _holds_images(path)):
            continue
        is_image = path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()
        (images if is_image else others).append(path)
    if images and others:
        named = ', '.join(path.name + '/' * path.is_dir() for path in others[:_NAMED])
        more = ' ...' if len(others) > _NAMED else ''
        logger.warning('%s: %d left out, no image files: %s%s', folder, len(others), named, more)
    return images


def _holds_images(folder: Path) -> bool:
    """Return whether a folder holds images, other than results that this package wrote."""
    try:
        names = {path.name for path in folder.iterdir()}
    except OSError:
        return True
    return 'summary.json' not in names and any(
        Path(name).suffix.lower() in IMAGE_SUFFIXES for name in names
    )
