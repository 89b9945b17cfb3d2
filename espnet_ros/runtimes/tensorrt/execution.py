"""Running an engine: memory, stream, and a graph that makes one launch of many."""

from __future__ import annotations

from functools import partial
import logging
import re
from typing import Any

from espnet_ros.exceptions import DeviceLostError, InferenceError, ModelError
from espnet_ros.model_file import CONFIDENCE, IMAGE, LABELS
from espnet_ros.runtimes.base import Inference
from espnet_ros.runtimes.tensorrt.buffers import TensorBuffer
from espnet_ros.runtimes.tensorrt.compiled_kernels import CompiledKernels
from espnet_ros.runtimes.tensorrt.cuda_graph import CapturedGraph
from espnet_ros.runtimes.tensorrt.library import library_of, name_of, shared_logger
from espnet_ros.runtimes.tensorrt.spec import EngineSpec
from espnet_ros.runtimes.tensorrt.support import Device
import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

_RUNS_BEFORE_CAPTURE = 2
"""The first run of a shape sets things up; batches that change all the time are not recorded."""

_NUMPY_NAMES = {'UINT8': 'uint8', 'FLOAT': 'float32', 'HALF': 'float16', 'INT32': 'int32'}
"""By name, as not every version has every type."""

_FAULTS_OF_THE_FILE = re.compile(
    r'serializ|\bversion\b|tag does not match|magic|incompatible|not compatible|corrupt|rebuild|'
    r'empty blob|unexpected end',
    re.IGNORECASE,
)
"""What is logged of an engine of another version or device, or a damaged one. All else passes."""


class EngineExecution:
    """
    A loaded engine with its memory; used from one thread at a time.

    :param device: where it runs, with the library
    :param kernels: what was compiled of it on this GPU earlier, where the library does that
    :raises ModelError: the engine is damaged, of another version or device, or not one of a
        model file: it has to be built again
    :raises InferenceError: the GPU failed, or there is not enough memory; the engine may be good

    :ivar engine: TensorRT's engine, for looking into it
    :ivar compiled: its kernels for this GPU, or None where they are in the engine
    """

    def __init__(
        self,
        device: Device,
        spec: EngineSpec,
        image_dtype: str,
        plan: bytes,
        kernels: bytes,
    ) -> None:
        trt, cuda = device.trt, device.cuda
        self._name = trt.__name__
        self._cuda = cuda
        self._gpu = device.gpu
        self._spec = spec
        self._log = shared_logger(trt)
        self._outputs = (LABELS, CONFIDENCE) if spec.has_confidence else (LABELS,)
        self._buffers: dict[str, TensorBuffer] = {}
        self._stream = 0
        self._graph: CapturedGraph | None = None
        self._wants_graph = not library_of(trt).compiles_on_load  # those record one themselves
        self._shape: tuple[int, ...] = ()
        self._runs = 0
        self._runtime: Any = None
        self._context: Any = None
        self.compiled: CompiledKernels | None = None
        self.engine: Any = None
        try:
            self._load(trt, plan, kernels)
            self._check_tensors(trt, image_dtype)
            self._stream = cuda.create_stream()
            self._reserve(image_dtype)
        except Exception:
            self.close()
            raise

    def input_array(self, shape: tuple[int, ...]) -> NDArray[np.generic]:
        """Return the host side of the input for a batch of that shape."""
        return self._buffers[IMAGE].view(shape)

    def run(self, batch: NDArray[np.generic], *, confidence: bool) -> Inference:
        """
        Run a batch.

        :param batch: (N, H, W, 3), N at most the engine's batch size, of a size that it takes
        :param confidence: whether to return it, where the engine gives it
        :return: views of the output memory, valid until the next call
        :raises InferenceError: TensorRT or CUDA failed
        :raises DeviceLostError: the GPU cannot be used any more
        """
        self._cuda.set_device(self._gpu.index)  # the current device is one of each thread
        count = len(batch)
        if batch.ctypes.data != self._buffers[IMAGE].host_address:
            np.copyto(self.input_array(batch.shape), batch)
        if batch.shape != self._shape:
            self._change_shape(batch.shape)
        if self._graph is not None:
            self._graph.launch()
        else:
            self._submit()
        self._cuda.synchronize(self._stream)
        self._runs += 1
        if self._wants_graph and self._graph is None and self._runs == _RUNS_BEFORE_CAPTURE:
            self._capture()
        labels = self._buffers[LABELS].host[:count]
        if not confidence:
            return Inference(labels.view(np.uint8))
        confidences = self._buffers[CONFIDENCE].host[:count]
        return Inference(labels.view(np.uint8), confidences.view(np.uint8))

    def close(self) -> None:
        """Free everything in the order that TensorRT and CUDA want."""
        try:
            if self._stream:
                self._cuda.set_device(self._gpu.index)
                self._cuda.synchronize(self._stream)
        except InferenceError as error:
            logger.debug('%s', error)
        releases = [] if self._graph is None else [self._graph.destroy]
        # The graph refers to what the context holds, the context to the engine's.
        releases.append(self._forget)
        releases += [buffer.free for buffer in self._buffers.values()]
        if self._stream:
            releases.append(partial(self._cuda.destroy_stream, self._stream))
        self._buffers, self._stream = {}, 0
        for release in releases:
            try:
                release()
            except InferenceError as error:  # a lost device frees nothing, and has nothing
                logger.debug('%s', error)

    def _forget(self) -> None:
        self._graph = None
        self._context = None
        self.compiled = None
        self.engine = None
        self._runtime = None

    def _load(self, trt: Any, plan: bytes, kernels: bytes) -> None:
        self._log.tail.clear()
        try:
            self._runtime = trt.Runtime(self._log)
        except TypeError as error:  # what the bindings make of a null pointer
            raise InferenceError(
                f'{self._name}: cannot use the GPU ({self._log.tail.reason()}); check the driver'
            ) from error
        # Immutable bytes: before 10.13.3 they are read with the GIL released. Host code in
        # engines (engine_host_code_allowed, 8.6 and newer) stays forbidden.
        self.engine = self._runtime.deserialize_cuda_engine(plan)
        if self.engine is None:
            reason = self._reason()
            if _FAULTS_OF_THE_FILE.search(reason):
                raise ModelError(f'{name_of(trt)} does not load it: {reason}')
            raise InferenceError(f'{self._name}: cannot load the engine now ({reason}); try again')
        if library_of(trt).compiles_on_load:
            self.compiled = CompiledKernels(trt, self.engine, kernels)
            self._context = self.compiled.create_context(self.engine)
        else:
            self._context = self.engine.create_execution_context()
        if self._context is None:
            raise InferenceError(
                f'{self._name}: not enough memory to run the engine ({self._log.tail.reason()}); '
                'end other programs'
            )

    def _check_tensors(self, trt: Any, image_dtype: str) -> None:
        """Compare names, directions and types with those of a model file."""
        engine, found = self.engine, {}
        for index in range(engine.num_io_tensors):
            name = engine.get_tensor_name(index)
            is_input = engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT
            kind = engine.get_tensor_dtype(name).name
            found[name] = (is_input, _NUMPY_NAMES.get(kind, kind))
        expected = {IMAGE: (True, image_dtype), **dict.fromkeys(self._outputs, (False, 'uint8'))}
        if found != expected:
            raise ModelError(f'expected an engine with {expected}, found {found}')

    def _reserve(self, image_dtype: str) -> None:
        count, mask = self._spec.batch_size, (self._spec.batch_size, *self._spec.mask_size)
        shapes = {IMAGE: (count, *self._spec.image_size, 3), **dict.fromkeys(self._outputs, mask)}
        for name, shape in shapes.items():
            dtype = image_dtype if name == IMAGE else np.uint8
            buffer = TensorBuffer(self._cuda, shape, dtype, is_mapped=self._gpu.is_integrated)
            self._buffers[name] = buffer
            # It stays set from call to call.
            if not self._context.set_tensor_address(name, buffer.address):
                raise ModelError(f'TensorRT refuses the memory of {name}: {self._reason()}')

    def _change_shape(self, shape: tuple[int, ...]) -> None:
        """Set the shape of the batch; what was recorded holds the old one."""
        self._drop_graph()
        self._runs, self._shape = 0, ()
        self._log.tail.clear()
        if not self._context.set_input_shape(IMAGE, shape):
            raise InferenceError(
                f'{self._name}: refuses a batch of shape {shape}: {self._reason()}'
            )
        self._shape = shape

    def _submit(self) -> None:
        self._buffers[IMAGE].upload(self._shape, self._stream)
        self._log.tail.clear()
        if not self._context.execute_async_v3(self._stream):
            raise InferenceError(f'{self._name}: the engine failed: {self._reason()}')
        for name in self._outputs:
            self._buffers[name].download(self._shape[0], self._stream)

    def _capture(self) -> None:
        try:
            self._graph = CapturedGraph(self._cuda, self._stream, self._submit)
        except DeviceLostError:
            raise
        except InferenceError as error:
            self._wants_graph = False
            logger.warning('no CUDA graph: %s; every layer is launched by itself', error)

    def _drop_graph(self) -> None:
        if self._graph is not None:
            graph, self._graph = self._graph, None
            graph.destroy()

    def _reason(self) -> str:
        return str(self._log.tail.reason())
