"""A model opens by path, whoever wrote it."""

from __future__ import annotations

from pathlib import Path

from espnet_ros.config import ForeignModelSettings
from espnet_ros.exceptions import ModelError
from espnet_ros.model_file import open_model
import onnx
from onnx import helper, TensorProto
import pytest


def test_a_model_file_opens_as_it_is(channel_model_path):
    assert open_model(str(channel_model_path)).info.name == 'channels'


def test_an_onnx_file_of_another_origin_is_adapted(tmp_path):
    shape = [1, 3, 32, 48]
    graph = helper.make_graph(
        [helper.make_node('Identity', ['x'], ['y'])],
        'elsewhere',
        [helper.make_tensor_value_info('x', TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info('y', TensorProto.FLOAT, shape)],
    )
    path = tmp_path / 'elsewhere.onnx'
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)]), path)
    names = ('red', 'green', 'blue')
    model = open_model(str(path), ForeignModelSettings(class_names=names))
    assert model.info.architecture == 'foreign'
    assert model.info.label_set.names == names


def test_a_path_without_a_file_is_named_in_the_error(tmp_path):
    missing = tmp_path / 'missing.onnx'
    with pytest.raises(ModelError, match=r'missing\.onnx'):
        open_model(str(missing))


@pytest.mark.parametrize('content', [b'', b'nonsense' * 100])
def test_a_damaged_file_is_refused(tmp_path, content):
    path: Path = tmp_path / 'damaged.onnx'
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r'damaged\.onnx'):
        open_model(str(path))
