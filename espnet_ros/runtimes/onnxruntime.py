"""ONNX Runtime: runs nearly every ONNX file on nearly every machine."""

from __future__ import annotations

from functools import partial
from typing import Any

from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import InferenceError, ModelError, RuntimeUnavailableError
from espnet_ros.model_file import CONFIDENCE, IMAGE, ModelFile
from espnet_ros.model_file.graph.editing import drop_output
from espnet_ros.model_file.graph.subpixel_head import use_subpixel_head
from espnet_ros.runtimes.base import Inference, Runtime, Workload
import numpy as np
from numpy.typing import NDArray
import onnxruntime

_SUFFIX = 'ExecutionProvider'
_REMOTE = ('AzureExecutionProvider',)
_FATAL_ONLY = 4
"""Log level: every failure is raised as an error anyway."""


class OnnxRuntime(Runtime):
    """
    Runs a model file with ONNX Runtime, in fp32.

    ``device`` is an execution provider without its suffix, with a number where it has one:
    ``cpu``, ``cuda``, ``cuda:1``; ``auto`` is the CPU. ONNX Runtime computes every output of
    a graph whether it is fetched or not, so there is one session for the labels alone, and
    one with the confidence from the first time that somebody asks for it.
    """

    name = 'onnxruntime'
    rewrites = (use_subpixel_head,)  # as fast as the exported head, with less memory

    def __init__(
        self, model: ModelFile, settings: RuntimeSettings, workload: Workload | None = None
    ) -> None:
        super().__init__(model, settings, workload)
        self._provider = ''
        self._options: dict[str, str] = {}
        self._sessions: dict[bool, Any] = {}

    @property
    def device(self) -> str:
        return self._provider

    def _open(self) -> None:
        self._precision = self._choose_precision()
        self._provider, self._options = self._find_provider()
        try:
            self._sessions[False] = self._make_session(confidence=False)
        except RuntimeUnavailableError:
            raise
        except Exception as error:  # the library's errors share no base class
            raise ModelError(
                f'model file {self.model.origin}: ONNX Runtime does not take it ({error}); '
                'another runtime may'
            ) from error

    def _close(self) -> None:
        self._sessions.clear()
        self._provider = ''
        self._precision = ''

    def _infer(self, batch: NDArray[np.generic], confidence: bool) -> Inference:
        try:
            if confidence not in self._sessions:
                self._sessions[confidence] = self._make_session(confidence=confidence)
            outputs = self._sessions[confidence].run(None, {IMAGE: batch})
        except Exception as error:  # the library's errors share no base class
            raise InferenceError(
                f'onnxruntime: failed on a batch of shape {batch.shape} ({error})'
            ) from error
        return Inference(outputs[0], outputs[1] if confidence else None)

    def _find_provider(self) -> tuple[str, dict[str, str]]:
        requested, _, number = self.settings.device.lower().partition(':')
        names = {
            provider.removesuffix(_SUFFIX).lower(): provider
            for provider in onnxruntime.get_available_providers()
            if provider not in _REMOTE
        }
        if requested == 'auto':
            requested = 'cpu'
        if requested not in names or (number and (requested == 'cpu' or not number.isdecimal())):
            raise RuntimeUnavailableError(
                f'onnxruntime: no device {self.settings.device!r} in the installed onnxruntime; '
                f'expected auto or one of {", ".join(names)}'
            )
        return names[requested], {'device_id': number} if number else {}

    def _choose_precision(self) -> str:
        own = 'int8' if self.model.is_quantized else 'fp32'
        if self.settings.precision not in ('auto', own):
            raise RuntimeUnavailableError(
                f'onnxruntime: no precision {self.settings.precision} for {self.model.info.name}; '
                f'expected auto or {own} (openvino has bf16 on CPUs that compute it natively, '
                'espnet-ros build makes int8 models)'
            )
        return own

    def _make_session(self, *, confidence: bool) -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.settings.thread_count
        options.inter_op_num_threads = 1
        options.log_severity_level = _FATAL_ONLY
        # Trained ESPNet weights make denormals, which cost a CPU many times the cycles.
        options.add_session_config_entry('session.set_denormal_as_zero', '1')
        # Waiting threads sleep: a robot has other work for its cores.
        options.add_session_config_entry('session.intra_op.allow_spinning', '0')
        model = self._computed_model()
        if not confidence:
            model = model.rewritten(partial(drop_output, name=CONFIDENCE))
        session = onnxruntime.InferenceSession(
            model.data, options, providers=[(self._provider, self._options)]
        )
        found = session.get_providers()[0]
        if found != self._provider:
            raise RuntimeUnavailableError(
                f'onnxruntime: expected {self._provider}, but only {found} could be started; '
                'see its requirements (driver, CUDA and cuDNN versions)'
            )
        return session
