"""Builder, network, parser and configuration (section 1)."""

from __future__ import annotations

import os
from pathlib import Path
import time
from typing import Any

import onnx
from onnx import TensorProto

from fake_tensorrt.naming import Bound
from fake_tensorrt.parsing import find_errors
from fake_tensorrt.plans import make_plan

CAPABILITY = '8.7'


def has_gpu() -> bool:
    return not os.environ.get('FAKE_TENSORRT_NO_GPU')


class Builder(Bound):
    """``trt.Builder``; the module is put there as ``_trt``."""

    _trt: Any = None

    def __init__(self, log: Any) -> None:
        self._log = log
        if not has_gpu():  # section 3.3
            log.log(self._trt.Severity.ERROR, 'CUDA initialization failure with error: 35')
            raise TypeError('pybind11::init(): factory function returned nullptr')

    def create_network(self, flags: int = 0) -> INetworkDefinition:
        network = self._trt.INetworkDefinition()
        network._flags = flags
        return network

    def create_builder_config(self) -> IBuilderConfig:
        return self._trt.IBuilderConfig()

    def create_optimization_profile(self) -> IOptimizationProfile:
        return self._trt.IOptimizationProfile()

    def build_serialized_network(
        self, network: INetworkDefinition, config: IBuilderConfig
    ) -> IHostMemory | None:
        trouble = self._find_trouble(network, config)
        if trouble:
            self._log.log(self._trt.Severity.ERROR, trouble)
            return None
        if not self._run_phases(config):
            return None
        graph = network._model.graph
        data_types = {entry.data_type for entry in graph.initializer}
        is_half = 'FP16' in config._flags or TensorProto.FLOAT16 in data_types
        is_int8 = _is_quantized(graph)
        plan = make_plan(
            {
                'version': self._trt.__version__,
                'capability': os.environ.get('FAKE_TENSORRT_CAPABILITY', CAPABILITY),
                'kind': 'Int8' if is_int8 else 'Half' if is_half else 'FP32',
                'profile': config._profile and config._profile._shapes,
                'is_detailed': config.profiling_verbosity == self._trt.ProfilingVerbosity.DETAILED,
            },
            network._model.SerializeToString(),
        )
        return self._trt.IHostMemory(plan)

    def _find_trouble(self, network: INetworkDefinition, config: IBuilderConfig) -> str:
        """Return what the log would say of a build that gives None."""
        if network._model is None or not network._model.graph.output:
            return 'Network has no marked outputs'
        dims = network._model.graph.input[0].type.tensor_type.shape.dim
        is_dynamic = any(not d.HasField('dim_value') for d in dims)
        if is_dynamic and config._profile is None:
            return 'Network has dynamic inputs, but no optimization profile has been defined.'
        quantized = _is_quantized(network._model.graph)
        if config._cache is not None and not config._cache._is_valid:
            return 'timing cache is damaged'
        is_weak = hasattr(self._trt.BuilderFlag, 'INT8')
        if quantized and is_weak and 'INT8' not in config._flags:  # section 5.1
            return 'Quantize layers need BuilderFlag::kINT8 in a weakly typed network'
        return ''

    def _run_phases(self, config: IBuilderConfig) -> bool:
        """Take the steps of a build; return whether it was not cancelled (section 1.7)."""
        monitor = config.__dict__.get('progress_monitor')
        hold = os.environ.get('FAKE_TENSORRT_HOLD')
        if monitor is not None:
            monitor.phase_start('Building engine', None, 2)
            monitor.phase_start('Timing tactics', 'Building engine', 4)
            for step in range(4):
                if not monitor.step_complete('Timing tactics', step):
                    return False
            monitor.phase_finish('Timing tactics')
            monitor.step_complete('Building engine', 0)
        if hold:
            Path(hold).write_text(str(os.getpid()), encoding='utf-8')
            while True:  # until somebody kills the process
                time.sleep(60)
        if monitor is not None:
            monitor.step_complete('Building engine', 1)
            monitor.phase_finish('Building engine')
        return True


def _is_quantized(graph: onnx.GraphProto) -> bool:
    return any(node.op_type == 'QuantizeLinear' for node in graph.node)


class INetworkDefinition(Bound):
    _flags = 0
    _model: onnx.ModelProto | None = None

    @property
    def num_outputs(self) -> int:
        return 0 if self._model is None else len(self._model.graph.output)


class ParserError(Bound):
    """``trt.ParserError``: its facts are methods."""

    def __init__(self, node: str, text: str) -> None:
        self._told = node, text

    def node(self) -> str:
        return self._told[0]

    def node_name(self) -> str:
        return self._told[0]

    def node_operator(self) -> str:
        return ''

    def desc(self) -> str:
        return self._told[1]


class OnnxParser(Bound):
    _trt: Any = None

    def __init__(self, network: INetworkDefinition, log: Any) -> None:
        self._network = network
        self._errors: list[ParserError] = []

    @property
    def num_errors(self) -> int:
        return len(self._errors)

    def get_error(self, index: int) -> ParserError:
        return self._errors[index]

    def parse(self, model: bytes) -> bool:
        if not isinstance(model, bytes):
            raise TypeError('parse(): incompatible function arguments')
        flags = self._trt.NetworkDefinitionCreationFlag
        explicit = getattr(flags, 'EXPLICIT_BATCH', None)
        is_needed = self._trt.__version__.startswith('8.')
        if is_needed and not self._network._flags & (1 << int(explicit)):
            told = [('', 'This version of the ONNX parser only supports explicit batch')]
        else:
            try:
                self._network._model = onnx.load_model_from_string(model)
                told = find_errors(self._network._model, self._trt.__version__)
            except Exception:  # noqa: BLE001  protobuf's own
                told = []  # the real one says that rubbish is parsed, and has no network then
        self._errors = [self._trt.ParserError(*entry) for entry in told]
        return not told


class IOptimizationProfile(Bound):
    _shapes: Any = None

    def set_shape(self, name: str, low: Any, best: Any, high: Any) -> None:
        if not all(a <= b <= c for a, b, c in zip(low, best, high, strict=True)):
            raise ValueError('min <= opt <= max must hold')
        self._shapes = {'name': name, 'low': list(low), 'high': list(high)}


class ITimingCache(Bound):
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._is_valid = not data or data.startswith(b'timing')

    def serialize(self) -> bytes:
        return b'timing' + CAPABILITY.encode()


class IBuilderConfig(Bound):
    _trt: Any = None

    def __init__(self) -> None:
        self._flags: set[str] = set()
        self._pools: dict[Any, int] = {}
        self._profile: IOptimizationProfile | None = None
        self._cache: ITimingCache | None = None
        self.profiling_verbosity = self._trt.ProfilingVerbosity.LAYER_NAMES_ONLY
        if 'max_aux_streams' in self._names:
            self.max_aux_streams = None
        if 'builder_optimization_level' in self._names:
            self.builder_optimization_level = 3
        if 'progress_monitor' in self._names:
            self.progress_monitor = None

    def set_memory_pool_limit(self, pool: Any, size_bytes: int) -> None:
        self._trt.MemoryPoolType(pool)
        self._pools[pool] = int(size_bytes)

    def set_flag(self, flag: Any) -> None:
        if not isinstance(flag, self._trt.BuilderFlag):
            raise TypeError('set_flag(): incompatible function arguments')
        self._flags.add(flag.name)

    def add_optimization_profile(self, profile: IOptimizationProfile) -> int:
        self._profile = profile
        return 0

    def create_timing_cache(self, data: bytes) -> ITimingCache:
        return self._trt.ITimingCache(data)

    def set_timing_cache(self, cache: ITimingCache, ignore_mismatch: bool) -> bool:
        if cache._data and not cache._data.endswith(CAPABILITY.encode()) and not ignore_mismatch:
            return False
        self._cache = cache
        return True

    def get_timing_cache(self) -> ITimingCache | None:
        return self._cache


class IHostMemory(Bound):
    """``trt.IHostMemory``: gives its bytes to ``bytes()`` (section 1.5)."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    @property
    def nbytes(self) -> int:
        return len(self._data)

    def __bytes__(self) -> bytes:
        return self._data
