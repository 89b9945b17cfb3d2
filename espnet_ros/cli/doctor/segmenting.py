"""Checks of what segmenting needs: a runtime, a model, and both together."""

from __future__ import annotations

import time

from espnet_ros.cli.doctor.check import Check, Status
from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import BuildCancelled, EspnetError
from espnet_ros.model_file.store import models_folder, open_model, PREFERRED_MODELS, present_models
from espnet_ros.runtimes.build_watch import NO_BUILD
from espnet_ros.runtimes.factory import open_runtime, runtime_report
from espnet_ros.segmenter import Segmenter

_INSTALL_RUNTIME = 'pip install openvino'
_TRIALS = 3


def check_runtimes() -> list[Check]:
    """Look which runtimes this machine has; one that works is enough."""
    statuses = runtime_report()
    is_usable = any(status.usable for status in statuses)
    other = Status.ABSENT if is_usable else Status.WARN
    checks = [
        Check(status.name, Status.OK, status.version or 'version unknown')
        if status.usable
        else Check(status.name, other, status.reason)
        for status in statuses
    ]
    if not is_usable:
        checks.append(Check('runtimes', Status.FAIL, 'none can be used', _INSTALL_RUNTIME))
    return checks


def check_models() -> list[Check]:
    try:
        present = present_models()
    except EspnetError as error:
        return [Check('models', Status.FAIL, str(error))]
    if present:
        return [Check('models', Status.OK, ', '.join(present))]
    fetch = f'espnet-ros models fetch {PREFERRED_MODELS[0]}'
    return [Check('models', Status.FAIL, f'none in {models_folder()}', fetch)]


def check_segmenting() -> list[Check]:
    """Segment an image with what ``auto`` takes."""
    try:
        if not present_models():
            return []
        model = open_model('auto')
        # A check builds no engine, which takes minutes.
        runtime = open_runtime(model, RuntimeSettings(), watch=NO_BUILD)
        with Segmenter(runtime) as segmenter:
            segmenter.warm_up()
            latency_s = min(_time_once(segmenter) for _ in range(_TRIALS))
            how = f'{runtime.name} {runtime.precision}, {runtime.device}'
    except BuildCancelled:
        return [Check('segmenting', Status.ABSENT, 'not tried: the engine is not built yet')]
    except EspnetError as error:
        return [Check('segmenting', Status.FAIL, str(error))]
    found = f'{model.info.name} on {how}: {1e3 * latency_s:.0f} ms a frame'
    return [Check('segmenting', Status.OK, found)]


def _time_once(segmenter: Segmenter) -> float:
    started_s = time.perf_counter()
    segmenter.warm_up()
    return time.perf_counter() - started_s
