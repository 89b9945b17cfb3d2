"""An engine for a specification: the one that is kept, or a new one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import hashlib
import logging
from pathlib import Path
import re
import time
from typing import Any, TypeVar

from espnet_ros.config import EngineSettings
from espnet_ros.exceptions import BuildCancelled, ModelError, OutputError
from espnet_ros.model_file import ModelFile
from espnet_ros.runtimes.build_watch import BuildProgress, BuildWatch
from espnet_ros.runtimes.tensorrt.building.builder import BuildInput
from espnet_ros.runtimes.tensorrt.building.network import fit_network
from espnet_ros.runtimes.tensorrt.building.process import build_in_process
from espnet_ros.runtimes.tensorrt.cache import default_cache_folder, EngineCache, KERNELS
from espnet_ros.runtimes.tensorrt.library import is_strongly_typed, LIBRARIES, load_tensorrt
from espnet_ros.runtimes.tensorrt.spec import EngineSpec

logger = logging.getLogger(__name__)

_LOG_EVERY_S = 5.0
_Loaded = TypeVar('_Loaded')


@dataclass(frozen=True)
class SerializedEngine:
    """
    An engine, serialised.

    :param build_s: seconds that took, or 0
    """

    plan: bytes
    is_new: bool
    build_s: float = 0.0


class EngineSource:
    """
    Finds or builds the engine of one model for one specification.

    :param model: with the graph that is computed
    :param settings: where engines are kept, and whether a kept one serves
    :param watch: who is told of a build
    :raises ConfigError: others can write the folder
    """

    def __init__(
        self,
        model: ModelFile,
        spec: EngineSpec,
        settings: EngineSettings,
        watch: BuildWatch,
        device: int,
    ) -> None:
        self._model = model
        self._name = model.info.name
        self.spec = spec
        folder = settings.engine_cache_dir
        self._cache = EngineCache(Path(folder) if folder else default_cache_folder())
        self._rebuilds = settings.force_rebuild
        self._watch = watch
        self._device = device

    @property
    def path(self) -> Path:
        return self._cache.path_of(self.spec, self._name)

    def load(self, start: Callable[[bytes], _Loaded]) -> tuple[SerializedEngine, _Loaded]:
        """
        Return the engine, and what is made of its plan; one that was kept and is refused is built.

        :param start: raises ModelError where it refuses the plan
        :raises EspnetError: it cannot be built or started
        """
        engine = self.get_or_build()
        try:
            return engine, start(engine.plan)
        except ModelError as error:
            if engine.is_new:
                raise
            self._cache.delete(self.spec, self._name, f'cannot be loaded ({error})')
        engine = self.get_or_build(force=True)
        return engine, start(engine.plan)

    def get_or_build(self, *, force: bool = False) -> SerializedEngine:
        """
        Return the engine that is kept, or build one.

        :param force: build it even where one is kept
        :raises EspnetError: it cannot be built
        """
        name = self._name
        force = force or self._rebuilds
        if not force and (plan := self._cache.load(self.spec, name)) is not None:
            logger.info('engine %s', self._cache.path_of(self.spec, name))
            return SerializedEngine(plan, is_new=False)
        with self._cache.lock(self.spec, name):
            # Whoever held the lock before may have built it.
            if not force and (plan := self._cache.load(self.spec, name)) is not None:
                return SerializedEngine(plan, is_new=False)
            return self._build(name)

    def read_kernels(self, words: str) -> bytes:
        """
        Return the kernels that were compiled of this engine, or nothing.

        :param words: what they depend on beside the engine
        """
        return self._cache.read_extra(self._kernels_name(words))

    def keep_kernels(self, words: str, data: bytes) -> None:
        self._cache.write_extra(self._kernels_name(words), data)

    def _kernels_name(self, words: str) -> str:
        return f'{self.path.stem}-{hashlib.sha256(words.encode()).hexdigest()[:16]}{KERNELS}'

    def keep(self, engine: SerializedEngine, **facts: Any) -> None:
        """Keep a new engine that passed its check; a full disk costs the next start a build."""
        try:
            path = self._cache.store(
                self.spec, self._name, engine.plan, {**facts, 'build_s': engine.build_s}
            )
        except OutputError as error:
            logger.warning('%s; the engine is used now and built again at the next start', error)
        else:
            logger.info('engine kept as %s (%.1f MB)', path, len(engine.plan) / 1e6)

    def discard(self) -> None:
        self._cache.delete(self.spec, self._name, '')

    def _build(self, name: str) -> SerializedEngine:
        spec = self.spec
        if self._watch.is_cancelled():
            raise BuildCancelled(f'no engine of {name} is kept, and none is built now')
        library = LIBRARIES[spec.library]
        logger.info(
            'building the %s engine of %s, %s, up to %d image%s at once, with %s %s; '
            'this takes %s',
            spec.precision.upper(),
            name,
            spec.size_words,
            spec.batch_size,
            '' if spec.batch_size == 1 else 's',
            library.words,
            spec.tensorrt,
            'seconds, once for this model and version'
            if library.compiles_on_load
            else 'minutes, once for this board, model and TensorRT',
        )
        network = fit_network(
            self._model,
            spec.fixed_batch,
            image_size=spec.network_size,
            has_confidence=spec.has_confidence,
            as_half=spec.precision != 'fp32' and is_strongly_typed(load_tensorrt(library)),
        )
        words = f'{spec.tensorrt}-{spec.gpu}-{spec.compute_capability}'
        timing = f'{re.sub(r"[^a-zA-Z0-9_.-]+", "_", words)}.timing'
        started_s = time.monotonic()
        watch = BuildWatch(_LoggedProgress(self._watch), self._watch.is_cancelled)
        given = BuildInput(network, self._device, self._cache.read_extra(timing))
        try:
            built = build_in_process(spec, given, watch)
        finally:
            self._watch.on_end()
        build_s = time.monotonic() - started_s
        if built.timing_cache:
            self._cache.write_extra(timing, built.timing_cache)
        logger.info('engine built in %.0f s', build_s)
        return SerializedEngine(built.plan, is_new=True, build_s=round(build_s, 1))


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
