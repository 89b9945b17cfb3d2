import array
import sys
import types

import cv2
import numpy as np
import pytest

pytest.importorskip('sensor_msgs', reason='no ROS messages')

from espnet_ros.exceptions import InputError
from espnet_ros.nodes.conversions import (
    array_to_image,
    bytes_to_compressed,
    color_view,
    compressed_to_bgr,
    ENCODINGS,
    fill_image,
    image_to_bgr,
)
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

pytestmark = pytest.mark.ros

COLOR_BGR = (50, 100, 200)


def image(pixels: np.ndarray, encoding: str, padding: int = 0, **fields: int) -> Image:
    """Return a message of rows of bytes, with bytes of padding after each."""
    rows = pixels.reshape(pixels.shape[0], -1)
    if rows.dtype != np.uint8:
        rows = np.ascontiguousarray(rows).view(np.uint8)
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=255)
    height, width = pixels.shape[:2]
    message = Image(height=height, width=width, encoding=encoding, step=padded.shape[1])
    message.data = array.array('B', padded.tobytes())
    for name, value in fields.items():
        setattr(message, name, value)
    return message


def plain(channels: tuple[int, ...], dtype: str = 'u1') -> np.ndarray:
    """Return a 4x6 image of one colour."""
    return np.full((4, 6, len(channels)), channels, dtype)


def mosaic(pattern: str) -> np.ndarray:
    """Return what a Bayer sensor sees of COLOR_BGR; the pattern names the first two rows."""
    tile = [COLOR_BGR['bgr'.index(letter)] for letter in pattern]
    return np.tile(np.array(tile, np.uint8).reshape(2, 2), (4, 4))


BLUE, GREEN, RED = COLOR_BGR
GRAY = (90, 90, 90)
PACKED = [
    ('bgr8', plain((BLUE, GREEN, RED)), COLOR_BGR),
    ('8UC3', plain((BLUE, GREEN, RED)), COLOR_BGR),
    ('rgb8', plain((RED, GREEN, BLUE)), COLOR_BGR),
    ('bgra8', plain((BLUE, GREEN, RED, 7)), COLOR_BGR),
    ('8UC4', plain((BLUE, GREEN, RED, 7)), COLOR_BGR),
    ('rgba8', plain((RED, GREEN, BLUE, 7)), COLOR_BGR),
    ('mono8', plain((90,)), GRAY),
    ('8UC1', plain((90,)), GRAY),
    ('mono16', plain((90 * 256 + 255,), '<u2'), GRAY),
    ('16UC1', plain((90 * 256,), '<u2'), GRAY),
    ('bgr16', plain((BLUE * 256, GREEN * 256, RED * 256), '<u2'), COLOR_BGR),
    ('16UC3', plain((BLUE * 256, GREEN * 256, RED * 256), '<u2'), COLOR_BGR),
    ('rgb16', plain((RED * 256, GREEN * 256, BLUE * 256), '<u2'), COLOR_BGR),
    *[(f'bayer_{p}8', mosaic(p), COLOR_BGR) for p in ('rggb', 'bggr', 'gbrg', 'grbg')],
    *[
        (f'bayer_{p}16', mosaic(p).astype('<u2') * 256 + 99, COLOR_BGR)
        for p in ('rggb', 'bggr', 'gbrg', 'grbg')
    ],
]


@pytest.mark.parametrize('padding', [0, 5])
@pytest.mark.parametrize(('encoding', 'pixels', 'expected'), PACKED)
def test_every_packed_encoding_becomes_bgr(encoding, pixels, expected, padding):
    result = image_to_bgr(image(pixels, encoding, padding))
    assert result.shape == (*pixels.shape[:2], 3)
    assert result.dtype == np.uint8
    assert (result == expected).all()


@pytest.mark.parametrize('encoding', ['mono16', 'bgr16', 'bayer_rggb16'])
def test_big_endian_values_are_read_as_such(encoding):
    pixels, expected = next((p, e) for name, p, e in PACKED if name == encoding)
    message = image(pixels.astype('>u2'), encoding, padding=4, is_bigendian=1)
    assert (image_to_bgr(message) == expected).all()


# Studio-range BT.601 of blue, as in every driver: Y 41, U 240, V 110.
YUV_BLUE = (41, 240, 110)


def interleaved(order: str) -> np.ndarray:
    """Return a 4x6 image of two bytes a pixel; the order is of two pixels."""
    values = dict(zip('YUV', YUV_BLUE, strict=True))
    return np.tile(np.array([values[letter] for letter in order], np.uint8), (4, 3)).reshape(
        4, 6, 2
    )


@pytest.mark.parametrize('padding', [0, 6])
@pytest.mark.parametrize(
    ('encoding', 'order'),
    [('yuv422', 'UYVY'), ('uyvy', 'UYVY'), ('yuv422_yuy2', 'YUYV'), ('yuyv', 'YUYV')],
)
def test_yuv422_is_uyvy_and_yuy2_is_yuyv(encoding, order, padding):
    result = image_to_bgr(image(interleaved(order), encoding, padding)).astype(int)
    assert np.abs(result - (255, 0, 0)).max() <= 3


@pytest.mark.parametrize('padding', [0, 6])
@pytest.mark.parametrize(('encoding', 'chroma'), [('nv12', (240, 110)), ('nv21', (110, 240))])
def test_semi_planar_images_have_chroma_rows_below(encoding, chroma, padding):
    planes = np.vstack([np.full((4, 6), 41), np.tile(chroma, (2, 3))]).astype(np.uint8)
    result = image_to_bgr(image(planes, encoding, padding, height=4))
    assert result.shape == (4, 6, 3)
    assert np.abs(result.astype(int) - (255, 0, 0)).max() <= 3


def test_bgr8_is_a_view_that_nobody_can_write_to():
    message = image(plain((1, 2, 3)), 'bgr8', padding=2)
    result = image_to_bgr(message)
    message.data[0] = 77
    assert result[0, 0, 0] == 77
    assert not result.flags.writeable


@pytest.mark.parametrize('encoding', ['bgr8', 'rgb8', 'bgra8', 'rgba8', 'mono8', 'mono16'])
def test_one_pixel_is_an_image(encoding):
    pixels = next(p for name, p, _ in PACKED if name == encoding)[:1, :1]
    assert image_to_bgr(image(pixels, encoding)).shape == (1, 1, 3)


def test_an_8k_image_is_an_image():
    message = Image(height=4320, width=7680, step=7680 * 3, encoding='bgr8')
    message.data = array.array('B', bytes(4320 * 7680 * 3))
    assert image_to_bgr(message).shape == (4320, 7680, 3)


def test_the_last_row_may_lack_its_padding():
    message = image(plain((1, 2, 3)), 'bgr8', padding=10)
    message.data = message.data[:-10]
    assert (image_to_bgr(message) == (1, 2, 3)).all()


@pytest.mark.parametrize('encoding', ENCODINGS)
@pytest.mark.parametrize(
    ('fields', 'words'),
    [
        ({'height': 0}, 'at least'),
        ({'width': 0}, 'at least'),
        ({'step': 0}, 'step of at least'),
        ({'step': 3}, 'step of at least'),
        ({'data': array.array('B')}, 'bytes of data, found 0'),
        ({'data': array.array('B', bytes(40))}, 'bytes of data, found 40'),
        ({'height': 2**32 - 2}, 'bytes of data'),
        ({'width': 2**32 - 2, 'step': 2**32 - 1}, 'expected'),
    ],
)
def test_a_message_that_contradicts_itself_is_refused(encoding, fields, words):
    message = image(np.zeros((8, 48), np.uint8), encoding, height=8, width=8)
    for name, value in fields.items():
        setattr(message, name, value)
    with pytest.raises(InputError, match=words) as caught:
        image_to_bgr(message)
    assert encoding in str(caught.value)


@pytest.mark.parametrize(
    ('encoding', 'size'),
    [('yuv422', (2, 3)), ('nv12', (3, 4)), ('nv21', (4, 3)), ('bayer_rggb8', (2, 2))],
)
def test_sizes_that_an_encoding_cannot_have_are_refused(encoding, size):
    message = image(np.zeros((16, 16), np.uint8), encoding, height=size[0], width=size[1])
    with pytest.raises(InputError, match=f'found {size[1]}x{size[0]}'):
        image_to_bgr(message)


@pytest.mark.parametrize('encoding', ['', 'BGR8', '32FC1', 'nonsense'])
def test_an_encoding_that_is_not_ours_is_refused_by_name(encoding, monkeypatch):
    monkeypatch.setitem(sys.modules, 'cv_bridge', None)
    monkeypatch.setattr('espnet_ros.nodes.conversions.find_spec', lambda _: None)
    with pytest.raises(
        InputError, match=r'expected one of bgr8.*cv_bridge, which is not'
    ) as error:
        image_to_bgr(image(plain((1, 2, 3)), encoding))
    assert repr(encoding) in str(error.value)


def stand_in_bridge(monkeypatch, convert):
    module = types.ModuleType('cv_bridge')
    module.CvBridge = lambda: types.SimpleNamespace(imgmsg_to_cv2=convert)
    monkeypatch.setitem(sys.modules, 'cv_bridge', module)
    monkeypatch.setattr('espnet_ros.nodes.conversions.find_spec', lambda name: name)


def test_cv_bridge_takes_what_is_not_ours(monkeypatch):
    stand_in_bridge(monkeypatch, lambda message, desired_encoding: plain((1, 2, 3)))
    assert (image_to_bgr(image(plain((9,)), '32FC1')) == (1, 2, 3)).all()


def test_a_failure_of_cv_bridge_says_what_was_wrong(monkeypatch):
    def fail(message, desired_encoding):
        raise RuntimeError('not a color format')

    stand_in_bridge(monkeypatch, fail)
    with pytest.raises(InputError, match=r'32FC1.*not a color format'):
        image_to_bgr(image(plain((9,)), '32FC1'))


@pytest.mark.parametrize(
    ('encoding', 'order'),
    [('bgr8', 'bgr8'), ('rgb8', 'rgb8'), ('rgba8', 'rgb8'), ('bgra8', 'bgr8'), ('mono8', 'bgr8')],
)
def test_overlays_keep_the_color_order_of_the_input(encoding, order):
    pixels, expected = next((p, e) for name, p, e in PACKED if name == encoding)
    message = image(pixels, encoding)
    view, found = color_view(message, image_to_bgr(message))
    assert found == order
    assert (view == (expected if order == 'bgr8' else expected[::-1])).all()


@pytest.mark.parametrize('suffix', ['.png', '.jpg'])
def test_compressed_images_are_decoded(suffix):
    data = cv2.imencode(suffix, plain(COLOR_BGR))[1].tobytes()
    message = CompressedImage(format='jpeg', data=array.array('B', data))
    assert np.abs(compressed_to_bgr(message).astype(int) - COLOR_BGR).max() <= 3


@pytest.mark.parametrize('data', [b'', b'not an image', cv2.imencode('.png', GRAY * 9)[1][:40]])
def test_damaged_compressed_images_are_refused(data):
    message = CompressedImage(format='png', data=array.array('B', bytes(data)))
    with pytest.raises(InputError, match="format 'png'"):
        compressed_to_bgr(message)


@pytest.mark.parametrize(('shape', 'encoding'), [((4, 6), 'mono8'), ((4, 6, 3), 'rgb8')])
def test_arrays_become_images_without_padding(shape, encoding):
    values = np.arange(np.prod(shape) * 2, dtype=np.uint8).reshape(*shape[:-1], -1)[..., ::2]
    header = Header(frame_id='camera')
    message = array_to_image(values.reshape(shape), encoding, header)
    assert (message.height, message.width, message.encoding) == (4, 6, encoding)
    assert message.step == (6 * shape[-1] if len(shape) == 3 else 6)
    assert message.header is header
    assert bytes(message.data) == values.tobytes()


def test_an_image_message_can_be_filled_again_and_keeps_its_memory():
    message = array_to_image(np.zeros((4, 6), np.uint8), 'mono8', Header(frame_id='first'))
    memory = message.data.buffer_info()
    values = np.arange(24, dtype=np.uint8).reshape(4, 2, 3)
    fill_image(message, values, 'bgr8', Header(frame_id='second'))
    assert message.data.buffer_info() == memory
    assert message == array_to_image(values, 'bgr8', Header(frame_id='second'))
    fill_image(message, values[:2], 'bgr8', Header())
    assert message == array_to_image(values[:2], 'bgr8', Header())


def test_compressed_messages_keep_their_words():
    message = bytes_to_compressed(b'abc', 'mono8; png compressed', Header(frame_id='camera'))
    assert (bytes(message.data), message.format) == (b'abc', 'mono8; png compressed')
    assert message.header.frame_id == 'camera'
