"""Which files of a folder are images, for data sets and calibration."""

from __future__ import annotations

from pathlib import Path

IMAGE_SUFFIXES = ('.png', '.jpg', '.jpeg', '.bmp')


def image_files(folder: Path) -> list[Path]:
    """
    Return the images of a folder in order of their names, hidden ones left out.

    :raises OSError: the folder cannot be read
    """
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith('.')
    )
