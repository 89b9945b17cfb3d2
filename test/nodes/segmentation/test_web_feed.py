"""The live view of a running node, in a real browser where one is there."""

from __future__ import annotations

from collections.abc import Callable
import json
from pathlib import Path
import socket
import threading
import time
from typing import Any
from urllib.request import urlopen

import numpy as np
import pytest

pytest.importorskip('aiohttp', reason='the live view needs aiohttp (extra web)')
pytest.importorskip('rclpy', reason='no rclpy')

from chromium import chromium, find_chromium
from diagnostic_msgs.msg import DiagnosticArray
from espnet_ros.nodes.ros.messages.images import array_to_image
from sensor_msgs.msg import Image, LaserScan
from std_msgs.msg import Header
from time_limits import message_limit_s

pytestmark = pytest.mark.slow

RATE_HZ = 20.0


def free_port() -> int:
    with socket.socket() as found:
        found.bind(('127.0.0.1', 0))
        return int(found.getsockname()[1])


class Camera:
    """Publishes images that change, until it dies."""

    def __init__(self, ros: Any) -> None:
        self._ros = ros
        self._publisher = ros.publisher(Image, 'image_raw', 1)
        self._number = 0
        self.live()

    def live(self) -> None:
        self._dead = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def die(self) -> float:
        """End; return when the last image went out, by time.monotonic."""
        self._dead.set()
        self._thread.join()
        return time.monotonic()

    def _run(self) -> None:
        while not self._dead.wait(1 / RATE_HZ):
            self._number += 1
            image = np.zeros((60, 80, 3), np.uint8)
            image[..., 0] = 200
            image[:, : self._number % 80] = (0, 0, 220)
            stamp = self._ros.probe.get_clock().now().to_msg()
            self._publisher.publish(array_to_image(image, 'bgr8', Header(stamp=stamp)))


def test_a_browser_sees_the_node_lose_its_camera_and_get_it_back(
    ros: Any, segmentation: Callable[..., Any], tmp_path: Path
) -> None:
    path = find_chromium()
    if path is None:
        pytest.skip('no chromium here: sudo apt-get install chromium')
    port = free_port()
    segmentation(web__port=port)
    camera = Camera(ros)
    scans = ros.probe.create_publisher(LaserScan, 'free_space/scan', 1)
    try:
        with chromium(path, tmp_path) as browser, browser.page() as page:
            page.resize(1280, 900)
            page.open(f'http://127.0.0.1:{port}/')
            page.wait_for('document.getElementById("empty").hidden')
            before = page.picture_of('#picture')
            page.wait_for('document.querySelectorAll("#legend li").length === 3')
            page.wait_for('document.getElementById("health-words").innerText === "all well"')
            assert page.picture_of('#picture') != before, 'pictures move'
            page.wait_for('document.querySelectorAll(".uplot canvas").length >= 3')
            page.point('#picture', 0.5, 0.5)
            page.wait_for('/^(red|blue) \\d+ %$/.test(document.getElementById("tip").innerText)')
            ros.wait_until(lambda: scans.get_subscription_count() > 0, 'reader of the scan')
            scans.publish(LaserScan(ranges=[5.0, 6.0], range_max=20.0, angle_increment=0.1))
            page.wait_for('!document.getElementById("ground").hidden')
            assert page.console == []
            died_s = camera.die()
            page.wait_for(
                '[...document.querySelectorAll("#statuses summary")].some((line) =>'
                ' line.innerText.startsWith("ERROR") && line.innerText.includes("no image for"))'
            )
            assert time.monotonic() - died_s < 3.0
            camera.live()
            page.wait_for('document.getElementById("health-words").innerText === "all well"')
            assert page.console == []
        ros.wait_until(lambda: scans.get_subscription_count() == 0, 'end of the subscription')
    finally:
        camera.die()


def test_a_page_that_cannot_be_served_ends_nothing_and_is_told(
    ros: Any, segmentation: Callable[..., Any]
) -> None:
    diagnostics = ros.listen(DiagnosticArray, '/diagnostics')
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        segmentation(web__port=int(taken.getsockname()[1]))

        def statuses(message: DiagnosticArray) -> dict[str, str]:
            return {status.name: status.message for status in message.status}

        told = diagnostics.wait_for(
            lambda message: statuses(message).get('segmentation: model') == 'running'
        )
    assert 'set another port' in statuses(told)['segmentation: web']


def test_a_policy_that_hides_others_from_the_page_ends_nothing_and_is_told(
    ros: Any, segmentation: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As SROS 2 does: the middleware refuses what the policy does not allow."""
    diagnostics = ros.listen(DiagnosticArray, '/diagnostics')
    port = free_port()
    node = segmentation(web__port=port)
    subscribe = node.create_subscription

    def refuse(kind: type, topic: str, *arguments: Any, **more: Any) -> Any:
        if topic.startswith('free_space/'):
            raise RuntimeError('could not create data reader')
        return subscribe(kind, topic, *arguments, **more)

    monkeypatch.setattr(node, 'create_subscription', refuse)
    monkeypatch.setenv('ROS_SECURITY_ENABLE', 'true')
    with urlopen(f'http://127.0.0.1:{port}/events', timeout=message_limit_s()):
        told = diagnostics.wait_for(
            lambda message: any(status.name == 'segmentation: web' for status in message.status)
        )
        (message,) = [s.message for s in told.status if s.name == 'segmentation: web']
        assert 'this node alone: could not create data reader; SROS 2 is on' in message
        diagnostics.clear()
        diagnostics.wait_for(limit_s=message_limit_s())


def test_the_address_tells_what_the_node_is_while_it_waits_to_be_configured(
    ros: Any, segmentation: Callable[..., Any]
) -> None:
    port = free_port()
    segmentation(web__port=port, autostart=False)
    with urlopen(f'http://127.0.0.1:{port}/events', timeout=message_limit_s()) as events:
        line = ''
        while not (
            (line.startswith('data: [') and 'segmentation' in line) or 'unconfigured' in line
        ):
            line = events.readline().decode()
    found = {status['name']: status for status in json.loads(line[6:])}
    assert found['model']['level'] == 'WARN'
    assert 'unconfigured' in found['model']['message']


def test_another_machine_shows_what_the_node_publishes(
    ros: Any, segmentation: Callable[..., Any], tmp_path: Path
) -> None:
    """As espnet-ros view --ros --record does, from topics alone."""
    pytest.importorskip('rosbags', reason='recording needs rosbags (extra bag)')
    from espnet_ros.nodes.web.topic_recorder import TopicRecorder
    from espnet_ros.nodes.web.viewer import ViewerNode
    from espnet_ros.recording.bag_file import BagFile
    from espnet_ros.web.live_view import LiveView
    from rosbags.rosbag2 import Reader

    segmentation()
    camera = Camera(ros)
    view = LiveView('ROS 2', ())
    bag = BagFile(tmp_path / 'out.mcap')
    try:
        recorder = TopicRecorder(bag)
        ros.add(ViewerNode(view, recorder, context=ros.context, use_global_arguments=False))
        ros.wait_until(lambda: view.cameras == ('segmentation',), 'the camera')

        def has_frame() -> bool:
            view.watch('segmentation')
            frame = view.newest('segmentation')[1]
            if frame is None or not frame.labels.any():
                return False
            image_bgr, _ = frame.picture()
            # Red in the picture is red in the mask: both are of one moment.
            is_red = image_bgr[:, :, 2] > 100
            return frame.label_set.names[2] == 'red' and (
                abs(float((frame.labels == 2).mean() - is_red.mean())) < 0.05
                and bool(is_red.any())
            )

        ros.wait_until(has_frame, 'a picture with its mask')
        ros.wait_until(
            lambda: (view.sample('segmentation')[0].masks_hz or 0) > 1, 'the numbers of the node'
        )
        ros.wait_until(
            lambda: any(s.name == 'segmentation: input' for s in view.statuses), 'its statuses'
        )
        ros.wait_until(lambda: view.model.get('runtime') == 'onnxruntime', 'its model')
    finally:
        camera.die()
    recorder.stop()
    bag.close()
    with Reader(tmp_path / 'out.mcap') as reader:
        counts = {each.topic: each.msgcount for each in reader.connections}
    names = ('mask', 'overlay/compressed', 'label_set', 'stats')
    assert all(counts.get(f'/segmentation/{name}') for name in names), counts
    assert counts.get('/diagnostics')
