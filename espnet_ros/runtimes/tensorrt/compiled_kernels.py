"""The kernels that TensorRT-RTX compiles for one GPU when it loads an engine."""

from __future__ import annotations

from collections.abc import Callable
import logging
from typing import Any

logger = logging.getLogger(__name__)


class CompiledKernels:
    """
    An engine's way to run that compiles, keeps kernels and records a CUDA graph by itself.

    :param trt: the module of a library that compiles on load
    :param engine: the engine, its GPU the current device
    :param kept: what :meth:`keep` wrote earlier, or nothing

    :ivar are_restored: whether ``kept`` was taken; the library itself compares version, GPU and
        driver, and takes nothing of others
    """

    def __init__(self, trt: Any, engine: Any, kept: bytes) -> None:
        self._config = engine.create_runtime_config()
        self._config.cuda_graph_strategy = trt.CudaGraphStrategy.WHOLE_GRAPH_CAPTURE
        # Lazy ones would be compiled beside the first images, and slow kernels run meanwhile.
        strategies = trt.DynamicShapesKernelSpecializationStrategy
        self._config.dynamic_shapes_kernel_specialization_strategy = strategies.EAGER
        self._cache = self._config.create_runtime_cache()
        self._kept = b''
        self.are_restored = bool(kept) and bool(self._cache.deserialize(kept))
        if kept and not self.are_restored:
            logger.info('the kept kernels are of another GPU, driver or version; compiling anew')
        if not self._config.set_runtime_cache(self._cache):
            logger.warning('compiled kernels cannot be kept; each start compiles them')

    def create_context(self, engine: Any) -> Any:
        """Return an execution context, or None where there is too little memory."""
        return engine.create_execution_context(self._config)

    def keep(self, write: Callable[[bytes], None]) -> None:
        """Write all kernels, where some are new: each shape of a batch adds some."""
        cache = self._cache.serialize()
        data = b'' if cache is None else bytes(cache)
        if data != self._kept:
            write(data)
            self._kept = data
