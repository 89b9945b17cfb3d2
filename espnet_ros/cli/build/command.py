"""Builds a TensorRT engine, and quantises the model before where that is requested."""

from __future__ import annotations

from dataclasses import replace
import logging
from pathlib import Path
from typing import Any

from espnet_ros.cli import exit_codes
from espnet_ros.cli.build.options import EngineOptions, Options, QuantizationOptions
from espnet_ros.cli.console import ERROR, log_on_standard_error, say
from espnet_ros.cli.progress import make_bar
from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import ConfigError, InputError, RuntimeUnavailableError
from espnet_ros.export.any_model import open_any_model
from espnet_ros.export.quantization import quantize_model
from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.store import models_folder, save_model_file, SUFFIX
from espnet_ros.runtimes.build_watch import BuildProgress, BuildWatch
from espnet_ros.runtimes.factory import build_ahead, open_runtime, runtime_report
from espnet_ros.runtimes.tensorrt import support
from espnet_ros.runtimes.tensorrt.runtime import TensorrtRuntime
from espnet_ros.sources.sampling import sample_images
from rich.progress import BarColumn, TaskProgressColumn, TimeElapsedColumn


def run(options: Options) -> int:
    settings = replace(options.engine.settings, runtime=options.engine.runtime)
    _check(options.int8, settings.precision)
    _check_size(options.engine.image_size, settings.resize)
    model = open_any_model(options.model.model, options.model.foreign)
    if options.int8.calibration is not None:
        model = _quantize(model, options.int8.calibration, options.int8)
        status = next(s for s in runtime_report() if s.name == settings.runtime)
        if not status.usable and not _builds_ahead(settings):
            return _end_without_engine(status.reason)
    try:
        _build(model, settings, options.engine)
    except RuntimeUnavailableError as error:
        if options.int8.calibration is None:
            raise
        return _end_without_engine(str(error))
    return exit_codes.DONE


def _builds_ahead(settings: RuntimeSettings) -> bool:
    """Return whether there is no GPU to check the engine on, and it can be built all the same."""
    return settings.runtime == 'tensorrt_rtx' and support.count_cuda_devices() == 0


def _end_without_engine(reason: str) -> int:
    """Say that the quantised model, which was requested, is all that this machine can make."""
    say(
        f'No engine was built on this machine: {reason}. Copy the model to the robot and build it '
        'there.'
    )
    return exit_codes.DONE


def _check(int8: QuantizationOptions, precision: str) -> None:
    if int8.calibration is None and int8.quantized is not None:
        raise ConfigError('--quantized: expected --calibration too, whose images it is made with')
    if int8.calibration is not None and precision not in ('auto', 'int8'):
        raise ConfigError(f'--calibration: makes an int8 model; found --precision {precision}')
    if int8.quantized is not None and int8.quantized.suffix != SUFFIX:
        raise ConfigError(
            f'--quantized: expected a file name that ends with {SUFFIX}, found {int8.quantized}'
        )


def _check_size(image_size: tuple[int, int] | None, resize: str) -> None:
    if (image_size is not None) != (resize == 'device'):
        raise ConfigError(
            '--image-size: an engine that resizes is built for one size of image; expected '
            '--resize device and --image-size HEIGHT,WIDTH together, or neither'
        )


def _quantize(model: ModelFile, calibration: str, int8: QuantizationOptions) -> ModelFile:
    try:
        images = sample_images(calibration, int8.images, model.info.input_size)
    except InputError as error:
        raise InputError(f'--calibration {error}') from error
    with ERROR.status(f'quantising {model.info.name} with {len(images)} images'):
        quantized = quantize_model(model, images)
        default = models_folder() / f'{quantized.info.name}{SUFFIX}'
        path: Path = int8.quantized or default
        save_model_file(quantized, path)
    say(
        f'{path}: {quantized.info.name}, int8 by {len(images)} images; compare it with its '
        'original before you rely on it: espnet-ros compare'
    )
    return quantized


def _build(model: ModelFile, settings: RuntimeSettings, engine: EngineOptions) -> None:
    # A build is long, and its story is what one wants to read.
    columns = ('{task.description}', BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with log_on_standard_error(logging.INFO, 'espnet_ros.runtimes'), make_bar(*columns) as bar:
        task = bar.add_task('building', total=1.0, visible=False)

        def show(progress: BuildProgress) -> None:
            total = None if progress.fraction is None else 1.0
            phase = progress.phase or 'building'
            bar.update(
                task, visible=True, description=phase, total=total, completed=progress.fraction
            )

        workload: dict[str, Any] = {
            'batch_size': engine.batch_size,
            'image_size': engine.image_size,
            'watch': BuildWatch(on_progress=show),
        }
        if _builds_ahead(settings):
            path = build_ahead(model, settings, **workload)
            bar.remove_task(task)
            say(
                f'{path}: {model.info.name}, for any supported GPU; no GPU is here, so it is '
                'checked where it is loaded first. Copy it and its .json into the same folder '
                'there, readable and writable by its user alone'
            )
            return
        with open_runtime(model, settings, **workload) as runtime:
            bar.remove_task(task)
            if isinstance(runtime, TensorrtRuntime):
                check = runtime.self_check
                told = f'self-check: {check.words}' if check else 'kept since an earlier build'
                say(f'{model.info.name}: {runtime.precision} on {runtime.device}; {told}')
