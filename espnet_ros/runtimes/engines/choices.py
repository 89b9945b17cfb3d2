"""Device and precision of an engine, from what was asked for and what there is."""

from __future__ import annotations

from espnet_ros.exceptions import RuntimeUnavailableError
from espnet_ros.model_file import ModelFile
from espnet_ros.runtimes.engines.machine import Gpu
from espnet_ros.runtimes.engines.network import is_quantized

PRECISIONS = ('fp32', 'fp16', 'int8')


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


def choose_precision(asked: str, model: ModelFile, gpu: Gpu) -> str:
    """
    Return the precision to build with.

    :param asked: a precision, or auto for the fastest that needs no calibration
    :raises RuntimeUnavailableError: there is no such one, or the model is not made for it
    """
    quantized = is_quantized(model)
    if asked == 'auto':
        return 'int8' if quantized else 'fp16' if gpu.has_fast_fp16 else 'fp32'
    if asked not in PRECISIONS:
        raise RuntimeUnavailableError(
            f'tensorrt: no precision {asked}; expected auto or one of {", ".join(PRECISIONS)}'
        )
    if asked == 'int8' and not quantized:
        raise RuntimeUnavailableError(
            f'tensorrt: precision int8 needs a quantised model, and {model.origin} is none; make '
            'one on any computer: espnet-ros build --model MODEL --precision int8 --calibration '
            'SOURCE'
        )
    if asked != 'int8' and quantized:
        raise RuntimeUnavailableError(
            f'tensorrt: {model.origin} is a quantised model, which has precision int8; found '
            f'{asked}'
        )
    return asked
