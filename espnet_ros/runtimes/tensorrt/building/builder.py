"""
From ONNX to an engine: the calls of TensorRT's builder.

Every call that only some versions have says which.
"""

from __future__ import annotations

from dataclasses import dataclass
import re
from typing import Any

from espnet_ros.exceptions import ModelError, RuntimeUnavailableError
from espnet_ros.model_file import IMAGE
from espnet_ros.runtimes.tensorrt.building.monitor import make_monitor, PhaseReport
from espnet_ros.runtimes.tensorrt.library import (
    is_strongly_typed,
    library_of,
    name_of,
    shared_logger,
)
from espnet_ros.runtimes.tensorrt.spec import EngineSpec, OLD_CAPABILITY

_MEBIBYTE = 1 << 20
_TOO_LITTLE = re.compile(r'Requested size was (\d+)')
"""What the compiler logs where the workspace does not suffice."""


@dataclass(frozen=True)
class BuildInput:
    """
    What a build reads beside its specification.

    :param network: ONNX with the types that the precision needs
    :param timing_cache: measurements of an earlier build, or empty
    """

    network: bytes
    device: int = 0
    timing_cache: bytes = b''


@dataclass(frozen=True)
class BuiltEngine:
    """
    What a build gives.

    :param timing_cache: measurements that make the next build of this machine shorter
    """

    plan: bytes
    timing_cache: bytes


def build_engine(
    trt: Any, spec: EngineSpec, given: BuildInput, report: PhaseReport
) -> BuiltEngine:
    """
    Build an engine: on this machine's GPU, or for all of them where the library does that.

    :param given: the network, and what earlier builds measured
    :raises RuntimeUnavailableError: no GPU
    :raises ModelError: TensorRT does not take the network
    """
    log = shared_logger(trt)
    log.tail.clear()
    try:
        builder = trt.Builder(log)
    except TypeError as error:  # what the bindings make of a null pointer: no GPU, no driver
        raise RuntimeUnavailableError(
            f'{trt.__name__}: cannot use the GPU ({log.tail.reason()}); check the driver and '
            'whether this user may use it'
        ) from error
    network = builder.create_network(_creation_flags(trt))
    _parse(trt, network, log, given.network)
    config = builder.create_builder_config()
    _configure(trt, config, spec)
    if spec.fixed_batch is None or spec.takes_smaller:
        _add_profile(builder, config, spec)
    is_timed = not library_of(trt).compiles_on_load
    if is_timed:
        _add_timing_cache(config, given.timing_cache)
    if hasattr(config, 'progress_monitor'):  # 9.1, 10.0 and newer
        monitor = make_monitor(trt, report)
        config.progress_monitor = monitor
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise ModelError(f'{name_of(trt)} built no engine: {_advice(log.tail.reason(), spec)}')
    kept = config.get_timing_cache() if is_timed else None
    return BuiltEngine(bytes(plan), b'' if kept is None else bytes(kept.serialize()))


def _parse(trt: Any, network: Any, log: Any, data: bytes) -> None:
    parser = trt.OnnxParser(network, log)
    is_parsed = parser.parse(data)
    # Of bytes that are no ONNX the parser says that they are parsed, and nothing else.
    if is_parsed and network.num_outputs:
        return
    errors = [_told(parser.get_error(index)) for index in range(parser.num_errors)]
    reason = '; '.join(dict.fromkeys(errors)) or (
        'it has no outputs' if is_parsed else log.tail.reason()
    )
    raise ModelError(f'{name_of(trt)} does not take the model: {reason}')


def _told(error: Any) -> str:
    """Return an error of the parser with the node that it means."""
    name = error.node_name() if hasattr(error, 'node_name') else ''  # 10.0 and newer
    kind = error.node_operator() if hasattr(error, 'node_operator') else ''
    node = ' '.join(part for part in (kind, name) if part)
    return f'node {node or error.node()}: {error.desc()}'


def _advice(reason: str, spec: EngineSpec) -> str:
    """Return why there is no engine, and how much memory it wants where that is the reason."""
    limit_mb = spec.workspace_bytes // _MEBIBYTE
    wanted = [int(size_bytes) for size_bytes in _TOO_LITTLE.findall(reason)]
    if wanted:
        return f'{reason}; set workspace_mb to {-(-max(wanted) // _MEBIBYTE)} or more'
    if 'workspace limit' in reason:
        return f'{reason}; set workspace_mb to more than {limit_mb}'
    return reason


def _creation_flags(trt: Any) -> int:
    # Needed by the ONNX parser of 8.x, without effect in 9 and 10, removed in 11.
    explicit = getattr(trt.NetworkDefinitionCreationFlag, 'EXPLICIT_BATCH', None)
    return 0 if explicit is None else 1 << int(explicit)


def _configure(trt: Any, config: Any, spec: EngineSpec) -> None:
    # The default is all memory, which a Jetson shares with everybody.
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, spec.workspace_bytes)
    # Without it nobody can read back which precision the layers have.
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    if hasattr(config, 'max_aux_streams'):
        config.max_aux_streams = 0
    if hasattr(config, 'builder_optimization_level'):
        config.builder_optimization_level = spec.optimization_level
    if not is_strongly_typed(trt):  # up to 10.16; in 11 the types are those of the ONNX file
        if spec.precision in ('fp16', 'int8'):
            config.set_flag(trt.BuilderFlag.FP16)
        if spec.precision == 'int8':
            config.set_flag(trt.BuilderFlag.INT8)
    if library_of(trt).compiles_on_load:
        # Memory that is reserved at the first run could not be recorded into a CUDA graph.
        config.set_flag(trt.BuilderFlag.REQUIRE_USER_ALLOCATION)
        if spec.compute_capability == OLD_CAPABILITY:  # all others are the default
            config.num_compute_capabilities = 1
            config.set_compute_capability(trt.ComputeCapability.SM75, 0)


def _add_timing_cache(config: Any, data: bytes) -> None:
    cache = config.create_timing_cache(data)
    if cache is None or not config.set_timing_cache(cache, False):
        # It is of another device or damaged: begin anew.
        config.set_timing_cache(config.create_timing_cache(b''), False)


def _add_profile(builder: Any, config: Any, spec: EngineSpec) -> None:
    profile = builder.create_optimization_profile()
    least = (1, 1) if spec.takes_smaller else spec.image_size
    most = (spec.batch_size, *spec.image_size, 3)
    profile.set_shape(IMAGE, (1, *least, 3), most, most)
    if config.add_optimization_profile(profile) < 0:
        raise ModelError(f'TensorRT refuses batches of {(1, *least, 3)} to {most}')
