"""What a model made of a data set: pixels counted, the worst images, conditions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from espnet_ros.cli.evaluate.degraded_scores import DegradedScores
from espnet_ros.cli.evaluate.worst_images import WorstImages
from espnet_ros.cli.output import OutputFolder
from espnet_ros.evaluation.metrics import ConfusionMatrix, group_counts
from espnet_ros.evaluation.report import make_report, Report
from espnet_ros.labels import LabelSet
from espnet_ros.processing.codecs import encode_png
from espnet_ros.processing.matrix_picture import draw_confusion
from espnet_ros.runtimes.base import Runtime
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Scored:
    """What was scored, as it ran."""

    model: dict[str, object]
    runtime: dict[str, str]

    @classmethod
    def on(cls, runtime: Runtime) -> Scored:
        """Build it while the runtime is open: closed, it does not tell how it ran."""
        info = runtime.model.info
        return cls(
            {
                'name': info.name,
                'sha256': runtime.model.sha256,
                'training_set': info.training_set,
                'input_size': list(info.input_size),
            },
            {'name': runtime.name, 'precision': runtime.precision, 'device': runtime.device},
        )

    @property
    def words(self) -> str:
        return f'{self.model["name"]} on {self.runtime["name"]} {self.runtime["precision"]}'


@dataclass(frozen=True, eq=False)
class SetScores:
    """
    The pixels of a data set, or of several, by what they are and what was found.

    :param label_set: the classes, or groups, that are scored
    """

    dataset: str
    label_set: LabelSet
    matrix: ConfusionMatrix
    images: int
    scored: Scored
    worst: WorstImages
    degraded: DegradedScores

    @property
    def report(self) -> Report:
        return make_report(self.matrix.counts, self.label_set, self.images)

    def describe(self) -> dict[str, object]:
        """Return the figures as JSON holds them."""
        return {
            **self.report.to_dict(),
            'confusion': self.matrix.counts.tolist(),
            'model': self.scored.model,
            'runtime': self.scored.runtime,
            'worst_images': self.worst.describe(),
            **self.degraded.describe(),
        }

    def draw(self, folder: OutputFolder) -> None:
        """
        Write pictures of the confusion, the worst images and the conditions.

        :raises OutputError: they cannot be written
        """
        what = f'{self.scored.model["name"]} on {self.dataset}'
        self.worst.write(folder)
        draw_confusions(folder, self.matrix.counts, self.label_set, what)
        self.degraded.write(folder, self.report, what)


def draw_confusions(
    folder: OutputFolder, counts: NDArray[np.int64], label_set: LabelSet, what: str
) -> None:
    """Draw where the pixels of each class went, and those of each group of every grouping."""
    drawn = {'': (counts, label_set.names, 'class')}
    for name, grouping in label_set.groupings:
        grouped = group_counts(counts, label_set, grouping)
        drawn[f'_{name}'] = grouped, tuple(group for group, _ in grouping), f'group of {name}'
    for ending, (pixels, names, kind) in drawn.items():
        title = f'{what}: percent of each true {kind}'
        # Unlabelled pixels have no row that would say anything.
        picture = draw_confusion(pixels[: len(names)], (*names, 'unlabelled'), title)
        folder.write(f'confusion{ending}.png', encode_png(picture))


def total_of(scores: Sequence[SetScores]) -> SetScores:
    """Return the scores of all pixels of data sets of the same classes, in any order of them."""
    first = scores[0]
    names = first.label_set.names
    matrix = ConfusionMatrix(len(names))
    for each in scores:
        order = [*map(each.label_set.names.index, names), len(names)]
        matrix.counts += each.matrix.counts[np.ix_(order, order)]
    return SetScores(
        dataset=f'{len(scores)} data sets',
        label_set=first.label_set,
        matrix=matrix,
        images=sum(each.images for each in scores),
        scored=first.scored,
        worst=WorstImages(0, first.label_set),
        degraded=DegradedScores((), 0, first.label_set),
    )
