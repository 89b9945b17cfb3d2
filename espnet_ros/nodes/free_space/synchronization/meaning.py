"""What the ids of a mask mean: the label set that was in force when its image was taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
import math
import time

from espnet_ros.config import FreeSpaceSettings
from espnet_ros.exceptions import ConfigError, InputError
from espnet_ros.labels import (
    LabelSet,
    load_label_set,
    parse_costs,
    parse_grouping,
    UNLABELLED_ID,
    with_costs,
)
from espnet_ros.nodes.free_space.synchronization.ages import in_seconds
from espnet_ros.nodes.free_space.synchronization.stamp_queue import PendingError
from espnet_ros.planning.costs import CostTable, make_cost_table
import numpy as np
from numpy.typing import NDArray

AUTO = 'auto'
_MOST_SETS = 8

CONTRADICTION_S = 5.0
"""How long a second publisher's set counts as one that is there: sets are repeated every 2 s."""


@dataclass(frozen=True)
class HeardSet:
    """
    A label set as the publisher of the masks tells it.

    :param label_set: None where the message makes no sense
    :param fault: why the message makes no sense, or empty
    """

    label_set: LabelSet | None
    model: str = ''
    unlabelled_id: int = UNLABELLED_ID
    fault: str = ''


class LabelSetHistory:
    """Keeps which label set was in force from when on."""

    def __init__(self) -> None:
        self._sets: list[tuple[int, HeardSet]] = []

    def hear(self, stamp_ns: int, heard: HeardSet) -> None:
        """
        Take a set; a repetition changes nothing.

        Sets of the same or a later stamp are dropped: the clock or the recording went back.

        :param stamp_ns: of the first image with these ids; 0 from the beginning
        """
        earlier = [entry for entry in self._sets if entry[0] < stamp_ns]
        self._sets = [*earlier, (stamp_ns, heard)][-_MOST_SETS:]

    def at(self, stamp_ns: int) -> HeardSet | None:
        """Return the set of an image's stamp, or None where no set tells."""
        return next((heard for since, heard in reversed(self._sets) if since <= stamp_ns), None)

    @property
    def newest(self) -> HeardSet | None:
        return self._sets[-1][1] if self._sets else None

    @property
    def first_ns(self) -> int | None:
        """Return from when on sets are known, or None where there are none."""
        return self._sets[0][0] if self._sets else None

    def clear(self) -> None:
        self._sets.clear()


@dataclass(frozen=True, eq=False)
class Meaning:
    """
    What ids mean, and what driving over them costs.

    :param origin: where the label set comes from, in words
    :param unlabelled_id: value of pixels without a label, as UNLABELLED_ID always is
    """

    label_set: LabelSet
    costs: CostTable
    model: str
    origin: str
    unlabelled_id: int

    def check_ids(self, labels: NDArray[np.uint8]) -> None:
        """
        Check that a mask has no ids but these: what it has others of are not its classes.

        :param labels: uint8, (H, W)
        :raises InputError: it has
        """
        count = len(self.label_set.classes)
        if int((labels + np.uint8(1)).max()) <= count:  # UNLABELLED_ID + 1 is 0
            return
        strange = labels[(labels >= count) & (labels != self.unlabelled_id)]
        strange = strange[strange != UNLABELLED_ID]
        if strange.size:
            raise InputError(
                f'mask: expected ids of 0 to {count - 1}, as label set {self.label_set.name!r} '
                f'has, or {self.unlabelled_id} (unlabelled), found {strange[0]}; use the label '
                'set of the masks'
            )


class MeaningSource:
    """
    Tells what the masks of one camera mean, and what is wrong where that is not known.

    :param topic: on which label sets are heard
    :raises ConfigError: the label set that the settings name cannot be used
    """

    def __init__(
        self,
        topic: str,
        count_publishers: Callable[[], int],
        settings: Callable[[], FreeSpaceSettings],
    ) -> None:
        self.history = LabelSetHistory()
        self._topic = topic
        self._count_publishers = count_publishers
        self._settings = settings
        self._names: tuple[int, Mapping[int, str]] | None = None
        self._made: tuple[object, Meaning] | None = None
        self._named = read_label_set(settings())
        self._contradicted_s = -math.inf

    def hear(self, stamp_ns: int, heard: HeardSet) -> None:
        """
        Take a label set; see :meth:`LabelSetHistory.hear`.

        Where several nodes publish on the topic, of different classes, nobody knows whose mask
        a mask is.
        """
        if self.history.newest not in (None, heard) and self._count_publishers() > 1:
            self._contradicted_s = time.monotonic()
        self.history.hear(stamp_ns, heard)

    def hear_names(self, stamp_ns: int, names: Mapping[int, str]) -> None:
        """Take the class names by id of a vision_msgs/LabelInfo."""
        self._names = stamp_ns, names

    def forget(self) -> None:
        self.history.clear()
        self._names = self._made = None
        self._contradicted_s = -math.inf

    def at(self, stamp_ns: int) -> Meaning:
        """
        Return what the ids of a mask mean.

        :raises PendingError: no set tells, but one may come
        :raises InputError: sets contradict each other, or cannot be used
        """
        if time.monotonic() - self._contradicted_s < CONTRADICTION_S:
            raise InputError(
                f'label_set: expected one publisher on {self._topic}, found '
                f'{self._count_publishers()} that tell different classes: whose the masks are is '
                'not known; end all but one of these nodes'
            )
        costs = self._settings().costs
        heard = self.history.at(stamp_ns)
        if heard is None and (self._named is None or self._expects_sets()):
            raise PendingError(self._missing(stamp_ns))
        if heard is not None:
            self._check(heard)
        if self._made is None or self._made[0] != (heard, costs):
            self._made = (heard, costs), self._make(heard, costs)
        meaning = self._made[1]
        self._check_names(stamp_ns, meaning.label_set, has_set=heard is not None)
        return meaning

    def _expects_sets(self) -> bool:
        return self.history.first_ns is not None or self._count_publishers() > 0

    def _missing(self, stamp_ns: int) -> str:
        first_ns = self.history.first_ns
        if first_ns is not None:
            return (
                f'label_set: expected one for images of {in_seconds(stamp_ns)} on {self._topic}, '
                f'found the first one for images from {in_seconds(first_ns)} on: what the ids of '
                'this mask mean is not known'
            )
        count = self._count_publishers()
        return (
            f'label_set: expected what the ids of the mask mean on {self._topic}, found nothing '
            f'({count or "no"} publisher{"" if count == 1 else "s"}); remap label_set to that of '
            'the masks, or name it: label_set: camvid, or a YAML file'
        )

    def _check(self, heard: HeardSet) -> None:
        if heard.label_set is None:
            raise InputError(f'{heard.fault} (on {self._topic})')
        if self._named is None:
            return
        difference = _difference(self._named, heard.label_set)
        if difference:
            raise InputError(
                f'label_set: {difference}, as the parameter ({self._named.name!r}) has it, on '
                f'{self._topic} ({heard.label_set.name!r} of model {heard.model!r}); use '
                'label_set: auto, or the set and label_groups of the masks'
            )

    def _make(self, heard: HeardSet | None, costs: Sequence[str]) -> Meaning:
        label_set = self._named or (heard.label_set if heard else None)
        assert label_set is not None
        unlabelled_id = heard.unlabelled_id if heard else UNLABELLED_ID
        try:
            label_set = with_costs(label_set, parse_costs(costs))
            table = make_cost_table(label_set, unlabelled_id)
        except ConfigError as error:
            raise InputError(str(error)) from error
        origins = [f'topic {self._topic}'] * (heard is not None)
        origins += ['parameter label_set'] * (self._named is not None)
        model = heard.model if heard else ''
        return Meaning(label_set, table, model, ' and '.join(origins), unlabelled_id)

    def _check_names(self, stamp_ns: int, label_set: LabelSet, *, has_set: bool) -> None:
        """Refuse masks of other classes, whose costs would be those of something else."""
        since_ns, names = self._names or (0, {})
        if stamp_ns < since_ns:
            return
        known = dict(enumerate(label_set.names))
        for class_id, name in names.items():
            expected = known.get(class_id, 'no class')
            if expected == name:
                continue
            reason = (
                f'label_info: expected {expected!r} as class {class_id}, as label set '
                f'{label_set.name!r} has it, found {name!r}; set label_set and label_groups to '
                'those of the masks'
            )
            # Where both are told, one may be a moment ahead of the other.
            raise PendingError(reason) if has_set else InputError(reason)


def read_label_set(settings: FreeSpaceSettings) -> LabelSet | None:
    """
    Return the label set that the parameters name, groups applied; None where none is named.

    :raises ConfigError: there is no such set, or it has no such groups
    """
    if settings.label_set == AUTO:
        if settings.label_groups.strip():
            raise ConfigError(
                'label_groups: expected none with label_set: auto, as groups come with the masks, '
                f'found {settings.label_groups!r}; leave it out, or name label_set'
            )
        return None
    label_set = load_label_set(settings.label_set)
    grouping = parse_grouping(settings.label_groups, label_set)
    return label_set if grouping is None else label_set.grouped(grouping)


def check_meaning(settings: FreeSpaceSettings) -> None:
    """
    Check what can be checked of the parameters before a label set is heard.

    :raises ConfigError: they name nothing that exists, or nothing that can be driven over
    """
    costs = parse_costs(settings.costs)
    named = read_label_set(settings)
    if named is not None:
        make_cost_table(with_costs(named, costs))


def _difference(named: LabelSet, heard: LabelSet) -> str:
    """Return in words where two label sets give an id another meaning; empty where nowhere."""
    for class_id in range(max(len(named.classes), len(heard.classes))):
        expected, found = (
            repr(names[class_id]) if class_id < len(names) else 'no class'
            for names in (named.names, heard.names)
        )
        if expected != found:
            return f'expected {expected} as class {class_id}, found {found}'
    if named.void_id != heard.void_id:
        return f'expected void as class {named.void_id}, found {heard.void_id}'
    return ''
