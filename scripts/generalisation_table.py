#!/usr/bin/env python3
"""
Write the last part of docs/models.md: models where they have not been, and under conditions.

Every model segments the same images of each data set, and is scored by the seven categories and by
the classes of CamVid that its label set has. Models of Cityscapes were trained without any label
of CamVid and of the street. With ``--model`` the rows of other models stay that were measured with
the same images and precision.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
import sys
import time

from espnet_ros.config import ForeignModelSettings, RuntimeSettings
from espnet_ros.datasets.base import LabelledDataset, Sample
from espnet_ros.datasets.opening import open_dataset
from espnet_ros.evaluation.common_groups import common_groups, CommonGroups, shared_groupings
from espnet_ros.evaluation.metrics import class_iou, ConfusionMatrix, counted_classes, mean
from espnet_ros.export.any_model import open_any_model
from espnet_ros.labels import LabelSet
from espnet_ros.processing.conditions import degrade
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.segmenter import Segmenter
import numpy as np

DOCUMENT = Path(__file__).resolve().parents[1] / 'docs' / 'models.md'
HEADING = '## Where they have not been'
MODELS = (
    'espnet_p2_q8_cityscapes',
    'espnetv2_s2_0_cityscapes',
    'espnet_p2_q8_camvid_street',
    'espnet_p2_q8_streets19',
)
CONDITIONS = ('night', 'fog', 'rain', 'motion_blur')
SEVERITY = 2
BY_CATEGORIES, BY_CLASSES = 'categories', 'camvid'

TEXT = """{heading}

Written by `scripts/generalisation_table.py`; measured {when}.

- Mean IoU in percent, void ignored: of the seven categories, and in brackets of the classes of
  CamVid (`--by categories` and `--by camvid` of `evaluate`). {images}
- Conditions are those of `evaluate --conditions` at severity {severity}, on the images of {first}.
- Void: share of the pixels of {first} that a model calls void.

{table}
"""


@dataclass
class Scale:
    """The groups of a data set that a model has, and what was counted."""

    groups: CommonGroups
    matrix: ConfusionMatrix

    @classmethod
    def of(cls, truth: LabelSet, model: LabelSet, by: str) -> Scale | None:
        """Return the scale of a grouping, or None where the label sets do not share it."""
        if by not in shared_groupings(truth, model):
            return None
        groups = common_groups(truth, model, by)
        return cls(groups, ConfusionMatrix(len(groups.label_set.classes)))

    def percent(self) -> str:
        """Return the mean IoU."""
        iou = class_iou(self.matrix.counts, counted_classes(self.groups.label_set))
        return f'{100 * mean(iou):.1f}'


def score(segmenter: Segmenter, samples: list[Sample], truth: LabelSet) -> tuple[str, float]:
    """Return the mean IoU by categories, and by classes in brackets; and the share of void."""
    scales = [Scale.of(truth, segmenter.label_set, by) for by in (BY_CATEGORIES, BY_CLASSES)]
    void = []
    for sample in samples:
        (found,) = segmenter.segment([sample.image_bgr])
        void.append(float(np.mean(found.labels == segmenter.label_set.void_id)))
        for scale in scales:
            if scale is not None:
                groups = scale.groups
                scale.matrix.add(groups.of_truth[sample.labels], groups.of_model[found.labels])
    categories, classes = ('-' if scale is None else scale.percent() for scale in scales)
    return f'{categories} ({classes})', float(np.mean(void))


def spread(dataset: LabelledDataset, count: int) -> list[Sample]:
    """Return so many samples, evenly spread; 0 for all."""
    step = max(len(dataset) // count, 1) if count else 1
    return [dataset.load(index) for index in range(0, len(dataset), step)]


def worse(samples: list[Sample], condition: str) -> list[Sample]:
    """Return the samples as they look under a condition."""
    return [
        replace(sample, image_bgr=degrade(sample.image_bgr, condition, SEVERITY, (1, index)))
        for index, sample in enumerate(samples)
    ]


def measure(
    model: str, sets: list[tuple[str, LabelSet, list[Sample]]], runtime: RuntimeSettings
) -> list[str]:
    """Return the row of a model."""
    opened = open_runtime(open_any_model(model, ForeignModelSettings()), runtime)
    with Segmenter(opened) as segmenter:
        name = opened.model.info.name
        height, width = opened.model.info.input_size
        cells = [f'{name} ({width}x{height})']
        results = [score(segmenter, samples, truth) for _, truth, samples in sets]
        cells += [words for words, _ in results]
        _, truth, samples = sets[0]
        cells += [score(segmenter, worse(samples, each), truth)[0] for each in CONDITIONS]
        return [*cells, f'{100 * results[0][1]:.2f} %']


def kept_rows(page: str, same: str, header: list[str]) -> list[list[str]]:
    """Return the rows of a table that was measured in the same way: with the same words before."""
    if same not in page:
        return []
    lines = [line.strip('| ').split(' | ') for line in page.splitlines() if line.startswith('| ')]
    places = [index for index, line in enumerate(lines) if line == header]
    return lines[places[-1] + 2 :] if places else []


def main() -> None:
    """Read the options, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--data', action='append', metavar='NAME=FOLDER[:SPLIT]', required=True)
    parser.add_argument('--model', action='append', help='models, instead of those of the table')
    parser.add_argument('--images', type=int, default=0, help='of each data set; 0 for all')
    parser.add_argument('--precision', default='fp32')
    parser.add_argument('--output', type=Path, default=DOCUMENT)
    options = parser.parse_args()
    sets = []
    for entry in options.data:
        name, _, place = entry.partition('=')
        folder, _, split = place.partition(':')
        dataset = open_dataset(folder, split or 'val')
        sets.append((name, dataset.label_set, spread(dataset, options.images)))
    header = ['Model', *(name for name, _, _ in sets), *CONDITIONS, 'void']
    numbers = ', '.join(f'{len(samples)} of {name}' for name, _, samples in sets)
    images = f'Images: {numbers}; OpenVINO, {options.precision}.'
    before = options.output.read_text(encoding='utf-8') if options.output.is_file() else ''
    rows = {row[0]: row for row in kept_rows(before, images, header)} if options.model else {}
    runtime = RuntimeSettings(runtime='openvino', precision=options.precision)
    for model in options.model or MODELS:
        row = measure(model, sets, runtime)
        sys.stderr.write(f'{" | ".join(row)}\n')
        rows[row[0]] = row
        write(options.output, before, images, header, list(rows.values()))


def write(page: Path, before: str, images: str, header: list[str], rows: list[list[str]]) -> None:
    """Replace the last part of the page by a table."""
    lines = [header, ['---', *['---:'] * (len(header) - 1)], *rows]
    text = TEXT.format(
        heading=HEADING,
        when=time.strftime('%Y-%m-%d'),
        images=images,
        severity=SEVERITY,
        first=header[1],
        table='\n'.join(f'| {" | ".join(line)} |' for line in lines),
    )
    head = before.partition(HEADING)[0].rstrip()
    page.write_text(f'{head}\n\n{text}'.lstrip(), encoding='utf-8')


if __name__ == '__main__':
    main()
