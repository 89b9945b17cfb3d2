"""A machine with the stand-ins installed, and a model that is small enough to reason about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
import os
from pathlib import Path
import sys
from types import ModuleType
from typing import Any

from espnet_ros.config import EngineSettings, RuntimeSettings
from espnet_ros.labels import LabelSet
from espnet_ros.model_file import ModelFile, ModelInfo
from espnet_ros.runtimes import factory
from espnet_ros.runtimes.base import Runtime, Workload
from espnet_ros.runtimes.build_watch import BuildProgress, BuildWatch, SILENT
from espnet_ros.runtimes.tensorrt import cuda, engine_source, support
from espnet_ros.runtimes.tensorrt.building import process as build_process
from espnet_ros.runtimes.tensorrt.building.builder import build_engine, BuildInput, BuiltEngine
from espnet_ros.runtimes.tensorrt.library import LIBRARIES, load_tensorrt
from espnet_ros.runtimes.tensorrt.spec import EngineSpec
import numpy as np
import onnx
from onnx import helper, numpy_helper, TensorProto
import pytest
from small_graphs import make_labelling_graph

from fake_tensorrt import device as machine
from fake_tensorrt.cudart import load_library
from fake_tensorrt.device import FakeDevice
from fake_tensorrt.library import make_module
from fake_tensorrt.rtx import make_rtx_module

ROOT = Path(__file__).resolve().parents[3]
SUPPORT = ROOT / 'test' / 'support'
SIZE = (16, 32)


def make_network(opset: int = 17) -> onnx.ModelProto:
    """
    Return a network in the form of the exported ones: the class is the brightest channel.

    It halves the image and doubles it again, so a label holds for four pixels.
    """
    mean_2x2 = np.zeros((3, 3, 2, 2), np.float32)
    mean_2x2[range(3), range(3)] = 0.25
    copy_2x2 = np.zeros((3, 3, 2, 2), np.float32)
    copy_2x2[range(3), range(3)] = 1 / 32
    strides = {'kernel_shape': [2, 2], 'strides': [2, 2]}
    nodes = [
        helper.make_node('Cast', ['image'], ['values'], to=TensorProto.FLOAT),
        helper.make_node('Transpose', ['values'], ['planes'], perm=[0, 3, 1, 2]),
        helper.make_node('Conv', ['planes', 'mean'], ['small'], name='stem', **strides),
        helper.make_node('ConvTranspose', ['small', 'copy'], ['logits'], name='up', **strides),
        helper.make_node('ArgMax', ['logits'], ['ids'], axis=1, keepdims=0),
        helper.make_node('Cast', ['ids'], ['id_values'], to=TensorProto.FLOAT),
        helper.make_node('Cast', ['id_values'], ['labels'], to=TensorProto.UINT8),
        helper.make_node('Softmax', ['logits'], ['shares'], axis=1),
        helper.make_node('ReduceMax', ['shares'], ['best'], axes=[1], keepdims=0),
    ]
    graph = make_labelling_graph(
        'brightest',
        nodes,
        [
            numpy_helper.from_array(mean_2x2, 'mean'),
            numpy_helper.from_array(copy_2x2, 'copy'),
            numpy_helper.from_array(np.array(255, np.float32), 'full'),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid('', opset)], ir_version=8)


def as_model_file(proto: onnx.ModelProto, name: str = 'brightest') -> ModelFile:
    info = ModelInfo(
        name=name,
        architecture='foreign',
        architecture_arguments=(),
        input_size=SIZE,
        label_set=LabelSet.from_names(('blue', 'green', 'red')),
    )
    return ModelFile.create(info, proto)


def make_model() -> ModelFile:
    return as_model_file(make_network())


def deeper_model() -> ModelFile:
    """Return a network with a layer between the first and the last."""
    proto = make_network()
    weight = np.eye(3, dtype=np.float32).reshape(3, 3, 1, 1)
    proto.graph.initializer.append(numpy_helper.from_array(weight, 'eye'))
    proto.graph.node.insert(3, helper.make_node('Conv', ['small', 'eye'], ['deep'], name='middle'))
    proto.graph.node[4].input[0] = 'deep'
    return as_model_file(proto)


def make_batch(count: int, seed: int = 0) -> np.ndarray:
    """Return images whose 2x2 blocks are of one clear colour."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 3, (count, SIZE[0] // 2, SIZE[1] // 2))
    images = np.full((*classes.shape, 3), 10, np.uint8)
    np.put_along_axis(images, classes[..., np.newaxis], 200, axis=3)
    return images.repeat(2, axis=1).repeat(2, axis=2)


def labels_of(batch: np.ndarray) -> np.ndarray:
    """Return the labels that :func:`make_network` gives."""
    return batch.argmax(axis=3).astype(np.uint8)


def build_here(spec: EngineSpec, given: BuildInput, watch: BuildWatch) -> BuiltEngine:
    """Build an engine in this process, as the one of a build does."""

    def report(phase: str, fraction: float | None) -> bool:
        watch.on_progress(BuildProgress(phase, fraction, 0.0))
        return not watch.is_cancelled()

    return build_engine(load_tensorrt(LIBRARIES[spec.library]), spec, given, report)


@dataclass
class Board:
    """
    A machine with a GPU and a version of TensorRT.

    :ivar gpu: the GPU
    :ivar cache: folder of engines
    """

    gpu: FakeDevice
    cache: Path
    monkeypatch: pytest.MonkeyPatch
    runtimes: list[Runtime] = field(default_factory=list)
    runtime_name: str = 'tensorrt'

    def use_version(self, version: str) -> None:
        """Install another TensorRT."""
        self.monkeypatch.setitem(sys.modules, 'tensorrt', make_module(version))
        self.monkeypatch.setenv('FAKE_TENSORRT_VERSION', version)
        load_tensorrt.cache_clear()

    def use_rtx(self) -> ModuleType:
        """Install TensorRT-RTX, whose builder is the real one, and a card that it runs on."""
        self.use_gpu(FakeDevice())
        self.gpu.capability = (8, 9)
        self.runtime_name = 'tensorrt_rtx'
        module = make_rtx_module()
        self.monkeypatch.setitem(sys.modules, 'tensorrt', None)
        self.monkeypatch.setitem(sys.modules, 'tensorrt_rtx', module)
        load_tensorrt.cache_clear()
        return module

    def use_process(self) -> None:
        """Let engines be built in a process of their own again, which takes a second each."""
        self.monkeypatch.setattr(engine_source, 'build_in_process', build_process.build_in_process)

    def use_gpu(self, gpu: FakeDevice) -> None:
        """Put another GPU in."""
        self.gpu = machine.install(gpu)

    def runtime(
        self,
        model: ModelFile,
        *,
        batch_size: int = 1,
        image_size: tuple[int, int] | None = None,
        watch: BuildWatch = SILENT,
        precision: str = 'auto',
        device: str = 'auto',
        resize: str = 'auto',
        **engine: Any,
    ) -> Runtime:
        """Return a runtime that is not open yet; it is closed at the end of the test."""
        settings = RuntimeSettings(
            precision=precision,
            device=device,
            resize=resize,
            engine=EngineSettings(engine_cache_dir=str(self.cache), **engine),
        )
        workload = Workload(batch_size, image_size, watch, factory._find_reference)
        self.runtimes.append(factory.make_runtime(self.runtime_name, model, settings, workload))
        return self.runtimes[-1]

    def engines(self) -> list[Path]:
        return sorted(self.cache.glob('*.engine'))


def install_board(monkeypatch: pytest.MonkeyPatch, folder: Path, version: str) -> Iterator[Board]:
    """Yield a machine with an integrated GPU; at the end nothing of the GPU may be in use."""
    made = Board(machine.install(FakeDevice(is_integrated=True)), folder / 'e', monkeypatch)
    monkeypatch.setattr(cuda.ctypes, 'CDLL', load_library)
    monkeypatch.setattr(support, 'count_cuda_devices', lambda: made.gpu.count)
    paths = (SUPPORT / 'fake_tensorrt' / 'site', SUPPORT, ROOT)
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join(map(str, paths)))
    monkeypatch.setattr(engine_source, 'build_in_process', build_here)
    made.use_version(version)
    yield made
    for runtime in made.runtimes:
        runtime.close()
    load_tensorrt.cache_clear()
