"""OpenVINO: the fastest on CPUs."""

from __future__ import annotations

from collections import OrderedDict
import importlib
import sys
from typing import Any

from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import InferenceError, last_line, ModelError, RuntimeUnavailableError
from espnet_ros.model_file import CONFIDENCE, IMAGE, LABELS, ModelFile
from espnet_ros.model_file.graph.subpixel_head import use_subpixel_head
from espnet_ros.runtimes.base import Inference, Runtime, Workload
import numpy as np
from numpy.typing import NDArray

COMPILED_LIMIT = 8
"""Compiled graphs kept for each model: batch shapes, each with and without confidence."""

_TELEMETRY = 'openvino_telemetry'
_TYPES = {'fp32': 'f32', 'fp16': 'f16', 'bf16': 'bf16'}
_CAPABILITIES = {'fp32': 'FP32', 'fp16': 'FP16', 'bf16': 'BF16'}

_GraphKey = tuple[tuple[int, ...], bool]


def _import_openvino() -> Any:
    """
    Import OpenVINO without its telemetry, which reports to Google Analytics at import.

    OpenVINO has a stand-in for machines without the telemetry package, and takes it here.
    """
    if 'openvino' in sys.modules or _TELEMETRY in sys.modules:
        return importlib.import_module('openvino')
    sys.modules[_TELEMETRY] = None  # type: ignore[assignment]
    try:
        return importlib.import_module('openvino')
    finally:
        del sys.modules[_TELEMETRY]


ov = _import_openvino()


class OpenvinoRuntime(Runtime):
    """
    Runs a model file with OpenVINO.

    A graph is compiled for each batch shape, because static shapes are faster, and without
    the confidence where nobody asks for it. The last :data:`COMPILED_LIMIT` are kept.
    ``precision: auto`` is bf16 where the device computes it natively, else fp32. A quantised
    model runs in int8, and its other layers in that.
    """

    name = 'openvino'
    rewrites = (use_subpixel_head,)  # 1.2 times the frames a second in fp32, 1.6 in bf16

    def __init__(
        self, model: ModelFile, settings: RuntimeSettings, workload: Workload | None = None
    ) -> None:
        super().__init__(model, settings, workload)
        self._core: Any = None
        self._graph: Any = None
        self._device_name = ''
        self._float_precision = ''
        self._requests: OrderedDict[_GraphKey, Any] = OrderedDict()

    @property
    def device(self) -> str:
        if not self._device_name:
            return ''
        full_name = self._core.get_property(self._device_name, 'FULL_DEVICE_NAME')
        return f'{self._device_name} ({full_name})'

    def _open(self) -> None:
        self._core = ov.Core()
        self._device_name = self._find_device()
        self._precision, self._float_precision = self._choose_precisions()
        try:
            self._graph = self._core.read_model(self._computed_model().data)
            spec = self.input_spec
            height, width = self.model.info.input_size
            self._request_for((spec.shape[0] or 1, height, width, 3), confidence=False)
        except RuntimeError as error:
            raise ModelError(
                f'model file {self.model.origin}: OpenVINO does not take it '
                f'({last_line(error)}); another runtime may'
            ) from error

    def _close(self) -> None:
        self._requests.clear()
        self._graph = None
        self._core = None
        self._device_name = ''
        self._precision = ''

    def _infer(self, batch: NDArray[np.generic], confidence: bool) -> Inference:
        try:
            request = self._request_for(batch.shape, confidence)
            image = batch if batch.flags.writeable else batch.copy()
            request.set_input_tensor(ov.Tensor(image, shared_memory=True))
            request.infer()
            return Inference(
                request.get_tensor(LABELS).data,
                request.get_tensor(CONFIDENCE).data if confidence else None,
            )
        except RuntimeError as error:
            raise InferenceError(
                f'openvino: failed on a batch of shape {batch.shape} ({last_line(error)})'
            ) from error

    def _find_device(self) -> str:
        requested = self.settings.device
        present = self._core.available_devices
        if requested.lower() == 'auto':
            requested = 'CPU'
        for device in present:
            if requested.upper() in (device.upper(), device.upper().removesuffix('.0')):
                return str(device)
        raise RuntimeUnavailableError(
            f'openvino: no device {requested!r} on this machine; expected auto or one of '
            f'{", ".join(present)}'
        )

    def _choose_precisions(self) -> tuple[str, str]:
        """Return the arithmetic of the network, and of the layers that are not quantised."""
        requested = self.settings.precision
        capabilities = self._core.get_property(self._device_name, 'OPTIMIZATION_CAPABILITIES')
        present = [name for name, word in _CAPABILITIES.items() if word in capabilities]
        fastest = 'bf16' if 'bf16' in present else 'fp32'
        if 'INT8' in capabilities and self.model.is_quantized:
            possible, auto = {'int8': fastest}, 'int8'
        else:
            possible, auto = {name: name for name in present}, fastest
        precision = auto if requested == 'auto' else requested
        if precision not in possible:
            raise RuntimeUnavailableError(
                f'openvino: {self._device_name} of this machine has no precision {requested} for '
                f'{self.model.info.name}; expected auto or one of {", ".join(possible)} (int8 is '
                'of models that espnet-ros build quantised)'
            )
        return precision, possible[precision]

    def _request_for(self, shape: tuple[int, ...], confidence: bool) -> Any:
        key = (shape, confidence)
        if key not in self._requests:
            self._requests[key] = self._compile(shape, confidence).create_infer_request()
            if len(self._requests) > COMPILED_LIMIT:
                self._requests.popitem(last=False)
        self._requests.move_to_end(key)
        return self._requests[key]

    def _compile(self, shape: tuple[int, ...], confidence: bool) -> Any:
        graph = self._graph.clone()
        outputs = [LABELS, CONFIDENCE] if confidence else [LABELS]
        pruned = ov.Model(
            [graph.output(name) for name in outputs], graph.get_parameters(), self.model.info.name
        )
        pruned.reshape({IMAGE: list(shape)})
        options: dict[str, Any] = {
            'PERFORMANCE_HINT': 'LATENCY',
            'INFERENCE_PRECISION_HINT': _TYPES[self._float_precision],
        }
        if self._device_name == 'CPU':
            # Trained ESPNet weights make denormals, which cost a CPU many times the cycles.
            options['CPU_DENORMALS_OPTIMIZATION'] = True
            options['INFERENCE_NUM_THREADS'] = self.settings.thread_count
            # A pinned thread waits for its core where other processes of the robot use it.
            options['ENABLE_CPU_PINNING'] = False
        compiled = self._core.compile_model(pruned, self._device_name, options)
        found = compiled.get_property('INFERENCE_PRECISION_HINT').get_type_name()
        if found != _TYPES[self._float_precision]:
            raise RuntimeUnavailableError(
                f'openvino: expected {self._float_precision} on {self._device_name}, but it '
                f'computes in {found}; set another precision'
            )
        return compiled
