"""
What NVIDIA's own parser and compiler make of our graphs.

TensorRT-RTX builds without a GPU; the classic compiler of TensorRT up to 10 is another one.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
import json
import logging
import subprocess
import sys
from typing import Any

from espnet_ros.config import ForeignModelSettings
from espnet_ros.exceptions import ModelError
from espnet_ros.export.quantization import quantize_model
from espnet_ros.labels import LabelSet
from espnet_ros.model_file import ModelFile, ModelInfo, open_model
from espnet_ros.model_file.external import adapt_external
from espnet_ros.model_file.published import PUBLISHED
from espnet_ros.runtimes.tensorrt.building.builder import build_engine, BuildInput
from espnet_ros.runtimes.tensorrt.building.inspection import main_precision
from espnet_ros.runtimes.tensorrt.building.network import fit_network
from espnet_ros.runtimes.tensorrt.image_sizes import LARGEST
from espnet_ros.runtimes.tensorrt.spec import EngineSpec
from fake_tensorrt.board import as_model_file, deeper_model, make_batch, make_network
from kernel_counts import KERNELS
import numpy as np
from nvidia_compiler import compile_model, Compiled, load_compiler, Variant
import onnx
import pytest
import real_bindings

trt = load_compiler()
pytestmark = pytest.mark.slow

LABELS = {'has_confidence': False}
EVERYDAY = (
    Variant(image_size=LARGEST, takes_smaller=True),
    Variant(batch_size=2, image_size=LARGEST, takes_smaller=True, **LABELS),
    Variant('fp32', batch_size=3, image_size=(180, 250)),
    Variant('fp32', **LABELS),
)
EVERY = tuple(
    Variant(precision, confidence, size, batch, takes_smaller=size == LARGEST)
    for precision, confidence, size, batch in product(
        ('fp32', 'fp16'), (True, False), (None, (720, 1280), LARGEST), (1, 2, 3)
    )
)
NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    'espnet': ('espnet', {'alpha2': 1, 'alpha3': 1}),
    'espnet_c': ('espnet_c', {'alpha2': 1, 'alpha3': 1}),
    'espnet_b': ('espnet_b', {'alpha2': 1, 'alpha3': 1}),
    'espnet_a': ('espnet_a', {'alpha2': 1, 'alpha3': 1}),
    'espnetv2': ('espnetv2', {'scale': 0.5}),
    'enet': ('enet', {'variant': 'davidtvs_2018'}),
    'ndnet': ('ndnet', {'backbone': 'ndnet29'}),
    'ndnet_fcn': ('ndnet_fcn', {'backbone': 'ndnet29'}),
    'erfnet': ('erfnet', {}),
}
"""One of each architecture of the registry, with few layers."""

LARGE = ('enet', 'espnetv2')
"""Those of many layers, which take the longest to export and to build."""

SIZE = (96, 160)


def check(name: str, variant: Variant, compiled: Compiled) -> None:
    """Look at all that the compiler told."""
    assert compiled.complaints == []
    assert set(compiled.precisions) == {variant.precision}
    most = KERNELS.get((name, str(variant)))
    if most is not None:
        assert compiled.kernels <= most, 'more kernels than before: see kernel_counts.py'


@pytest.fixture(scope='module')
def registry_model(kept_export: Callable[..., ModelFile]) -> Callable[[str], ModelFile]:
    """Return a function that exports a network of the registry with random weights."""
    from espnet_ros.export.onnx_export import export_network
    from espnet_ros.models.registry import create_model
    from espnet_ros.models.training_sets import Normalization
    import torch

    def export(name: str) -> ModelFile:
        architecture, arguments = NETWORKS[name]
        torch.manual_seed(3)
        info = ModelInfo(
            name=name,
            architecture=architecture,
            architecture_arguments=(),
            input_size=SIZE,
            label_set=LabelSet.from_names(tuple('abcde')),
        )
        normalization = Normalization((90.0, 100.0, 110.0), (0.5, 0.6, 0.7), 'rgb')
        network = create_model(architecture, classes=5, **arguments).eval()
        return export_network(network, normalization, info)

    def get(name: str) -> ModelFile:
        case = repr((NETWORKS[name], SIZE)).encode()
        return kept_export(f'small_{name}', case, lambda: export(name))

    return get


def test_every_architecture_of_the_registry_is_here() -> None:
    registry = pytest.importorskip('espnet_ros.models.registry')
    assert {architecture for architecture, _ in NETWORKS.values()} == set(registry.ARCHITECTURES)


@pytest.mark.parametrize('variant', (Variant(), *EVERYDAY), ids=str)
def test_the_shipped_model_is_taken_in_every_form(variant: Variant) -> None:
    model = open_model('espnet_p2_q8_camvid_street')
    check('shipped', variant, compile_model(model, variant))


@pytest.mark.parametrize(
    'name', [pytest.param(name, marks=[pytest.mark.long] * (name in LARGE)) for name in NETWORKS]
)
def test_every_network_is_taken(registry_model: Callable[[str], ModelFile], name: str) -> None:
    for variant in EVERYDAY[:2]:
        check(name, variant, compile_model(registry_model(name), variant))


@pytest.mark.long
@pytest.mark.parametrize('name', NETWORKS)
def test_every_network_is_taken_in_every_form(
    registry_model: Callable[[str], ModelFile], name: str
) -> None:
    many = Variant('fp32', batch_size=3, image_size=LARGEST, takes_smaller=True)
    for variant in (Variant(), many, *EVERYDAY):
        check(name, variant, compile_model(registry_model(name), variant))


@pytest.mark.long
@pytest.mark.parametrize('name', [model.name for model in PUBLISHED])
def test_published_models_are_taken_in_every_form(
    published_model: Callable[[str], ModelFile], name: str
) -> None:
    for variant in EVERY:
        check(name, variant, compile_model(published_model(name), variant))


def test_a_quantised_model_computes_in_int8() -> None:
    quantized = quantize_model(deeper_model(), list(make_batch(4)))
    compiled = compile_model(quantized, Variant('int8'))
    assert all('scales to fp32' in line for line in compiled.complaints)  # of each it keeps
    assert main_precision(compiled.precisions, 'int8') == 'int8'
    assert compiled.precisions['int8'] == 1
    assert compiled.precisions['fp16'] > compiled.precisions['fp32']


def external(tmp_path: Any, kind: str, opset: int, **attributes: Any) -> ModelFile:
    """Return a network of another origin with one operator between two convolutions."""
    weight = np.ones((3, 3, 3, 3), np.float32) / 27
    nodes = [
        onnx.helper.make_node('Conv', ['x', 'w'], ['a'], pads=[1, 1, 1, 1], name='first'),
        onnx.helper.make_node(kind, ['a'], ['b'], name='tested', **attributes),
        onnx.helper.make_node('Conv', ['b', 'w'], ['y'], pads=[1, 1, 1, 1], name='last'),
    ]
    shape = ['N', 3, 'H', 'W']
    graph = onnx.helper.make_graph(
        nodes,
        'elsewhere',
        [onnx.helper.make_tensor_value_info('x', onnx.TensorProto.FLOAT, shape)],
        [onnx.helper.make_tensor_value_info('y', onnx.TensorProto.FLOAT, shape)],
        [onnx.numpy_helper.from_array(weight, 'w')],
    )
    imports = [onnx.helper.make_opsetid('', opset)]
    path = tmp_path / f'{kind.lower()}.onnx'
    onnx.save(onnx.helper.make_model(graph, opset_imports=imports, ir_version=8), path)
    settings = ForeignModelSettings(class_names=('road', 'car', 'sky'))
    return adapt_external(path, settings).with_input_size((64, 96))


@pytest.mark.parametrize('opset', [11, 17, 20])
@pytest.mark.parametrize('precision', ['fp32', 'fp16'])
@pytest.mark.parametrize('kind', ['HardSigmoid', 'Elu', 'Erf', 'HardSwish', 'Gelu'])
def test_the_parser_decides_which_operators_are_taken(tmp_path, kind, precision, opset):
    if opset < {'HardSwish': 14, 'Gelu': 20}.get(kind, 0):
        pytest.skip(f'{kind} is newer than opset {opset}')
    compiled = compile_model(external(tmp_path, kind, opset), Variant(precision))
    assert compiled.complaints == []
    assert set(compiled.precisions) <= {precision, 'fp32'}


def test_what_the_parser_refuses_is_told_with_name_and_operator() -> None:
    proto = make_network()
    proto.graph.node[2].op_type = 'Det'
    proto.graph.node[2].name = 'odd one'
    del proto.graph.node[2].attribute[:], proto.graph.node[2].input[1:]
    with pytest.raises(ModelError, match=r'does not take the model: .*Det odd one'):
        compile_model(as_model_file(proto), Variant('fp32'))


def spec(**changes: Any) -> EngineSpec:
    """Return the specification of an engine of the brightest channel."""
    values = {'precision': 'fp32', 'image_size': (16, 32), 'mask_size': (16, 32)}
    return EngineSpec('m', 'rtx', 'GPU', '8.9', 1, **(values | changes))


def test_bytes_that_are_no_network_are_an_error_of_the_file() -> None:
    with pytest.raises(ModelError, match='does not take the model: '):
        build_engine(trt, spec(), BuildInput(b'no network'), lambda *_: True)


@pytest.mark.parametrize(('limit_mb', 'words'), [(1, 'to more than 1'), (8, r'to \d+ or more')])
def test_too_little_memory_is_told_with_what_to_set(limit_mb: int, words: str) -> None:
    model = open_model('espnet_p2_q8_camvid_street')
    with pytest.raises(ModelError, match=f'set workspace_mb {words}'):
        compile_model(model, Variant(), workspace_bytes=limit_mb << 20)


def test_progress_is_told_and_a_build_can_be_ended(caplog) -> None:
    caplog.set_level(logging.CRITICAL)
    network = BuildInput(fit_network(as_model_file(make_network()), 1, as_half=False))
    shares: list[float | None] = []
    build_engine(trt, spec(), network, lambda _, share: shares.append(share) or True)
    known = [share for share in shares if share is not None]
    assert known == sorted(known)
    assert known[-1] > 0.5
    with pytest.raises(ModelError, match='built no engine'):
        build_engine(trt, spec(), network, lambda *_: False)


@pytest.mark.long
def test_the_bindings_of_tensorrt_itself_drive_the_builder(tmp_path) -> None:
    name = 'espnet_p2_q8_camvid_street'
    result = subprocess.run(
        [sys.executable, real_bindings.__file__, name],
        env=real_bindings.environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout.splitlines()[-1])
    assert found['version'].startswith('11.')
    assert found['kernels'] == KERNELS['shipped', str(Variant())]
    assert (found['complaints'], set(found['precisions'])) == ([], {'fp16'})
    assert 'built no engine' in found['cancelled']
