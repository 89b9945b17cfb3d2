"""Pictures as cameras really send them, from topic to mask and diagnostics."""

import array

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='no rclpy')

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from espnet_ros.msg import InferenceStats
from espnet_ros.nodes.ros.messages.images import bytes_to_compressed
from pictures import at_share, encoded, textured, TURNED_HALF, with_orientation
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

BLUE, GREEN, RED = 0, 1, 2
SIZE = (16, 32)


def header(seconds=7):
    result = Header(frame_id='camera_optical_frame')
    result.stamp.sec = seconds
    return result


def halves(upper=(255, 0, 0), lower=(0, 0, 255)):
    """Return an image of two colours, BGR."""
    image = np.zeros((*SIZE, 3), np.uint8)
    image[: SIZE[0] // 2], image[SIZE[0] // 2 :] = upper, lower
    return image


def mosaic(image_bgr):
    """Return what a sensor with the pattern rggb sees."""
    result = image_bgr[..., 1].copy()
    result[::2, ::2], result[1::2, 1::2] = image_bgr[::2, ::2, 2], image_bgr[1::2, 1::2, 0]
    return result


def labels(mask):
    return np.frombuffer(mask.data, np.uint8).reshape(mask.height, mask.step)


def is_blue_over_red(mask):
    """Return whether a mask is that of halves, the border of a demosaiced image aside."""
    rows, border = labels(mask), SIZE[0] // 2
    return (rows[: border - 1] == BLUE).all() and (rows[border + 1 :] == RED).all()


@pytest.fixture
def camera(ros, segmentation):
    """Return what publishes a compressed image and returns its mask."""
    segmentation(image_transport='compressed', diagnostics__image_timeout_s=60.0)
    masks = ros.listen(Image, 'segmentation/mask')
    images = ros.publisher(CompressedImage, 'image_raw/compressed')

    def publish(text, data, seconds=7):
        images.publish(bytes_to_compressed(data, text, header(seconds)))
        return masks.wait_for(lambda mask: mask.header.stamp.sec == seconds)

    return publish


@pytest.mark.parametrize(
    ('text', 'data'),
    [
        ('bayer_rggb8; png compressed ', encoded('.png', mosaic(halves()))),
        (
            'bayer_rggb8; jpeg compressed bayer_rggb8',
            encoded('.jpg', mosaic(halves()), cv2.IMWRITE_JPEG_QUALITY, 100),
        ),
        ('bayer_rggb8; jpeg compressed bgr8', encoded('.jpg', halves())),
        ('rgb8; jpeg compressed bgr8', encoded('.jpg', halves())),
        ('rgb8; tiff compressed ', encoded('.tiff', halves()[..., ::-1])),
        ('bgr16; png compressed bgr16', encoded('.png', halves().astype(np.uint16) * 257)),
    ],
)
def test_the_mask_is_that_of_the_colors_the_camera_saw(camera, text, data):
    assert is_blue_over_red(camera(text, data))


def test_a_mask_is_not_turned_by_an_exif_orientation(camera):
    upright = encoded('.jpg', halves())
    plain = camera('jpeg', upright, seconds=1)
    turned = camera('jpeg', with_orientation(upright, TURNED_HALF), seconds=2)
    assert is_blue_over_red(plain)
    assert turned.data == plain.data


def test_a_damaged_jpeg_is_counted_and_told_and_the_next_image_is_segmented(
    ros, segmentation, monkeypatch, capfd
):
    monkeypatch.setattr('espnet_ros.nodes.ros.diagnostics.PERIOD_S', 0.1)
    segmentation(image_transport='compressed', diagnostics__image_timeout_s=60.0)
    masks = ros.listen(Image, 'segmentation/mask')
    stats = ros.listen(InferenceStats, 'segmentation/stats')
    diagnostics = ros.listen(DiagnosticArray, '/diagnostics')
    images = ros.publisher(CompressedImage, 'image_raw/compressed')
    whole = encoded('.jpg', textured())
    at = at_share(whole, 0.5)
    images.publish(bytes_to_compressed(whole[:at] + whole[at + 500 :], 'jpeg', header(1)))

    def tells(told):
        return any(
            status.name == 'segmentation: input'
            and status.level == DiagnosticStatus.ERROR
            and 'the JPEG is damaged' in status.message
            for status in told.status
        )

    diagnostics.wait_for(tells)
    assert not masks.messages
    images.publish(bytes_to_compressed(whole, 'jpeg', header(2)))
    assert masks.wait_for().header.stamp.sec == 2
    assert stats.wait_for().frames_failed == 1
    written = ''.join(capfd.readouterr())
    assert "/image_raw/compressed: compressed image, format 'jpeg': the JPEG is damaged" in written
    assert 'Corrupt JPEG data' not in written


@pytest.mark.parametrize('transport', ['raw', 'compressed'])
def test_a_camera_of_12_bits_is_as_bright_as_one_of_16(ros, segmentation, transport):
    segmentation(image_transport=transport, image_bit_depth=12, overlay__alpha=0.0)
    overlays = ros.listen(Image, 'segmentation/overlay')
    values = np.full(SIZE, 200 << 4, np.uint16)
    if transport == 'raw':
        message = Image(header=header(), encoding='mono16', height=16, width=32, step=64)
        message.data = array.array('B', values.astype('<u2').tobytes())
        ros.publisher(Image, 'image_raw').publish(message)
    else:
        message = bytes_to_compressed(encoded('.png', values), 'mono16; png compressed ', header())
        ros.publisher(CompressedImage, 'image_raw/compressed').publish(message)
    assert set(overlays.wait_for().data) == {200}  # nothing of the classes is drawn over it
