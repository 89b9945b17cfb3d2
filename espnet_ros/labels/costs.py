"""Costs of one's own for the classes of a label set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from espnet_ros.exceptions import ConfigError
from espnet_ros.labels.label_class import LabelClass
from espnet_ros.labels.label_set import LabelSet


def parse_costs(entries: Sequence[str]) -> dict[str, int]:
    """
    Read the setting ``costs``.

    :param entries: for example ``pavement=20``; empty ones are left out
    :return: costs, 0 to 100, by class name
    :raises ConfigError: an entry is not of that form, or names a class twice
    """
    costs: dict[str, int] = {}
    for entry in filter(None, (text.strip() for text in entries)):
        name, equals, number = (part.strip() for part in entry.rpartition('='))
        if not equals or not name or not number.isdecimal() or int(number) > 100:
            raise ConfigError(
                f'costs: expected "class=number" with a number of 0 to 100, found {entry!r}'
            )
        if name in costs:
            raise ConfigError(f'costs: expected each class once, found {name!r} twice')
        costs[name] = int(number)
    return costs


def with_costs(label_set: LabelSet, costs: Mapping[str, int]) -> LabelSet:
    """
    Return the label set with other costs.

    A class that had a cost keeps lying flat or standing; one that had none lies flat where it
    costs less than 100.

    :param costs: 0 to 100, by class name
    :raises ConfigError: the set has no such class, or it is the void class
    """
    classes = list(label_set.classes)
    for name, cost in costs.items():
        try:
            class_id = label_set.id_of(name)
        except ConfigError as error:
            raise ConfigError(f'costs: {error}') from error
        if class_id == label_set.void_id:
            raise ConfigError(
                f'costs: expected a class that means something, found {name!r}, which is the '
                f'void class of label set {label_set.name!r}'
            )
        classes[class_id] = _with_cost(classes[class_id], cost)
    return replace(label_set, classes=tuple(classes))


def _with_cost(entry: LabelClass, cost: int) -> LabelClass:
    flat = entry.flat if entry.cost is None else entry.is_flat
    return replace(entry, cost=cost, flat=flat)
