"""
From ONNX to an engine: the calls of TensorRT's builder.

Every call that only some versions have says which.
"""

from __future__ import annotations

from collections.abc import Callable
import threading
from typing import Any

from espnet_ros.exceptions import ModelError, RuntimeUnavailableError
from espnet_ros.model_file import IMAGE
from espnet_ros.runtimes.engines.build_input import BuildInput, BuiltEngine
from espnet_ros.runtimes.engines.calibration import ImageFeed, make_calibrator
from espnet_ros.runtimes.engines.job import EngineJob
from espnet_ros.runtimes.engines.library import is_strongly_typed, shared_logger

PhaseReport = Callable[[str, float | None], bool]
"""Is told the phase and the share that is done; False ends the build."""

_DEFAULT_OPTIMIZATION_LEVEL = 3


def build_engine(
    trt: Any,
    job: EngineJob,
    given: BuildInput,
    report: PhaseReport,
    feed: ImageFeed | None = None,
) -> BuiltEngine:
    """
    Build an engine on this machine's GPU.

    :param trt: the module tensorrt
    :param given: the network, and what earlier builds measured
    :param feed: images to measure INT8 scales on (TensorRT up to 10.16), or None
    :raises RuntimeUnavailableError: no GPU, or the version lacks what the job asks for
    :raises ModelError: TensorRT does not take the network
    :raises ConfigError: an image cannot be read
    """
    log = shared_logger(trt)
    log.tail.clear()
    try:
        builder = trt.Builder(log)
    except TypeError as error:  # what the bindings make of a null pointer: no GPU, no driver
        raise RuntimeUnavailableError(
            f'tensorrt: cannot use the GPU ({log.tail.reason()}); check the driver and whether '
            'this user may use it'
        ) from error
    check_job(trt, job, builder)
    network = builder.create_network(_creation_flags(trt))
    parser = trt.OnnxParser(network, log)
    if not parser.parse(given.network):
        raise ModelError(f'TensorRT {trt.__version__} does not take the model: {_told(parser)}')
    config = builder.create_builder_config()
    _configure(trt, config, job)
    if not job.has_fixed_batch:
        _add_profile(builder, config, job)
    _add_timing_cache(config, given.timing_cache)
    calibrator = None
    if feed is not None:
        calibrator = make_calibrator(trt, feed, given.calibration_cache)
        _add_calibrator(builder, config, job, calibrator)
    if hasattr(config, 'progress_monitor'):  # 9.1, 10.0 and newer
        monitor = make_monitor(trt, report)
        config.progress_monitor = monitor
    plan = builder.build_serialized_network(network, config)
    if feed is not None and feed.error is not None:
        raise feed.error
    if plan is None:
        raise ModelError(f'TensorRT {trt.__version__} built no engine: {log.tail.reason()}')
    kept = config.get_timing_cache()
    return BuiltEngine(
        bytes(plan),
        b'' if kept is None else bytes(kept.serialize()),
        b'' if calibrator is None else calibrator.written,
    )


def check_job(trt: Any, job: EngineJob, builder: Any) -> None:
    """
    Refuse what this version or board cannot do, before anything takes time.

    :raises RuntimeUnavailableError: with what is lacking
    """
    version = trt.__version__
    if job.dla_core >= 0:
        cores = builder.num_DLA_cores  # every version; 0 where there is none
        if job.dla_core >= cores:
            raise RuntimeUnavailableError(
                f'dla_core: expected -1 or one of the {cores} DLA cores that TensorRT {version} '
                f'finds on {job.gpu}, found {job.dla_core}'
            )
        if job.precision == 'fp32':
            raise RuntimeUnavailableError(
                'dla_core: DLA cores compute in fp16 or int8 only; set precision to fp16'
            )
        if job.precision == 'int8' and not job.calibration_sha256:
            raise RuntimeUnavailableError(
                'dla_core: TensorRT before 11.4.1 takes no quantised (Q/DQ) models on DLA cores; '
                'set precision to fp16, or give the float model and calibration_dir'
            )


class PhaseTree:
    """
    Adds up the phases of a build, which nest; TensorRT tells of them from several threads.

    Their names differ from version to version.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._phases: dict[str, tuple[str | None, int, int]] = {}

    def start(self, name: str, parent: str | None, steps: int) -> None:
        """Begin a phase of so many steps."""
        with self._lock:
            self._phases[name] = (parent, steps, 0)

    def step(self, name: str, step: int) -> None:
        """Count a step as done."""
        with self._lock:
            parent, steps, _ = self._phases.get(name, (None, 1, 0))
            self._phases[name] = (parent, steps, step + 1)

    def finish(self, name: str) -> None:
        """End a phase, perhaps before its last step."""
        with self._lock:
            self._phases.pop(name, None)

    def share(self) -> float | None:
        """Return how much of the outermost phase is done, or None where there is none."""
        with self._lock:
            root = self._child_of(None)
            return None if root is None else self._share_of(root)

    def _child_of(self, parent: str | None) -> str | None:
        return next((name for name, (p, _, _) in self._phases.items() if p == parent), None)

    def _share_of(self, name: str) -> float:
        _, steps, done = self._phases[name]
        inner = self._child_of(name)
        begun = 0.0 if inner is None else self._share_of(inner)
        return min((done + begun) / max(steps, 1), 1.0)


def make_monitor(trt: Any, report: PhaseReport) -> Any:
    """Return a progress monitor (9.1, 10.0 and newer) that reports phases and shares."""

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        """Passes on what TensorRT tells; its methods have TensorRT's names."""

        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)  # the bindings demand it
            self._tree = PhaseTree()

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            """Begin a phase."""
            self._tree.start(phase_name, parent_phase, num_steps)
            report(phase_name, self._tree.share())

        def step_complete(self, phase_name: str, step: int) -> bool:
            """Count a step; False ends the build."""
            self._tree.step(phase_name, step)
            return report(phase_name, self._tree.share())

        def phase_finish(self, phase_name: str) -> None:
            """End a phase."""
            self._tree.finish(phase_name)

    return Monitor()


def _creation_flags(trt: Any) -> int:
    # Needed by the ONNX parser of 8.x, without effect in 9 and 10, removed in 11.
    explicit = getattr(trt.NetworkDefinitionCreationFlag, 'EXPLICIT_BATCH', None)
    return 0 if explicit is None else 1 << int(explicit)


def _told(parser: Any) -> str:
    errors = [parser.get_error(index) for index in range(parser.num_errors)]
    return '; '.join(f'node {e.node()}: {e.desc()}' for e in errors) or 'no reason given'


def _configure(trt: Any, config: Any, job: EngineJob) -> None:
    # 8.4 and newer; the default is all memory, which a Jetson shares with everybody.
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, job.workspace_bytes)
    # Every version; without it nobody can read back which precision the layers have.
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    if hasattr(config, 'max_aux_streams'):  # 8.6 and newer
        config.max_aux_streams = 0
    if hasattr(config, 'builder_optimization_level'):  # 8.6 and newer
        config.builder_optimization_level = job.optimization_level
    elif job.optimization_level != _DEFAULT_OPTIMIZATION_LEVEL:
        raise RuntimeUnavailableError(
            f'optimization_level: TensorRT {trt.__version__} has none (8.6 and newer do); '
            f'leave it at {_DEFAULT_OPTIMIZATION_LEVEL}'
        )
    if not is_strongly_typed(trt):  # up to 10.16; in 11 the types are those of the ONNX file
        if job.precision in ('fp16', 'int8'):
            config.set_flag(trt.BuilderFlag.FP16)
        if job.precision == 'int8':
            config.set_flag(trt.BuilderFlag.INT8)
    if job.dla_core >= 0:
        config.default_device_type = trt.DeviceType.DLA
        config.DLA_core = job.dla_core
        config.set_flag(trt.BuilderFlag.GPU_FALLBACK)


def _add_timing_cache(config: Any, data: bytes) -> None:
    cache = config.create_timing_cache(data)
    if cache is None or not config.set_timing_cache(cache, False):
        # It is of another device or damaged: begin anew.
        config.set_timing_cache(config.create_timing_cache(b''), False)


def _add_calibrator(builder: Any, config: Any, job: EngineJob, calibrator: Any) -> None:
    config.int8_calibrator = calibrator  # up to 10.16
    if not job.has_fixed_batch:
        # Up to 10.16; scales are measured on single images, whatever the batches will be.
        profile = builder.create_optimization_profile()
        one = (1, *job.image_size, 3)
        profile.set_shape(IMAGE, one, one, one)
        config.set_calibration_profile(profile)


def _add_profile(builder: Any, config: Any, job: EngineJob) -> None:
    profile = builder.create_optimization_profile()
    one, most = ((count, *job.image_size, 3) for count in (1, job.batch_size))
    profile.set_shape(IMAGE, one, most, most)
    if config.add_optimization_profile(profile) < 0:
        raise ModelError(f'TensorRT refuses batches of 1 to {job.batch_size} images')
