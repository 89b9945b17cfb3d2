"""
A label set names the classes of a network.

It tells their colours and costs, which one is void (predicted but meaningless), and
groupings that merge classes into coarser ones.
It is read from a YAML file, from the metadata of a model file, or by name from
those that ship with the package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
import functools
from importlib import resources
from pathlib import Path
from typing import Any

from espnet_ros.exceptions import ConfigError, ModelError
from espnet_ros.labels.label_class import (
    check_class,
    distinct_color_rgb,
    LabelClass,
    merge_classes,
)
import numpy as np
from numpy.typing import NDArray
import yaml

UNLABELLED_ID = 255
"""The id of a pixel without a label (vision_msgs/VisionClass: UNLABELED of uint8 masks)."""

MAX_CLASSES = 255

Grouping = tuple[tuple[str, tuple[str, ...]], ...]
"""Groups in order of their ids: (group name, names of its classes)."""


@dataclass(frozen=True)
class LabelSet:
    """
    Classes by id, the void id, and groupings by name.

    :param classes: the classes; the position is the class id
    :param void_id: id of the class that means "none of these", or None
    :param groupings: named ways to merge classes, for example ``categories``
    :param palette: what label files with a palette mean: ``color``, or the ``index`` is the id
    :raises ConfigError: no classes, too many, a name twice, a colour or id out of range
    """

    name: str
    classes: tuple[LabelClass, ...]
    void_id: int | None = None
    groupings: tuple[tuple[str, Grouping], ...] = ()
    palette: str = 'color'

    def __post_init__(self) -> None:
        if not 1 <= len(self.classes) <= MAX_CLASSES:
            raise ConfigError(
                f'label set {self.name!r}: expected 1 to {MAX_CLASSES} classes, '
                f'found {len(self.classes)}'
            )
        names = self.names
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ConfigError(
                f'label set {self.name!r}: every class name must be unique, '
                f'found twice: {", ".join(twice)}'
            )
        for entry in self.classes:
            check_class(self.name, entry)
        if self.palette not in ('color', 'index'):
            raise ConfigError(
                f'label set {self.name!r}: expected palette color or index, found {self.palette!r}'
            )
        if self.void_id is not None and not 0 <= self.void_id < len(self.classes):
            raise ConfigError(
                f'label set {self.name!r}: expected a void id of 0 to '
                f'{len(self.classes) - 1}, found {self.void_id}'
            )
        for grouping_name, grouping in self.groupings:
            _check_grouping(self, grouping_name, grouping)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the class names in order of their ids."""
        return tuple(entry.name for entry in self.classes)

    def id_of(self, name: str) -> int:
        """
        Return the id of the class called ``name``.

        :raises ConfigError: there is no such class
        """
        try:
            return self.names.index(name)
        except ValueError:
            raise ConfigError(
                f'label set {self.name!r} has no class {name!r}; it has {", ".join(self.names)}'
            ) from None

    def check_counts(self, counts: NDArray[np.int64], unlabelled_id: int = UNLABELLED_ID) -> None:
        """
        Check that every id that a model gave has a name.

        :param counts: (256,), pixels of each id
        :raises ModelError: one has none
        """
        known = len(self.classes)
        odd = [int(i) for i in np.flatnonzero(counts) if i >= known and i != unlabelled_id]
        if odd:
            raise ModelError(
                f'the model gives id {odd[0]}, but there are {known} names of classes; give the '
                'names or the label set of its training'
            )

    def palette_rgb(self) -> NDArray[np.uint8]:
        """
        Return the colour of every possible id.

        :return: uint8 array of shape (256, 3), RGB; ids without a class are black
        """
        palette = np.zeros((256, 3), np.uint8)
        palette[: len(self.classes)] = [entry.color_rgb for entry in self.classes]
        return palette

    def grouped(self, grouping: Grouping, name: str = 'groups') -> LabelSet:
        """
        Return the label set whose classes are the groups of ``grouping``.

        A group takes the colour of its first class and the highest cost of all; it is flat
        where all are. A group without classes keeps its id, which no pixel has. Classes that no
        group names have no id in the new set.

        :raises ConfigError: an unknown class, or a class in two groups
        """
        _check_grouping(self, name, grouping)
        classes = tuple(
            merge_classes(group, [self.classes[self.id_of(member)] for member in members], index)
            for index, (group, members) in enumerate(grouping)
        )
        return LabelSet(f'{self.name}/{name}', classes)

    def group_table(self, grouping: Grouping, unlabelled_id: int) -> NDArray[np.uint8]:
        """
        Return the table that turns class ids into group ids.

        :param unlabelled_id: value for ids that belong to no group
        :return: uint8 array of shape (256,)
        """
        table = np.full(256, unlabelled_id, np.uint8)
        for group_id, (_, members) in enumerate(grouping):
            for member in members:
                table[self.id_of(member)] = group_id
        return table

    def to_dict(self) -> dict[str, Any]:
        """Return the set as plain lists and dictionaries, as in its YAML file."""
        content: dict[str, Any] = {
            'name': self.name,
            'classes': [entry.to_dict() for entry in self.classes],
        }
        if self.void_id is not None:
            content['void'] = self.classes[self.void_id].name
        if self.groupings:
            content['groupings'] = {
                name: {group: list(members) for group, members in grouping}
                for name, grouping in self.groupings
            }
        return content

    @classmethod
    def from_dict(cls, content: Any, origin: str) -> LabelSet:
        """
        Build a label set from what a YAML file or a model file holds.

        :param content: as :meth:`to_dict` returns it
        :raises ConfigError: a key is missing or has the wrong form
        """
        try:
            classes = tuple(LabelClass.from_dict(entry) for entry in content['classes'])
            names = [c.name for c in classes]
            void = content.get('void')
            groupings = tuple(
                (str(name), parse_groups(groups))
                for name, groups in content.get('groupings', {}).items()
            )
            return cls(
                str(content['name']),
                classes,
                None if void is None else names.index(void),
                groupings,
                content.get('palette', 'color'),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ConfigError(
                f'{origin}: expected a label set with name and classes (each with '
                f'name and color), found a mistake at {error}; see '
                'espnet_ros/labelsets/camvid.yaml for an example'
            ) from error

    @classmethod
    def from_names(cls, names: tuple[str, ...], name: str = 'custom') -> LabelSet:
        """Build a label set from class names alone, with distinct colours."""
        return cls(name, tuple(LabelClass(n, distinct_color_rgb(i)) for i, n in enumerate(names)))


def parse_groups(groups: Mapping[str, list[str]]) -> Grouping:
    """Return the grouping that a mapping of group name to class names describes."""
    return tuple(
        (str(name), tuple(str(member) for member in members)) for name, members in groups.items()
    )


def parse_grouping(text: str, label_set: LabelSet) -> Grouping | None:
    """
    Read the setting ``label_groups``.

    :param text: empty for none, the name of one of the set's groupings, or
        ``drivable=road,terrain; obstacle=person,car``
    :return: the grouping, or None where the text is empty
    :raises ConfigError: the text names no grouping and is not of the form shown
    """
    text = text.strip()
    if not text:
        return None
    named = dict(label_set.groupings)
    if text in named:
        return named[text]
    groups: dict[str, list[str]] = {}
    for part in filter(None, (p.strip() for p in text.split(';'))):
        name, equals, members = part.partition('=')
        classes = [member.strip() for member in members.split(',') if member.strip()]
        if not equals or not name.strip() or not classes or name.strip() in groups:
            known = ', '.join(named) or 'none'
            raise ConfigError(
                f'label_groups: expected the name of a grouping of label set {label_set.name!r} '
                f'({known}) or "group=class,class; group=class", found {part!r}'
            )
        groups[name.strip()] = classes
    grouping = parse_groups(groups)
    _check_grouping(label_set, 'label_groups', grouping)
    return grouping


def load_label_set(name_or_path: str) -> LabelSet:
    """
    Return a label set that ships with the package, or one from a YAML file.

    :param name_or_path: for example ``camvid``, or ``my_labels.yaml``
    :raises ConfigError: no such set or file, or its content is wrong
    """
    path = Path(name_or_path)
    if path.suffix in ('.yaml', '.yml'):
        try:
            text = path.read_text(encoding='utf-8')
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f'label set {path}: cannot be read ({error})') from error
    elif name_or_path in shipped_label_sets():
        return _load_shipped(name_or_path)
    else:
        raise ConfigError(
            f'no label set {name_or_path!r}: expected a YAML file or one of '
            f'{", ".join(shipped_label_sets())}'
        )
    return _parse(text, name_or_path)


@functools.cache
def _load_shipped(name: str) -> LabelSet:
    path = resources.files('espnet_ros') / 'labelsets' / f'{name}.yaml'
    return _parse(path.read_text(encoding='utf-8'), name)


def _parse(text: str, name: str) -> LabelSet:
    try:
        return LabelSet.from_dict(yaml.safe_load(text), name)
    except yaml.YAMLError as error:
        raise ConfigError(f'label set {name}: not valid YAML ({error})') from error


def shipped_label_sets() -> tuple[str, ...]:
    """Return the names of the label sets that ship with the package."""
    folder = resources.files('espnet_ros') / 'labelsets'
    return tuple(sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith('.yaml')))


def _check_grouping(label_set: LabelSet, name: str, grouping: Grouping) -> None:
    seen: set[str] = set()
    for _, members in grouping:
        for member in members:
            label_set.id_of(member)
            if member in seen:
                raise ConfigError(f'{name}: class {member!r} is in two groups')
            seen.add(member)
