"""
The real ``tensorrt_rtx``, with stand-ins for what needs a driver.

NVIDIA's parser and builder are its own; loading and running an engine are not. The names of what
stands in are those of the installed bindings.
"""

from __future__ import annotations

import hashlib
from importlib import import_module
from importlib.util import find_spec
import types
from typing import Any, ClassVar

import onnx

from fake_tensorrt import device as machine
from fake_tensorrt import running
from fake_tensorrt.building import CAPABILITY
from fake_tensorrt.library import Severity
from fake_tensorrt.naming import Bound
from fake_tensorrt.plans import make_plan

# Before libraries are taken away from ctypes, which it loads its own with.
REAL = import_module('tensorrt_rtx') if find_spec('tensorrt_rtx') else None

STANDING_IN = (
    running.Runtime,
    running.ICudaEngine,
    running.IExecutionContext,
    running.EngineInspector,
)


class IRuntimeConfig(Bound):
    """``trt.IRuntimeConfig``: how an engine runs."""

    def __init__(self) -> None:
        self.cuda_graph_strategy: Any = None
        self.dynamic_shapes_kernel_specialization_strategy: Any = None
        self._cache: IRuntimeCache | None = None

    def create_runtime_cache(self) -> IRuntimeCache:
        return self._trt.IRuntimeCache()

    def set_runtime_cache(self, cache: IRuntimeCache) -> bool:
        self._cache = cache
        return True


class IRuntimeCache(Bound):
    """``trt.IRuntimeCache``: compares GPU and driver itself, and refuses those of others."""

    def __init__(self) -> None:
        self._kernels: set[str] = set()

    def deserialize(self, blob: bytes) -> bool:
        place, _, names = blob.decode(errors='replace').partition('\n')
        if place != self._place():
            return False
        self._kernels = set(names.split())
        return True

    def serialize(self) -> Any:
        return '\n'.join([self._place(), *sorted(self._kernels)]).encode()

    def _compile(self, name: str) -> None:
        if name not in self._kernels:
            machine.current.calls.append(f'compiled {name}')
            self._kernels.add(name)

    def _place(self) -> str:
        gpu = machine.current
        return f'kernels of {gpu.capability}, driver {gpu.driver_version}'


class CompilingEngine(running.ICudaEngine):
    """An engine whose context compiles its kernels, batch size by batch size."""

    def create_runtime_config(self) -> IRuntimeConfig:
        return self._trt.IRuntimeConfig()

    def create_execution_context(self, runtime_config: Any = None) -> Any:
        context = super().create_execution_context()
        if context is not None:
            context._config = runtime_config
        return context


class CompilingContext(running.IExecutionContext):
    """A context that compiles what its cache lacks, and says how it was to run."""

    _config: Any = None

    def execute_async_v3(self, stream: int) -> bool:
        config = self._config
        if config is not None and self._shape is not None:
            config._cache._compile(f'batch{self._shape[0]}')
            machine.current.calls.append(f'ran {config.cuda_graph_strategy.name}')
        return super().execute_async_v3(stream)


def make_rtx_module() -> types.ModuleType:
    """Return ``tensorrt_rtx`` with a GPU that is not there."""
    real: Any = REAL
    module = types.ModuleType('tensorrt_rtx')
    module.__spec__ = types.SimpleNamespace(name='tensorrt_rtx', origin='fake')  # type: ignore[assignment]
    module.__dict__.update({k: v for k, v in vars(real).items() if not k.startswith('__')})
    module.Severity = Severity  # type: ignore[attr-defined]
    module.__version__ = real.__version__  # type: ignore[attr-defined]
    behaviours = [CompilingEngine, CompilingContext, IRuntimeConfig, IRuntimeCache]
    for behaviour in (*STANDING_IN, *behaviours):
        name = {'CompilingEngine': 'ICudaEngine', 'CompilingContext': 'IExecutionContext'}.get(
            behaviour.__name__, behaviour.__name__
        )
        names = frozenset(dir(getattr(real, name)))
        made = type(name, (behaviour,), {'_names': names, '_trt': module})
        setattr(module, name, made)
    module.OnnxParser, module.Builder = _recording(real)  # type: ignore[attr-defined]
    return module


def _recording(real: Any) -> tuple[type, type]:
    """Return NVIDIA's parser and builder; an engine of theirs keeps the network to run it here."""
    parsed: dict[int, bytes] = {}

    class OnnxParser(real.OnnxParser):  # type: ignore[misc,name-defined]
        def __init__(self, network: Any, log: Any) -> None:
            super().__init__(network, log)
            self._network = network

        def parse(self, model: bytes) -> bool:
            parsed[id(self._network)] = model
            return bool(super().parse(model))

    class Builder(real.Builder):  # type: ignore[misc,name-defined]
        built: ClassVar[list[Any]] = []
        _profile: Any = None

        def create_optimization_profile(self) -> Any:
            self._profile = super().create_optimization_profile()
            return self._profile

        def build_serialized_network(self, network: Any, config: Any) -> bytes | None:
            plan = super().build_serialized_network(network, config)
            if plan is None:
                return None
            self.built.append(config)
            model = onnx.load_model_from_string(parsed.pop(id(network)))
            is_half = any(t.data_type == onnx.TensorProto.FLOAT16 for t in model.graph.initializer)
            head = {
                'version': real.__version__,
                'capability': CAPABILITY,  # they serve every GPU
                'kind': 'Half' if is_half else 'FP32',
                'profile': self._profile and _range(self._profile, model.graph.input[0].name),
                'is_detailed': True,
                'built': hashlib.sha256(bytes(plan)).hexdigest(),
            }
            return make_plan(head, model.SerializeToString())

    return OnnxParser, Builder


def _range(profile: Any, name: str) -> dict[str, list[int]]:
    """Return the smallest and the largest shape of an input."""
    low, _, high = profile.get_shape(name)
    return {'low': list(low), 'high': list(high)}
