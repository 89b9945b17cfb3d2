"""What the tests of the free space node send and read: a street, its camera, statuses."""

from __future__ import annotations

import time

from diagnostic_msgs.msg import DiagnosticArray
from espnet_ros.labels import load_label_set
from espnet_ros.msg import LabelSet as LabelSetMessage
from espnet_ros.nodes.ros.messages.images import array_to_image
from espnet_ros.nodes.ros.messages.label_set import make_label_set_message
from espnet_ros.nodes.ros.qos import latched_qos
from espnet_ros.sources.street import StreetSource
from lazy_frame import LazyFrame
import numpy as np
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

SIZE = (270, 480)
STREET = StreetSource(size=SIZE, seed=2)
FRAME = LazyFrame(STREET)
MOUNT = {'mount.height_m': [STREET.camera.height_m], 'mount.pitch_rad': [STREET.camera.pitch_rad]}
OPTICAL = 'camera_optical_frame'
CAMVID = load_label_set('camvid')
ROAD_AHEAD = (slice(98, 103), slice(60, 100))
"""Cells of the default map, (rows, columns): the street's road right ahead."""


def add_seconds(stamp, seconds):
    """Return a stamp some seconds later."""
    total = stamp.sec * 10**9 + stamp.nanosec + int(seconds * 1e9)
    result = type(stamp)()
    result.sec, result.nanosec = divmod(total, 10**9)
    return result


def cells(message):
    """Return the costs of a map, (rows, columns)."""
    return np.array(message.data).reshape(message.info.height, message.info.width)


class Pace:
    """Says when it is time for the next image: of a camera of 20 Hz, on a busy machine too."""

    def __init__(self):
        self._last_s = 0.0

    def is_due(self):
        """Return whether an image is due, and count it as sent."""
        now_s = time.monotonic()
        if now_s - self._last_s < 0.05:
            return False
        self._last_s = now_s
        return True


class Camera:
    """Publishes masks, their meaning and calibrations as a segmentation node does."""

    def __init__(self, ros, name='', label_set=CAMVID):
        prefix = f'{name}/' if name else ''
        self.ros = ros
        self.sent = []
        self.masks = ros.publisher(Image, f'{prefix}mask')
        self.infos = ros.publisher(CameraInfo, f'{prefix}camera_info')
        self.sets = ros.publisher(LabelSetMessage, f'{prefix}label_set', latched_qos())
        if label_set is not None:
            self.mean(label_set)

    def mean(self, label_set, stamp=None, model='some_model', unlabelled_id=255):
        """Tell what the ids mean, of images from a stamp on."""
        header = Header() if stamp is None else Header(stamp=stamp)
        self.sets.publish(make_label_set_message(label_set, model, unlabelled_id, header))

    def header(self, age_s=0.0, frame_id=OPTICAL):
        """Return the header of an image taken some seconds ago."""
        now = self.ros.probe.get_clock().now().to_msg()
        return Header(frame_id=frame_id, stamp=add_seconds(now, -age_s))

    def info(self, header, **changes):
        model = STREET.camera
        k = [model.fx, 0.0, model.cx, 0.0, model.fy, model.cy, 0.0, 0.0, 1.0]
        values = {'height': SIZE[0], 'width': SIZE[1], 'distortion_model': 'plumb_bob', 'k': k}
        return CameraInfo(header=header, d=[0.0] * 5, **{**values, **changes})

    def send(self, labels=None, header=None, **changes):
        header = header or self.header()
        self.infos.publish(self.info(header, **changes))
        self.send_mask(labels, header)
        return header

    def send_mask(self, labels=None, header=None):
        header = header or self.header()
        labels = FRAME.labels if labels is None else labels
        self.masks.publish(array_to_image(labels, 'mono8', header))
        self.sent.append(header.stamp)
        return header

    def send_until(self, inbox, **arguments):
        """Send until something comes out, and return the last that came."""
        pace = Pace()

        def answered():
            if pace.is_due():
                self.send(**arguments)
            return inbox.messages

        self.ros.wait_until(answered, 'output')
        message = inbox.messages[-1]
        assert message.header.stamp in self.sent
        return message


def status_of(ros, name, wanted, send=None):
    """Return the first status of a name that is wanted, sending until it comes."""
    found = []
    full_name = name if name.startswith('/') else f'free_space: {name}'

    def look(message):
        found.extend(s for s in message.status if s.name == full_name and wanted(s))

    # It stays: nothing may be destroyed beside the thread that waits on it.
    ros.probe.create_subscription(DiagnosticArray, '/diagnostics', look, 10)

    pace = Pace()

    def came():
        if send and pace.is_due():
            send()
        return found

    ros.wait_until(came, f'status {name}')
    return found[0]
