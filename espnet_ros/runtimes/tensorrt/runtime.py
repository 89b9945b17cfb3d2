"""TensorRT: the fastest on NVIDIA's GPUs, first of all on a Jetson."""

from __future__ import annotations

import atexit
from collections import Counter
from collections.abc import Callable
import contextlib
from functools import partial
import logging
import time
from typing import ClassVar
import weakref

from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import InferenceError, ModelError
from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.graph.channel_padding import pad_odd_channels
from espnet_ros.model_file.graph.depth_to_space import use_depth_to_space
from espnet_ros.model_file.graph.pool_filters import pool_by_filters
from espnet_ros.model_file.graph.small_pyramids import sum_small_pyramids
from espnet_ros.model_file.graph.split_prelu import split_prelu
from espnet_ros.runtimes.base import Inference, Runtime, TensorSpec, Workload
from espnet_ros.runtimes.batching import infer_in_pieces
from espnet_ros.runtimes.golden import compare, SelfCheck
from espnet_ros.runtimes.tensorrt.building.inspection import layer_precisions, main_precision
from espnet_ros.runtimes.tensorrt.engine_source import EngineSource
from espnet_ros.runtimes.tensorrt.execution import EngineExecution
from espnet_ros.runtimes.tensorrt.image_sizes import ImageSizes
from espnet_ros.runtimes.tensorrt.library import Library, TENSORRT
from espnet_ros.runtimes.tensorrt.machine import Gpu
from espnet_ros.runtimes.tensorrt.spec import choose_precision, plan_engine, target_of
from espnet_ros.runtimes.tensorrt.support import Device, open_device
import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

_TRIALS = 20


class TensorrtRuntime(Runtime):
    """
    Runs a model file with TensorRT, on an engine that it finds or builds.

    ``device`` is ``auto``, ``gpu``, ``cuda`` or one of them with a number: ``cuda:1``. An
    engine resizes images of many sizes (``resize: auto``), where its library takes that; or has
    one size, that of the model file; or, with ``device``, that of the workload, or of the first
    image, with which it is loaded or built then. Larger batches than it was built for are run in
    pieces. An engine computes all of its outputs with every batch, so
    ``engine_confidence`` decides whether the confidence is one.
    """

    name = 'tensorrt'
    library: ClassVar[Library] = TENSORRT
    has_engine = True
    rewrites = (
        *(use_depth_to_space, sum_small_pyramids, pool_by_filters),
        *(pad_odd_channels, split_prelu),
    )

    def __init__(
        self, model: ModelFile, settings: RuntimeSettings, workload: Workload | None = None
    ) -> None:
        super().__init__(model, settings, workload)
        self._device: Device | None = None
        self._requested = self._engine_file = ''
        self._refusal: ModelError | None = None
        self._sizes = self._make_sizes(settings.resize)
        self._execution: EngineExecution | None = None
        self._keep_kernels: Callable[[], None] = lambda: None
        self.self_check: SelfCheck | None = None
        self.layer_precisions: Counter[str] = Counter()

    @property
    def input_spec(self) -> TensorSpec:
        """Return the input: of the engine's one image size, where that is known."""
        spec = super().input_spec
        one = None if self._sizes.are_many else self._sizes.engine
        return TensorSpec(spec.name, spec.dtype, (None, *(one or (None, None)), 3))

    @property
    def resizes(self) -> bool:
        return self._sizes.resizes

    @property
    def has_confidence(self) -> bool:
        return self.settings.engine.engine_confidence

    @property
    def device(self) -> str:
        return '' if self._device is None else self._device.gpu.name

    @property
    def facts(self) -> dict[str, str]:
        """Return the versions, the layers' precisions and what the self-check found."""
        check = self.self_check
        layers = ', '.join(f'{n} {kind}' for kind, n in self.layer_precisions.most_common())
        return {
            self.name: '' if self._device is None else self._device.version,
            'engine_layers': layers or 'unavailable',
            'engine_file': self._engine_file,
            'engine_agreement_percent': (
                'unavailable' if check is None else f'{100 * check.agreement:.2f}'
            ),
        }

    @property
    def waits_for_image(self) -> bool:
        """Return whether the first image tells the size of the engine."""
        return self._sizes.engine is None

    def takes(self, size: tuple[int, int]) -> bool:
        return self._sizes.takes(size)

    def allocate_batch(
        self, count: int, size: tuple[int, int] | None = None
    ) -> NDArray[np.generic]:
        """Return the engine's own input memory, so that no image is copied twice."""
        size = size or self._sizes.usual
        is_small = count <= self.workload.batch_size
        if self._execution is not None and size and is_small and self._sizes.fit(size):
            return self._execution.input_array((count, *size, 3))
        return super().allocate_batch(count, size)

    def check(self) -> SelfCheck | None:
        """
        Compare the engine's labels with the reference.

        :return: None where nothing on this machine can make a reference
        :raises InferenceError: the engine failed, or the runtime is not open
        """
        reference = self.workload.find_reference(self.model, self._sizes.trial)
        if reference is None:
            return None
        image = reference.image_bgr[np.newaxis].astype(self.input_spec.dtype)
        labels = self._infer(image, confidence=False).labels[0]
        return compare(labels, reference, self._requested)

    def _make_sizes(self, resize: str) -> ImageSizes:
        if resize == 'auto' and self.model.image_dtype != 'uint8':
            resize = 'host'  # four times the bytes would have to go to the device
        return ImageSizes(resize, self.model.info.input_size, self.workload.image_size)

    def _check_batch(self, batch: NDArray[np.generic]) -> None:
        if batch.ndim == 4:
            self._sizes.check((batch.shape[1], batch.shape[2]), self.name)
        super()._check_batch(batch)

    def _open(self) -> None:
        self._device = open_device(self.settings.device, self.library)
        self._requested = choose_precision(
            self.settings.precision, self.model, self._device.gpu, self.name
        )
        self._precision, self._refusal = self._requested, None
        _open_runtimes.add(self)
        if not self.waits_for_image:
            try:
                self._load_or_step_back()
            except Exception:
                self._close()
                raise

    def _load_or_step_back(self) -> None:
        """Load the engine; where one for many sizes is refused, one of the network's size."""
        self._sizes = self._make_sizes(self.settings.resize)
        try:
            self._load()
        except ModelError as error:
            if not self._sizes.are_many:
                raise
            logger.warning(
                'no engine that resizes (%s); images are resized on the CPU. Set resize to host '
                'to leave the attempt out',
                error,
            )
            self._drop_engine()
            self.self_check = None
            self._sizes = self._make_sizes('host')
            self._load()

    def _load(self) -> EngineExecution:
        """Load the engine that is kept, or build, check and keep one."""
        device = self._device
        if device is None:
            raise InferenceError(f'{self.name}: the runtime is not open; call open() first')
        source = self._plan(target_of(self.library, device.gpu), device.gpu.index)
        self._engine_file = str(source.path)
        start = partial(
            EngineExecution,
            device,
            source.spec,
            self.input_spec.dtype,
            kernels=source.read_kernels(device.words),
        )
        engine, execution = source.load(start)
        self._execution = execution
        self.layer_precisions = layer_precisions(device.trt, execution.engine)
        self._precision = main_precision(self.layer_precisions, self._requested)
        compiled = execution.compiled
        if engine.is_new or (compiled is not None and not compiled.are_restored):
            self._check_new(source)
        if engine.is_new:
            check, layers = self.self_check, dict(self.layer_precisions)
            agreement = {} if check is None else {'self_check_agreement': check.agreement}
            source.keep(engine, precision=self._precision, layers=layers, **agreement)
        logger.info('%.0f frames a second with 1 image at once', self._measure_hz())
        if compiled is not None:
            write = partial(source.keep_kernels, device.words)
            self._keep_kernels = partial(compiled.keep, write)
        self._keep_kernels()
        return execution

    def _plan(self, gpu: Gpu, index: int = 0) -> EngineSource:
        """
        Work out what the engine is to be, and where it comes from.

        :param index: of the CUDA device that it is built on, where it is
        """
        model, settings = self._computed_model(), self.settings.engine
        spec = plan_engine(
            model,
            settings,
            gpu,
            library=self.library,
            precision=self._requested,
            sizes=self._sizes,
            batch_size=self.workload.batch_size,
        )
        return EngineSource(model, spec, settings, self.workload.watch, index)

    def _close(self) -> None:
        _open_runtimes.discard(self)
        self._sizes.forget_first()
        self._drop_engine()

    def _drop_engine(self) -> None:
        self._keep_kernels()
        self._keep_kernels = lambda: None
        execution, self._execution = self._execution, None
        if execution is not None:
            execution.close()

    def _load_for_size(self, size: tuple[int, int]) -> EngineExecution:
        """Load the engine for the first image; where it was refused, it stays so."""
        if self._refusal is not None:
            raise self._refusal
        self._sizes.engine = size
        try:
            return self._load()
        except Exception as error:
            self._sizes.forget_first()
            self._drop_engine()
            if isinstance(error, ModelError):
                self._refusal = error
            raise

    def _infer(self, batch: NDArray[np.generic], confidence: bool) -> Inference:
        execution = self._execution or self._load_for_size((batch.shape[1], batch.shape[2]))
        run = partial(execution.run, confidence=confidence)
        if len(batch) <= self.workload.batch_size:
            return run(batch)
        return infer_in_pieces(run, batch, self.workload.batch_size)

    def _check_new(self, source: EngineSource) -> None:
        self.self_check = self.check()
        if self.self_check is None:
            logger.warning(
                'no self-check: the model file holds no reference labels, and no CPU runtime is '
                'here to compute them (pip install onnxruntime)'
            )
            return
        logger.info('self-check: %s', self.self_check.words)
        if not self.self_check.is_passed:
            source.discard()
        self.self_check.refuse_failed(self.model.origin)

    def _measure_hz(self) -> float:
        image = np.zeros((1, *self._sizes.trial, 3), self.input_spec.dtype)
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
