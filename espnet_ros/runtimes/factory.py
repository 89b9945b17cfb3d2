"""Which runtimes this machine has, and opening one of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
import importlib
import importlib.util
import logging
from pathlib import Path
import sys
from typing import Any

from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import BuildCancelled, ConfigError, EspnetError, RuntimeUnavailableError
from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.golden import make_golden_image
from espnet_ros.runtimes.base import Runtime, Workload
from espnet_ros.runtimes.build_watch import BuildWatch, SILENT
from espnet_ros.runtimes.golden import recorded_reference, Reference
from espnet_ros.runtimes.tensorrt.library import TENSORRT_RTX
from espnet_ros.runtimes.tensorrt.support import find_tensorrt
import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RuntimeEntry:
    """
    Where a runtime lies; its module is loaded where it is used.

    :param find: returns what it lacks on this machine, or nothing, and the version of its
        library; None where the library is the package of the runtime's own name
    :param is_automatic: whether ``auto`` may take it
    """

    module: str
    class_name: str
    find: Callable[[], tuple[str, str | None]] | None = None
    is_automatic: bool = True


RUNTIMES = {
    'tensorrt': RuntimeEntry(
        'espnet_ros.runtimes.tensorrt.runtime', 'TensorrtRuntime', find_tensorrt
    ),
    'tensorrt_rtx': RuntimeEntry(
        'espnet_ros.runtimes.tensorrt.rtx',
        'TensorrtRtxRuntime',
        partial(find_tensorrt, TENSORRT_RTX),
    ),
    'openvino': RuntimeEntry('espnet_ros.runtimes.openvino', 'OpenvinoRuntime'),
    'onnxruntime': RuntimeEntry('espnet_ros.runtimes.onnxruntime', 'OnnxRuntime'),
    'torch': RuntimeEntry('espnet_ros.runtimes.torch', 'TorchRuntime'),
    'fake': RuntimeEntry(
        'espnet_ros.runtimes.fake', 'FakeRuntime', lambda: ('', None), is_automatic=False
    ),
}
"""Every runtime by name, fastest first; none of their modules imports this one."""

AUTO_ORDER = tuple(name for name, entry in RUNTIMES.items() if entry.is_automatic)
"""What ``runtime: auto`` tries, in order."""

_REFERENCES = ('onnxruntime', 'openvino')
"""What computes the labels to check an engine by where the model file has none."""

_BROKEN_IMPORT = (
    AttributeError,
    ImportError,
    OSError,
    RuntimeError,
    SystemError,
    TypeError,
    ValueError,
)
"""What importing a library with native parts raises where it does not fit the machine."""


@dataclass(frozen=True)
class RuntimeStatus:
    """
    Whether a runtime can be used on this machine.

    :param usable: whether its library is there and loads
    :param version: version of the library, or None where it does not load
    :param reason: why it cannot be used and what to do; empty where it can
    """

    name: str
    usable: bool
    version: str | None
    reason: str


def runtime_report() -> tuple[RuntimeStatus, ...]:
    """Return the state of every runtime in the order that ``auto`` tries them."""
    return tuple(_check_runtime(name) for name in AUTO_ORDER)


def open_runtime(
    model: ModelFile,
    settings: RuntimeSettings,
    *,
    batch_size: int = 1,
    image_size: tuple[int, int] | None = None,
    watch: BuildWatch | None = None,
) -> Runtime:
    """
    Open the runtime that the settings request.

    A runtime requested by name is the one that runs, or this raises. ``auto`` takes the
    first usable one and logs which, and why the earlier ones were not taken.

    :param batch_size: the largest batch that is to come; TensorRT builds its engine for it
    :param image_size: (height, width) of the images, where they are known: with ``resize: device``
        TensorRT builds its engine for it, else for the first image
    :param watch: who is told while TensorRT builds an engine, which takes minutes
    :return: the opened runtime; the caller closes it
    :raises RuntimeUnavailableError: the runtime, device or precision is not on this machine
    :raises ConfigError: the model does not take the input size, or a setting has to be changed
    :raises ModelError: the runtime does not take the model
    """
    workload = Workload(batch_size, image_size, watch or SILENT, _find_reference)
    model = _at_input_size(model, settings)
    if settings.runtime != 'auto':
        runtime = make_runtime(settings.runtime, model, settings, workload)
        runtime.open()
        return runtime
    return _open_first(model, settings, workload)


def build_ahead(
    model: ModelFile,
    settings: RuntimeSettings,
    *,
    batch_size: int = 1,
    image_size: tuple[int, int] | None = None,
    watch: BuildWatch | None = None,
) -> Path:
    """
    Build the engine of TensorRT-RTX without a GPU, as :func:`open_runtime` looks it up.

    :return: where it is kept, if it can be
    :raises EspnetError: as :meth:`TensorrtRtxRuntime.build_ahead` raises it
    """
    workload = Workload(batch_size, image_size, watch or SILENT)
    made = _class_of('tensorrt_rtx')(_at_input_size(model, settings), settings, workload)
    path: Path = made.build_ahead()
    return path


def _at_input_size(model: ModelFile, settings: RuntimeSettings) -> ModelFile:
    height, width = settings.input_size
    return model.with_input_size((height, width)) if height else model


def make_runtime(
    name: str, model: ModelFile, settings: RuntimeSettings, workload: Workload | None = None
) -> Runtime:
    """
    Return a runtime that is not open yet.

    :param name: one of :data:`RUNTIMES`
    :raises RuntimeUnavailableError: it cannot be used on this machine
    """
    status = _check_runtime(name)
    if not status.usable:
        raise RuntimeUnavailableError(f'{name}: {status.reason}')
    runtime: Runtime = _class_of(name)(
        model, settings, workload or Workload(find_reference=_find_reference)
    )
    return runtime


def _class_of(name: str) -> Any:
    """Return the class of a runtime, whose module is loaded here."""
    entry = RUNTIMES[name]
    return getattr(importlib.import_module(entry.module), entry.class_name)


def label_on_cpu(
    model: ModelFile, runtime: str, image_bgr: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """
    Return the labels of one image by a runtime on the CPU: in fp32, a quantised model in int8.

    :param image_bgr: uint8, (H, W, 3)
    :return: uint8, of the network's input size
    :raises RuntimeUnavailableError: that runtime is not on this machine
    :raises ModelError: it does not take the model
    """
    is_resized = image_bgr.shape[:2] != model.info.input_size
    settings = RuntimeSettings(
        runtime=runtime,
        precision='int8' if model.is_quantized else 'fp32',
        resize='device' if is_resized else 'host',
    )
    with open_runtime(model, settings) as opened:
        batch = image_bgr[np.newaxis].astype(opened.input_spec.dtype)
        return np.array(opened.infer(batch).labels[0], np.uint8)


def _find_reference(model: ModelFile, size: tuple[int, int]) -> Reference | None:
    """Return labels of an image of (height, width): of the model file, or of a CPU runtime."""
    recorded = recorded_reference(model, size)
    if recorded is not None:
        return recorded
    image = make_golden_image(seed=0, size=size)
    for name in _REFERENCES:
        try:
            return Reference(image, label_on_cpu(model, name, image), f'{name} on this CPU')
        except EspnetError as error:
            logger.debug('no reference labels by %s: %s', name, error)
    return None


def _open_first(model: ModelFile, settings: RuntimeSettings, workload: Workload) -> Runtime:
    """Open the first runtime that can be used, and log why the earlier ones were not."""
    errors: list[EspnetError] = []
    for name in AUTO_ORDER:
        try:
            runtime = make_runtime(name, model, settings, workload)
            runtime.open()
        except (BuildCancelled, ConfigError):
            raise
        except EspnetError as error:
            errors.append(error)
            continue
        log = logger.warning if any(_is_fault(error) for error in errors) else logger.info
        log(
            'runtime %s, %s on %s%s',
            name,
            runtime.precision,
            runtime.device,
            ''.join(f'; {error}' for error in errors),
        )
        return runtime
    raise next((type(error) for error in errors if _is_fault(error)), RuntimeUnavailableError)(
        'no runtime can be used as requested: '
        + '; '.join(map(str, errors))
        + '. Change device or precision, or install a runtime (pip install openvino)'
    )


def _is_fault(error: EspnetError) -> bool:
    """Return whether a runtime is here and failed, which somebody has to look into."""
    return not isinstance(error, RuntimeUnavailableError)


def _check_runtime(name: str) -> RuntimeStatus:
    entry = RUNTIMES[name]
    if entry.find is not None:
        reason, version = entry.find()
        return RuntimeStatus(name, not reason, version, reason)
    if importlib.util.find_spec(name) is None:
        return RuntimeStatus(name, False, None, f'not installed; pip install "espnet-ros[{name}]"')
    try:
        importlib.import_module(entry.module)
    except _BROKEN_IMPORT as error:
        reason = ' '.join(str(error).split()) or type(error).__name__
        return RuntimeStatus(
            name,
            False,
            None,
            f'installed, but it cannot be loaded ({reason}); pip install --force-reinstall {name}',
        )
    version = str(getattr(sys.modules[name], '__version__', '')).partition('-')[0]
    return RuntimeStatus(name, True, version, '')
