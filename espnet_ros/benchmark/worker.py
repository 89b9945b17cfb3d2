"""A contender of a benchmark, in a process of its own: opened once, then run on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
import resource
import sys
import time

from espnet_ros.benchmark.contender import parse_contender
from espnet_ros.config import ForeignModelSettings, RuntimeSettings
from espnet_ros.export.any_model import open_any_model
from espnet_ros.model_file import ModelFile
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.segmentation import StageTimes
from espnet_ros.segmenter import Segmenter
import numpy as np
from numpy.typing import NDArray
import onnx

OURS = 'ours'
PEERS = {
    'authors': ('espnet_ros.peers.authors', 'AuthorsWay', 'PyTorch eager, numpy'),
    'nav2_demo': ('espnet_ros.peers.nav2_demo', 'Nav2DemoWay', 'ONNX Runtime, numpy'),
}
"""Module, class, and what it is in words."""

_KIB = 1024


@dataclass(frozen=True)
class Contender:
    """
    What is measured.

    :param model: name or path of its model
    :param foreign: how an ONNX file of another origin is fed
    :param way: ``ours`` or a key of :data:`PEERS`
    :param size: (height, width) of the image
    """

    model: str
    settings: RuntimeSettings
    foreign: ForeignModelSettings
    way: str
    size: tuple[int, int]


@dataclass(frozen=True)
class ContenderInfo:
    """
    What was opened.

    :param precision: the arithmetic really used
    :param resize: where the image is resized, host or device
    :param accuracy: as published, or None
    """

    model: str
    runtime: str
    precision: str
    resize: str
    device: str
    parameters: int
    file_bytes: int
    accuracy: str | None
    open_s: float


@dataclass(frozen=True)
class Trials:
    """
    A block of trials.

    :param start_s: by the monotonic clock, which all processes share
    :param end_s: likewise
    :param latencies_s: float64, (n,), image to mask
    :param inferences_s: float64, (n,), of that the runtime
    :param cpu_s: time of all cores together that the process took
    :param peak_memory_bytes: of the process since its start
    """

    start_s: float
    end_s: float
    latencies_s: NDArray[np.float64]
    inferences_s: NDArray[np.float64]
    cpu_s: float
    peak_memory_bytes: int


_opened: list[Callable[[NDArray[np.uint8]], StageTimes]] = []
"""Segments an image, and returns what that took."""


def open_contender(contender: Contender) -> ContenderInfo:
    """
    Open what is measured, in this process.

    :raises EspnetError: it cannot be had
    """
    started_s = time.perf_counter()
    model = open_any_model(contender.model, contender.foreign)
    if contender.way == OURS:
        runtime = open_runtime(model, contender.settings, image_size=contender.size)
        segmenter = Segmenter(runtime)
        _opened[:] = [lambda image_bgr: segmenter.segment([image_bgr])[0].stage_times]
        what = runtime.name, runtime.precision, runtime.resize, runtime.device
    else:
        module, class_name, _ = PEERS[contender.way]
        peer = getattr(import_module(module), class_name)(
            model, contender.size, contender.settings.threads
        )
        _opened[:] = [lambda image_bgr: peer.segment(image_bgr)[1]]
        what = peer.runtime, peer.precision, 'host', peer.device
    return ContenderInfo(
        model.info.name,
        *what,
        parameters=count_parameters(model),
        file_bytes=len(model.data),
        accuracy=model.info.accuracy or None,
        open_s=round(time.perf_counter() - started_s, 3),
    )


def run_trials(image_bgr: NDArray[np.uint8], count: int) -> Trials:
    """Segment an image again and again with what :func:`open_contender` opened."""
    segment = _opened[0]
    latencies_s, inferences_s = np.empty(count), np.empty(count)
    cpu_s, start_s = time.process_time(), time.monotonic()
    for n in range(count):
        began_s = time.perf_counter()
        stages = segment(image_bgr)
        latencies_s[n] = time.perf_counter() - began_s
        inferences_s[n] = stages.inference_s
    end_s, cpu_s = time.monotonic(), time.process_time() - cpu_s
    peak_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB
    return Trials(start_s, end_s, latencies_s, inferences_s, cpu_s, peak_memory)


def count_parameters(model: ModelFile) -> int:
    """Return how many numbers training has set: no statistics, no constants of the graph."""
    graph = model.proto.graph
    learned = [
        tensor
        for tensor in graph.initializer
        if tensor.data_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16)
        and not tensor.name.endswith(('running_mean', 'running_var'))
    ]
    ours = [tensor for tensor in learned if tensor.name.startswith('network.')]
    return sum(int(np.prod(tensor.dims)) for tensor in ours or learned)


def main() -> int:
    """Run a few trials of a contender for a profiler: CONTENDER HEIGHT WIDTH."""
    text, *sizes = sys.argv[1:]
    named = parse_contender(text)
    size = (int(sizes[0]), int(sizes[1]))
    settings = named.settings(RuntimeSettings())
    image_bgr = np.zeros((*size, 3), np.uint8)
    open_contender(Contender(named.model, settings, ForeignModelSettings(), OURS, size))
    run_trials(image_bgr, 2)
    return 0


if __name__ == '__main__':
    sys.exit(main())
