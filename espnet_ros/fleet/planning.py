"""From what was named to units: a file each, a topic of a bag each, loose images together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
import re

from espnet_ros.exceptions import EspnetError
from espnet_ros.file_kinds import FileKind, kind_of
from espnet_ros.fleet.manifest import Entry
from espnet_ros.fleet.stores import is_url
from espnet_ros.fleet.unit import Unit
from espnet_ros.processing.image_files import IMAGE_SUFFIXES
from espnet_ros.sources import image_topics, split_topic

_IMAGES = 'images'


def plan_units(entries: Sequence[Entry], *, joins_images: bool = True) -> list[Unit]:
    """
    Return the units of a fleet, each with a name of its own.

    A bag of several image topics becomes as many units. Images that no manifest lists are one
    unit together, at the place of the first.
    """
    units: list[tuple[str, list[str]]] = []
    loose: list[str] | None = None
    for entry in entries:
        if joins_images and not entry.is_listed and _is_image(entry.spec):
            if loose is None:
                loose = []
                units.append((_IMAGES, loose))
            loose.append(entry.spec)
            continue
        specs = _topics(entry.spec)
        for spec in specs:
            is_one_of_many = entry.name and len(specs) > 1
            name = f'{entry.name}{split_topic(spec)[1]}' if is_one_of_many else entry.name
            units.append((_file_name(name) if name else unit_name(spec), [spec]))
    if loose is not None and len(loose) == 1:
        place = next(i for i, (_, specs) in enumerate(units) if specs is loose)
        units[place] = (unit_name(loose[0]), loose)
    return with_own_names(units)


def unit_name(spec: str) -> str:
    """Return what the results of a source are called after."""
    if is_url(spec):
        return _file_name(PurePosixPath(spec).stem)
    if spec.isdecimal():
        return f'webcam_{spec}'
    path, topic = split_topic(spec)
    return _file_name(path.stem + topic)


def _file_name(text: str) -> str:
    return re.sub(r'[^\w.-]', '_', text).lstrip('.') or 'video'


def with_own_names(units: Sequence[tuple[str, Sequence[str]]]) -> list[Unit]:
    """Return units of names and sources; where two have one name, the later one gets another."""
    taken = {name for name, _ in units}
    counts: Counter[str] = Counter()
    found = []
    for name, specs in units:
        counts[name] += 1
        own = name
        while counts[name] > 1 and own in taken:
            own = f'{name}_{counts[name]}'
            counts[name] += own in taken
        taken.add(own)
        found.append(Unit(own, tuple(dict.fromkeys(specs))))
    return found


def _is_image(spec: str) -> bool:
    if is_url(spec):
        return PurePosixPath(spec).suffix.lower() in IMAGE_SUFFIXES
    path = Path(spec).expanduser()
    return path.is_file() and kind_of(path) is FileKind.IMAGE


def _topics(spec: str) -> list[str]:
    """Return a bag once for each topic of images; what cannot be read fails when it is opened."""
    if is_url(spec):
        return [spec]
    try:
        topics = image_topics(spec)
    except EspnetError:
        return [spec]
    return [f'{spec}:{topic}' for topic in topics] if len(topics) > 1 else [spec]
