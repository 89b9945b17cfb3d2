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
from typing import Any, ClassVar
import weakref

from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import InferenceError, InputError, ModelError
from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.graph.channel_padding import pad_odd_channels
from espnet_ros.model_file.graph.class_padding import pad_classes
from espnet_ros.model_file.graph.one_pass_head import compute_head_in_one_pass
from espnet_ros.runtimes.base import Inference, Runtime, TensorSpec, Workload
from espnet_ros.runtimes.batching import infer_in_pieces
from espnet_ros.runtimes.golden import compare, SelfCheck
from espnet_ros.runtimes.tensorrt.building.inspection import layer_precisions, main_precision
from espnet_ros.runtimes.tensorrt.cache import default_cache_folder, EngineCache
from espnet_ros.runtimes.tensorrt.engine_source import EngineSource
from espnet_ros.runtimes.tensorrt.execution import EngineExecution
from espnet_ros.runtimes.tensorrt.library import (
    is_strongly_typed,
    Library,
    load_tensorrt,
    TENSORRT,
)
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
    engine has one image size: that of the model file; where the engine resizes, that of the
    workload, or of the first image, with which it is loaded or built then. Larger batches than it
    was built for are run in pieces. An engine computes all of its outputs with every batch, so
    ``engine_confidence`` decides whether the confidence is one.
    """

    name = 'tensorrt'
    library: ClassVar[Library] = TENSORRT
    has_engine = True
    rewrites = (pad_odd_channels, pad_classes, compute_head_in_one_pass)

    def __init__(
        self, model: ModelFile, settings: RuntimeSettings, workload: Workload | None = None
    ) -> None:
        super().__init__(model, settings, workload)
        self._device: Device | None = None
        self._requested = self._precision = self._engine_file = ''
        self._refusal: ModelError | None = None
        self._image_size: tuple[int, int] | None = None
        self._execution: EngineExecution | None = None
        self._keep_kernels: Callable[[bytes], None] | None = None
        self._kept_kernels = b''
        self.self_check: SelfCheck | None = None
        self.layer_precisions: Counter[str] = Counter()

    @property
    def input_spec(self) -> TensorSpec:
        """Return the input: of the engine's one image size, where that is known."""
        spec = super().input_spec
        return TensorSpec(spec.name, spec.dtype, (None, *(self._known_size or (None, None)), 3))

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
        """Return the GPU; empty before it is opened."""
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
        return self._known_size is None

    def allocate_batch(
        self, count: int, size: tuple[int, int] | None = None
    ) -> NDArray[np.generic]:
        """Return the engine's own input memory, so that no image is copied twice."""
        size = size or self._known_size
        fits = count <= self.workload.batch_size and size == self._known_size
        if self._execution is not None and fits:
            return self._execution.input_array[:count]
        return super().allocate_batch(count, size)

    def check(self) -> SelfCheck | None:
        """
        Compare the engine's labels with the reference.

        :return: None where nothing on this machine can make a reference
        :raises InferenceError: the engine failed, or the runtime is not open
        """
        size = self._known_size or self.model.info.input_size
        reference = self.workload.find_reference(self.model, size)
        if reference is None:
            return None
        image = reference.image_bgr[np.newaxis].astype(self.input_spec.dtype)
        labels = self._infer(image, confidence=False).labels[0]
        return compare(labels, reference, self._requested)

    @property
    def _known_size(self) -> tuple[int, int] | None:
        """Return (height, width) of what the engine takes, or None before the first image."""
        if not self.resizes:
            return self.model.info.input_size
        return self._image_size or self.workload.image_size

    def _check_batch(self, batch: NDArray[np.generic]) -> None:
        size = self._known_size
        if self.resizes and size and batch.ndim == 4 and batch.shape[1:3] != size:
            raise InputError(
                f'{self.name}: the engine was built for the size of the first image, height,width '
                f'{size}, found {batch.shape[1:3]}; set resize to host where sizes change'
            )
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
                self._load()
            except Exception:
                self._close()
                raise

    def _load(self) -> None:
        """Load the engine that is kept, or build, check and keep one."""
        device, size = self._device, self._known_size
        if device is None or size is None:
            raise InferenceError(f'{self.name}: the runtime is not open; call open() first')
        gpu = device.gpu
        source = self._find_source(target_of(self.library, gpu), size, gpu.index)
        self._engine_file = str(source.path)
        engine = source.get_or_build(force=self.settings.engine.force_rebuild)
        start = partial(
            EngineExecution,
            device.trt,
            device.cuda,
            gpu,
            source.spec,
            image_dtype=self.input_spec.dtype,
            kernels=source.read_kernels(device.words),
        )
        try:
            self._execution = start(plan=engine.plan)
        except ModelError as error:
            if engine.is_new:
                raise
            source.discard(f'cannot be loaded ({error})')
            engine = source.get_or_build(force=True)
            self._execution = start(plan=engine.plan)
        self._inspect(device.trt, self._execution.engine)
        compiled = self._execution.compiled
        if engine.is_new or (compiled is not None and not compiled.are_restored):
            self._check_new(source)
        if engine.is_new:
            facts: dict[str, object] = {
                'precision': self._precision,
                'layers': dict(self.layer_precisions),
            }
            if self.self_check is not None:
                facts['self_check_agreement'] = self.self_check.agreement
            source.keep(engine, facts)
        logger.info('%.0f frames a second with 1 image at once', self._measure_hz())
        self._keep_kernels = partial(source.keep_kernels, device.words)
        self._keep_compiled()

    def _find_source(self, gpu: Gpu, size: tuple[int, int], index: int) -> EngineSource:
        """
        Work out what the engine is to be, and where it comes from.

        :param gpu: what it is built for
        :param index: of the CUDA device that it is built on, where it is
        """
        trt = load_tensorrt(self.library)
        model = self._computed_model()
        settings = self.settings.engine
        folder = settings.engine_cache_dir
        spec = plan_engine(
            model,
            settings,
            gpu,
            library=self.library,
            tensorrt=str(trt.__version__),
            precision=self._requested,
            image_size=size,
            batch_size=self.workload.batch_size,
        )
        return EngineSource(
            model,
            spec,
            EngineCache(Path(folder) if folder else default_cache_folder()),
            self.workload.watch,
            device=index,
            needs_half_types=is_strongly_typed(trt) and self._requested != 'fp32',
        )

    def _close(self) -> None:
        _open_runtimes.discard(self)
        self._image_size = None
        self._drop_engine()

    def _drop_engine(self) -> None:
        self._keep_compiled()
        self._keep_kernels, self._kept_kernels = None, b''
        execution, self._execution = self._execution, None
        if execution is not None:
            execution.close()

    def _keep_compiled(self) -> None:
        """Keep the kernels of an engine that passed its check: other batches have others."""
        compiled = None if self._execution is None else self._execution.compiled
        if compiled is None or self._keep_kernels is None:
            return
        data = compiled.serialize()
        if data != self._kept_kernels:
            self._keep_kernels(data)
            self._kept_kernels = data

    def _load_for_size(self, size: tuple[int, int]) -> None:
        """Load the engine for the first image; where it was refused, it stays so."""
        if self._refusal is not None:
            raise self._refusal
        self._image_size = size
        try:
            self._load()
        except Exception as error:
            self._image_size = None
            self._drop_engine()
            if isinstance(error, ModelError):
                self._refusal = error
            raise

    def _infer(self, batch: NDArray[np.generic], confidence: bool) -> Inference:
        if self._execution is None:
            self._load_for_size((batch.shape[1], batch.shape[2]))
        execution = self._execution
        if execution is None:
            raise InferenceError(f'{self.name}: the runtime is not open; call open() first')
        run = partial(execution.run, confidence=confidence)
        if len(batch) <= self.workload.batch_size:
            return run(batch)
        return infer_in_pieces(run, batch, self.workload.batch_size)

    def _inspect(self, trt: Any, engine: Any) -> None:
        """Read back which precision the layers of the engine have."""
        self.layer_precisions = layer_precisions(trt, engine)
        self._precision = main_precision(self.layer_precisions, self._requested)
        shares = ', '.join(f'{n} in {kind}' for kind, n in self.layer_precisions.most_common())
        if self._precision != self._requested:
            logger.warning(
                '%s was requested, but no layer of the engine computes in it (%s)',
                self._requested,
                shares,
            )
        logger.info('layers of the engine: %s', shares or 'not told by this TensorRT')

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
            source.discard('')
        self.self_check.refuse_failed(self.model.origin)

    def _measure_hz(self) -> float:
        image = np.zeros((1, *(self._known_size or (0, 0)), 3), self.input_spec.dtype)
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
