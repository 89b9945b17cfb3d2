"""Builds a TensorRT engine, and quantises the model before where that is asked for."""

from __future__ import annotations

import argparse
from dataclasses import replace
import logging
from pathlib import Path

from espnet_ros.cli import _exit
from espnet_ros.cli._console import ERROR, OUT
from espnet_ros.cli._logging import on_standard_error
from espnet_ros.cli._options import read_options
from espnet_ros.cli.jobs._calibration import read_calibration
from espnet_ros.cli.jobs._models import open_any_model
from espnet_ros.config import ForeignModelSettings, RuntimeSettings
from espnet_ros.exceptions import ConfigError
from espnet_ros.export.quantization import quantize_model
from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.store import models_folder, save_model_file, SUFFIX
from espnet_ros.runtimes.build_watch import BuildProgress, BuildWatch
from espnet_ros.runtimes.factory import open_runtime, runtime_report
from espnet_ros.runtimes.tensorrt.runtime import TensorrtRuntime
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn


def run(arguments: argparse.Namespace) -> int:
    """Build the engine; return the exit code."""
    settings = replace(read_options(arguments, RuntimeSettings), runtime='tensorrt')
    _check(arguments, settings)
    model = open_any_model(arguments.model, read_options(arguments, ForeignModelSettings))
    if arguments.calibration is not None:
        model = _quantize(arguments, model)
        status = next(s for s in runtime_report() if s.name == 'tensorrt')
        if not status.usable:
            OUT.print(
                f'No engine was built on this machine: {status.reason}. Copy the model to the '
                'robot and build it there.',
                soft_wrap=True,
                markup=False,
            )
            return _exit.DONE
    _build(arguments, model, settings)
    return _exit.DONE


def _check(arguments: argparse.Namespace, settings: RuntimeSettings) -> None:
    precision = settings.precision
    if arguments.calibration is None and arguments.quantized is not None:
        raise ConfigError('--quantized: expected --calibration too, whose images it is made with')
    if arguments.calibration is not None and precision not in ('auto', 'int8'):
        raise ConfigError(f'--calibration: makes an int8 model; found --precision {precision}')
    is_sized = arguments.image_size is not None
    if is_sized != (settings.resize == 'device'):
        raise ConfigError(
            '--image-size: an engine that resizes is built for one size of image; expected '
            '--resize device and --image-size HEIGHT,WIDTH together, or neither'
        )
    if arguments.quantized is not None and arguments.quantized.suffix != SUFFIX:
        raise ConfigError(
            f'--quantized: expected a file name that ends with {SUFFIX}, found '
            f'{arguments.quantized}'
        )


def _quantize(arguments: argparse.Namespace, model: ModelFile) -> ModelFile:
    images = read_calibration(arguments.calibration, arguments.images, model.info.input_size)
    with ERROR.status(f'quantising {model.info.name} with {len(images)} images'):
        quantized = quantize_model(model, images)
        default = models_folder() / f'{quantized.info.name}{SUFFIX}'
        path: Path = arguments.quantized or default
        save_model_file(quantized, path)
    OUT.print(
        f'{path}: {quantized.info.name}, int8 by {len(images)} images; compare it with its '
        'original before you rely on it: espnet-ros compare',
        soft_wrap=True,
        markup=False,
    )
    return quantized


def _build(arguments: argparse.Namespace, model: ModelFile, settings: RuntimeSettings) -> None:
    # A build is long, and its story is what one wants to read.
    with on_standard_error(logging.INFO, 'espnet_ros.runtimes'), _bar() as bar:
        task = bar.add_task('building', total=1.0, visible=False)

        def show(progress: BuildProgress) -> None:
            total = None if progress.fraction is None else 1.0
            phase = progress.phase or 'building'
            bar.update(
                task, visible=True, description=phase, total=total, completed=progress.fraction
            )

        watch = BuildWatch(on_progress=show)
        with open_runtime(
            model,
            settings,
            batch_size=arguments.batch_size,
            image_size=arguments.image_size,
            watch=watch,
        ) as runtime:
            bar.remove_task(task)
            _tell(model, runtime)


def _tell(model: ModelFile, runtime: object) -> None:
    if not isinstance(runtime, TensorrtRuntime):
        return
    check = (
        'kept since an earlier build'
        if runtime.self_check is None
        else (f'self-check: {runtime.self_check.words}')
    )
    OUT.print(
        f'{model.info.name}: {runtime.precision} on {runtime.device}; {check}',
        soft_wrap=True,
        markup=False,
    )


def _bar() -> Progress:
    return Progress(
        TextColumn('{task.description}'),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=ERROR,
        transient=True,
        disable=not ERROR.is_terminal,
    )
