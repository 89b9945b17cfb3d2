"""Which runtimes this machine has, and opening one of them."""

from __future__ import annotations

from dataclasses import dataclass
import importlib
import importlib.util
import logging
import sys

from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import RuntimeUnavailableError
from espnet_ros.model_file import ModelFile
from espnet_ros.runtimes.base import Runtime
from espnet_ros.runtimes.engines.job import BuildWatch
from espnet_ros.runtimes.fake_runtime import FakeRuntime
from espnet_ros.runtimes.tensorrt_support import find_tensorrt

logger = logging.getLogger(__name__)

AUTO_ORDER = ('tensorrt', 'openvino', 'onnxruntime', 'torch')
"""What ``runtime: auto`` tries, fastest first."""

_CLASSES = {
    'tensorrt': ('espnet_ros.runtimes.tensorrt_runtime', 'TensorrtRuntime'),
    'openvino': ('espnet_ros.runtimes.openvino_runtime', 'OpenvinoRuntime'),
    'onnxruntime': ('espnet_ros.runtimes.onnx_runtime', 'OnnxRuntime'),
    'torch': ('espnet_ros.runtimes.torch_runtime', 'TorchRuntime'),
}

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

    :param name: as in the setting ``runtime``
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
    watch: BuildWatch | None = None,
) -> Runtime:
    """
    Open the runtime that the settings ask for.

    A runtime asked for by name is the one that runs, or this raises. ``auto`` takes the
    first usable one and logs which, and why the earlier ones were not taken.

    :param batch_size: the largest batch that is to come; TensorRT builds its engine for it
    :param watch: who is told while TensorRT builds an engine, which takes minutes
    :return: the opened runtime; the caller closes it
    :raises RuntimeUnavailableError: the runtime, device or precision is not on this machine
    :raises ConfigError: the model does not take the input size
    :raises ModelError: the runtime does not take the model
    """
    height, width = settings.input_size
    if height:
        model = model.with_input_size((height, width))
    if settings.runtime != 'auto':
        runtime = _make_runtime(settings.runtime, model, settings, batch_size, watch)
        runtime.open()
        return runtime
    return _open_first(model, settings, batch_size, watch)


def _open_first(
    model: ModelFile, settings: RuntimeSettings, batch_size: int, watch: BuildWatch | None
) -> Runtime:
    """Open the first runtime that can be used, and log why the earlier ones were not."""
    reasons: list[str] = []
    for name in AUTO_ORDER:
        try:
            runtime = _make_runtime(name, model, settings, batch_size, watch)
            runtime.open()
        except RuntimeUnavailableError as error:
            reasons.append(str(error))
            continue
        logger.info(
            'runtime %s, %s on %s%s',
            name,
            runtime.precision,
            runtime.device,
            ''.join(f'; {reason}' for reason in reasons),
        )
        return runtime
    raise RuntimeUnavailableError(
        'no runtime can be used as asked: '
        + '; '.join(reasons)
        + '. Change device or precision, or install a runtime (pip install openvino)'
    )


def _make_runtime(
    name: str,
    model: ModelFile,
    settings: RuntimeSettings,
    batch_size: int,
    watch: BuildWatch | None,
) -> Runtime:
    if name == 'fake':
        return FakeRuntime(model, settings)
    status = _check_runtime(name)
    if not status.usable:
        raise RuntimeUnavailableError(f'{name}: {status.reason}')
    module, class_name = _CLASSES[name]
    make = getattr(importlib.import_module(module), class_name)
    arguments = (model, settings, batch_size, watch) if name == 'tensorrt' else (model, settings)
    runtime: Runtime = make(*arguments)
    return runtime


def _check_runtime(name: str) -> RuntimeStatus:
    if name == 'tensorrt':
        reason, version = find_tensorrt()
        return RuntimeStatus(name, not reason, version, reason)
    if importlib.util.find_spec(name) is None:
        return RuntimeStatus(name, False, None, f'not installed; pip install "espnet-ros[{name}]"')
    try:
        importlib.import_module(_CLASSES[name][0])
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
