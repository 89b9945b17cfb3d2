"""What an engine is built for, from what was asked for and what there is."""

from __future__ import annotations

import hashlib

from espnet_ros.config import EngineSettings
from espnet_ros.exceptions import RuntimeUnavailableError
from espnet_ros.model_file import ModelFile
from espnet_ros.runtimes.engines.job import EngineJob
from espnet_ros.runtimes.engines.machine import Gpu
from espnet_ros.runtimes.engines.network import fit_network
from espnet_ros.runtimes.graph import is_quantized

PRECISIONS = ('fp32', 'fp16', 'int8')
_MEBIBYTE = 1 << 20


def choose_device(asked: str) -> int:
    """
    Return the number of the CUDA device.

    :param asked: auto, gpu or cuda, or one of them with a number
    :raises RuntimeUnavailableError: it is none of them
    """
    kind, _, number = asked.lower().partition(':')
    if kind not in ('auto', 'gpu', 'cuda') or (number and not number.isdecimal()):
        raise RuntimeUnavailableError(
            f'tensorrt: no device {asked!r}; expected auto, gpu or cuda, with a number where '
            'there are several (cuda:1)'
        )
    return int(number or 0)


def choose_precision(
    asked: str, model: ModelFile, gpu: Gpu, *, can_calibrate: bool = False
) -> str:
    """
    Return the precision to build with.

    :param asked: a precision, or auto for the fastest that needs no calibration
    :param can_calibrate: whether INT8 scales can be measured on images here
    :raises RuntimeUnavailableError: there is no such one, or the model is not made for it
    """
    quantized = is_quantized(model)
    if asked == 'auto':
        return 'int8' if quantized else 'fp16' if gpu.has_fast_fp16 else 'fp32'
    if asked not in PRECISIONS:
        raise RuntimeUnavailableError(
            f'tensorrt: no precision {asked}; expected auto or one of {", ".join(PRECISIONS)}'
        )
    if asked == 'int8' and not quantized and not can_calibrate:
        raise RuntimeUnavailableError(
            f'tensorrt: precision int8 needs a quantised model, and {model.origin} is none; make '
            'one on any computer: espnet-ros build --model MODEL --precision int8 --calibration '
            'SOURCE; or, up to TensorRT 10.16, set calibration_dir'
        )
    if asked != 'int8' and quantized:
        raise RuntimeUnavailableError(
            f'tensorrt: {model.origin} is a quantised model, which has precision int8; found '
            f'{asked}'
        )
    return asked


def plan_job(
    graph: ModelFile,
    settings: EngineSettings,
    gpu: Gpu,
    *,
    precision: str,
    image_size: tuple[int, int],
    batch_size: int,
    calibration_sha256: str,
    versions: tuple[str, str],
) -> EngineJob:
    """
    Return what an engine is built for.

    :param graph: the model file, as it is computed
    :param image_size: (height, width) of the images that it is shown
    :param batch_size: the largest batch; engines of one image have no other
    :param calibration_sha256: of the images that INT8 scales are measured on, or empty
    :param versions: of TensorRT and of CUDA's runtime
    :raises ModelError: the graph cannot be built for that
    """
    has_fixed_batch = batch_size == 1
    # What is built depends on the release of this package too.
    network = fit_network(
        graph,
        batch_size if has_fixed_batch else None,
        image_size=image_size,
        has_confidence=settings.engine_confidence,
        as_half=False,
    )
    return EngineJob(
        model_sha256=hashlib.sha256(network).hexdigest(),
        tensorrt=versions[0],
        cuda=versions[1],
        gpu=gpu.name,
        compute_capability=gpu.capability_words,
        multiprocessors=gpu.multiprocessors,
        precision=precision,
        image_size=image_size,
        mask_size=graph.info.input_size,
        has_confidence=settings.engine_confidence,
        batch_size=batch_size,
        has_fixed_batch=has_fixed_batch,
        calibration_sha256=calibration_sha256,
        dla_core=settings.dla_core,
        workspace_bytes=settings.workspace_mb * _MEBIBYTE,
        optimization_level=settings.optimization_level,
    )
