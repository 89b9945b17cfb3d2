"""Trains a network on labelled images and writes the model file."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
import json
from pathlib import Path
from typing import Any

from espnet_ros.cli import exit_codes
from espnet_ros.cli.console import ERROR, PROGRAM, say, warn
from espnet_ros.cli.train.data import TrainingData
from espnet_ros.cli.train.options import NetworkOptions, Options, ResultOptions
from espnet_ros.cli.train.progress import TrainingProgress
from espnet_ros.datasets.base import LabelledDataset
from espnet_ros.evaluation.report import make_report, Report
from espnet_ros.exceptions import ConfigError
from espnet_ros.export.golden import with_golden_labels
from espnet_ros.export.onnx_export import export_network
from espnet_ros.model_file import ModelInfo
from espnet_ros.model_file.store import save_model_file
from espnet_ros.models.pipeline import SegmentationPipeline
from espnet_ros.models.registry import create_model
from espnet_ros.training.devices import choose_compute
from espnet_ros.training.distillation import open_teacher
from espnet_ros.training.job import RunSettings, TrainingJob
from espnet_ros.training.recipes import ESPNET, find_recipe, Recipe
from espnet_ros.training.reporting import Reporter
from espnet_ros.training.tensorboard import TensorBoardReporter
from espnet_ros.training.trainer import LAST_FILE, Trainer
from espnet_ros.training.validation import validate
from espnet_ros.training.weights.averaging import average_with, check_average
from espnet_ros.training.weights.states import load_weights, TrainedWeights
from espnet_ros.training.weights.transfer import InitialWeights, open_initial_weights
import yaml


def run(options: Options) -> int:
    result = options.result
    job = _make_job(options)
    partner = _open_partner(result, job)
    folder = result.output.expanduser()
    try:
        weights = _train(job, folder)
    except KeyboardInterrupt:
        warn(f'{PROGRAM}: interrupted; the same command resumes from the state in {folder}')
        return exit_codes.INTERRUPTED
    if result.keep == 'last':
        weights = load_weights(folder / weights.record['stage'] / LAST_FILE)
    if partner is not None:
        weights = average_with(weights, partner, result.average_share)
    with ERROR.status('validating the weights'):
        report = _validate(weights, job)
    path = _export(result, job, weights, report)
    say(
        f'mean IoU {100 * report.miou.void_ignored:.2f} (void ignored), '
        f'{100 * report.miou.void_as_false_positive:.2f} (void as false positive) on '
        f'{job.validation.name} over {report.averaged} of {len(report.classes)} classes, epoch '
        f'{weights.record["epoch"]}\n'
        f'model file {path}; use it with: espnet-ros segment SOURCE --model {path}'
    )
    return exit_codes.DONE


def _train(job: TrainingJob, folder: Path) -> TrainedWeights:
    with ExitStack() as stack:
        reporters: list[Reporter] = [stack.enter_context(TrainingProgress())]
        board = _open_board(folder)
        if board is not None:
            stack.callback(board.close)
            reporters.append(board)
        return Trainer(job, folder, reporters).run()


def _make_job(options: Options) -> TrainingJob:
    data = TrainingData(options)
    network = options.network
    initial = None if network.initial is None else open_initial_weights(network.initial)
    architecture = network.architecture or _network_of(initial)
    arguments = _network_arguments(network, architecture, initial)
    # Built for its checks alone: a mistake is told before anything is labelled or written.
    built = create_model(architecture, classes=len(data.label_set.classes), **arguments)
    recipe = find_recipe(options.recipe.recipe).for_network(
        architecture, has_weights=initial is not None
    )
    recipe = recipe.changed(**asdict(options.recipe.changes))
    crop = options.recipe.changes.crop
    _check_crop(crop, built.size_multiple)
    data.check_batch(max(stage.batch_size for stage in recipe.stages))
    compute = choose_compute(options.run.device, options.run.precision)
    teacher = None if network.teacher is None else open_teacher(network.teacher)
    train, validation = data.open()
    if crop is None:
        recipe = _with_own_crop(recipe, train.load(0).labels.shape, built.size_multiple)
    return TrainingJob(
        recipe=recipe,
        train=train,
        validation=validation,
        settings=RunSettings(
            seed=options.recipe.seed,
            workers=options.run.workers,
            validate_every=options.run.validate_every,
            compile=options.run.compile,
        ),
        compute=compute,
        architecture_arguments=arguments,
        initial=initial,
        teacher=teacher,
    )


def _open_partner(result: ResultOptions, job: TrainingJob) -> InitialWeights | None:
    """Return the weights that the result is averaged with, checked before anything is trained."""
    if result.average_with is None:
        return None
    if job.initial is None:
        raise ConfigError('--average-with: expected --initial too, found none')
    partner = open_initial_weights(result.average_with)
    classes = len(job.train.label_set.classes)
    network = create_model(
        job.recipe.stages[-1].architecture, classes=classes, **job.architecture_arguments
    )
    normalization = job.initial.normalization
    check_average(network.state_dict(), normalization, partner, result.average_share)
    return partner


def _network_of(initial: InitialWeights | None) -> str:
    """Return what is trained where nothing is said: what the given weights are of."""
    if initial is None or not initial.architecture:
        return ESPNET
    return initial.architecture.removesuffix('_c')  # an ESPNet-C is the encoder of an ESPNet


def _network_arguments(
    network: NetworkOptions, architecture: str, initial: InitialWeights | None
) -> dict[str, Any]:
    """Return the arguments of the network without classes: those given, else of the weights."""
    known = {} if initial is None else initial.arguments_for(architecture)
    if architecture == ESPNET and (initial is None or initial.architecture != ESPNET):
        known['skip'] = 'reinforced_stem'
    said = {'alpha2': network.alpha2, 'alpha3': network.alpha3}
    known |= {name: value for name, value in said.items() if value is not None}
    return known | {name: yaml.safe_load(value) for name, value in network.argument}


def _check_crop(crop: tuple[int, int] | None, multiple: int) -> None:
    """
    Check a crop that was given.

    :raises ConfigError: the network does not take it
    """
    if crop is not None and any(side % multiple for side in crop):
        raise ConfigError(f'--crop: expected multiples of {multiple}, found {crop[0]},{crop[1]}')


def _with_own_crop(recipe: Recipe, image_size: tuple[int, ...], multiple: int) -> Recipe:
    """Return the recipe with its crop as the network takes it, or the image where smaller."""
    height, width = (
        max(multiple, min(sides) // multiple * multiple)
        for sides in zip(recipe.stages[0].augmentation.crop, image_size, strict=True)
    )
    return recipe.changed(crop=(height, width))


def _open_board(folder: Path) -> TensorBoardReporter | None:
    try:
        return TensorBoardReporter(folder / 'tensorboard')
    except ModuleNotFoundError:
        warn("no TensorBoard logs: install tensorboard with: pip install 'espnet-ros[train]'")
        return None


def _validate(weights: TrainedWeights, job: TrainingJob) -> Report:
    pipeline = SegmentationPipeline(weights.build_network(), weights.normalization)
    pipeline.to(job.compute.device).eval()
    matrix = validate(pipeline, job.validation, choose_compute(job.compute.device.type, 'fp32'))
    return make_report(matrix.counts, job.validation.label_set, len(job.validation))


def _export(
    result: ResultOptions, job: TrainingJob, weights: TrainedWeights, report: Report
) -> Path:
    """Write the report and the model file; return where the model file lies."""
    name = result.name or result.output.resolve().name
    network = weights.build_network()
    info = ModelInfo(
        name=name,
        architecture=weights.architecture,
        architecture_arguments=tuple(weights.architecture_arguments.items()),
        input_size=_input_size(result.size, job.validation, network.size_multiple),
        label_set=weights.label_set,
        training_set=weights.describe(),
        accuracy=describe_accuracy(report, job.validation),
        license=result.license,
        weights_sha256=weights.sha256,
    )
    path = result.output.expanduser() / f'{name}.onnx'
    with ERROR.status('writing the model file'):
        model = with_golden_labels(export_network(network, weights.normalization, info))
        save_model_file(model, path)
    text = json.dumps({'training': weights.record, 'validation': report.to_dict()}, indent=2)
    path.with_suffix('.json').write_text(f'{text}\n', encoding='utf-8')
    return path


def describe_accuracy(report: Report, validation: LabelledDataset) -> str:
    """Return the accuracy with its protocol, in words."""
    absent = f'; no labelled pixel of {", ".join(report.absent)}' if report.absent else ''
    return (
        f'{validation.name} ({report.images} images): {100 * report.miou.void_ignored:.2f} mIoU '
        f'with void ignored, {100 * report.miou.void_as_false_positive:.2f} with void as false '
        f'positive, {100 * report.pixel_accuracy:.2f} pixel accuracy; mean over '
        f'{report.averaged} of {len(report.classes)} classes{absent}'
    )


def _input_size(
    wanted: tuple[int, int] | None, dataset: LabelledDataset, multiple: int
) -> tuple[int, int]:
    height, width = wanted or dataset.load(0).labels.shape
    return max(multiple, height // multiple * multiple), max(
        multiple, width // multiple * multiple
    )
