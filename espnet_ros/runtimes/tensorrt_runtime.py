"""TensorRT: the fastest on NVIDIA's GPUs, first of all on a Jetson."""

from __future__ import annotations

import atexit
from collections import Counter
from collections.abc import Callable
import contextlib
from functools import partial
import logging
from pathlib import Path
import time
from typing import Any
import weakref

from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import (
    ConfigError,
    InferenceError,
    InputError,
    ModelError,
)
from espnet_ros.model_file import ModelFile
from espnet_ros.runtimes.base import Inference, Runtime, TensorSpec
from espnet_ros.runtimes.batching import infer_in_pieces
from espnet_ros.runtimes.cuda.api import CudaApi, SCHEDULE_BLOCKING_SYNC
from espnet_ros.runtimes.cuda.opening import open_cuda
from espnet_ros.runtimes.engines.cache import default_cache_folder, EngineCache
from espnet_ros.runtimes.engines.calibration import find_images
from espnet_ros.runtimes.engines.choices import choose_device, choose_precision, plan_job
from espnet_ros.runtimes.engines.execution import EngineExecution
from espnet_ros.runtimes.engines.inspection import layer_precisions, main_precision
from espnet_ros.runtimes.engines.job import BuildWatch
from espnet_ros.runtimes.engines.library import (
    has_calibrator,
    is_strongly_typed,
    load_tensorrt,
    version_of,
)
from espnet_ros.runtimes.engines.machine import find_gpu, Gpu
from espnet_ros.runtimes.engines.network import refuse_obstacles
from espnet_ros.runtimes.engines.obtaining import EngineSource, ObtainedEngine
from espnet_ros.runtimes.engines.self_check import check_runtime, refuse_failed, SelfCheck
from espnet_ros.runtimes.graph import chosen_tail, computed_graph, is_quantized
import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

_TRIALS = 20


class TensorrtRuntime(Runtime):
    """
    Runs a model file with TensorRT, on an engine that it finds or builds.

    ``device`` is ``auto``, ``gpu``, ``cuda`` or one of them with a number: ``cuda:1``. An
    engine has one image size: that of the model file, or ``engine_image_size`` where the engine
    resizes. Larger batches than it was built for are run in pieces. An engine computes all of its
    outputs with every batch, so ``engine_confidence`` decides whether the confidence is one.

    :param batch_size: the largest batch that is to come
    :param watch: who is told of a build
    """

    name = 'tensorrt'

    def __init__(
        self,
        model: ModelFile,
        settings: RuntimeSettings,
        batch_size: int = 1,
        watch: BuildWatch | None = None,
    ) -> None:
        super().__init__(model, settings)
        # A DLA core takes static shapes only, and cameras do not always come together.
        self._batch_size = 1 if settings.engine.dla_core >= 0 else batch_size
        self._watch = watch or BuildWatch()
        self._gpu: Gpu | None = None
        self._precision = self._version = self._engine_file = ''
        self._execution: EngineExecution | None = None
        self.self_check: SelfCheck | None = None
        self.layer_precisions: Counter[str] = Counter()

    @property
    def input_spec(self) -> TensorSpec:
        """Return the input: of the engine's one image size."""
        spec = super().input_spec
        return TensorSpec(spec.name, spec.dtype, (None, *self._image_size, 3))

    @property
    def has_confidence(self) -> bool:
        """Return whether the engine is to give the confidence."""
        return self.settings.engine.engine_confidence

    @property
    def precision(self) -> str:
        """Return the precision that the engine's layers really have."""
        return self._precision

    @property
    def device(self) -> str:
        """Return the GPU, and the DLA core where one is used; empty before it is opened."""
        core = self.settings.engine.dla_core
        return '' if self._gpu is None else self._gpu.name + (f', DLA {core}' * (core >= 0))

    @property
    def facts(self) -> dict[str, str]:
        """Return the versions, the layers' precisions and what the self-check found."""
        check = self.self_check
        layers = ', '.join(f'{n} {kind}' for kind, n in self.layer_precisions.most_common())
        return {
            'tensorrt': self._version,
            'engine_layers': layers or 'unavailable',
            'engine_file': self._engine_file,
            'engine_agreement_percent': (
                'unavailable' if check is None else f'{100 * check.agreement:.2f}'
            ),
        }

    def allocate_batch(
        self, count: int, size: tuple[int, int] | None = None
    ) -> NDArray[np.generic]:
        """Return the engine's own input memory, so that no image is copied twice."""
        size = size or self._image_size
        fits = count <= self._batch_size and size == self._image_size
        if self._execution is not None and fits:
            return self._execution.input_array[:count]
        return super().allocate_batch(count, size)

    @property
    def _image_size(self) -> tuple[int, int]:
        """Return (height, width) of what the engine takes."""
        if not self.resizes:
            return self.model.info.input_size
        height, width = self.settings.engine.engine_image_size
        return height, width

    def _check_batch(self, batch: NDArray[np.generic]) -> None:
        if self.resizes and batch.ndim == 4 and batch.shape[1:3] != self._image_size:
            raise InputError(
                f'tensorrt: the engine resizes images of height,width {self._image_size}, found '
                f'{batch.shape[1:3]}; set engine_image_size to that, or resize to host'
            )
        super()._check_batch(batch)

    def _open(self) -> None:
        if 0 in self._image_size:
            raise ConfigError(
                'engine_image_size: an engine that resizes is built for one size of image, and '
                'none is set; set it to [height, width] of the images, or resize to host'
            )
        trt, cuda = load_tensorrt(), open_cuda()
        gpu = self._find_gpu(trt, cuda)
        graph = computed_graph(self.model, self.settings, self.name)
        refuse_obstacles(graph, version_of(trt))
        # Where the context is there already it waits as it did.
        with contextlib.suppress(InferenceError):
            cuda.set_device_flags(SCHEDULE_BLOCKING_SYNC)
        cuda.set_device(gpu.index)
        source = self._plan(trt, cuda, gpu, graph)
        job = source.job
        self._gpu, self._precision = gpu, job.precision
        self._version, self._engine_file = trt.__version__, str(source.path)
        start = partial(EngineExecution, trt, cuda, gpu, job, image_dtype=self.input_spec.dtype)
        engine = self._start(source, start)
        try:
            self._examine(trt, source, engine, job.precision)
        except Exception:
            self._close()
            raise
        _open_runtimes.add(self)

    def _find_gpu(self, trt: Any, cuda: CudaApi) -> Gpu:
        gpu = find_gpu(cuda, choose_device(self.settings.device))
        words = (gpu.words, trt.__version__, *cuda.runtime_version(), cuda.name)
        logger.info('found %s, TensorRT %s, CUDA %d.%d (%s)', *words)
        return gpu

    def _plan(self, trt: Any, cuda: CudaApi, gpu: Gpu, graph: ModelFile) -> EngineSource:
        """Work out what the engine is to be, and where it comes from."""
        settings = self.settings.engine
        precision = choose_precision(
            self.settings.precision,
            self.model,
            gpu,
            can_calibrate=bool(settings.calibration_dir) and has_calibrator(trt),
        )
        calibrates = precision == 'int8' and not is_quantized(self.model)
        images = find_images(settings.calibration_dir if calibrates else '')
        job = plan_job(
            graph,
            settings,
            gpu,
            precision=precision,
            image_size=self._image_size,
            batch_size=self._batch_size,
            calibration_sha256=images.sha256,
            versions=(trt.__version__, '{}.{}'.format(*cuda.runtime_version())),
        )
        folder = settings.engine_cache_dir
        return EngineSource(
            graph,
            job,
            EngineCache(Path(folder) if folder else default_cache_folder()),
            self._watch,
            device=gpu.index,
            images=images,
            needs_half_types=is_strongly_typed(trt) and precision != 'fp32',
        )

    def _start(
        self, source: EngineSource, start: Callable[..., EngineExecution]
    ) -> ObtainedEngine:
        """Load the engine that is kept, or a new one where there is none that loads."""
        engine = source.obtain(force=self.settings.engine.force_rebuild)
        try:
            self._execution = start(plan=engine.plan)
        except ModelError as error:
            if engine.is_new:
                raise
            source.discard(f'cannot be loaded ({error})')
            engine = source.obtain(force=True)
            self._execution = start(plan=engine.plan)
        return engine

    def _close(self) -> None:
        _open_runtimes.discard(self)
        execution, self._execution = self._execution, None
        if execution is not None:
            execution.close()

    def _infer(self, batch: NDArray[np.generic], confidence: bool) -> Inference:
        if self._execution is None:
            raise InferenceError('tensorrt: the runtime is not open; call open() first')
        if len(batch) <= self._batch_size:
            return self._execution.run(batch, confidence=confidence)
        run = partial(self._execution.run, confidence=confidence)
        return infer_in_pieces(run, batch, self._batch_size)

    def _examine(
        self, trt: Any, source: EngineSource, engine: ObtainedEngine, precision: str
    ) -> None:
        """Read back what the engine is, check what it sees, and keep it where it is new."""
        if self._execution is None:
            return
        self.layer_precisions = layer_precisions(trt, self._execution.engine)
        self._precision = main_precision(self.layer_precisions, precision)
        shares = ', '.join(f'{n} in {kind}' for kind, n in self.layer_precisions.most_common())
        if self._precision != precision:
            logger.warning(
                'asked for %s, but no layer of the engine computes in it (%s)', precision, shares
            )
        logger.info('layers of the engine: %s', shares or 'not told by this TensorRT')
        if engine.is_new:
            self._check_itself(source, precision)
            facts: dict[str, object] = {
                'precision': self._precision,
                'layers': dict(self.layer_precisions),
                'tail': chosen_tail(self.settings, self.name),
            }
            if self.self_check is not None:
                facts['self_check_agreement'] = self.self_check.agreement
            source.keep(engine, facts)
        logger.info('%.0f frames a second with 1 image at once', self._measure_hz())

    def _check_itself(self, source: EngineSource, precision: str) -> None:
        self._is_open = True  # the check runs it as anybody would
        try:
            self.self_check = check_runtime(self, precision)
        finally:
            self._is_open = False
        if self.self_check is None:
            logger.warning(
                'no self-check: the model file holds no reference labels, and no CPU runtime is '
                'here to compute them (pip install onnxruntime)'
            )
            return
        logger.info('self-check: %s', self.self_check.words)
        if not self.self_check.is_passed:
            source.discard('')
        refuse_failed(self.self_check, self.model.origin)

    def _measure_hz(self) -> float:
        image = np.zeros((1, *self._image_size, 3), self.input_spec.dtype)
        started_s = time.perf_counter()
        for _ in range(_TRIALS):
            self._infer(image, confidence=False)
        return _TRIALS / (time.perf_counter() - started_s)


_open_runtimes: weakref.WeakSet[TensorrtRuntime] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """Free engines in order: at the interpreter's end they would go in any order."""
    for runtime in tuple(_open_runtimes):
        with contextlib.suppress(InferenceError):
            runtime.close()
