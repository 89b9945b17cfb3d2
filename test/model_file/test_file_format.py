"""Model files describe themselves, and what is none is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import hashlib
from pathlib import Path

from espnet_ros.exceptions import ModelError
from espnet_ros.model_file import load_model_file, ModelFile, ModelInfo
from espnet_ros.model_file.file_format import is_model_file
from espnet_ros.model_file.model_info import FORMAT_VERSION, PREFIX
import onnx
from onnx import helper, TensorProto
import pytest


@pytest.fixture
def save_changed(channel_model_path: Path, tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes the model file after a change to it."""

    def save(change: Callable[[onnx.ModelProto], object]) -> Path:
        proto = onnx.load(channel_model_path)
        change(proto)
        path = tmp_path / 'changed.onnx'
        onnx.save(proto, path)
        return path

    return save


def set_property(proto: onnx.ModelProto, key: str, value: str | None) -> None:
    """Change or remove one metadata property."""
    properties = {p.key: p.value for p in proto.metadata_props}
    properties.pop(PREFIX + key)
    if value is not None:
        properties[PREFIX + key] = value
    helper.set_model_props(proto, properties)


def test_a_model_file_says_everything_about_itself(channel_model_path):
    model = load_model_file(channel_model_path)
    assert model.info.name == 'channels'
    assert model.info.input_size == (16, 32)
    assert model.info.label_set.names == ('blue', 'green', 'red')
    assert model.info.license == 'Apache-2.0'
    assert model.data == channel_model_path.read_bytes()
    assert model.sha256 == hashlib.sha256(model.data).hexdigest()
    assert model.path == channel_model_path


def test_metadata_survives_the_file(channel_model):
    info = replace(
        channel_model.info,
        architecture_arguments=(('alpha2', 2), ('alpha3', 8), ('names', ['a', 'b'])),
        accuracy='55.6 mIoU',
        size_multiple=16,
    )
    assert ModelInfo.from_metadata(info.to_metadata(), 'test') == info


def test_properties_of_others_are_ignored(channel_model):
    properties = {**channel_model.info.to_metadata(), 'author': 'somebody'}
    assert ModelInfo.from_metadata(properties, 'test') == channel_model.info


def test_the_origin_is_the_path_or_the_name(channel_model):
    assert channel_model.origin == str(channel_model.path)
    assert ModelFile(channel_model.info, channel_model.proto, '').origin == 'channels'


def test_a_float_image_changes_the_input_type_and_nothing_else(channel_model):
    changed = onnx.load_model_from_string(channel_model.with_float_image().data)
    original = onnx.load_model_from_string(channel_model.data)
    assert changed.graph.input[0].type.tensor_type.elem_type == TensorProto.FLOAT
    changed.graph.input[0].type.tensor_type.elem_type = TensorProto.UINT8
    assert changed == original


@pytest.mark.parametrize('key', ['name', 'input_size', 'label_set', 'size_multiple'])
def test_a_missing_property_is_refused_by_name(save_changed, key):
    path = save_changed(lambda proto: set_property(proto, key, None))
    with pytest.raises(ModelError, match=rf"changed\.onnx: the metadata .*'{key}'"):
        load_model_file(path)


@pytest.mark.parametrize(
    ('key', 'value'),
    [
        ('format_version', 'new'),
        ('input_size', '[512]'),
        ('input_size', '{'),
        ('input_size', '5'),
        ('size_multiple', 'many'),
        ('label_set', '{"name": "x", "classes": []}'),
        ('label_set', '7'),
        ('architecture_arguments', '[1]'),
    ],
)
def test_a_damaged_property_is_refused(save_changed, key, value):
    path = save_changed(lambda proto: set_property(proto, key, value))
    with pytest.raises(ModelError, match=r'changed\.onnx: the metadata .* is damaged'):
        load_model_file(path)


def test_a_file_of_a_newer_release_asks_for_an_update(save_changed):
    newer = str(FORMAT_VERSION + 1)
    path = save_changed(lambda proto: set_property(proto, 'format_version', newer))
    with pytest.raises(ModelError, match=f'or older, found {newer}; update espnet_ros'):
        load_model_file(path)


def test_an_onnx_file_without_metadata_is_refused_with_what_to_do(save_changed):
    path = save_changed(lambda proto: helper.set_model_props(proto, {}))
    assert not is_model_file(onnx.load(path))
    with pytest.raises(ModelError, match='without espnet_ros metadata; give its mean, std'):
        load_model_file(path)


def _float_input(proto: onnx.ModelProto) -> None:
    proto.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT


def _no_confidence(proto: onnx.ModelProto) -> None:
    del proto.graph.output[1]


@pytest.mark.parametrize(
    ('change', 'found'),
    [
        (_float_input, 'found image float of 4 dimensions; labels'),
        (_no_confidence, 'found image uint8 of 4 dimensions; labels uint8 of 3 dimensions$'),
    ],
)
def test_other_inputs_and_outputs_are_refused_in_words(save_changed, change, found):
    with pytest.raises(ModelError, match=found):
        load_model_file(save_changed(change))


@pytest.mark.parametrize('content', [b'', b'nonsense' * 100])
def test_what_is_no_onnx_file_is_refused(tmp_path, content):
    path = tmp_path / 'net.onnx'
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r'net\.onnx: not a valid ONNX file'):
        load_model_file(path)


def test_a_cut_off_file_is_refused(channel_model_path, tmp_path):
    path = tmp_path / 'net.onnx'
    path.write_bytes(channel_model_path.read_bytes()[:-400])
    with pytest.raises(ModelError, match=r'net\.onnx'):
        load_model_file(path)


@pytest.mark.parametrize('name', ['missing.onnx', '.'])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, name):
    with pytest.raises(ModelError, match='cannot be read'):
        load_model_file(tmp_path / name)
