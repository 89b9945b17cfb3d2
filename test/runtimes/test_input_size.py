"""The size that the network sees may be another than the model's own, on every runtime."""

from __future__ import annotations

from dataclasses import replace

import cv2
from espnet_ros.config import MaskSettings, RuntimeSettings
from espnet_ros.exceptions import ConfigError
from espnet_ros.model_file import ModelFile, open_model
from espnet_ros.model_file.model_info import ModelInfo
from espnet_ros.runtimes.factory import open_runtime, runtime_report
from espnet_ros.segmenter import Segmenter
import numpy as np
import onnx
import pytest

REAL = [s.name for s in runtime_report() if s.usable and s.name != 'tensorrt']
SHIPPED = 'espnet_p2_q8_camvid_street'
SIZE = (96, 160)


def image_of(height: int, width: int) -> np.ndarray:
    """Return a smooth picture with something of every class's colours."""
    small = np.random.default_rng(3).integers(0, 256, (9, 16, 3), np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize('runtime', REAL)
@pytest.mark.parametrize('resize', ['host', 'device'])
def test_the_network_sees_the_size_that_was_asked_for(runtime: str, resize: str) -> None:
    settings = RuntimeSettings(runtime=runtime, precision='fp32', resize=resize, input_size=SIZE)
    opened = open_runtime(open_model(SHIPPED), settings)
    image = image_of(180, 320)
    with Segmenter(opened, MaskSettings(mask_size='network')) as segmenter:
        (found,) = segmenter.segment([image], confidence=True)
        assert segmenter.runtime.model.info.input_size == SIZE
    assert found.labels.shape == SIZE
    assert found.confidence is not None
    assert found.confidence.shape == SIZE
    resized = cv2.resize(image, SIZE[::-1], interpolation=cv2.INTER_LINEAR)
    with open_runtime(
        open_model(SHIPPED), RuntimeSettings(runtime=runtime, precision='fp32')
    ) as own:
        expected = own.infer(resized[np.newaxis]).labels[0]
    assert np.mean(found.labels == expected) > (0.999 if resize == 'host' else 0.98)


def test_masks_keep_the_size_of_the_image(channel_model: ModelFile) -> None:
    settings = RuntimeSettings(runtime='fake', input_size=(32, 64))
    with Segmenter(open_runtime(channel_model, settings)) as segmenter:
        assert segmenter.segment([image_of(50, 70)])[0].labels.shape == (50, 70)


def test_the_models_own_size_changes_nothing(channel_model: ModelFile) -> None:
    assert channel_model.with_input_size((16, 32)) is channel_model


def test_the_file_says_the_new_size_and_leaves_its_check_behind(channel_model: ModelFile) -> None:
    checked = channel_model.with_info(replace(channel_model.info, self_check='{}'))
    resized = checked.with_input_size((24, 40))
    proto = onnx.load_model_from_string(resized.data)
    written = ModelInfo.from_metadata({p.key: p.value for p in proto.metadata_props}, 'test')
    assert written == resized.info == replace(checked.info, input_size=(24, 40), self_check='')
    assert (resized.sha256, resized.path) == (checked.sha256, checked.path)


@pytest.mark.parametrize('size', [(20, 40), (24, 0), (4, 8)])
def test_a_size_that_the_network_cannot_halve_is_refused(
    channel_model: ModelFile, size: tuple[int, int]
) -> None:
    with pytest.raises(ConfigError, match=r'input_size: expected \[height, width\]'):
        channel_model.with_input_size(size)


def test_a_network_of_fixed_size_is_refused_another(channel_model: ModelFile) -> None:
    proto = onnx.load_model_from_string(channel_model.data)
    for dim, pixels in zip(
        proto.graph.input[0].type.tensor_type.shape.dim[1:3], (16, 32), strict=True
    ):
        dim.dim_value = pixels
    fixed = replace(channel_model, proto=proto)
    with pytest.raises(ConfigError, match=r'channels has the fixed size \[16, 32\], found \[24'):
        open_runtime(fixed, RuntimeSettings(runtime='fake', input_size=(24, 40)))


@pytest.mark.parametrize('size', [(0, 480), (360,), (1, 2, 3)])
def test_a_setting_that_is_no_size_is_refused(size: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match='input_size: expected'):
        RuntimeSettings(input_size=size)
