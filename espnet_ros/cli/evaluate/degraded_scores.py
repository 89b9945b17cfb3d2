"""How well a model does on the same images at night, in fog and under other conditions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from espnet_ros.cli.console import make_table, OUT, say
from espnet_ros.cli.evaluate.view import percent
from espnet_ros.cli.output import OutputFolder
from espnet_ros.datasets.base import Sample
from espnet_ros.evaluation.metrics import class_iou, ConfusionMatrix, counted_classes, mean
from espnet_ros.evaluation.report import Report
from espnet_ros.exceptions import ConfigError
from espnet_ros.labels import LabelSet
from espnet_ros.processing.codecs import encode_png
from espnet_ros.processing.conditions import CONDITIONS, degrade, SEVERITIES
from espnet_ros.processing.matrix_picture import draw_shares
import numpy as np
from numpy.typing import NDArray

_Predict = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
_CLEAR = 'as it is'
_MEAN = 'mean IoU'


def check_conditions(names: Sequence[str]) -> None:
    """
    Check that there are such conditions.

    :raises ConfigError: one is not known
    """
    for name in names:
        if name not in CONDITIONS:
            raise ConfigError(
                f'--conditions: expected names of {", ".join(CONDITIONS)}, found {name!r}'
            )


class DegradedScores:
    """
    Counts what a model makes of images under conditions.

    :param conditions: their names; none for no scores
    :param seed: of what is random
    :param label_set: the classes, or groups, that are scored
    """

    def __init__(self, conditions: Sequence[str], seed: int, label_set: LabelSet) -> None:
        self._seed = seed
        self._counted = counted_classes(label_set)
        self._names = [label_set.names[class_id] for class_id in self._counted]
        self._conditions = tuple(dict.fromkeys(conditions))
        self._matrices = {
            (condition, severity): ConfusionMatrix(len(label_set.classes))
            for condition in self._conditions
            for severity in SEVERITIES
        }

    def add(self, sample: Sample, index: int, predict: _Predict) -> None:
        """
        Score an image under every condition.

        :param predict: returns the ids that the model finds in an image
        """
        for (condition, severity), matrix in self._matrices.items():
            image = degrade(sample.image_bgr, condition, severity, (self._seed, index))
            matrix.add(sample.labels, predict(image))

    def print(self, clear: Report, what: str = '') -> None:
        """
        Print each class by condition, the mean over severities, then means by severity.

        :param clear: without conditions
        :param what: of what, in words behind the title
        """
        if not self._matrices:
            return
        columns = [[entry.iou for entry in clear.classes]]
        columns += [
            [mean(np.array(values)) for values in zip(*self._by_severity(condition), strict=True)]
            for condition in self._conditions
        ]
        say(f'\nIoU under conditions{what}, mean of three severities:')
        table = make_table('class', _CLEAR, *self._conditions)
        for name, *values in zip(self._names, *columns, strict=True):
            table.add_row(name, *map(percent, values))
        OUT.print(table)
        say('\nmean IoU by severity:')
        table = make_table('condition', 'light', 'middle', 'heavy')
        for condition in self._conditions:
            means = [mean(values) for values in self._by_severity(condition)]
            table.add_row(condition, *map(percent, means))
        table.add_row(_CLEAR, *[percent(clear.miou.void_ignored)] * len(SEVERITIES))
        OUT.print(table)

    def describe(self) -> dict[str, object]:
        """Return the scores in percent, as JSON holds them; nothing where there are none."""
        if not self._matrices:
            return {}
        found: dict[str, list[dict[str, object]]] = {name: [] for name in self._conditions}
        for (condition, severity), matrix in self._matrices.items():
            iou = class_iou(matrix.counts, self._counted)
            classes = {n: _rounded(v) for n, v in zip(self._names, iou, strict=True)}
            found[condition].append(
                {'severity': severity, 'miou': _rounded(mean(iou)), 'class_iou': classes}
            )
        return {'conditions': found, 'conditions_seed': self._seed}

    def write(self, folder: OutputFolder, clear: Report, what: str) -> None:
        """Draw each class, and the mean, by condition and severity."""
        if not self._matrices:
            return
        columns = [np.array([entry.iou for entry in clear.classes])]
        titles = [_CLEAR]
        for condition in self._conditions:
            columns += self._by_severity(condition)
            titles += [f'{condition} {severity}' for severity in SEVERITIES]
        shares = np.array([[*column, mean(column)] for column in columns]).T
        title = f'{what}: IoU in percent, by condition and severity'
        picture = draw_shares(shares, (*self._names, _MEAN), titles, title)
        folder.write('conditions.png', encode_png(picture))

    def _by_severity(self, condition: str) -> list[NDArray[np.float64]]:
        """Return the IoU of each class, by severity."""
        return [
            class_iou(self._matrices[condition, severity].counts, self._counted)
            for severity in SEVERITIES
        ]


def _rounded(share: float) -> float | None:
    return None if np.isnan(share) else round(100 * float(share), 4)
