"""Evaluates a model on labelled images, at their own resolution."""

from __future__ import annotations

import argparse
from typing import Any

from espnet_ros.cli import _exit
from espnet_ros.cli._console import ERROR
from espnet_ros.cli._options import read_options
from espnet_ros.cli.jobs._accuracy_view import print_report
from espnet_ros.cli.jobs._labelled import open_labelled
from espnet_ros.cli.jobs._models import open_any_model
from espnet_ros.cli.jobs._output import OutputFolder, write_json
from espnet_ros.cli.jobs._progress import FrameProgress
from espnet_ros.cli.jobs._worst import WorstImages
from espnet_ros.config import ForeignModelSettings, MaskSettings, RuntimeSettings
from espnet_ros.evaluation.confusion import ConfusionMatrix
from espnet_ros.evaluation.report import make_report, Report
from espnet_ros.exceptions import ConfigError
from espnet_ros.processing.codecs import encode_png
from espnet_ros.processing.matrix_picture import draw_confusion
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.segmenter import Segmenter
from espnet_ros.training.datasets.base import LabelledDataset
from espnet_ros.version import package_version


def run(arguments: argparse.Namespace) -> int:
    """Evaluate ``arguments.model`` on ``arguments.data``; return the exit code."""
    dataset = open_labelled(arguments, arguments.split)
    folder = None
    if arguments.pictures is not None:
        folder = OutputFolder(arguments.pictures, arguments.data)
    model = open_any_model(arguments.model, read_options(arguments, ForeignModelSettings))
    runtime = open_runtime(model, read_options(arguments, RuntimeSettings))
    with Segmenter(runtime, MaskSettings(mask_size='image')) as segmenter:
        _check_classes(dataset, segmenter)
        worst = WorstImages(arguments.worst if folder else 0, dataset.label_set)
        matrix = _count(dataset, segmenter, worst)
        report = make_report(matrix.counts, dataset.label_set, len(dataset))
        record = _describe(arguments, dataset, segmenter, report)
    record['worst_images'] = worst.describe()
    if arguments.json is not None:
        write_json(arguments.json, record)
    if folder is not None:
        worst.write(folder)
        title = f'{record["model"]["name"]} on {dataset.name}: percent of each true class'
        # Unlabelled pixels have no row that would say anything.
        counts = matrix.counts[: len(dataset.label_set.classes)]
        picture = draw_confusion(counts, (*dataset.label_set.names, 'unlabelled'), title)
        folder.write('confusion.png', encode_png(picture))
    print_report(report, record)
    return _verdict(report, arguments.require)


def _check_classes(dataset: LabelledDataset, segmenter: Segmenter) -> None:
    """Refuse to count one model's classes as others; void may be missing on either side."""
    found, expected = segmenter.label_set, dataset.label_set
    if found.names == expected.names:
        return
    raise ConfigError(
        f'expected a model of the classes of {dataset.name} ({", ".join(expected.names)}), found '
        f'{segmenter.runtime.model.info.name} with {", ".join(found.names)}; give another model, '
        'or say with --label-set what the labels mean'
    )


def _count(dataset: LabelledDataset, segmenter: Segmenter, worst: WorstImages) -> ConfusionMatrix:
    matrix = ConfusionMatrix(len(dataset.label_set.classes))
    with FrameProgress('evaluating', len(dataset)) as progress:
        for index in range(len(dataset)):
            sample = dataset.load(index)
            predicted = segmenter.segment([sample.image_bgr])[0].labels
            counts = matrix.add(sample.labels, predicted)
            worst.add(sample, predicted, counts)
            progress.advance()
    return matrix


def _describe(
    arguments: argparse.Namespace,
    dataset: LabelledDataset,
    segmenter: Segmenter,
    report: Report,
) -> dict[str, Any]:
    runtime = segmenter.runtime
    model = runtime.model
    return {
        **report.to_dict(),
        'data': {'name': dataset.name, 'path': arguments.data, 'split': arguments.split},
        'model': {
            'name': model.info.name,
            'sha256': model.sha256,
            'training_set': model.info.training_set,
            'input_size': list(model.info.input_size),
        },
        'runtime': {
            'name': runtime.name,
            'precision': runtime.precision,
            'device': runtime.device,
        },
        'espnet_ros': package_version(),
        'unit': 'percent',
        'resolution': 'of the labels; masks are resized to it by nearest neighbour',
    }


def _verdict(report: Report, require: float | None) -> int:
    percent = 100 * report.miou.void_ignored
    if require is None or percent >= require:
        return _exit.DONE
    ERROR.print(
        f'espnet-ros: mean IoU is {percent:.2f} %, required are {require:g} %', soft_wrap=True
    )
    return _exit.FAILED
