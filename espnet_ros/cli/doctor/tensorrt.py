"""Checks of TensorRT: version, GPU, engines that are kept, and whether an engine sees right."""

from __future__ import annotations

from espnet_ros.cli.doctor.check import Check, Status
from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import BuildCancelled, EspnetError
from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.store import open_model
from espnet_ros.runtimes.build_watch import NO_BUILD
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.runtimes.tensorrt.cache import default_cache_folder, EngineCache
from espnet_ros.runtimes.tensorrt.cuda import open_cuda
from espnet_ros.runtimes.tensorrt.library import LIBRARIES, Library, TENSORRT
from espnet_ros.runtimes.tensorrt.machine import find_gpu
from espnet_ros.runtimes.tensorrt.runtime import TensorrtRuntime
from espnet_ros.runtimes.tensorrt.support import find_tensorrt


def check_tensorrt() -> list[Check]:
    """Look at what TensorRT and TensorRT-RTX need; nothing where neither can be used."""
    usable = [library for library in LIBRARIES.values() if not find_tensorrt(library)[0]]
    if not usable:
        return []
    checks = [_check_gpu(), _check_cache()]
    try:
        model = open_model('auto')
    except EspnetError:
        return checks  # that there is no model was told
    return [*checks, *(_check_engine(model, library) for library in usable)]


def _check_gpu() -> Check:
    try:
        cuda = open_cuda()
        gpu = find_gpu(cuda, 0)
    except EspnetError as error:
        return Check('GPU', Status.WARN, str(error), 'check the driver and your rights')
    memory = 'shared with the CPU' if gpu.is_integrated else 'of its own'
    return Check('GPU', Status.OK, f'{gpu.words}, memory {memory}')


def _check_cache() -> Check:
    try:
        cache = EngineCache(default_cache_folder())
    except EspnetError as error:
        return Check('engine cache', Status.WARN, str(error))
    count = len(list(cache.folder.glob('*.engine')))
    return Check('engine cache', Status.OK, f'{cache.folder}, {count} engine{"s" * (count != 1)}')


def _check_engine(model: ModelFile, library: Library) -> Check:
    """Run the self-check on the engine that is kept; a build may take minutes."""
    name = library.name
    page = 'docs/gpu.md' if library.compiles_on_load else 'docs/jetson.md'
    topic = 'engine' if library is TENSORRT else f'{name} engine'
    try:
        with open_runtime(model, RuntimeSettings(runtime=name), watch=NO_BUILD) as runtime:
            check = runtime.check() if isinstance(runtime, TensorrtRuntime) else None
            precision = runtime.precision
    except BuildCancelled:
        return Check(
            topic,
            Status.ABSENT,
            f'none of {model.info.name} yet; the first start builds it, which takes '
            f'{"seconds" if library.compiles_on_load else "minutes"}',
            f'build it now: espnet-ros build --model {model.info.name} --runtime {name}',
        )
    except EspnetError as error:
        return Check(topic, Status.WARN, str(error), f'see {page}')
    if check is None:
        return Check(topic, Status.OK, f'{precision}; no reference for a self-check')
    status = Status.OK if check.is_passed else Status.WARN
    again = f'espnet-ros build --runtime {name} --force-rebuild, and see {page}'
    fix = '' if check.is_passed else again
    return Check(topic, status, f'{precision}; self-check: {check.words}', fix)
