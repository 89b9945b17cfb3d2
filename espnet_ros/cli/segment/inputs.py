"""The sources of one command line, in order: all images as one, then what each video is called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from espnet_ros.exceptions import InputError
from espnet_ros.fleet.planning import unit_name
from espnet_ros.sources import BrokenFrame, ImageFilesSource, open_source, Source, split_topic


@dataclass(frozen=True)
class Input:
    """
    A source, and what its results are called after.

    :param stem: of the results of a video; None where every image has results of its own
    :param path: the file or bag, or None where it is none, as a webcam
    """

    source: Source
    stem: str | None
    path: Path | None


@dataclass(frozen=True)
class Inputs:
    """What was opened, and what could not be."""

    opened: list[Input] = field(default_factory=list)
    broken: list[BrokenFrame] = field(default_factory=list)


def open_inputs(specs: Sequence[str], stack: ExitStack, bit_depth: int = 16) -> Inputs:
    """
    Open sources; one that cannot be opened does not keep the others from being segmented.

    :param stack: closes them
    :param bit_depth: as :func:`open_source` takes it
    :raises ConfigError: one is empty
    :raises InputError: none can be opened
    """
    found = Inputs()
    errors: list[InputError] = []
    images: list[Path] = []
    stems: Counter[str] = Counter()
    for index, spec in enumerate(specs):
        try:
            source = stack.enter_context(open_source(spec, bit_depth=bit_depth))
        except InputError as error:
            errors.append(error)
            found.broken.append(BrokenFrame(spec, index, str(error)))
            continue
        if isinstance(source, ImageFilesSource):
            if not images:
                found.opened.append(Input(source, None, None))
            images.extend(source.paths)
            continue
        path, _ = split_topic(spec)
        stem = unit_name(spec) if source.size is not None else None
        if stem is not None:
            stems[stem] += 1
            stem = stem if stems[stem] == 1 else f'{stem}_{stems[stem]}'
        found.opened.append(Input(source, stem, path if path.exists() else None))
    if not found.opened:
        raise errors[0]
    _join_images(found.opened, images, bit_depth)
    return found


def _join_images(opened: list[Input], images: list[Path], bit_depth: int) -> None:
    """Let one source give all images, so that none of them is called as another."""
    for place, entry in enumerate(opened):
        source = entry.source
        if isinstance(source, ImageFilesSource) and len(images) > len(source.paths):
            paths = tuple(dict.fromkeys(images))
            name = f'{len(paths)} images'
            joined = ImageFilesSource(name, paths, bit_depth=bit_depth)
            opened[place] = Input(joined, None, None)
