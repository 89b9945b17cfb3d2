"""Checks of what segmenting needs: a runtime, a model, and both together."""

from __future__ import annotations

from importlib import import_module
import time
from typing import Any

from espnet_ros.cli.doctor.check import Check, Status
from espnet_ros.exceptions import BuildCancelled, EspnetError

_INSTALL_RUNTIME = 'pip install openvino'
_TRIALS = 3


def check_runtimes() -> list[Check]:
    """Look which runtimes this machine has."""
    factory = _try_import('espnet_ros.runtimes.factory')
    if factory is None:
        return []  # the missing library was told
    statuses = factory.runtime_report()
    usable = any(status.usable for status in statuses)
    checks = []
    for status in statuses:
        if status.usable:
            checks.append(Check(status.name, Status.OK, status.version or 'version unknown'))
        else:  # one that works is enough
            how = Status.ABSENT if usable else Status.WARN
            checks.append(Check(status.name, how, status.reason))
    if not usable:
        checks.append(Check('runtimes', Status.FAIL, 'none can be used', _INSTALL_RUNTIME))
    return checks


def check_models() -> list[Check]:
    """Look which models are here."""
    store = _try_import('espnet_ros.model_file.store')
    if store is None:
        return []
    try:
        present = store.present_models()
    except EspnetError as error:
        return [Check('models', Status.FAIL, str(error))]
    if not present:
        mend = f'espnet-ros models fetch {store.PREFERRED_MODELS[0]}'
        return [Check('models', Status.FAIL, f'none in {store.models_folder()}', mend)]
    return [Check('models', Status.OK, ', '.join(present))]


def check_tensorrt() -> list[Check]:
    """Look at GPU, engine cache and engine, where TensorRT can be used."""
    tensorrt = _try_import('espnet_ros.cli.doctor.tensorrt')
    return [] if tensorrt is None else list(tensorrt.check_tensorrt())


def check_segmenting() -> list[Check]:
    """Segment an image with what ``auto`` takes."""
    segmenter, factory, opening = (
        _try_import(f'espnet_ros.{name}')
        for name in ('segmenter', 'runtimes.factory', 'model_file.opening')
    )
    store = _try_import('espnet_ros.model_file.store')
    if not (segmenter and factory and opening and store and store.present_models()):
        return []
    config = import_module('espnet_ros.config')
    try:
        model = opening.open_model('auto')
        # A check builds no engine, which takes minutes.
        watch = import_module('espnet_ros.runtimes.engines.job').NO_BUILD
        runtime = factory.open_runtime(model, config.RuntimeSettings(), watch=watch)
        with segmenter.Segmenter(runtime) as opened:
            opened.warm_up()
            latency_s = min(_time_once(opened) for _ in range(_TRIALS))
            how = f'{runtime.name} {runtime.precision}, {runtime.device}'
    except BuildCancelled:
        return [Check('segmenting', Status.ABSENT, 'not tried: the engine is not built yet')]
    except EspnetError as error:
        return [Check('segmenting', Status.FAIL, str(error))]
    found = f'{model.info.name} on {how}: {1e3 * latency_s:.0f} ms a frame'
    return [Check('segmenting', Status.OK, found)]


def _time_once(segmenter: Any) -> float:
    started_s = time.perf_counter()
    segmenter.warm_up()
    return time.perf_counter() - started_s


def _try_import(name: str) -> Any:
    """Return a module, or None where a library that it needs is missing or broken."""
    try:
        return import_module(name)
    except (ImportError, OSError):
        return None
