"""Export of the networks that ESPNet is compared with: what torch says, every runtime says."""

from typing import Any

import pytest

pytest.importorskip('torch')
pytest.importorskip('onnxscript')
from espnet_ros.config import RuntimeSettings
from espnet_ros.export.onnx_export import export_network
from espnet_ros.labels import LabelSet
from espnet_ros.model_file import ModelFile, ModelInfo
from espnet_ros.models.pipeline import SegmentationPipeline
from espnet_ros.models.registry import create_model
from espnet_ros.models.training_sets import Normalization
from espnet_ros.runtimes.factory import open_runtime
import numpy as np
import onnx
import torch

pytestmark = pytest.mark.slow

SIZE = (64, 96)
NORMALIZATION = Normalization((90.0, 100.0, 110.0), (0.5, 0.6, 0.7), 'rgb')
NETWORKS: list[tuple[str, dict[str, Any]]] = [
    ('enet', {'variant': 'davidtvs_2018'}),
    ('enet', {'variant': 'elab'}),
    ('espnetv2', {'scale': 0.5}),
    ('ndnet', {'backbone': 'ndnet29'}),
    ('erfnet', {}),
    ('espnet_c', {'alpha2': 1, 'alpha3': 1, 'module': 'shufflenet', 'activation': 'relu'}),
]
NOT_IN_TENSORRT = {'MaxUnpool', 'ScatterND', 'ScatterElements', 'NonZero', 'If', 'Loop', 'Pad'}

Exported = tuple[SegmentationPipeline, ModelFile]


@pytest.fixture(
    scope='module',
    params=[
        # The slowest to export, beside another one of its kind.
        pytest.param(case, marks=[pytest.mark.long] * (case[1].get('variant') == 'davidtvs_2018'))
        for case in NETWORKS
    ],
    ids=lambda case: '-'.join(map(str, case)),
)
def exported(request: pytest.FixtureRequest) -> Exported:
    """Return a network with random weights, and its model file."""
    architecture, extra = request.param
    arguments = {'classes': 5, **extra}
    torch.manual_seed(3)
    network = create_model(architecture, **arguments).eval()
    for name, tensor in network.state_dict().items():
        if 'running_var' in name:
            tensor.uniform_(0.5, 1.5)
    info = ModelInfo(
        name='small',
        architecture=architecture,
        architecture_arguments=tuple(arguments.items()),
        input_size=SIZE,
        label_set=LabelSet.from_names(tuple('abcde')),
    )
    model = export_network(network, NORMALIZATION, info)
    return SegmentationPipeline(network, NORMALIZATION).eval(), model


@pytest.mark.parametrize('runtime', ['onnxruntime', 'openvino', 'torch'])
def test_runtime_says_what_torch_says(exported: Exported, runtime: str) -> None:
    if runtime != 'torch':
        pytest.importorskip(runtime)
    pipeline, model = exported
    batch = np.random.default_rng(5).integers(0, 256, (2, *SIZE, 3), np.uint8)
    settings = RuntimeSettings(runtime=runtime, precision='fp32', device='cpu')
    with open_runtime(model, settings) as opened, torch.inference_mode():
        found = opened.infer(batch, confidence=True)
        labels, confidence = (output.numpy() for output in pipeline(torch.from_numpy(batch)))
    assert np.mean(found.labels == labels) > 0.999
    assert np.mean(np.abs(found.confidence.astype(int) - confidence) <= 1) > 0.999


def test_graph_has_no_operator_that_tensorrt_lacks(exported: Exported) -> None:
    graph = onnx.load_model_from_string(exported[1].data).graph
    assert not NOT_IN_TENSORRT & {node.op_type for node in graph.node}
    assert not [node for node in graph.node if node.op_type == 'MaxPool' and len(node.output) > 1]


def test_size_is_free_but_for_networks_that_fix_it(exported: Exported) -> None:
    pipeline, model = exported
    assert model.info.channel_order == 'rgb'
    shape = onnx.load_model_from_string(model.data).graph.input[0].type.tensor_type.shape.dim
    fixed = pipeline.network.fixed_size
    assert [d.dim_value or d.dim_param for d in shape] == ['N', *(SIZE if fixed else 'HW'), 3]
