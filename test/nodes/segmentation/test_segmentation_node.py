"""Images go in and masks come out, through real topics."""

import array
from concurrent.futures import ThreadPoolExecutor
import threading
import time

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy', reason='no rclpy')

from espnet_ros.config import SegmentationNodeSettings
from espnet_ros.exceptions import InferenceError
from espnet_ros.msg import InferenceStats
from espnet_ros.nodes.ros.messages.images import array_to_image, bytes_to_compressed
from espnet_ros.runtimes.onnxruntime import OnnxRuntime
from live_settings import set_parameter
from rclpy.qos import qos_profile_sensor_data
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CompressedImage, Image
from status_reader import ERROR, StatusReader, values
from std_msgs.msg import Header
from std_srvs.srv import SetBool
from time_limits import message_limit_s

BLUE, GREEN, RED = 0, 1, 2
SIZE = (16, 32)


def header(seconds: int = 7, frame_id: str = 'camera_optical_frame') -> Header:
    result = Header(frame_id=frame_id)
    result.stamp.sec, result.stamp.nanosec = seconds, 500
    return result


def stripes_bgr(size: tuple[int, int] = SIZE) -> np.ndarray:
    """Return an image whose upper half is blue and whose lower half is red."""
    image = np.zeros((*size, 3), np.uint8)
    image[: size[0] // 2, :, 0] = 255
    image[size[0] // 2 :, :, 2] = 255
    return image


def stripes_labels(size: tuple[int, int] = SIZE) -> np.ndarray:
    labels = np.full(size, BLUE, np.uint8)
    labels[size[0] // 2 :] = RED
    return labels


def solid(color: int, seconds: int, size: tuple[int, int] = SIZE) -> Image:
    image = np.zeros((*size, 3), np.uint8)
    image[..., color] = 255
    return array_to_image(image, 'bgr8', header(seconds))


def pixels(message: Image) -> np.ndarray:
    values = np.frombuffer(message.data, np.uint8)
    return values.reshape(message.height, message.step)


def enable(ros, data):
    return ros.call(SetBool, 'segmentation/enable', SetBool.Request(data=data))


def stamps(messages):
    return [message.header.stamp.sec for message in messages]


def test_a_mask_has_the_class_ids_and_the_header_of_its_image(ros, segmentation):
    segmentation()
    masks = ros.listen(Image, 'segmentation/mask')
    ros.publisher(Image, 'image_raw').publish(array_to_image(stripes_bgr(), 'bgr8', header()))
    mask = masks.wait_for()
    assert mask.header == header()
    assert (mask.encoding, mask.step, mask.width) == ('mono8', 32, 32)
    assert (pixels(mask) == stripes_labels()).all()


def test_nothing_comes_out_when_nothing_goes_in(ros, segmentation):
    segmentation()
    masks = ros.listen(Image, 'segmentation/mask')
    images = ros.publisher(Image, 'image_raw')
    for seconds in (1, 2):
        images.publish(solid(RED, seconds))
        masks.wait_for(lambda m, s=seconds: m.header.stamp.sec == s)
    enable(ros, False)  # a round trip through the node, and the worker at rest
    assert not masks.messages


@pytest.mark.parametrize('size', [(1, 1), (3, 500), (2160, 3840)])
def test_images_of_any_size_get_a_mask_of_that_size(ros, segmentation, size):
    segmentation()
    masks = ros.listen(Image, 'segmentation/mask')
    ros.publisher(Image, 'image_raw', 1).publish(solid(GREEN, 1, size))
    mask = masks.wait_for()
    assert (mask.height, mask.width, mask.step) == (*size, size[1])
    assert (pixels(mask) == GREEN).all()


def test_padded_rgb_images_are_segmented_and_overlaid_in_their_own_color_order(ros, segmentation):
    segmentation(overlay__alpha=0.0)
    masks = ros.listen(Image, 'segmentation/mask')
    overlays = ros.listen(Image, 'segmentation/overlay')
    image_rgb = stripes_bgr()[..., ::-1]
    message = array_to_image(np.pad(image_rgb, ((0, 0), (0, 2), (0, 0))), 'rgb8', header())
    message.width = 32
    ros.publisher(Image, 'image_raw').publish(message)
    assert (pixels(masks.wait_for()) == stripes_labels()).all()
    overlay = overlays.wait_for()
    assert (overlay.encoding, overlay.step) == ('rgb8', 96)
    assert (pixels(overlay).reshape(*SIZE, 3) == image_rgb).all()


def test_confidence_has_the_size_and_header_of_the_mask(ros, segmentation):
    segmentation(mask_size='8,10')
    masks = ros.listen(Image, 'segmentation/mask')
    confidences = ros.listen(Image, 'segmentation/confidence')
    images = ros.publisher(Image, 'image_raw')
    images.publish(array_to_image(stripes_bgr(), 'bgr8', header()))
    mask, confidence = masks.wait_for(), confidences.wait_for()
    assert confidence.header == mask.header == header()
    assert (confidence.height, confidence.width) == (mask.height, mask.width) == (8, 10)
    assert (pixels(confidence) >= 254).all()


def test_pictures_show_the_class_colors(ros, segmentation):
    segmentation(overlay__alpha=1.0)
    colors = ros.listen(Image, 'segmentation/color_mask')
    overlays = ros.listen(Image, 'segmentation/overlay')
    ros.publisher(Image, 'image_raw').publish(array_to_image(stripes_bgr(), 'bgr8', header()))
    color, overlay = colors.wait_for(), overlays.wait_for()
    assert (color.encoding, overlay.encoding) == ('rgb8', 'bgr8')
    blue_rgb, red_rgb = (128, 0, 0), (128, 128, 0)  # the first and third PASCAL VOC colours
    assert tuple(pixels(color).reshape(*SIZE, 3)[0, 0]) == blue_rgb
    assert tuple(pixels(overlay).reshape(*SIZE, 3)[15, 0]) == red_rgb[::-1]


def test_compressed_masks_are_lossless_and_overlays_are_jpeg(ros, segmentation):
    segmentation()
    masks = ros.listen(CompressedImage, 'segmentation/mask/compressed')
    overlays = ros.listen(CompressedImage, 'segmentation/overlay/compressed')
    image_rgb = np.ascontiguousarray(stripes_bgr((64, 64))[..., ::-1])
    ros.publisher(Image, 'image_raw').publish(array_to_image(image_rgb, 'rgb8', header()))
    mask, overlay = masks.wait_for(), overlays.wait_for()
    assert mask.format == 'mono8; png compressed'
    labels = cv2.imdecode(np.frombuffer(mask.data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert (labels == stripes_labels((64, 64))).all()
    assert overlay.format == 'rgb8; jpeg compressed bgr8'
    blended = cv2.imdecode(np.frombuffer(overlay.data, np.uint8), cv2.IMREAD_COLOR)
    # Half blue, half the colour of the class.
    assert np.abs(blended[4, 4].astype(int) - (127, 0, 64)).max() < 8
    assert overlay.header == mask.header == header()


@pytest.mark.parametrize('suffix', ['.png', '.jpg'])
def test_compressed_images_are_taken_where_asked_for(ros, segmentation, suffix):
    segmentation(image_transport='compressed')
    masks = ros.listen(Image, 'segmentation/mask')
    data = cv2.imencode(suffix, stripes_bgr())[1].tobytes()
    images = ros.publisher(CompressedImage, 'image_raw/compressed')
    images.publish(bytes_to_compressed(data, suffix[1:], header()))
    assert (pixels(masks.wait_for()) == stripes_labels()).all()


@pytest.mark.parametrize(
    'rule',
    ['image_raw:=/front/image', 'image_raw/compressed:=/front/image/compressed'],
)
def test_compressed_topics_follow_a_remapping(ros, segmentation, rule):
    segmentation(['-r', rule, '-r', '~/mask:=/labels'], image_transport='compressed')
    masks = ros.listen(CompressedImage, '/labels/compressed')
    data = cv2.imencode('.png', stripes_bgr())[1].tobytes()
    images = ros.publisher(CompressedImage, '/front/image/compressed')
    images.publish(bytes_to_compressed(data, 'png', header()))
    assert masks.wait_for().header == header()


def test_the_newest_image_wins_and_the_others_count_as_dropped(ros, segmentation, monkeypatch):
    entered, free = threading.Semaphore(0), threading.Semaphore(0)
    infer = OnnxRuntime._infer

    def wait(self, batch, confidence):
        entered.release()
        free.acquire()
        return infer(self, batch, confidence)

    node = segmentation(start_enabled=False)
    masks = ros.listen(Image, 'segmentation/mask')
    stats = ros.listen(InferenceStats, 'segmentation/stats')
    images = ros.publisher(Image, 'image_raw')
    monkeypatch.setattr(OnnxRuntime, '_infer', wait)
    enable(ros, True)
    record = node._session.cameras[''].record
    try:
        images.publish(solid(RED, 1))
        assert entered.acquire(timeout=message_limit_s())
        for seconds in (2, 3, 4):
            images.publish(solid(BLUE, seconds))
            ros.wait_until(
                lambda s=seconds: record.snapshot(0.0).frames_received == s, 'the image'
            )
        # The device takes longer than was expected when the second image was prepared.
        time.sleep(0.5)
    finally:
        free.release(10)
    masks.wait_for(lambda m: m.header.stamp.sec == 1)
    assert masks.wait_for().header.stamp.sec == 4
    last = stats.wait_for(lambda s: s.header.stamp.sec == 4)
    assert (last.frames_received, last.frames_dropped, last.frames_published) == (4, 2, 2)


def test_stats_tell_what_a_frame_cost_and_what_it_shows(ros, segmentation):
    segmentation()
    inbox = ros.listen(InferenceStats, 'segmentation/stats')
    images = ros.publisher(Image, 'image_raw')
    now = ros.probe.get_clock().now().to_msg()
    images.publish(array_to_image(stripes_bgr(), 'bgr8', Header(stamp=now, frame_id='c')))
    stats = inbox.wait_for()
    assert (stats.header.frame_id, stats.camera, stats.batch_size) == ('c', '', 1)
    assert (stats.runtime, stats.precision) == ('onnxruntime', 'fp32')
    assert (stats.frames_received, stats.frames_published, stats.frames_failed) == (1, 1, 0)
    assert list(stats.class_ids) == [BLUE, RED]
    assert list(stats.class_fractions) == [0.5, 0.5]
    parts = [stats.convert_s, stats.prepare_s, stats.inference_s, stats.finish_s]
    assert all(part >= 0.0 for part in parts)
    assert sum(parts) <= stats.latency_s < stats.age_s < 20.0
    assert np.isnan(stats.output_rate_hz)  # one frame has no rate
    assert np.isnan(stats.input_rate_hz)


def test_an_image_without_a_stamp_has_no_age(ros, segmentation):
    segmentation()
    inbox = ros.listen(InferenceStats, 'segmentation/stats')
    message = solid(RED, 0)
    message.header.stamp.nanosec = 0
    ros.publisher(Image, 'image_raw').publish(message)
    stats = inbox.wait_for()
    assert np.isnan(stats.age_s)
    assert stats.header.stamp.sec == stats.header.stamp.nanosec == 0


@pytest.mark.parametrize(('sec', 'nanosec'), [(-5, 0), (2**31 - 1, 2**32 - 1)])
def test_a_stamp_that_no_clock_gives_is_copied_all_the_same(ros, segmentation, sec, nanosec):
    segmentation()
    masks = ros.listen(Image, 'segmentation/mask')
    message = solid(RED, sec)
    message.header.stamp.nanosec = nanosec
    ros.publisher(Image, 'image_raw').publish(message)
    assert masks.wait_for().header == message.header


def test_ages_are_by_simulated_time_where_that_is_used(ros, segmentation):
    segmentation(use_sim_time=True)
    inbox = ros.listen(InferenceStats, 'segmentation/stats')
    images = ros.publisher(Image, 'image_raw')
    images.publish(solid(RED, 100))
    assert np.isnan(inbox.wait_for().age_s)  # simulated time has not begun
    clock = ros.publisher(Clock, '/clock')
    message = Clock()
    message.clock.sec, message.clock.nanosec = 103, 500
    for _ in range(1000):
        clock.publish(message)
        images.publish(solid(RED, 100))
        age_s = inbox.wait_for().age_s
        if not np.isnan(age_s):
            break
    assert age_s == pytest.approx(3.0)


def test_two_cameras_share_a_batch_and_keep_their_topics_apart(ros, segmentation):
    segmentation(cameras=['front', 'rear'], start_enabled=False)
    inboxes = {c: ros.listen(Image, f'segmentation/{c}/mask') for c in ('front', 'rear')}
    stats = ros.listen(InferenceStats, 'segmentation/front/stats')
    publishers = {c: ros.publisher(Image, f'{c}/image_raw') for c in ('front', 'rear')}
    enable(ros, True)
    for seconds in range(1, 1000):
        publishers['front'].publish(solid(RED, seconds, (16, 32)))
        publishers['rear'].publish(solid(GREEN, seconds, (48, 64)))
        masks = {
            c: inbox.wait_for(lambda m, s=seconds: m.header.stamp.sec == s)
            for c, inbox in inboxes.items()
        }
        last = stats.wait_for(lambda s, wanted=seconds: s.header.stamp.sec == wanted)
        assert last.camera == 'front'
        assert (pixels(masks['front']) == RED).all()
        assert (pixels(masks['rear']) == GREEN).all()
        assert (masks['rear'].height, masks['rear'].width) == (48, 64)
        if last.batch_size == 2:
            break
    assert last.batch_size == 2


def test_one_cameras_broken_image_does_not_cost_the_other_its_mask(ros, segmentation):
    node = segmentation(cameras=['front', 'rear'], roi=[0, 0, 20, 10])
    masks = ros.listen(Image, 'segmentation/rear/mask')
    front = ros.publisher(Image, 'front/image_raw')
    rear = ros.publisher(Image, 'rear/image_raw')
    for seconds in range(1, 50):
        broken = solid(RED, seconds)
        broken.data = array.array('B', bytes(5))
        front.publish(broken)
        rear.publish(solid(GREEN, seconds))
        masks.wait_for(lambda m, s=seconds: m.header.stamp.sec == s)
    record = node._session.cameras['front'].record.snapshot(0.0)
    assert record.frames_published == 0
    assert record.frames_failed > 0


def test_images_that_cannot_be_used_are_counted_and_the_next_one_is_segmented(
    ros, segmentation, capfd
):
    node = segmentation()
    masks = ros.listen(Image, 'segmentation/mask')
    stats = ros.listen(InferenceStats, 'segmentation/stats')
    images = ros.publisher(Image, 'image_raw')
    record = node._session.cameras[''].record
    short, unknown, empty = solid(RED, 1), solid(RED, 2), Image(encoding='bgr8')
    short.data = short.data[:100]
    unknown.encoding = '32FC1'
    for count, broken in enumerate((short, unknown, empty), 1):
        images.publish(broken)
        ros.wait_until(lambda c=count: record.snapshot(0.0).frames_failed == c, 'the failure')
    assert '/image_raw: bgr8 image' in ''.join(capfd.readouterr())
    images.publish(solid(GREEN, 4))
    assert masks.wait_for().header.stamp.sec == 4
    last = stats.wait_for()
    assert (last.frames_failed, last.frames_published) == (3, 1)


def test_images_behind_a_covered_lens_get_no_mask_and_are_told(ros, segmentation):
    segmentation(min_contrast=SegmentationNodeSettings().min_contrast)
    masks = ros.listen(Image, 'segmentation/mask')
    statuses = StatusReader(ros)
    images = ros.publisher(Image, 'image_raw')
    images.publish(solid(BLUE, 1))
    status = statuses.wait_for('segmentation: input', ERROR, 'is the lens covered')
    assert values(status)['frames_failed'] == '1'
    images.publish(array_to_image(stripes_bgr(), 'bgr8', header(2)))
    assert masks.wait_for().header.stamp.sec == 2, 'the first mask is of the image that shows'
    assert set_parameter(ros, 'min_contrast', 0).successful
    images.publish(solid(BLUE, 3))
    masks.wait_for(lambda m: m.header.stamp.sec == 3)


@pytest.mark.parametrize('error', [InferenceError('out of memory'), MemoryError('no memory')])
def test_a_failing_runtime_does_not_end_the_node(ros, segmentation, monkeypatch, error):
    node = segmentation()
    masks = ros.listen(Image, 'segmentation/mask')
    images = ros.publisher(Image, 'image_raw')

    def fail(self, batch, confidence):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(OnnxRuntime, '_infer', fail)
        for count in (1, 2):
            images.publish(solid(RED, count))
            ros.wait_until(
                lambda c=count: node._session.cameras[''].record.snapshot(0.0).frames_failed == c,
                'the failure',
            )
    images.publish(solid(GREEN, 3))
    assert masks.wait_for().header.stamp.sec == 3


def test_optional_outputs_cost_nothing_while_nobody_listens(ros, segmentation, monkeypatch):
    segmentation()
    called = []
    for name in ('encode_png', 'encode_jpeg', 'color_mask', 'blend_overlay', 'class_shares'):
        path = f'espnet_ros.nodes.segmentation.camera.outputs.{name}'
        monkeypatch.setattr(path, lambda *a, n=name, **k: called.append(n))
    infer, asked = OnnxRuntime._infer, []

    def watch(self, batch, confidence):
        asked.append(confidence)
        return infer(self, batch, confidence)

    monkeypatch.setattr(OnnxRuntime, '_infer', watch)
    masks = ros.listen(Image, 'segmentation/mask')
    images = ros.publisher(Image, 'image_raw')
    for seconds in (1, 2):
        images.publish(solid(RED, seconds))
        masks.wait_for(lambda m, s=seconds: m.header.stamp.sec == s)
    assert called == []
    assert asked
    assert not any(asked)


def test_enable_says_what_changed_and_waits_for_the_frame_in_flight(
    ros, segmentation, monkeypatch
):
    entered, free = threading.Event(), threading.Event()
    infer = OnnxRuntime._infer

    def wait(self, batch, confidence):
        entered.set()
        free.wait()
        return infer(self, batch, confidence)

    segmentation()
    masks = ros.listen(Image, 'segmentation/mask')
    images = ros.publisher(Image, 'image_raw')
    monkeypatch.setattr(OnnxRuntime, '_infer', wait)
    images.publish(solid(RED, 1))
    entered.wait()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(enable, ros, False)
        assert not answer.done()
        free.set()
        assert answer.result() == SetBool.Response(success=True, message='disabled')
    assert enable(ros, False).message == 'already disabled'
    masks.wait_for(lambda m: m.header.stamp.sec == 1)
    images.publish(solid(RED, 2))
    assert enable(ros, True).message == 'enabled'
    images.publish(solid(RED, 3))
    assert masks.wait_for(lambda m: m.header.stamp.sec != 2).header.stamp.sec == 3


def test_live_changes_show_in_the_next_mask(ros, segmentation):
    segmentation()
    masks = ros.listen(Image, 'segmentation/mask')
    images = ros.publisher(Image, 'image_raw')
    assert set_parameter(ros, 'mask_size', '8,16').successful
    images.publish(solid(RED, 1))
    mask = masks.wait_for()
    assert (mask.height, mask.width) == (8, 16)
    assert set_parameter(ros, 'label_groups', 'warm=red; cold=blue').successful
    assert set_parameter(ros, 'roi', [0, 0, 32, 8]).successful
    images.publish(solid(RED, 2))
    mask = masks.wait_for()
    assert pixels(mask)[0, 0] == 0
    assert pixels(mask)[7, 0] == 255


@pytest.mark.parametrize(
    ('name', 'value', 'words'),
    [
        ('mask_size', 'huge', 'expected image, network or "height,width"'),
        ('roi', [0, 0, 5], r'expected \[x, y, width, height\]'),
        ('label_groups', 'warm=purple', "no class 'purple'; it has blue, green, red"),
        ('unlabelled_id', 1, 'an id without a class (3 to 255)'),
        ('overlay.alpha', 1.5, 'Max: 1.0'),
        ('model', 'other', 'read-only'),
    ],
)
def test_a_refused_change_leaves_the_masks_as_they_were(ros, segmentation, name, value, words):
    segmentation()
    masks = ros.listen(Image, 'segmentation/mask')
    images = ros.publisher(Image, 'image_raw')
    result = set_parameter(ros, name, value)
    assert not result.successful
    assert words.replace('\\', '') in result.reason
    images.publish(array_to_image(stripes_bgr(), 'bgr8', header()))
    assert (pixels(masks.wait_for()) == stripes_labels()).all()


def test_a_rate_limit_can_be_lifted_while_a_frame_waits_for_it(ros, segmentation):
    segmentation(max_rate_hz=0.001)
    masks = ros.listen(Image, 'segmentation/mask')
    images = ros.publisher(Image, 'image_raw')
    images.publish(solid(RED, 1))
    masks.wait_for(lambda m: m.header.stamp.sec == 1)
    images.publish(solid(RED, 2))
    images.publish(solid(RED, 3))
    assert set_parameter(ros, 'max_rate_hz', 0.0).successful
    assert masks.wait_for(lambda m: m.header.stamp.sec == 3)


def test_best_effort_readers_get_masks_and_overrides_change_the_rest(ros, segmentation):
    name = 'qos_overrides./image_raw.subscription.reliability'
    segmentation(['-p', f'{name}:=reliable'])
    masks = ros.listen(Image, 'segmentation/mask', qos_profile_sensor_data)
    images = ros.publisher(Image, 'image_raw')
    (info,) = ros.probe.get_subscriptions_info_by_topic('/image_raw')
    assert info.qos_profile.reliability.name == 'RELIABLE'
    for seconds in range(1, 100):
        images.publish(solid(RED, seconds))
        if masks.messages:
            break
    assert masks.wait_for().header.frame_id == 'camera_optical_frame'
