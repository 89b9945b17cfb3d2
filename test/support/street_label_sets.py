"""The shipped label sets of places where a robot drives; slides of tissue are none."""

from __future__ import annotations

from espnet_ros.labels import load_label_set, shipped_label_sets


def street_label_sets() -> tuple[str, ...]:
    """Return the names of the shipped sets whose classes have roles for a planner."""
    names = tuple(n for n in shipped_label_sets() if 'roles' in dict(load_label_set(n).groupings))
    assert {'camvid', 'cityscapes'} <= set(names)
    return names
