"""Scoring a model on data of another label set, by groups that both sets have."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.exceptions import ConfigError
from espnet_ros.labels import Grouping, LabelSet, UNLABELLED_ID
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class CommonGroups:
    """
    The groups that two label sets share.

    :param label_set: whose classes are the groups
    :param of_truth: uint8, (256,), group by id of the truth, 255 in no group
    :param of_model: the same of the model's ids
    """

    label_set: LabelSet
    of_truth: NDArray[np.uint8]
    of_model: NDArray[np.uint8]


def shared_groupings(truth: LabelSet, model: LabelSet) -> tuple[str, ...]:
    """Return the names of the groupings that two label sets share: those of the same groups."""
    ours, theirs = _groupings(truth), _groupings(model)
    return tuple(
        name
        for name in ours.keys() & theirs.keys()
        if {group for group, _ in ours[name]} == {group for group, _ in theirs[name]}
    )


def common_groups(truth: LabelSet, model: LabelSet, by: str) -> CommonGroups:
    """
    Return the groups of a grouping that two label sets share.

    :raises ConfigError: they do not share it
    """
    shared = shared_groupings(truth, model)
    if by not in shared:
        raise ConfigError(
            f'--by {by}: expected a grouping that {truth.name} and {model.name} share, found '
            f'{", ".join(sorted(shared)) or "none"}'
        )
    grouping = _groupings(truth)[by]
    members = dict(_groupings(model)[by])
    same_order = tuple((group, members[group]) for group, _ in grouping)
    return CommonGroups(
        truth.grouped(grouping, by),
        truth.group_table(grouping, UNLABELLED_ID),
        model.group_table(same_order, UNLABELLED_ID),
    )


def _groupings(label_set: LabelSet) -> dict[str, Grouping]:
    """Return the groupings by name; a set called like a grouping is that grouping of itself."""
    classes = [name for i, name in enumerate(label_set.names) if i != label_set.void_id]
    itself = tuple((name, (name,)) for name in classes)
    return {label_set.name: itself, **dict(label_set.groupings)}
