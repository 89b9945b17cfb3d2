"""What shipped label sets know, for sets that were written before they knew it."""

from __future__ import annotations

from dataclasses import replace

from espnet_ros.labels.label_set import LabelSet, load_label_set, shipped_label_sets


def completed_by_shipped(label_set: LabelSet) -> LabelSet:
    """
    Return the set with the costs and groupings of the shipped one of its name and classes.

    Model files hold the label set of the day that they were made. Costs are taken where the
    set has none at all, groupings where it has none of that name.
    """
    if label_set.name not in shipped_label_sets():
        return label_set
    shipped = load_label_set(label_set.name)
    if shipped.names != label_set.names:
        return label_set
    has_costs = any(entry.cost is not None for entry in label_set.classes)
    return replace(
        label_set,
        classes=label_set.classes if has_costs else shipped.classes,
        groupings=tuple((dict(shipped.groupings) | dict(label_set.groupings)).items()),
    )
