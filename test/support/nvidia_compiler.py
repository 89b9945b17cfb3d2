"""
NVIDIA's own parser and compiler, which TensorRT-RTX runs without a GPU (x86-64 only).

It prints the kernels of what it built with the types of their tensors, which is how it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
import json
import re
from types import SimpleNamespace
from typing import Any

from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.graph.image_resize import resize_in_graph
from espnet_ros.runtimes.tensorrt.building.builder import build_engine, BuildInput
from espnet_ros.runtimes.tensorrt.building.inspection import layer_precisions
from espnet_ros.runtimes.tensorrt.building.monitor import PhaseReport
from espnet_ros.runtimes.tensorrt.building.network import fit_network
from espnet_ros.runtimes.tensorrt.library import LogTail
from espnet_ros.runtimes.tensorrt.runtime import TensorrtRuntime
from espnet_ros.runtimes.tensorrt.spec import EngineSpec
import pytest

LAYER = re.compile(r'^Name: (\S+), LayerType: (\w+), Inputs: \[(.*?)\], Constants', re.MULTILINE)
TENSOR = re.compile(r'Name: (\S+), .*?Datatype: (\w+), Format: ([^}]*?) \}')
WARNING = 2


@dataclass(frozen=True)
class Variant:
    """
    How an engine is built.

    :param precision: fp32 or fp16
    :param has_confidence: whether the confidence is computed too
    :param image_size: (height, width) of images that are resized in the engine; None for none
    :param takes_smaller: whether those may be smaller
    :param batch_size: largest batch
    """

    precision: str = 'fp16'
    has_confidence: bool = True
    image_size: tuple[int, int] | None = None
    batch_size: int = 1
    takes_smaller: bool = False

    def __str__(self) -> str:
        words = [self.precision, f'batch{self.batch_size}']
        words += ['labels'] * (not self.has_confidence)
        if self.image_size is not None:
            words.append('sizes' if self.takes_smaller else 'resize')
        return '-'.join(words)


@dataclass(frozen=True)
class Compiled:
    """
    What the compiler made.

    :param layers: each kernel, as the engine's inspector tells it
    :param complaints: warnings and errors of NVIDIA's
    """

    layers: list[dict[str, Any]]
    complaints: list[str]

    @property
    def kernels(self) -> int:
        """Return how many kernels run for a batch; sizes are computed on the CPU."""
        return sum(layer['LayerType'] != 'shape_call' for layer in self.layers)

    @property
    def precisions(self) -> dict[str, int]:
        """Return how many kernels compute in each precision, as the runtime counts them."""
        text = json.dumps({'Layers': self.layers})
        inspector = SimpleNamespace(get_engine_information=lambda _: text)
        engine = SimpleNamespace(create_engine_inspector=lambda: inspector)
        module = SimpleNamespace(LayerInformationFormat=SimpleNamespace(JSON=0))
        return layer_precisions(module, engine)


def load_compiler() -> Any:
    """Return the module tensorrt_rtx; the test is skipped where it is not installed."""
    return pytest.importorskip(
        'tensorrt_rtx', reason='no NVIDIA compiler: pip install tensorrt-rtx-cu12 (x86-64 only)'
    )


def compile_model(
    model: ModelFile,
    variant: Variant,
    library: str = 'tensorrt_rtx',
    report: PhaseReport = lambda *_: True,
    **changes: Any,
) -> Compiled:
    """
    Build an engine as the runtime does.

    :param library: name of the module that builds
    :param report: gets the progress
    :param changes: of the engine's specification
    """
    size = model.info.input_size
    computed = model.rewritten(*TensorrtRuntime.rewrites)
    if variant.image_size:
        computed = computed.rewritten(partial(resize_in_graph, size=size))
    image_size = variant.image_size or size
    spec = EngineSpec(
        'model', 'rtx', 'GPU', '8.9', 1, variant.precision, image_size, size,
        variant.has_confidence, variant.batch_size, takes_smaller=variant.takes_smaller,
    )  # fmt: skip
    spec = replace(spec, **changes)
    network = fit_network(
        computed,
        spec.fixed_batch,
        image_size=spec.network_size,
        has_confidence=variant.has_confidence,
        as_half=variant.precision != 'fp32',
    )
    with told() as lines:
        build_engine(import_module(library), spec, BuildInput(network), report)
    text = '\n'.join(line for _, line in lines)
    return Compiled(
        [_read_layer(*found) for found in LAYER.findall(text)],
        [line for severity, line in lines if severity <= WARNING],
    )


@contextmanager
def told() -> Iterator[list[tuple[int, str]]]:
    """Collect what the library says, with its severity."""
    lines: list[tuple[int, str]] = []
    take: Callable[[LogTail, int, str], None] = LogTail.take

    def keep(tail: LogTail, severity: int, message: str) -> None:
        lines.append((severity, message))
        if severity <= WARNING:
            take(tail, severity, message)

    LogTail.take = keep  # type: ignore[method-assign]
    try:
        yield lines
    finally:
        LogTail.take = take  # type: ignore[method-assign]


def _read_layer(name: str, kind: str, inputs: str) -> dict[str, Any]:
    tensors = [
        {'Name': tensor, 'Datatype': datatype, 'Format': form}
        for tensor, datatype, form in TENSOR.findall(inputs)
    ]
    return {'Name': name, 'LayerType': kind, 'Inputs': tensors}
