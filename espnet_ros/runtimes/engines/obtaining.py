"""An engine for a job: the one that is kept, or a new one."""

from __future__ import annotations

from dataclasses import dataclass
import logging
from pathlib import Path
import re
import time

from espnet_ros.exceptions import BuildCancelled, OutputError
from espnet_ros.model_file import ModelFile
from espnet_ros.runtimes.base import read_input_spec
from espnet_ros.runtimes.engines.build_input import BuildInput
from espnet_ros.runtimes.engines.build_process import build_in_process
from espnet_ros.runtimes.engines.cache import EngineCache
from espnet_ros.runtimes.engines.calibration import CalibrationImages
from espnet_ros.runtimes.engines.job import BuildProgress, BuildWatch, EngineJob
from espnet_ros.runtimes.engines.network import fit_network

logger = logging.getLogger(__name__)

_LOG_EVERY_S = 5.0


@dataclass(frozen=True)
class ObtainedEngine:
    """
    An engine, serialised.

    :param plan: its bytes
    :param is_new: whether it was built just now
    :param build_s: seconds that took, or 0
    """

    plan: bytes
    is_new: bool
    build_s: float = 0.0


class EngineSource:
    """
    Finds or builds the engine of one model for one job.

    :param graph: the model file, as it is computed
    :param job: what the engine is for
    :param cache: where engines are kept
    :param watch: who is told of a build
    :param device: number of the CUDA device
    :param images: what INT8 scales are measured on; none where they are in the network
    :param needs_half_types: whether FP16 types must be written into the network
    """

    def __init__(
        self,
        graph: ModelFile,
        job: EngineJob,
        cache: EngineCache,
        watch: BuildWatch,
        *,
        device: int,
        images: CalibrationImages,
        needs_half_types: bool,
    ) -> None:
        self._graph = graph
        self._name = graph.info.name
        self._job = job
        self._cache = cache
        self._watch = watch
        self._device = device
        self._images = images
        self._needs_half_types = needs_half_types

    @property
    def job(self) -> EngineJob:
        """Return what the engine is for."""
        return self._job

    @property
    def path(self) -> Path:
        """Return where the engine lies, whether it is there or not."""
        return self._cache.path_of(self._job, self._name)

    def obtain(self, *, force: bool) -> ObtainedEngine:
        """
        Return the engine that is kept, or build one.

        :param force: build it even where one is kept
        :raises ConfigError: others can write the cache
        :raises EspnetError: it cannot be built
        """
        name = self._name
        if not force and (plan := self._cache.load(self._job, name)) is not None:
            logger.info('engine %s', self._cache.path_of(self._job, name))
            return ObtainedEngine(plan, is_new=False)
        with self._cache.lock(self._job, name):
            # Whoever held the lock before may have built it.
            if not force and (plan := self._cache.load(self._job, name)) is not None:
                return ObtainedEngine(plan, is_new=False)
            return self._build(name)

    def keep(self, engine: ObtainedEngine, facts: dict[str, object]) -> None:
        """Keep a new engine that passed its check; a full disk costs the next start a build."""
        try:
            path = self._cache.store(
                self._job, self._name, engine.plan, {**facts, 'build_s': engine.build_s}
            )
        except OutputError as error:
            logger.warning('%s; the engine is used now and built again at the next start', error)
        else:
            logger.info('engine kept as %s (%.1f MB)', path, len(engine.plan) / 1e6)

    def discard(self, why: str) -> None:
        """Delete the engine that is kept."""
        self._cache.delete(self._job, self._name, why)

    def _build(self, name: str) -> ObtainedEngine:
        job = self._job
        if self._watch.is_cancelled():
            raise BuildCancelled(f'no engine of {name} is kept, and none is built now')
        height, width = job.image_size
        size = '{1}x{0}'.format(*job.mask_size)
        logger.info(
            'building the %s engine of %s, %s, up to %d image%s at once, with TensorRT %s; '
            'this takes minutes, once for this board, model and TensorRT',
            job.precision.upper(),
            name,
            size if job.image_size == job.mask_size else f'{width}x{height} resized to {size}',
            job.batch_size,
            '' if job.batch_size == 1 else 's',
            job.tensorrt,
        )
        network = fit_network(
            self._graph,
            job.batch_size if job.has_fixed_batch else None,
            image_size=job.image_size,
            has_confidence=job.has_confidence,
            as_half=self._needs_half_types,
        )
        timing = re.sub(r'[^\w.-]+', '_', f'{job.tensorrt}-{job.gpu}-{job.compute_capability}')
        started_s = time.monotonic()
        watch = BuildWatch(_LoggedProgress(self._watch), self._watch.is_cancelled)
        given = BuildInput(
            network,
            self._device,
            read_input_spec(self._graph).dtype,
            self._cache.read_timing(timing),
            self._images.paths,
            self._cache.read_calibration(job, name),
        )
        built = build_in_process(job, given, watch)
        build_s = time.monotonic() - started_s
        self._cache.write_timing(timing, built.timing_cache)
        if built.calibration_cache:
            self._cache.write_calibration(job, name, built.calibration_cache)
        logger.info('engine built in %.0f s', build_s)
        return ObtainedEngine(built.plan, is_new=True, build_s=round(build_s, 1))


class _LoggedProgress:
    """Passes progress on, and writes a line every few seconds."""

    def __init__(self, watch: BuildWatch) -> None:
        self._watch = watch
        self._logged_s = 0.0

    def __call__(self, progress: BuildProgress) -> None:
        if progress.elapsed_s - self._logged_s >= _LOG_EVERY_S:
            self._logged_s = progress.elapsed_s
            logger.info('building the engine: %s', progress.words)
        self._watch.on_progress(progress)
