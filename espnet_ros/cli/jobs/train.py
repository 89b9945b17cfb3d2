"""Trains a network on labelled images and writes the model file."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
import json
from pathlib import Path
from typing import Any

from espnet_ros.cli import _exit
from espnet_ros.cli._console import ERROR, OUT
from espnet_ros.cli.jobs._labelled import open_labelled
from espnet_ros.cli.jobs._training_progress import TrainingProgress
from espnet_ros.cli.jobs._weights import open_initial, open_teacher
from espnet_ros.evaluation.report import make_report, Report
from espnet_ros.exceptions import ConfigError
from espnet_ros.export.golden import with_golden_labels
from espnet_ros.export.onnx_export import export_network
from espnet_ros.model_file import ModelInfo
from espnet_ros.model_file.store import save_model_file
from espnet_ros.models.pipeline import SegmentationPipeline
from espnet_ros.models.registry import create_model
from espnet_ros.training.datasets.base import LabelledDataset
from espnet_ros.training.datasets.mixed import MixedDataset
from espnet_ros.training.datasets.street import StreetDataset
from espnet_ros.training.devices import choose_compute
from espnet_ros.training.job import RunSettings, TrainingJob
from espnet_ros.training.recipes import find_recipe, Recipe
from espnet_ros.training.reporting import Reporter
from espnet_ros.training.states import TrainedWeights
from espnet_ros.training.tensorboard import TensorBoardReporter
from espnet_ros.training.trainer import Trainer
from espnet_ros.training.validation import validate
import yaml

ESPNET = 'espnet'

STREET_SEED = 1000
"""The first training street; validation and demonstration show others."""


def run(arguments: argparse.Namespace) -> int:
    """Train on ``arguments.data``; return the exit code."""
    job = _make_job(arguments)
    folder = arguments.output.expanduser()
    try:
        weights = _train(job, folder)
    except KeyboardInterrupt:
        ERROR.print(
            f'espnet-ros: interrupted; the same command goes on from the state in {folder}',
            soft_wrap=True,
            markup=False,
        )
        return _exit.INTERRUPTED
    with ERROR.status('validating the best weights'):
        report = _validate(weights, job)
    path = _export(arguments, job, weights, report)
    OUT.print(
        f'mean IoU {100 * report.miou.void_ignored:.2f} (void ignored), '
        f'{100 * report.miou.void_as_false_positive:.2f} (void as false positive) on '
        f'{job.validation.name}, epoch {weights.record["epoch"]}\n'
        f'model file {path}; use it with: espnet-ros segment SOURCE --model {path}',
        soft_wrap=True,
        markup=False,
    )
    return _exit.DONE


def _train(job: TrainingJob, folder: Path) -> TrainedWeights:
    with ExitStack() as stack:
        reporters: list[Reporter] = [stack.enter_context(TrainingProgress())]
        board = _open_board(folder)
        if board is not None:
            stack.callback(board.close)
            reporters.append(board)
        return Trainer(job, folder, reporters).run()


def _make_job(arguments: argparse.Namespace) -> TrainingJob:
    train = open_labelled(arguments, 'train')
    height, width = train.load(0).labels.shape
    if arguments.synthetic is not None:
        street = StreetDataset(
            arguments.synthetic,
            first_seed=STREET_SEED,
            size=arguments.synthetic_size or (height, width),
            endless=False,
        )
        train = MixedDataset((train, street))
    arguments_of_network = _architecture_arguments(arguments)
    classes = len(train.label_set.classes)
    # Built for its checks alone: a mistake is told before anything is read or written.
    network = create_model(arguments.architecture, classes=classes, **arguments_of_network)
    return TrainingJob(
        recipe=_make_recipe(arguments, (height, width), network.size_multiple),
        train=train,
        validation=open_labelled(arguments, 'val'),
        settings=RunSettings(
            seed=arguments.seed,
            workers=arguments.workers,
            validate_every=arguments.validate_every,
            compile=arguments.compile,
        ),
        compute=choose_compute(arguments.device, arguments.precision),
        architecture_arguments=arguments_of_network,
        initial=None if arguments.initial is None else open_initial(arguments.initial),
        teacher=None if arguments.teacher is None else open_teacher(arguments.teacher),
    )


def _architecture_arguments(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of the network that the command line gives, without classes."""
    given = {'alpha2': arguments.alpha2, 'alpha3': arguments.alpha3}
    result: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if arguments.architecture == ESPNET:
        result['skip'] = 'reinforced_stem'
    return result | {name: yaml.safe_load(value) for name, value in arguments.argument}


def _make_recipe(
    arguments: argparse.Namespace, image_size: tuple[int, int], multiple: int
) -> Recipe:
    recipe = find_recipe(arguments.recipe)
    other = arguments.architecture != ESPNET
    if other and recipe.name == 'paper':
        raise ConfigError(
            f'recipe {recipe.name}: trains {ESPNET} in two stages, found '
            f'{arguments.architecture}; give --recipe modern'
        )
    if recipe.name == 'modern' and (other or arguments.initial is not None):
        recipe = recipe.last_stage()
    return recipe.changed(
        architecture=arguments.architecture if other else None,
        epochs=arguments.epochs,
        batch_size=arguments.batch_size,
        crop=arguments.crop or _fitting_crop(recipe, image_size, multiple),
        scales=arguments.scales,
        aspect=arguments.aspect,
        learning_rate=arguments.learning_rate,
        schedule=arguments.schedule,
        warmup_epochs=arguments.warmup_epochs,
        average_decay=arguments.average_decay,
        dice=arguments.dice,
        auxiliary=arguments.auxiliary,
        hard_share=arguments.hard_share,
        distillation=arguments.distillation,
        weighted=arguments.weighted,
        weight_offset=arguments.weight_offset,
    )


def _fitting_crop(recipe: Recipe, image_size: tuple[int, int], multiple: int) -> tuple[int, int]:
    """Return the recipe's crop, or the image where that is smaller, as the network takes it."""
    height, width = (
        max(multiple, min(ours, theirs) // multiple * multiple)
        for ours, theirs in zip(recipe.stages[0].augmentation.crop, image_size, strict=True)
    )
    return height, width


def _open_board(folder: Path) -> TensorBoardReporter | None:
    try:
        return TensorBoardReporter(folder / 'tensorboard')
    except ModuleNotFoundError:
        ERROR.print(
            "no TensorBoard logs: install tensorboard with: pip install 'espnet-ros[train]'",
            markup=False,
            soft_wrap=True,
        )
        return None


def _validate(weights: TrainedWeights, job: TrainingJob) -> Report:
    pipeline = SegmentationPipeline(weights.build_network(), weights.normalization)
    pipeline.to(job.compute.device).eval()
    matrix = validate(pipeline, job.validation, choose_compute(job.compute.device.type, 'fp32'))
    return make_report(matrix.counts, job.validation.label_set, len(job.validation))


def _export(
    arguments: argparse.Namespace, job: TrainingJob, weights: TrainedWeights, report: Report
) -> Path:
    """Write the report and the model file; return where the model file lies."""
    name = arguments.name or arguments.output.resolve().name
    network = weights.build_network()
    info = ModelInfo(
        name=name,
        architecture=weights.architecture,
        architecture_arguments=tuple(weights.architecture_arguments.items()),
        input_size=_input_size(arguments.size, job.validation, network.size_multiple),
        label_set=weights.label_set,
        training_set=weights.describe(),
        accuracy=describe_accuracy(report, job.validation),
        license=arguments.license,
        weights_sha256=weights.sha256,
    )
    path: Path = arguments.output.expanduser() / f'{name}.onnx'
    with ERROR.status('writing the model file'):
        model = with_golden_labels(export_network(network, weights.normalization, info))
        save_model_file(model, path)
    text = json.dumps({'training': weights.record, 'validation': report.to_dict()}, indent=2)
    path.with_suffix('.json').write_text(f'{text}\n', encoding='utf-8')
    return path


def describe_accuracy(report: Report, validation: LabelledDataset) -> str:
    """Return the accuracy with its protocol, in words."""
    return (
        f'{validation.name} ({report.images} images): {100 * report.miou.void_ignored:.2f} mIoU '
        f'with void ignored, {100 * report.miou.void_as_false_positive:.2f} with void as false '
        f'positive, {100 * report.pixel_accuracy:.2f} pixel accuracy'
    )


def _input_size(
    asked: tuple[int, int] | None, dataset: LabelledDataset, multiple: int
) -> tuple[int, int]:
    height, width = asked or dataset.load(0).labels.shape
    return max(multiple, height // multiple * multiple), max(
        multiple, width // multiple * multiple
    )
