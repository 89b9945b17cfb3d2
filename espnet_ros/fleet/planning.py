"""From what was named to units: a file each, a topic of a bag each, loose images together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
import re
from types import MappingProxyType

from espnet_ros.exceptions import EspnetError
from espnet_ros.file_kinds import FileKind, kind_of
from espnet_ros.fleet.manifest import Entry
from espnet_ros.fleet.stores import is_url
from espnet_ros.fleet.unit import Unit
from espnet_ros.processing.image_files import IMAGE_SUFFIXES
from espnet_ros.sources import image_topics, split_topic

_IMAGES = 'images'


Named = Sequence[tuple[str, Sequence[str]]]
"""What units are to be called, and their sources; names may be there twice."""


def plan_units(entries: Sequence[Entry]) -> list[Unit]:
    """Return the units of a fleet, as :func:`name_sources`, each with a name of its own."""
    return with_own_names(name_sources(entries))


def name_sources(entries: Sequence[Entry], *, joins_images: bool = True) -> Named:
    """
    Return what becomes a unit each.

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
    return units


def unit_name(spec: str) -> str:
    """Return what the results of a source are called after."""
    if is_url(spec):
        return _file_name(PurePosixPath(spec).stem)
    if spec.isdecimal():
        return f'webcam_{spec}'
    path, topic = split_topic(spec)
    if not path.is_dir():
        return _file_name(path.stem + topic)
    # A dot in the name of a folder begins no suffix.
    return _file_name((path if path.name.strip('.') else path.resolve()).name + topic)


def _file_name(text: str) -> str:
    return re.sub(r'[^\w.-]', '_', text).lstrip('.') or 'video'


def with_own_names(
    units: Named,
    earlier: Mapping[str, Collection[str]] = MappingProxyType({}),
    reserved: Collection[str] = (),
) -> list[Unit]:
    """
    Return units of names and sources; where two have one name, the later one gets another.

    :param earlier: the names that units of earlier runs have, with the files of each as
        :attr:`Unit.files` has them. A unit of the same files keeps its name, and no other gets
        it. One without files is anybody's of that name.
    :param reserved: names that no unit may have
    """
    found = [Unit(name, tuple(dict.fromkeys(specs))) for name, specs in units]
    kept = _earlier_names(found, earlier)
    bases = {unit.name for unit in found}
    taken = {name for name, files in earlier.items() if files} | set(kept) | set(reserved)
    counts: Counter[str] = Counter()
    own = []
    for unit, earlier_name in zip(found, kept, strict=True):
        name = earlier_name
        while not name:
            counts[unit.name] += 1
            number = counts[unit.name]
            wanted = unit.name if number == 1 else f'{unit.name}_{number}'
            is_free = wanted not in taken and (number == 1 or wanted not in bases)
            name = wanted if is_free else ''
        taken.add(name)
        own.append(replace(unit, name=name))
    return own


def _earlier_names(units: Sequence[Unit], earlier: Mapping[str, Collection[str]]) -> list[str]:
    """Return what units of earlier runs are called whose files are all of a unit, or nothing."""
    owners: dict[str, list[str]] = {}
    for name, files in earlier.items():
        for file in files:
            owners.setdefault(file, []).append(name)
    found: list[str] = []
    for unit in units:
        files = unit.files if owners else []
        own = re.compile(rf'{re.escape(unit.name)}(_\d+)?')
        names = {name for file in files for name in owners.get(file, ()) if own.fullmatch(name)}
        kept = (name for name in names - set(found) if set(files).issuperset(earlier[name]))
        found.append(min(kept, default=''))
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
    return [f'{spec}:{topic}' for topic in topics] or [spec]
