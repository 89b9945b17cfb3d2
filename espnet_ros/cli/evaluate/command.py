"""Evaluates a model on labelled images, at their own resolution."""

from __future__ import annotations

from dataclasses import replace

from espnet_ros.cli import exit_codes
from espnet_ros.cli.console import ERROR, PROGRAM, warn
from espnet_ros.cli.evaluate.counted import Counted
from espnet_ros.cli.evaluate.degraded_scores import check_conditions, DegradedScores
from espnet_ros.cli.evaluate.options import Options
from espnet_ros.cli.evaluate.view import print_report
from espnet_ros.cli.evaluate.worst_images import WorstImages
from espnet_ros.cli.output import check_output, OutputFolder, write_json
from espnet_ros.cli.progress import FrameProgress
from espnet_ros.config import MaskSettings
from espnet_ros.datasets.base import LabelledDataset
from espnet_ros.datasets.opening import open_dataset
from espnet_ros.evaluation.common_groups import (
    common_groups,
    CommonGroups,
    shared_groupings,
)
from espnet_ros.evaluation.confusion import ConfusionMatrix
from espnet_ros.evaluation.metrics import group_counts
from espnet_ros.evaluation.report import make_report, Report
from espnet_ros.exceptions import ConfigError
from espnet_ros.export.any_model import open_any_model
from espnet_ros.labels import LabelSet
from espnet_ros.model_file import ModelFile, ModelInfo
from espnet_ros.processing.codecs import encode_png
from espnet_ros.processing.matrix_picture import draw_confusion
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.segmenter import Segmenter
from espnet_ros.version import VERSION
import numpy as np
from numpy.typing import NDArray


def run(options: Options) -> int:
    """Evaluate a model on a data set; return the exit code."""
    results = options.results
    check_output(results.json, '--json')
    check_conditions(results.conditions)
    dataset = open_dataset(
        options.data.data,
        options.data.split,
        format_name=options.data.format,
        label_set=options.data.label_set,
    )
    _check_tiles(options, dataset)
    folder = None
    if results.pictures is not None:
        folder = OutputFolder(results.pictures, options.data.data)
    with ERROR.status('loading the model'):
        model = open_any_model(options.model.model, options.model.foreign)
    scored = _scored_classes(dataset, model.info, results.by)
    worst = WorstImages(results.worst if folder else 0, scored.label_set)
    degraded = DegradedScores(results.conditions, results.seed, scored.label_set)
    if dataset.is_of_slides:
        found = _count_tiles(options, dataset, model, scored)
    else:
        runtime = open_runtime(model, options.runtime)
        with Segmenter(runtime, MaskSettings(mask_size='image')) as segmenter:
            matrix = _count(dataset, segmenter, scored, worst, degraded)
            found = Counted.on(runtime, matrix, len(dataset))
    report = make_report(found.matrix.counts, scored.label_set, found.images)
    name = model.info.name
    # Hours of work are shown before a disk or a folder can say no.
    print_report(report, f'{name} on {found.runtime} {found.precision}', dataset.name)
    degraded.print(report)
    if results.json is not None:
        record = _describe(options, dataset, found, report)
        write_json(results.json, record | {'worst_images': worst.describe()} | degraded.describe())
    if folder is not None:
        worst.write(folder)
        _draw_confusions(folder, found.matrix, scored.label_set, f'{name} on {dataset.name}')
        degraded.write(folder, report, f'{name} on {dataset.name}')
    return _verdict(report, results.require)


def _check_tiles(options: Options, dataset: LabelledDataset) -> None:
    """
    Check that pictures too large for memory, and they alone, are evaluated by tiles.

    :raises ConfigError: options and data do not go together
    """
    options.slides.check()
    if dataset.is_of_slides != (options.slides.tile is not None):
        raise ConfigError(
            f'{dataset.name}: labels are TIFF files, for pictures of any size; give --tile 1024'
            if dataset.is_of_slides
            else f'--tile: is for data sets whose labels are TIFF files, found {dataset.name} '
            'with others; leave it out'
        )
    if dataset.is_of_slides and options.results.conditions:
        raise ConfigError('--conditions: are of whole images; leave it out with --tile')


def _count_tiles(
    options: Options, dataset: LabelledDataset, model: ModelFile, scored: CommonGroups
) -> Counted:
    """Return what was counted in pictures too large for memory."""
    # tifffile may be missing.
    from espnet_ros.cli.evaluate.slide_scores import count_slides  # noqa: PLC0415
    from espnet_ros.datasets.slides import SlideDataset  # noqa: PLC0415

    assert isinstance(dataset, SlideDataset), 'no other is of slides'
    tile, overlap = options.slides.tile, options.slides.overlap
    assert tile is not None, '_check_tiles() comes first'
    return count_slides(dataset, model, options.runtime, (tile, overlap), scored)


def _draw_confusions(
    folder: OutputFolder, matrix: ConfusionMatrix, label_set: LabelSet, what: str
) -> None:
    """Draw where the pixels of each class went, and those of each group of every grouping."""
    drawn = {'': (matrix.counts, label_set.names, 'class')}
    for name, grouping in label_set.groupings:
        counts = group_counts(matrix.counts, label_set, grouping)
        drawn[f'_{name}'] = counts, tuple(group for group, _ in grouping), f'group of {name}'
    for ending, (counts, names, kind) in drawn.items():
        title = f'{what}: percent of each true {kind}'
        # Unlabelled pixels have no row that would say anything.
        picture = draw_confusion(counts[: len(names)], (*names, 'unlabelled'), title)
        folder.write(f'confusion{ending}.png', encode_png(picture))


def _scored_classes(dataset: LabelledDataset, model: ModelInfo, by: str | None) -> CommonGroups:
    """
    Return what is scored: groups, or the classes, which are never counted as others.

    :raises ConfigError: model and data have nothing in common that could be
    """
    found, expected = model.label_set, dataset.label_set
    if by is not None:
        return common_groups(expected, found, by)
    if found.names == expected.names:
        same = np.arange(256, dtype=np.uint8)
        return CommonGroups(expected, same, same)
    shared = ', '.join(f'--by {name}' for name in sorted(shared_groupings(expected, found)))
    raise ConfigError(
        f'expected a model of the classes of {dataset.name} ({", ".join(expected.names)}), found '
        f'{model.name} with {", ".join(found.names)}; give another model, '
        f'{shared or "or say with --label-set what the labels mean"}'
    )


def _count(
    dataset: LabelledDataset,
    segmenter: Segmenter,
    scored: CommonGroups,
    worst: WorstImages,
    degraded: DegradedScores,
) -> ConfusionMatrix:
    def predict(image_bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
        labels = segmenter.segment([image_bgr])[0].labels
        segmenter.label_set.check_counts(np.bincount(labels.ravel(), minlength=256))
        return scored.of_model[labels]

    matrix = ConfusionMatrix(len(scored.label_set.classes))
    with FrameProgress('evaluating', len(dataset)) as progress:
        for index in range(len(dataset)):
            sample = dataset.load(index)
            predicted = predict(sample.image_bgr)
            sample = replace(sample, labels=scored.of_truth[sample.labels])
            counts = matrix.add(sample.labels, predicted)
            worst.add(sample, predicted, counts)
            degraded.add(sample, index, predict)
            progress.advance()
    return matrix


def _describe(
    options: Options, dataset: LabelledDataset, found: Counted, report: Report
) -> dict[str, object]:
    model = found.model
    return {
        **report.to_dict(),
        'data': {
            'name': dataset.name,
            'path': options.data.data,
            'split': options.data.split,
            **({} if options.results.by is None else {'by': options.results.by}),
        },
        'model': {
            'name': model.info.name,
            'sha256': model.sha256,
            'training_set': model.info.training_set,
            'input_size': list(model.info.input_size),
        },
        'runtime': {
            'name': found.runtime,
            'precision': found.precision,
            'device': found.device,
        },
        'espnet_ros': VERSION,
        'unit': 'percent',
        'resolution': 'of the labels; masks are resized to it by nearest neighbour',
    }


def _verdict(report: Report, require: float | None) -> int:
    percent = 100 * report.miou.void_ignored
    if require is None or percent >= require:
        return exit_codes.DONE
    warn(f'{PROGRAM}: mean IoU is {percent:.2f} %, required are {require:g} %')
    return exit_codes.FAILED
