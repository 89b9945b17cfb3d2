"""Image files: one, or a folder of them in natural order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
import re

from espnet_ros.exceptions import InputError
from espnet_ros.processing.codecs import decode_image
from espnet_ros.processing.image_files import image_files, IMAGE_SUFFIXES, tell_pages
from espnet_ros.processing.image_formats.header import read_header
from espnet_ros.sources.base import BrokenFrame, Frame, Source


class ImageFilesSource(Source):
    """
    Image files in the order given.

    A file that cannot be read becomes a :class:`BrokenFrame`.

    :param paths: the files; at least one
    :param rate_hz: rate to play them at; files have none of their own
    :param bit_depth: bits that count in files of 16 bits, 8 to 16
    :ivar names: of the frames, in the order of the files
    """

    def __init__(
        self,
        name: str,
        paths: Sequence[Path],
        *,
        loop: bool = False,
        rate_hz: float | None = None,
        bit_depth: int = 16,
    ) -> None:
        super().__init__(name, loop=loop, rate_hz=rate_hz, frame_count=len(paths))
        self._bit_depth = bit_depth
        self.paths = tuple(paths)
        self.names = _frame_names(self.paths)
        self._places: Sequence[int] = range(len(self.paths))

    def select(self, places: Sequence[int]) -> None:
        """Give the files at these places only; their names and indices stay."""
        self._places = tuple(places)
        self.frame_count = len(self._places)

    def _frames(self) -> Iterator[Frame | BrokenFrame]:
        for index in self._places:
            name, path = self.names[index], self.paths[index]
            try:
                data = path.read_bytes()
                image_bgr = decode_image(data, bit_depth=self._bit_depth)
            except (OSError, InputError) as error:
                yield BrokenFrame(name, index, f'{path}: {_reason(error)}')
            else:
                tell_pages(path, read_header(data).pages)
                yield Frame(name, index, image_bgr)


def open_folder(
    folder: Path, *, loop: bool, rate_hz: float | None, bit_depth: int
) -> ImageFilesSource:
    """
    Return the source of the images that lie in a folder, ``frame_9`` before ``frame_10``.

    Hidden files and sub-folders are left out.

    :raises InputError: there are none, or the folder cannot be read
    """
    try:
        paths = sorted(image_files(folder), key=lambda p: natural_key(p.name))
    except OSError as error:
        raise InputError(f'{folder}: the folder cannot be read ({_reason(error)})') from error
    if not paths:
        raise InputError(
            f'{folder}: expected a folder with images ({", ".join(IMAGE_SUFFIXES)}), found none '
            'in it; sub-folders are not searched'
        )
    return ImageFilesSource(
        f'folder {folder}', paths, loop=loop, rate_hz=rate_hz, bit_depth=bit_depth
    )


def natural_key(name: str) -> tuple[tuple[str, int, str], ...]:
    """Return a key that sorts names as people do: numbers by value, letters without case."""
    parts = re.findall(r'(\D*)(\d*)', name)
    return tuple((text.casefold(), int(digits or -1), digits) for text, digits in parts)


def _frame_names(paths: Sequence[Path]) -> tuple[str, ...]:
    """Return the stems; of files that share one the whole name, with the folder where need be."""
    stems = Counter(path.stem for path in paths)
    names = Counter(path.name for path in paths)
    placed = Counter((path.parent.name, path.name) for path in paths)
    found: dict[str, None] = {}
    for index, path in enumerate(paths):
        name = path.stem if stems[path.stem] == 1 else path.name
        if names[path.name] > 1:
            name = f'{path.parent.name}_{path.name}'
            if placed[path.parent.name, path.name] > 1:
                name = f'{index}_{name}'
        while name in found:  # "a.png" and "a.jpg" beside "a.png.png"
            name = f'{index}_{name}'
        found[name] = None
    return tuple(found)


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
