"""The check image and its labels in the metadata of a model file."""

from __future__ import annotations

from dataclasses import replace
import hashlib
import json

from espnet_ros.model_file import load_model_file
from espnet_ros.model_file.golden import (
    GoldenOutput,
    make_golden_image,
    read_golden_output,
    with_golden_output,
)
from espnet_ros.model_file.store import save_model_file
import numpy as np
import pytest

SIZE = (16, 32)


@pytest.fixture
def labels():
    return np.arange(SIZE[0] * SIZE[1], dtype=np.uint8).reshape(SIZE) % 3


def test_the_image_is_the_same_on_every_machine():
    image = make_golden_image(0, (64, 128))
    assert (image.dtype, image.shape) == (np.uint8, (64, 128, 3))
    digest = hashlib.sha256(image.tobytes()).hexdigest()
    assert digest == '17329a0557e9e25dcb6b98f87991644af9101aee794fa3e9f3ae5e05ba97ec86'


def test_seeds_and_sizes_give_other_images():
    assert not np.array_equal(make_golden_image(0, SIZE), make_golden_image(1, SIZE))
    assert len(np.unique(make_golden_image(0, (64, 128)).reshape(-1, 3), axis=0)) > 100


def test_a_record_goes_through_a_file(channel_model, labels, tmp_path):
    model = with_golden_output(channel_model, GoldenOutput(3, labels))
    record = read_golden_output(load_model_file(save_model_file(model, tmp_path / 'm.onnx')))
    assert record.seed == 3
    np.testing.assert_array_equal(record.labels, labels)


def test_an_older_file_has_none_and_is_valid(channel_model):
    assert read_golden_output(channel_model) is None


def test_the_record_is_small_and_stays_out_of_sight(channel_model, labels):
    model = with_golden_output(channel_model, GoldenOutput(0, labels))
    assert len(model.data) - len(channel_model.data) < 1000
    assert 'self_check' not in repr(model.info)


@pytest.mark.parametrize(
    'change',
    [
        {'labels': 'no base64!'},
        {'labels': 'AAAA'},
        {'image_sha256': 'of another image'},
        {'size': [32, 16]},
        {'size': 'large'},
        {'seed': None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_damaged_record_counts_as_none(channel_model, labels, change):
    info = with_golden_output(channel_model, GoldenOutput(0, labels)).info
    content = json.loads(info.self_check) | change
    damaged = channel_model.with_info(replace(info, self_check=json.dumps(content)))
    assert read_golden_output(damaged) is None
