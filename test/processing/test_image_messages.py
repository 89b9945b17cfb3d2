"""Image messages, whoever carries them, to arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
from encoded_images import COLOR_BGR, encoded_image, ENCODED_IMAGES, EncodedImage
from espnet_ros.exceptions import InputError
from espnet_ros.processing.image_messages import (
    color_view,
    compressed_to_bgr,
    ENCODINGS,
    raw_to_bgr,
)
import numpy as np
import pytest


@dataclass
class Raw:
    """The fields of sensor_msgs/Image, without ROS."""

    encoding: str
    height: int
    width: int
    step: int
    is_bigendian: int
    data: Any


@dataclass
class Compressed:
    """The fields of sensor_msgs/CompressedImage, without ROS."""

    format: str
    data: bytes


def raw(encoding: str, **fields: Any) -> Raw:
    return replace(Raw(**encoded_image(encoding).fields()), **fields)


def test_there_is_an_image_of_every_encoding() -> None:
    assert {image.encoding for image in ENCODED_IMAGES} == set(ENCODINGS)


@pytest.mark.parametrize('padding', [0, 6])
@pytest.mark.parametrize('image', ENCODED_IMAGES, ids=lambda image: image.encoding)
def test_every_encoding_becomes_bgr(image: EncodedImage, padding: int) -> None:
    assert image.is_shown_by(raw_to_bgr(Raw(**image.fields(padding))))


@pytest.mark.parametrize('encoding', ['mono16', 'bgr16', 'bayer_rggb16'])
def test_big_endian_values_are_read_as_such(encoding: str) -> None:
    image = encoded_image(encoding)
    assert image.is_shown_by(raw_to_bgr(Raw(**image.fields(4, big_endian=True))))


def test_bgr8_is_a_view_that_nobody_can_write_to() -> None:
    message = raw('bgr8')
    message.data = bytearray(message.data)
    result = raw_to_bgr(message)
    message.data[0] = 77
    assert result[0, 0, 0] == 77
    assert not result.flags.writeable


@pytest.mark.parametrize('encoding', ['bgr8', 'rgb8', 'bgra8', 'rgba8', 'mono8', 'mono16'])
def test_one_pixel_is_an_image(encoding: str) -> None:
    assert raw_to_bgr(raw(encoding, height=1, width=1)).shape == (1, 1, 3)


def test_an_8k_image_is_an_image() -> None:
    message = Raw('bgr8', 4320, 7680, 7680 * 3, 0, bytes(4320 * 7680 * 3))
    assert raw_to_bgr(message).shape == (4320, 7680, 3)


def test_the_last_row_may_lack_its_padding() -> None:
    message = Raw(**encoded_image('bgr8').fields(10))
    message.data = message.data[:-10]
    assert (raw_to_bgr(message) == COLOR_BGR).all()


@pytest.mark.parametrize('encoding', ENCODINGS)
@pytest.mark.parametrize(
    ('fields', 'words'),
    [
        ({'height': 0}, 'at least'),
        ({'width': 0}, 'at least'),
        ({'step': 0}, 'step of at least'),
        ({'step': 3}, 'step of at least'),
        ({'data': b''}, 'bytes of data, found 0'),
        ({'data': bytes(40)}, 'bytes of data, found 40'),
        ({'height': 2**32 - 2}, 'bytes of data'),
        ({'width': 2**32 - 2, 'step': 2**32 - 1}, 'expected'),
    ],
)
def test_a_message_that_contradicts_itself_is_refused(
    encoding: str, fields: dict[str, Any], words: str
) -> None:
    message = replace(Raw(encoding, 8, 8, 48, 0, bytes(8 * 48)), **fields)
    with pytest.raises(InputError, match=words) as caught:
        raw_to_bgr(message)
    assert encoding in str(caught.value)


@pytest.mark.parametrize(
    ('encoding', 'size'),
    [('yuv422', (2, 3)), ('nv12', (3, 4)), ('nv21', (4, 3)), ('bayer_rggb8', (2, 2))],
)
def test_sizes_that_an_encoding_cannot_have_are_refused(
    encoding: str, size: tuple[int, int]
) -> None:
    with pytest.raises(InputError, match=f'found {size[1]}x{size[0]}'):
        raw_to_bgr(Raw(encoding, *size, 16, 0, bytes(256)))


@pytest.mark.parametrize('encoding', ['', 'BGR8', '32FC1', 'nonsense'])
def test_an_encoding_that_is_not_ours_is_refused_by_name(encoding: str) -> None:
    with pytest.raises(InputError, match=r'expected one of bgr8') as error:
        raw_to_bgr(replace(raw('bgr8'), encoding=encoding))
    assert repr(encoding) in str(error.value)


@pytest.mark.parametrize(
    ('encoding', 'order'),
    [('bgr8', 'bgr8'), ('rgb8', 'rgb8'), ('rgba8', 'rgb8'), ('bgra8', 'bgr8'), ('mono8', 'bgr8')],
)
def test_overlays_keep_the_color_order_of_the_input(encoding: str, order: str) -> None:
    message = raw(encoding)
    view, found = color_view(message, raw_to_bgr(message))
    expected_bgr = encoded_image(encoding).expected_bgr
    assert found == order
    assert (view == (expected_bgr if order == 'bgr8' else expected_bgr[::-1])).all()


@pytest.mark.parametrize('suffix', ['.png', '.jpg'])
def test_compressed_images_are_decoded(suffix: str) -> None:
    data = cv2.imencode(suffix, np.full((4, 6, 3), COLOR_BGR, np.uint8))[1].tobytes()
    result = compressed_to_bgr(Compressed('jpeg', data))
    assert np.abs(result.astype(int) - COLOR_BGR).max() <= 3


@pytest.mark.parametrize(
    'data', [b'', b'not an image', cv2.imencode('.png', np.zeros((4, 6)))[1].tobytes()[:40]]
)
def test_damaged_compressed_images_are_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="format 'png'"):
        compressed_to_bgr(Compressed('png', data))
