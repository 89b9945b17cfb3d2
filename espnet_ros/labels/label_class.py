"""One class of a label set: its name, its colour, and what driving over it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from espnet_ros.exceptions import ConfigError


@dataclass(frozen=True)
class LabelClass:
    """
    One class of a label set.

    :param color_rgb: red, green, blue, each 0..255
    :param cost: what driving over it costs, 0 (best) to 100 (never); None where its pixels
        say nothing about the ground, as those of the sky
    :param flat: whether it lies on the ground instead of standing on it and hiding what is
        behind; None takes it from the cost (below 100 it is flat)
    """

    name: str
    color_rgb: tuple[int, int, int]
    cost: int | None = None
    flat: bool | None = None

    @property
    def is_flat(self) -> bool:
        return self.flat if self.flat is not None else (self.cost or 0) < 100

    def to_dict(self) -> dict[str, Any]:
        optional = {'cost': self.cost, 'flat': self.flat}
        given = {key: value for key, value in optional.items() if value is not None}
        return {'name': self.name, 'color': list(self.color_rgb), **given}

    @classmethod
    def from_dict(cls, content: Any) -> LabelClass:
        red, green, blue = (int(value) for value in content['color'])
        name, cost, flat = content['name'], content.get('cost'), content.get('flat')
        if isinstance(name, bool):  # YAML takes yes, no, on and off for truth values
            raise ValueError(f'class name {name}: put yes, no, on and off in quotes')
        return cls(str(name), (red, green, blue), cost, flat)


def distinct_color_rgb(index: int) -> tuple[int, int, int]:
    """Return the colour of a class id in the PASCAL VOC colour map, which any id has."""
    channels = [0, 0, 0]
    value = index + 1
    for bit in range(7, -1, -1):
        for channel in range(3):
            channels[channel] |= ((value >> channel) & 1) << bit
        value >>= 3
    return channels[0], channels[1], channels[2]


def check_class(origin: str, entry: LabelClass) -> None:
    """
    Check the colour and the cost of a class.

    :param origin: name of its label set, for the message
    :raises ConfigError: one of them is out of range or of another type
    """
    if len(entry.color_rgb) != 3 or not all(0 <= v <= 255 for v in entry.color_rgb):
        raise ConfigError(
            f'label set {origin!r}, class {entry.name!r}: expected a '
            f'colour [red, green, blue] of 0..255, found {entry.color_rgb}'
        )
    # A bool is an int to Python, and "cost: yes" a mistake.
    cost_is_valid = type(entry.cost) is int and 0 <= entry.cost <= 100
    if not (entry.cost is None or cost_is_valid) or entry.flat not in (None, True, False):
        raise ConfigError(
            f'label set {origin!r}, class {entry.name!r}: expected a cost of 0 to 100 and flat '
            f'true or false (or neither), found cost {entry.cost!r} and flat {entry.flat!r}'
        )


def merge_classes(name: str, members: Sequence[LabelClass], class_id: int) -> LabelClass:
    """Return the class that a group of classes is; see :meth:`LabelSet.grouped`."""
    if not members:
        return LabelClass(name, distinct_color_rgb(class_id))
    costs = [entry.cost for entry in members if entry.cost is not None]
    flat = None if not costs else all(entry.is_flat for entry in members)
    return LabelClass(name, members[0].color_rgb, max(costs, default=None), flat)
