from collections.abc import Callable
from dataclasses import replace
import logging
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('torch')
pytest.importorskip('onnxscript')
from espnet_ros.exceptions import ModelError
from espnet_ros.export.onnx_export import export_checkpoint, export_network
from espnet_ros.labels import LabelSet, load_label_set
from espnet_ros.model_file import load_model_file, ModelFile, ModelInfo
from espnet_ros.model_file.published import find_published
from espnet_ros.model_file.store import save_model_file
from espnet_ros.models.espnet.published_keys import published_espnet_keys as published_keys
from espnet_ros.models.pipeline import SegmentationPipeline
from espnet_ros.models.registry import create_model
from espnet_ros.models.training_sets import CITYSCAPES, Normalization
from espnet_ros.runtimes.torch import rebuild_pipeline
from espnet_ros.version import VERSION
import numpy as np
import onnx
import torch

NORMALIZATION = Normalization((90.0, 100.0, 110.0), (50.0, 60.0, 70.0))
NETWORKS: list[tuple[str, dict[str, Any]]] = [
    ('espnet', {'skip': 'stem'}),
    ('espnet', {'skip': 'reinforced_stem'}),
    ('espnet_c', {}),
]


def small_info(architecture: str, arguments: dict[str, Any]) -> ModelInfo:
    return ModelInfo(
        name='small',
        architecture=architecture,
        architecture_arguments=tuple(arguments.items()),
        input_size=(32, 64),
        label_set=LabelSet.from_names(tuple('abcde')),
    )


@pytest.fixture(scope='module', params=NETWORKS, ids=lambda case: '-'.join(case[1].values()))
def exported(request: pytest.FixtureRequest) -> tuple[SegmentationPipeline, ModelFile]:
    """Return a small network with random weights, and its model file."""
    architecture, extra = request.param
    arguments = {'classes': 5, 'alpha2': 1, 'alpha3': 1, **extra}
    torch.manual_seed(3)
    network = create_model(architecture, **arguments).eval()
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            tensor.uniform_(0.5, 1.5) if 'running_var' in name else tensor.normal_(0, 0.3)
    model = export_network(network, NORMALIZATION, small_info(architecture, arguments))
    return SegmentationPipeline(network, NORMALIZATION).eval(), model


Exported = tuple[SegmentationPipeline, ModelFile]


@pytest.mark.parametrize('size', [(1, 8, 8), (1, 64, 96), (3, 24, 104)])
def test_any_batch_and_size_gives_what_torch_gives(
    exported: Exported, size: tuple[int, int, int]
) -> None:
    onnxruntime = pytest.importorskip('onnxruntime')
    pipeline, model = exported
    image = np.random.default_rng(5).integers(0, 256, (*size, 3), np.uint8)
    session = onnxruntime.InferenceSession(model.data, providers=['CPUExecutionProvider'])
    labels, confidence = session.run(['labels', 'confidence'], {'image': image})
    with torch.inference_mode():
        expected = [output.numpy() for output in pipeline(torch.from_numpy(image))]
    assert np.mean(labels == expected[0]) > 0.999
    assert np.abs(confidence.astype(int) - expected[1]).max() <= 1


def test_file_is_one_that_the_package_reads(exported: Exported, tmp_path: Path) -> None:
    _, model = exported
    read = load_model_file(save_model_file(model, tmp_path / 'small.onnx'))
    assert read.info == model.info
    assert read.sha256 == model.sha256
    assert read.info.size_multiple == 8
    assert read.info.package_version == VERSION


def test_every_parameter_keeps_its_name(exported: Exported) -> None:
    pipeline, model = exported
    rebuilt = rebuild_pipeline(model)
    for name, tensor in pipeline.state_dict().items():
        assert torch.equal(tensor, rebuilt.state_dict()[name]), name


def test_graph_is_one_that_tensorrt_takes(exported: Exported) -> None:
    graph = onnx.load_model_from_string(exported[1].data).graph
    by_output = {name: node for node in graph.node for name in node.output}
    users = [node.op_type for node in graph.node if 'image' in node.input]
    assert users == ['Cast']
    for output in graph.output:
        cast = by_output[output.name]
        source = by_output[cast.input[0]]
        assert (cast.op_type, source.op_type) in {('Cast', 'Cast'), ('Cast', 'Round')}
    shape_operators = {'Shape', 'Reshape', 'Expand', 'Gather', 'Slice', 'If', 'Loop'}
    assert not shape_operators & {node.op_type for node in graph.node}


def test_file_is_readable_by_older_parsers(exported: Exported) -> None:
    proto = onnx.load_model_from_string(exported[1].data)
    assert proto.ir_version == 8
    assert [(entry.domain, entry.version) for entry in proto.opset_import] == [('', 17)]
    sizes = [
        [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
        for value in (*proto.graph.input, *proto.graph.output)
    ]
    assert sizes == [['N', 'H', 'W', 3], ['N', 'H', 'W'], ['N', 'H', 'W']]


def test_file_tells_nothing_of_the_machine(exported: Exported) -> None:
    proto = onnx.load_model_from_string(exported[1].data)
    assert not proto.graph.metadata_props
    assert not [node.name for node in proto.graph.node if node.metadata_props or node.doc_string]
    for trace in (b'espnet_ros/models', b'site-packages', b'File "', bytes(Path.cwd())):
        assert trace not in exported[1].data


@pytest.mark.parametrize('exported', NETWORKS[2:], indirect=True)
def test_export_is_quiet_and_repeatable(
    exported: Exported, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Warnings are errors in these tests, so that none was raised is tested too."""
    caplog.set_level(logging.WARNING)
    pipeline, model = exported
    again = export_network(pipeline.network, NORMALIZATION, model.info)
    assert capfd.readouterr() == ('', '')
    assert caplog.messages == []
    assert again.sha256 == model.sha256


@pytest.mark.parametrize(
    'change,message',
    [
        ({'label_set': LabelSet.from_names(('a', 'b'))}, "of 5 classes, found 'custom' with 2"),
        ({'input_size': (540, 960)}, 'multiples of 8, found 540x960'),
        ({'input_size': (0, 960)}, 'multiples of 8, found 0x960'),
    ],
)
def test_info_that_does_not_fit_the_network_is_refused(
    change: dict[str, Any], message: str
) -> None:
    info = replace(small_info('espnet_c', {}), **change)
    with pytest.raises(ModelError, match=message):
        export_network(create_model('espnet_c', classes=5), NORMALIZATION, info)


@pytest.mark.parametrize(
    'name,input_size',
    [('espnet_p2_q3_cityscapes', (512, 1024)), ('espnet_p2_q8_camvid', (360, 480))],
)
def test_published_weights_say_everything_of_themselves(
    name: str, input_size: tuple[int, int], published_model: Callable[[str], ModelFile]
) -> None:
    published = find_published(name)
    model = published_model(name)
    info = model.info
    assert info.name == name
    assert info.input_size == input_size
    assert info.label_set == load_label_set(published.training_set.lower())
    assert info.training_set == published.training_set
    assert info.license == published.license
    assert info.source == published.address
    assert info.accuracy == published.accuracy
    assert info.weights_sha256 == published.sha256
    assert len(model.data) < 1.1 * published.size_bytes


def save_checkpoint(folder: Path, classes: int) -> Path:
    """Save a small network as the authors' code does, and return the path."""
    network = create_model('espnet_c', classes=classes, alpha2=1, alpha3=1)
    keys = published_keys(network)
    path = folder / 'mine.pth'
    torch.save({theirs: network.state_dict()[ours] for ours, theirs in keys.items()}, path)
    return path


def test_what_is_not_given_is_that_of_the_data_set(tmp_path: Path) -> None:
    label_set = LabelSet.from_names(tuple(f'class {index}' for index in range(20)))
    model = export_checkpoint(save_checkpoint(tmp_path, 20), label_set=label_set)
    mean = rebuild_pipeline(model).mean.flatten().tolist()
    assert mean == pytest.approx(CITYSCAPES.normalization.mean_bgr)
    assert model.info.input_size == CITYSCAPES.input_size
    assert model.info.label_set == label_set
    assert model.info.name == 'mine'
    assert model.info.license == model.info.source == model.info.training_set == ''


def test_checkpoint_of_unknown_classes_needs_label_set_and_normalisation(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, 7)
    with pytest.raises(ModelError, match=r'found 7; give its label set and normalisation'):
        export_checkpoint(path)


@pytest.mark.long
def test_label_set_normalisation_and_size_that_are_given_are_taken(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, 7)
    model = export_checkpoint(
        path,
        name='letters',
        label_set=LabelSet.from_names(tuple('abcdefg')),
        normalization=NORMALIZATION,
        input_size=(256, 512),
    )
    assert model.info.name == 'letters'
    assert model.info.input_size == (256, 512)
    mean = rebuild_pipeline(model).mean.flatten().tolist()
    assert mean == pytest.approx(NORMALIZATION.mean_bgr)
