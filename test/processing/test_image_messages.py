"""Image messages, whoever carries them, to arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
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
from pictures import at_share, encoded, textured, TURNED_HALF, with_orientation
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


@pytest.mark.parametrize('padding', [0, 10])
@pytest.mark.parametrize('image', ENCODED_IMAGES, ids=lambda image: image.encoding)
def test_the_last_row_may_lack_its_padding_and_not_one_byte_more(
    image: EncodedImage, padding: int
) -> None:
    message = Raw(**image.fields(padding))
    message.data = message.data[: len(message.data) - padding]
    assert image.is_shown_by(raw_to_bgr(message))
    short = replace(message, data=message.data[:-1])
    needed = len(message.data)
    with pytest.raises(InputError, match=f'expected {needed} bytes of data, found {needed - 1}'):
        raw_to_bgr(short)


@pytest.mark.parametrize('image', ENCODED_IMAGES, ids=lambda image: image.encoding)
def test_a_step_is_at_least_a_row_of_pixels(image: EncodedImage) -> None:
    message = Raw(**image.fields())
    assert image.is_shown_by(raw_to_bgr(message))
    with pytest.raises(InputError, match=f'at least {message.step} bytes, found'):
        raw_to_bgr(replace(message, step=message.step - 1, data=message.data * 2))


@pytest.mark.parametrize('step', [2**31 - 1, 2**32 - 1])
@pytest.mark.parametrize('encoding', ENCODINGS)
def test_a_step_that_leads_out_of_the_data_is_refused(encoding: str, step: int) -> None:
    with pytest.raises(InputError, match=r'bytes of data, found'):
        raw_to_bgr(raw(encoding, step=step))


@pytest.mark.parametrize('big_endian', [False, True])
@pytest.mark.parametrize('bit_depth', range(8, 17))
def test_of_16_bits_the_upper_8_that_count_are_kept(bit_depth: int, big_endian: bool) -> None:
    values = np.arange(2**16).reshape(256, 256)
    rows = values.astype('>u2' if big_endian else '<u2')
    message = Raw('mono16', 256, 256, 512, int(big_endian), rows.tobytes())
    expected = np.minimum(values >> (bit_depth - 8), 255)
    np.testing.assert_array_equal(raw_to_bgr(message, bit_depth)[..., 1], expected)


@pytest.mark.parametrize('encoding', [name for name in ENCODINGS if '16' in name])
def test_every_deep_encoding_has_a_bit_depth(encoding: str) -> None:
    image = encoded_image(encoding)
    message = Raw(**replace(image, rows=image.rows >> 4).fields())
    assert image.is_shown_by(raw_to_bgr(message, bit_depth=12))
    assert not image.is_shown_by(raw_to_bgr(message))


def test_images_of_8_bits_have_no_other_depth() -> None:
    assert (raw_to_bgr(raw('bgr8'), bit_depth=10) == COLOR_BGR).all()


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


COLORS = np.full((4, 6, 3), COLOR_BGR, np.uint8)
DEEP_COLORS = COLORS.astype(np.uint16) * 256 + 99


def shown(text: str, data: bytes, bit_depth: int = 16) -> np.ndarray:
    """Return what a compressed image shows."""
    return compressed_to_bgr(Compressed(text, data), bit_depth)


def is_color(image_bgr: np.ndarray) -> bool:
    return bool((np.abs(image_bgr.astype(int) - COLOR_BGR) <= 3).all())


def rgb(image_bgr: np.ndarray) -> np.ndarray:
    return image_bgr[..., ::-1]


def with_alpha(image: np.ndarray) -> np.ndarray:
    return np.concatenate([image, np.full_like(image[..., :1], 9)], axis=2)


@pytest.mark.parametrize(
    ('text', 'suffix'),
    [
        ('', '.jpg'),
        ('jpeg', '.jpg'),
        ('jpeg', '.png'),
        ('anything', '.png'),
        ('bgr8; jpeg compressed bgr8', '.jpg'),
        ('rgb8; jpeg compressed bgr8', '.jpg'),
        ('rgb8; jpeg compressed rgb8', '.jpg'),  # proper files with this text are seen, too
        ('rgb8; jpeg compressed', '.jpg'),
        ('RGBA8; JPEG compressed BGR8', '.jpg'),
        ('rgb8; png compressed bgr8', '.png'),
        ('bgr8; png compressed bgr8', '.png'),
        ('rgb8; png compressed rgb8', '.png'),
        ('bgr8; tiff compressed ', '.tiff'),
        ('tiff', '.tiff'),
    ],
)
def test_the_file_says_which_channel_is_red(text: str, suffix: str) -> None:
    assert is_color(shown(text, encoded(suffix, COLORS)))


def test_a_tiff_has_the_channel_order_of_the_camera() -> None:
    """compressed_image_transport hands OpenCV the camera's image as if it were BGR."""
    for text, stored in {
        'rgb8; tiff compressed ': rgb(COLORS),
        'rgb16; tiff compressed ': rgb(DEEP_COLORS),
        'rgba8; tiff compressed ': with_alpha(rgb(COLORS)),
        'rgba16; tiff compressed ': with_alpha(rgb(DEEP_COLORS)),
        'bgr8; tiff compressed ': COLORS,
        'bgr16; tiff compressed ': DEEP_COLORS,
        'bgra8; tiff compressed ': with_alpha(COLORS),
        'rgb8; tiff compressed bgr8': COLORS,
    }.items():
        assert (shown(text, encoded('.tiff', stored)) == COLOR_BGR).all(), text


@pytest.mark.parametrize('text', ['rgba8; png compressed bgra8', 'bgra8; png compressed bgr8'])
def test_alpha_is_left_out(text: str) -> None:
    assert (shown(text, encoded('.png', with_alpha(COLORS))) == COLOR_BGR).all()


@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('pattern', ['rggb', 'bggr', 'gbrg', 'grbg'])
@pytest.mark.parametrize(
    ('text', 'suffix'),
    [
        ('{}; png compressed ', '.png'),
        ('{}; png compressed', '.png'),
        ('{}; tiff compressed ', '.tiff'),
        ('{}; jpeg compressed ', '.jpg'),
        ('{}; jpeg compressed {}', '.jpg'),
    ],
)
def test_a_mosaic_becomes_colors(text: str, suffix: str, pattern: str, bits: int) -> None:
    encoding = f'bayer_{pattern}{bits}'
    rows = encoded_image(encoding).rows
    if suffix == '.jpg':  # has 8 bits; blocks of one colour each would be too much for it
        rows = encoded_image(f'bayer_{pattern}8').rows
    image_bgr = shown(text.format(encoding, encoding), encoded(suffix, rows, 1, 100))
    assert image_bgr.shape == (8, 8, 3)
    assert is_color(image_bgr)


def test_what_is_no_mosaic_any_more_stays_as_it_is() -> None:
    gray = np.full((8, 8), 90, np.uint8)
    for text, data, expected_bgr in (
        ('bayer_rggb8; jpeg compressed bgr8', encoded('.jpg', COLORS), COLOR_BGR),
        ('bayer_rggb8; jpeg compressed ', encoded('.jpg', COLORS), COLOR_BGR),
        ('bayer_rggb8; png compressed bgr8', encoded('.png', COLORS), COLOR_BGR),
        ('bayer_rggb8; jpeg compressed mono8', encoded('.jpg', gray), (90, 90, 90)),
    ):
        assert (np.abs(shown(text, data).astype(int) - expected_bgr) <= 3).all(), text
    stripes = np.tile(np.array([0, 200], np.uint8), (16, 8))
    image_bgr = shown('bayer_rggb8; jpeg compressed mono8', encoded('.jpg', stripes, 1, 100))
    assert (image_bgr[..., 0] == image_bgr[..., 2]).all()


@pytest.mark.parametrize(
    'text', ['mono16; png compressed ', '16UC1; png compressed', 'png', '16UC1; tiff compressed ']
)
def test_the_bit_depth_is_that_of_the_camera(text: str) -> None:
    values = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    data = encoded('.tiff' if 'tiff' in text else '.png', values)
    np.testing.assert_array_equal(shown(text, data, bit_depth=12)[..., 1], values >> 4)
    np.testing.assert_array_equal(shown(text, data)[..., 1], values >> 8)
    mosaic = encoded_image('bayer_grbg16').rows >> 6
    text = text.replace('mono16', 'bayer_grbg16').replace('16UC1', 'bayer_grbg16')
    if ';' in text:
        assert is_color(shown(text, encoded('.png', mosaic), bit_depth=10))


def test_deep_images_that_were_made_jpeg_are_as_bright_as_others() -> None:
    """compressed_image_transport divides by 257, whatever bits the camera has."""
    seen = np.full((16, 16), round(2600 / 257), np.uint8)
    text, data = 'mono16; jpeg compressed mono8', encoded('.jpg', seen)
    assert (shown(text, data) == 10).all()
    assert (shown(text, data, bit_depth=12) == 160).all()
    assert (shown('mono8; jpeg compressed mono8', data, bit_depth=12) == 10).all()
    white = encoded('.jpg', np.full((16, 16), 40, np.uint8))
    assert (shown(text, white, bit_depth=12) == 255).all()


def test_an_exif_orientation_is_ignored_as_camera_info_knows_none_of_it() -> None:
    upright = encoded('.jpg', textured())
    turned = with_orientation(upright, TURNED_HALF)
    np.testing.assert_array_equal(shown('jpeg', turned), shown('jpeg', upright))


@pytest.mark.parametrize(
    ('text', 'data', 'words'),
    [
        ('png', b'', 'found 0 bytes'),
        ('png', b'not an image', 'found 12 bytes that are none'),
        ('h264', b'\0\0\0\1\x67' + bytes(99), 'found 104 bytes that are none'),
        ('16UC1; compressedDepth png', bytes(99), 'found a depth image'),
        ('32FC1; tiff compressed ', encoded('.tiff', np.ones((4, 6), np.float32)), 'float32'),
        ('bayer_rgbg8; png compressed ', encoded('.png', COLORS[..., 0]), 'pattern rggb, bggr'),
        ('bayer_rggb8; png compressed ', encoded('.png', COLORS[:2, :, 0]), 'at least 3x3'),
        ('png', encoded('.png', textured())[:4000], 'cut off'),
        ('jpeg', encoded('.jpg', textured())[:4000], 'cut off'),
    ],
)
def test_what_is_no_picture_is_refused_and_its_format_named(
    text: str, data: bytes, words: str
) -> None:
    with pytest.raises(InputError) as caught:
        shown(text, data)
    assert str(caught.value).startswith(f'compressed image, format {text!r}: ')
    assert words in str(caught.value)
    assert '\n' not in str(caught.value)


def test_a_damaged_jpeg_is_refused() -> None:
    data = encoded('.jpg', textured())
    at = at_share(data, 0.4)
    with pytest.raises(InputError, match="format 'jpeg': the JPEG is damaged"):
        shown('jpeg', data[:at] + data[at + 500 :])


def test_a_recorded_mosaic_shows_the_colors_of_the_street(shared_data: Path) -> None:
    """A camera's frame that was published as bayer_rggb8 and made PNG."""
    data = (shared_data / 'faults' / 'bayer_rggb8_png_compressed.png').read_bytes()
    truth = cv2.imread(str(shared_data / 'camvid' / 'val' / '0016E5_07999.png')).astype(int)
    image_bgr = shown('bayer_rggb8; png compressed ', data)
    assert np.abs(image_bgr - truth).mean() < 4


def test_a_recorded_image_is_not_turned(shared_data: Path) -> None:
    data = (shared_data / 'faults' / 'exif_orientation_3.jpg').read_bytes()
    truth = cv2.imread(str(shared_data / 'camvid' / 'val' / '0016E5_07999.png')).astype(int)
    assert np.abs(shown('bgr8; jpeg compressed bgr8', data) - truth).mean() < 2


@pytest.mark.parametrize('encoding', ['mono8', 'bayer_rggb8'])
def test_data_of_more_channels_than_the_encoding_has_is_refused(encoding):
    data = np.zeros((60, 80, 3), np.uint8).tobytes()
    image = Raw(encoding, 60, 80, 80, 0, data)
    with pytest.raises(InputError, match='expected 4800 bytes of data, found 14400'):
        raw_to_bgr(image)
    image.data = data[: 64 * 80]  # rows up to a multiple of 16
    assert raw_to_bgr(image).shape == (60, 80, 3)
