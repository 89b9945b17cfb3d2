import array
import sys
import types

from encoded_images import encoded_image, ENCODED_IMAGES, EncodedImage
import numpy as np
import pytest

pytest.importorskip('sensor_msgs', reason='no ROS messages')

from builtin_interfaces.msg import Time
from espnet_ros.exceptions import InputError
from espnet_ros.nodes.ros.messages.images import (
    array_to_image,
    bytes_to_compressed,
    convert_by_cv_bridge,
    mask_values,
)
from espnet_ros.nodes.segmentation.camera.outputs import serialize_image
from espnet_ros.processing.image_messages import image_to_bgr
from pictures import encoded
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

pytestmark = pytest.mark.ros


def message_of(image: EncodedImage, **changes: object) -> Image:
    fields = image.fields(padding=6) | changes
    return Image(**fields | {'data': array.array('B', fields['data'])})


def to_bgr(message, bit_depth=16):
    return image_to_bgr(message, bit_depth, convert_by_cv_bridge)


@pytest.mark.parametrize('image', ENCODED_IMAGES, ids=lambda image: image.encoding)
def test_a_message_of_every_encoding_becomes_bgr(image):
    assert image.is_shown_by(to_bgr(message_of(image)))


@pytest.mark.parametrize('encoding', ['', 'BGR8', '32FC1', 'nonsense'])
def test_an_encoding_that_is_not_ours_is_refused_by_name(encoding, monkeypatch):
    monkeypatch.setitem(sys.modules, 'cv_bridge', None)
    monkeypatch.setattr('espnet_ros.nodes.ros.messages.images.find_spec', lambda _: None)
    with pytest.raises(
        InputError, match=r'expected one of bgr8.*cv_bridge, which is not'
    ) as error:
        to_bgr(message_of(encoded_image('mono8'), encoding=encoding))
    assert repr(encoding) in str(error.value)


def stand_in_bridge(monkeypatch, convert):
    module = types.ModuleType('cv_bridge')
    module.CvBridge = lambda: types.SimpleNamespace(imgmsg_to_cv2=convert)
    monkeypatch.setitem(sys.modules, 'cv_bridge', module)
    monkeypatch.setattr('espnet_ros.nodes.ros.messages.images.find_spec', lambda name: name)


def test_cv_bridge_takes_what_is_not_ours(monkeypatch):
    stand_in_bridge(monkeypatch, lambda message, desired_encoding: np.full((4, 6, 3), 9))
    result = to_bgr(message_of(encoded_image('mono8'), encoding='32FC1'))
    assert (result == 9).all()


def test_a_failure_of_cv_bridge_says_what_was_wrong(monkeypatch):
    def fail(message, desired_encoding):
        raise RuntimeError('not a color format')

    stand_in_bridge(monkeypatch, fail)
    with pytest.raises(InputError, match=r'32FC1.*not a color format'):
        to_bgr(message_of(encoded_image('mono8'), encoding='32FC1'))


def test_cv_bridge_is_not_asked_for_an_image_without_pixels(monkeypatch):
    stand_in_bridge(monkeypatch, lambda message, desired_encoding: np.zeros((0, 6, 3)))
    with pytest.raises(InputError, match='at least 1x1 pixels, found 6x0'):
        to_bgr(message_of(encoded_image('mono8'), encoding='32FC1', height=0))


@pytest.mark.parametrize('bit_depth', [12, 16])
def test_messages_of_either_type_have_the_bit_depth_of_the_camera(bit_depth):
    values = np.full((4, 6), 200 << (bit_depth - 8), np.uint16)
    raw = Image(encoding='mono16', height=4, width=6, step=12)
    raw.data = array.array('B', values.astype('<u2').tobytes())
    compressed = bytes_to_compressed(encoded('.png', values), 'mono16; png compressed ', Header())
    assert isinstance(compressed, CompressedImage)
    for message in (raw, compressed):
        assert (to_bgr(message, bit_depth) == 200).all()


def mask_message(**changes):
    """Return a mask of 3x4 ids in rows of 6 bytes, the last without its padding."""
    rows = np.pad(np.arange(12, dtype=np.uint8).reshape(3, 4), ((0, 0), (0, 2)))
    fields = {'encoding': 'mono8', 'height': 3, 'width': 4, 'step': 6}
    data = array.array('B', rows.tobytes()[:-2])
    return Image(**fields | {'data': data} | changes)


@pytest.mark.parametrize('encoding', ['mono8', '8UC1'])
def test_a_mask_is_a_view_of_its_message_that_nobody_can_write_to(encoding):
    message = mask_message(encoding=encoding)
    values = mask_values(message)
    np.testing.assert_array_equal(values, np.arange(12).reshape(3, 4))
    assert not values.flags.writeable
    message.data[6] = 99
    assert values[1, 0] == 99


def test_rows_of_a_mask_may_follow_each_other_without_padding():
    message = mask_message(step=4, data=array.array('B', range(12)))
    np.testing.assert_array_equal(mask_values(message), np.arange(12).reshape(3, 4))
    one = mask_message(height=1, width=1, step=1, data=array.array('B', [7]))
    np.testing.assert_array_equal(mask_values(one), [[7]])


@pytest.mark.parametrize(
    'changes',
    [
        {'data': array.array('B', bytes(15))},  # one byte less than the last row needs
        {'data': array.array('B')},
        {'step': 3},
        {'step': 7},
        {'step': 2**32 - 1},
        {'width': 5},
        {'width': 2**32 - 1},
        {'height': 4},
        {'height': 2**32 - 1},
        {'height': 0},
        {'width': 0},
        {'step': 0},
        {'height': 0, 'width': 0, 'step': 0},
    ],
)
def test_a_mask_that_contradicts_itself_is_refused(changes):
    with pytest.raises(InputError, match='mask: expected at least one pixel, rows of'):
        mask_values(mask_message(**changes))


@pytest.mark.parametrize('encoding', ['mono16', 'rgb8', '', '8UC3'])
def test_a_mask_of_other_pixels_is_refused(encoding):
    with pytest.raises(InputError, match=f'expected encoding mono8, found {encoding!r}'):
        mask_values(mask_message(encoding=encoding))


@pytest.mark.parametrize(('shape', 'encoding'), [((4, 6), 'mono8'), ((4, 6, 3), 'rgb8')])
def test_arrays_become_images_without_padding(shape, encoding):
    values = np.arange(np.prod(shape) * 2, dtype=np.uint8).reshape(*shape[:-1], -1)[..., ::2]
    header = Header(frame_id='camera')
    message = array_to_image(values.reshape(shape), encoding, header)
    assert (message.height, message.width, message.encoding) == (4, 6, encoding)
    assert message.step == (6 * shape[-1] if len(shape) == 3 else 6)
    assert message.header is header
    assert bytes(message.data) == values.tobytes()


@pytest.mark.parametrize('frame_id', ['', 'a', 'camera'])
@pytest.mark.parametrize('shape', [(1, 1), (3, 5), (4, 4), (5, 7, 3)])
def test_serialised_images_are_the_messages_that_others_read(shape, frame_id):
    """Whatever the length of the words before, as CDR aligns what comes after them."""
    values = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)[::-1]
    header = Header(stamp=Time(sec=5, nanosec=7), frame_id=frame_id)
    data = serialize_image(values, 'mono8', header)
    assert deserialize_message(data, Image) == array_to_image(values, 'mono8', header)


def test_compressed_messages_keep_their_words():
    message = bytes_to_compressed(b'abc', 'mono8; png compressed', Header(frame_id='camera'))
    assert (bytes(message.data), message.format) == (b'abc', 'mono8; png compressed')
    assert message.header.frame_id == 'camera'
