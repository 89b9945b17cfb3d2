"""Runtime, engine, context and inspector (section 3)."""

from __future__ import annotations

import ctypes
import json
import os
from typing import Any

import numpy as np
import onnx

from fake_tensorrt import device as machine
from fake_tensorrt.building import CAPABILITY, has_gpu
from fake_tensorrt.naming import Bound
from fake_tensorrt.plans import read_plan

TYPES = {1: 'FLOAT', 2: 'UINT8', 6: 'INT32', 7: 'INT64', 10: 'HALF'}
NUMPY = {'FLOAT': np.float32, 'UINT8': np.uint8, 'HALF': np.float16}


class Runtime(Bound):
    _trt: Any = None

    def __init__(self, log: Any) -> None:
        self._log = log
        if not has_gpu():
            raise TypeError('pybind11::init(): factory function returned nullptr')

    def deserialize_cuda_engine(self, plan: bytes) -> ICudaEngine | None:
        if not isinstance(plan, bytes):  # section 3.4: it reads them with the GIL released
            raise TypeError('deserialize_cuda_engine(): pass immutable bytes')
        if machine.current.fail_next.pop('deserialize_cuda_engine', 0):
            self._log.log(self._trt.Severity.ERROR, 'Cuda Runtime (out of memory)')
            return None
        capability = os.environ.get('FAKE_TENSORRT_CAPABILITY', CAPABILITY)
        found = read_plan(plan, self._trt.__version__, capability)
        if isinstance(found, str):
            self._log.log(self._trt.Severity.ERROR, found)
            return None
        return self._trt.ICudaEngine(self, *found)


class ICudaEngine(Bound):
    _trt: Any = None

    def __init__(self, runtime: Runtime, head: dict[str, Any], model: bytes) -> None:
        self._runtime = runtime  # section 3.4: kept alive by the bindings
        self._head = head
        self._model = onnx.load_model_from_string(model)
        graph = self._model.graph
        self._inputs = {value.name: value for value in graph.input}
        self._outputs = {value.name: value for value in graph.output}

    @property
    def num_io_tensors(self) -> int:
        return len(self._inputs) + len(self._outputs)

    def get_tensor_name(self, index: int) -> str:
        return [*self._inputs, *self._outputs][index]

    def get_tensor_mode(self, name: str) -> Any:
        modes = self._trt.TensorIOMode
        return modes.INPUT if name in self._inputs else modes.OUTPUT

    def get_tensor_dtype(self, name: str) -> Any:
        value = self._inputs.get(name) or self._outputs[name]
        return getattr(self._trt.DataType, TYPES[value.type.tensor_type.elem_type])

    def create_execution_context(self) -> IExecutionContext | None:
        if machine.current.fail_next.pop('create_execution_context', 0):
            self._runtime._log.log(self._trt.Severity.ERROR, 'out of memory')
            return None
        return self._trt.IExecutionContext(self)

    def create_engine_inspector(self) -> EngineInspector:
        return self._trt.EngineInspector(self)


class IExecutionContext(Bound):
    _trt: Any = None

    def __init__(self, engine: ICudaEngine) -> None:
        import onnxruntime

        self._engine = engine
        self._addresses: dict[str, int] = {}
        dims = next(iter(engine._inputs.values())).type.tensor_type.shape.dim
        self._fixed = [d.dim_value if d.HasField('dim_value') else None for d in dims]
        self._shape = None if None in self._fixed else tuple(self._fixed)
        self._is_warm = False
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        data = engine._model.SerializeToString()
        self._session = onnxruntime.InferenceSession(data, options)

    def __del__(self) -> None:
        machine.current.calls.append('IExecutionContext.__del__')

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        profile = self._engine._head['profile']
        for index, (size, fixed) in enumerate(zip(shape, self._fixed, strict=True)):
            low, high = (
                (profile['low'][index], profile['high'][index])
                if fixed is None
                else (fixed, fixed)
            )
            if not low <= size <= high:
                self._say(f'Set dimension [{size}] outside of [{low}, {high}]')
                return False
        self._is_warm = self._is_warm and self._shape == tuple(shape)
        self._shape = tuple(shape)
        return True

    def set_tensor_address(self, name: str, address: int) -> bool:
        if name not in self._engine._inputs and name not in self._engine._outputs:
            return False
        if address % 256:
            self._say('address is not aligned to 256 bytes')
            return False
        self._addresses[name] = address
        return True

    def execute_async_v3(self, stream: int) -> bool:
        gpu = machine.current
        if gpu.fail_next.pop('execute_async_v3', 0):
            self._say('Cuda Runtime (an injected failure)')
            return False
        names = [*self._engine._inputs, *self._engine._outputs]
        if self._shape is None or set(self._addresses) != set(names):
            self._say('Not all tensors have a shape and an address')
            return False
        state = gpu.streams[stream]
        if state.captured is not None and not (gpu.has_capturable_engine and self._is_warm):
            state.is_invalid = True  # section 3.6
            self._say(
                'The CUDA stream is in capturing mode, but this TRT engine is not stream '
                'capturable!'
            )
            return False
        self._is_warm = True
        shape = self._shape  # a graph holds the shape of its recording
        state.put(lambda: self._compute(shape))
        return True

    def _compute(self, shape: tuple[int, ...]) -> int:
        """Run now, on the memory; a bad address is a fault that stays (section 8, 17)."""
        gpu, engine = machine.current, self._engine
        arrays = {}
        for name, value in {**engine._inputs, **engine._outputs}.items():
            dtype = np.dtype(NUMPY[TYPES[value.type.tensor_type.elem_type]])
            own = shape if name in engine._inputs else _own_shape(value, shape)
            size = int(np.prod(own)) * dtype.itemsize
            if not gpu.is_readable(self._addresses[name], size):
                return machine.ILLEGAL_ADDRESS
            memory = (ctypes.c_uint8 * size).from_address(self._addresses[name])
            arrays[name] = np.frombuffer(memory, dtype).reshape(own)
        fed = {name: arrays[name].copy() for name in engine._inputs}
        for name, found in zip(
            engine._outputs, self._session.run(list(engine._outputs), fed), strict=True
        ):
            arrays[name][...] = found
        if gpu.damaged_share:
            flat = arrays['labels'].reshape(-1)
            flat[: int(gpu.damaged_share * flat.size)] ^= 1
        return machine.SUCCESS

    def _say(self, text: str) -> None:
        self._engine._runtime._log.log(self._trt.Severity.ERROR, text)


def _own_shape(value: onnx.ValueInfoProto, image: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of an output, whose free sizes are those of the image."""
    dims = value.type.tensor_type.shape.dim
    return tuple(
        dim.dim_value if dim.HasField('dim_value') else size
        for dim, size in zip(dims, image, strict=False)
    )


class EngineInspector(Bound):
    """``trt.EngineInspector`` (section 7.1)."""

    _trt: Any = None

    def __init__(self, engine: ICudaEngine) -> None:
        self._engine = engine

    def get_engine_information(self, form: Any) -> str:
        head = self._engine._head
        names = [f'layer {i}' for i in range(3)]
        if not head['is_detailed']:
            return json.dumps({'Layers': names})
        is_new = not hasattr(self._trt.BuilderFlag, 'FP16')
        kind = {'Half': 'FP16', 'Int8': 'Int8', 'FP32': 'FP32'}[head['kind']]
        fact = (
            {'Format': 'Row major linear', 'DataType': head['kind']}
            if is_new
            else {'Format/Datatype': f'Row major linear {kind}'}
        )
        layers = [
            {'Name': name, 'LayerType': 'CaskConvolution', 'Inputs': [{'Name': 'x', **fact}]}
            for name in names
        ]
        return json.dumps({'Layers': layers})
