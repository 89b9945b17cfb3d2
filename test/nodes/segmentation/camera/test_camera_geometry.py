"""Each mask goes out with the geometry of its own image, or with none: through real topics."""

import threading

import pytest

pytest.importorskip('rclpy', reason='no rclpy')

from cameras import BLUE, header_at, image_at, info_at, MS, RED, S, stamp_ns_of
from espnet_ros.msg import InferenceStats
from espnet_ros.runtimes.onnxruntime import OnnxRuntime
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from live_settings import set_parameter
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, Image
from status_reader import ERROR, OK, StatusReader
from time_limits import message_limit_s

STATUS = 'segmentation: geometry'
FRAME_NS = 33 * MS


class Rig:
    """A camera, and what its node makes of it."""

    def __init__(self, ros, node):
        self._ros = ros
        self._node = node
        self.masks = ros.listen(Image, 'segmentation/mask', QoSProfile(depth=100))
        self.geometry = ros.listen(CameraInfo, 'segmentation/camera_info', QoSProfile(depth=100))
        self.stats = ros.listen(InferenceStats, 'segmentation/stats', QoSProfile(depth=100))
        self.statuses = StatusReader(ros)
        self.infos = ros.publisher(CameraInfo, 'camera_info')
        self.images = ros.publisher(Image, 'image_raw')

    def publish(self, image, info=None):
        """Publish an image, and its camera_info before it."""
        if info is not None:
            self.infos.publish(info)
        self.images.publish(image)

    def wait_until_received(self, count):
        """Wait until the node has so many images."""
        record = self._node._session.cameras[''].record
        self._ros.wait_until(
            lambda: record.snapshot(0.0).frames_received == count, f'image {count}'
        )

    def send(self, image, info=None):
        """Publish an image, wait until all of its mask is out, and return its geometry."""
        self.publish(image, info)
        stamp_ns = stamp_ns_of(image)
        self.masks.wait_for(lambda m: stamp_ns_of(m) == stamp_ns)
        self.stats.wait_for(lambda m: stamp_ns_of(m) == stamp_ns)  # these come last
        found = [m for m in self.geometry.messages if stamp_ns_of(m) == stamp_ns]
        self.geometry.clear()
        assert len(found) <= 1
        return found[0] if found else None


@pytest.fixture
def rig(ros, segmentation, monkeypatch):
    """Return what starts a node and gives it a camera."""
    monkeypatch.setattr('espnet_ros.nodes.ros.diagnostics.PERIOD_S', 0.1)

    def start(**parameters):
        return Rig(ros, segmentation(**parameters))

    return start


class HeldNetwork:
    """A network that says when an image is in it, and goes on when it is told to."""

    def __init__(self):
        self._entered, self._free = threading.Semaphore(0), threading.Semaphore(0)
        self._is_open = False

    def enter(self):
        self._entered.release()
        if not self._is_open:
            assert self._free.acquire(timeout=60)

    def wait_for_image(self):
        assert self._entered.acquire(timeout=message_limit_s())

    def go_on(self):
        self._free.release()

    def open(self):
        self._is_open = True
        self._free.release()


@pytest.fixture
def hold_network(monkeypatch):
    """Return what holds the network from now on, until the test ends."""
    network, infer = HeldNetwork(), OnnxRuntime._infer

    def held(self, batch, confidence):
        network.enter()
        return infer(self, batch, confidence)

    def hold():
        monkeypatch.setattr(OnnxRuntime, '_infer', held)
        return network

    yield hold
    network.open()


def test_each_mask_has_the_geometry_of_its_own_image_while_the_camera_zooms(
    ros, rig, hold_network
):
    camera = rig()
    network, images = hold_network(), 40
    camera.publish(image_at(FRAME_NS), info_at(FRAME_NS, 101.0))
    for step in range(2, images + 2):
        network.wait_for_image()  # the one before, and meanwhile comes the next one
        camera.publish(image_at(step * FRAME_NS), info_at(step * FRAME_NS, 100.0 + step))
        camera.wait_until_received(step)
        network.go_on()
    ros.wait_until(lambda: len(camera.geometry.messages) == images, 'all geometry')
    found = {stamp_ns_of(m): m.k[0] for m in camera.geometry.messages}
    assert found == {step * FRAME_NS: 100.0 + step for step in range(1, images + 1)}


def test_geometry_is_scaled_to_the_mask_and_has_stamp_and_frame_of_the_mask(rig):
    camera = rig(mask_size='8,16')
    assert camera.send(image_at(S)) is None  # no camera_info is no reason to wait
    info = camera.send(image_at(2 * S), info_at(2 * S, 10.0))
    assert info.header == header_at(2 * S)
    assert (info.width, info.height) == (16, 8)
    assert (info.k[0], info.k[2], info.k[5]) == (5.0, 7.5, 3.5)


def test_a_camera_that_starts_again_with_another_size(rig):
    camera = rig(mask_size='network')
    assert camera.send(image_at(S), info_at(S)) is not None
    # Its camera_info stays as it was.
    for step in range(3):
        stamp_ns = 2 * S + step * 33 * MS
        image = image_at(stamp_ns, size=(24, 32))
        assert camera.send(image, info_at(stamp_ns)) is None
    words = 'camera_info on /camera_info: expected the size of the image, 32x24, found 32x16'
    camera.statuses.wait_for(STATUS, ERROR, words, masks_without_geometry='3')
    # It comes back: exactly this geometry, at once.
    info = camera.send(image_at(3 * S, size=(24, 32)), info_at(3 * S, 55.0, (24, 32)))
    assert info.k[0] == 55.0
    camera.statuses.wait_for(STATUS, OK, 'camera_info of each image')


def test_a_camera_that_starts_again_with_another_size_and_without_camera_info(rig):
    camera = rig(mask_size='network')
    assert camera.send(image_at(S), info_at(S)) is not None
    assert camera.send(image_at(S + 100 * MS, size=(24, 32))) is None
    camera.statuses.wait_for(STATUS, ERROR, 'found 32x16')
    assert camera.send(image_at(9 * S, size=(24, 32))) is None
    camera.statuses.wait_for(STATUS, ERROR, 'camera_info stopped')


def test_camera_info_of_another_frame_is_refused_by_name(rig, capfd):
    camera = rig()
    image = image_at(S, frame_id='front')
    assert camera.send(image, info_at(S, frame_id='rear')) is None
    words = "camera_info on /camera_info: expected the frame of the image, 'front', found 'rear'"
    camera.statuses.wait_for(STATUS, ERROR, words)
    assert f'{words}; ' in ''.join(capfd.readouterr())
    image = image_at(2 * S, frame_id='front')
    assert camera.send(image, info_at(2 * S, frame_id='front')).header.frame_id == 'front'


def test_a_driver_that_stamps_camera_info_before_its_image(ros, rig):
    camera = rig()
    for step in range(1, 5):
        stamp_ns = step * 100 * MS
        info = camera.send(image_at(stamp_ns), info_at(stamp_ns - 5 * MS, 40.0 + step))
        assert info.header == header_at(stamp_ns)
        assert info.k[0] == 40.0 + step
    words = 'camera_info on /camera_info is stamped up to 5.0 ms before its image'
    camera.statuses.wait_for(STATUS, OK, words, camera_info_lag_ms='5.00')
    assert set_parameter(ros, 'camera_info_max_lag_ms', 0.0).successful
    assert camera.send(image_at(S), info_at(S - 5 * MS)) is None
    camera.statuses.wait_for(STATUS, ERROR, '/camera_info')
    assert camera.send(image_at(2 * S), info_at(2 * S)) is not None


def test_camera_info_that_stops(rig):
    camera = rig()
    assert camera.send(image_at(S), info_at(S)) is not None
    assert camera.send(image_at(2 * S)) is not None  # one may be lost
    assert camera.send(image_at(2 * S + 1)) is None
    words = 'camera_info stopped: the last one on /camera_info is 1.000 s older than the image'
    camera.statuses.wait_for(STATUS, ERROR, words, masks_with_geometry='2')


def test_a_camera_without_camera_info_is_no_mistake(rig):
    camera = rig()
    assert camera.send(image_at(S)) is None
    words = 'no camera_info on /camera_info: masks have no geometry'
    camera.statuses.wait_for(STATUS, OK, words, masks_without_geometry='1')


def test_camera_info_from_before_the_stamps_went_back_is_not_used(rig):
    camera = rig()
    assert camera.send(image_at(5 * S), info_at(5 * S)) is not None
    assert camera.send(image_at(1 * S)) is None
    assert camera.send(image_at(5 * S)) is None, 'that is of the run before'
    camera.statuses.wait_for(STATUS, ERROR, 'camera_info stopped')


def test_camera_info_from_before_a_deactivation_is_not_used(ros, rig):
    def change(transition):
        request = ChangeState.Request(transition=Transition(id=transition))
        assert ros.call(ChangeState, 'segmentation/change_state', request).success

    camera = rig()
    assert camera.send(image_at(5 * S), info_at(5 * S)) is not None
    change(Transition.TRANSITION_DEACTIVATE)
    change(Transition.TRANSITION_ACTIVATE)
    ros.wait_until(lambda: camera.images.get_subscription_count() > 0, 'the node')
    assert camera.send(image_at(5 * S + 1)) is None
    camera.statuses.wait_for(STATUS, ERROR, 'camera_info stopped')
    assert camera.send(image_at(6 * S), info_at(6 * S)) is not None


def test_region_and_binning_describe_the_image(rig):
    camera = rig()
    info = info_at(S, 40.0, (64, 128), binning_x=2, binning_y=2)
    info.roi.x_offset, info.roi.y_offset, info.roi.width, info.roi.height = 8, 4, 65, 33
    found = camera.send(image_at(S), info)
    assert (found.width, found.height, found.k[0]) == (32, 16, 20.0)
    assert (found.binning_x, found.roi.width) == (0, 0)


def test_no_mask_or_geometry_waits_for_the_pictures_of_another_camera(
    ros, segmentation, hold_network, monkeypatch
):
    in_overlay, overlay = threading.Semaphore(0), threading.Semaphore(0)

    def slow_overlay(image, *_):
        in_overlay.release()
        assert overlay.acquire(timeout=60)
        return image

    node = segmentation(cameras=['front', 'rear'])
    names = ('front', 'rear')
    masks = {c: ros.listen(Image, f'segmentation/{c}/mask') for c in names}
    geometry = {c: ros.listen(CameraInfo, f'segmentation/{c}/camera_info') for c in names}
    overlays = ros.listen(Image, 'segmentation/front/overlay')
    infos = {c: ros.publisher(CameraInfo, f'{c}/camera_info') for c in names}
    images = {c: ros.publisher(Image, f'{c}/image_raw') for c in names}
    network = hold_network()
    monkeypatch.setattr('espnet_ros.nodes.segmentation.camera.outputs.blend_overlay', slow_overlay)
    images['rear'].publish(image_at(S))
    network.wait_for_image()
    # Both come while the network is busy, so that they make one batch.
    for name, color, count in (('front', RED, 1), ('rear', BLUE, 2)):
        infos[name].publish(info_at(2 * S))
        images[name].publish(image_at(2 * S, color))
        record = node._session.cameras[name].record
        ros.wait_until(lambda r=record, c=count: r.snapshot(0.0).frames_received == c, 'the image')
    try:
        network.open()
        assert in_overlay.acquire(timeout=message_limit_s())
        for name in names:
            for inbox in (masks[name], geometry[name]):
                inbox.wait_for(lambda m: stamp_ns_of(m) == 2 * S, limit_s=10)
        assert not overlays.messages
    finally:
        overlay.release(2)
    overlays.wait_for()
