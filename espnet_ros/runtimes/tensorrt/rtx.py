"""
TensorRT-RTX: for PCs with an RTX card and for DGX Spark, by one pip install; not for a Jetson.

Its engines are built in about a second, without a GPU, and serve every supported one; the kernels
are compiled where an engine is loaded first, and kept. It has not run on a card by us yet.
"""

from __future__ import annotations

from pathlib import Path

from espnet_ros.exceptions import ConfigError
from espnet_ros.runtimes.tensorrt.library import TENSORRT_RTX
from espnet_ros.runtimes.tensorrt.runtime import TensorrtRuntime
from espnet_ros.runtimes.tensorrt.spec import ANY_GPU, choose_precision


class TensorrtRtxRuntime(TensorrtRuntime):
    """Runs a model file with TensorRT-RTX; like :class:`TensorrtRuntime` in all else."""

    name = 'tensorrt_rtx'
    library = TENSORRT_RTX

    def build_ahead(self) -> Path:
        """
        Find or build the engine for all GPUs but old ones (7.5), on a machine that needs none.

        Where it is loaded first it is checked, and its kernels are compiled.

        :return: where it is kept, its record of the same name (.json) beside it
        :raises RuntimeUnavailableError: the library is not here, or not made for this precision
        :raises ConfigError: an engine that resizes, and no size of its images; or a bad folder
        :raises ModelError: the library does not take the model
        """
        if self.waits_for_image:
            raise ConfigError(
                f'{self.name}: an engine that resizes is built for one size of image; name it'
            )
        self._requested = choose_precision(self.settings.precision, self.model, ANY_GPU, self.name)
        source = self._plan(ANY_GPU)
        engine = source.get_or_build()
        if engine.is_new:
            source.keep(engine, precision=self._requested)
        return source.path
