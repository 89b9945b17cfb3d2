"""A stand-in for tf2_ros, of which no wheel exists: stamped transforms, interpolated."""

from __future__ import annotations

from importlib.machinery import ModuleSpec
import math
import threading
import types

from geometry_msgs.msg import TransformStamped
import numpy as np

from .scene import OPTICAL, STREET


class TransformException(Exception):  # noqa: N818  (its name in tf2_ros)
    """A transform that is not there."""


class LookupException(TransformException):
    """A frame is not in the tree."""


class ConnectivityException(TransformException):
    """Two frames are in the tree, and no chain of transforms between them."""


class ExtrapolationException(TransformException):
    """The transforms between two frames are of other times."""


class InvalidArgumentException(TransformException):
    """A name that no frame can have."""


class Buffer:
    """Answers lookups of one transform each, as tf2_ros' buffer does."""

    def __init__(self, tree):
        self._tree = tree
        self._moving = {}
        tree.buffers.append(self)

    def set_transform(self, pair, stamp_ns, values):
        """Take a transform of a time."""
        with self._tree.lock:
            self._moving.setdefault(pair, {})[stamp_ns] = values

    def clear(self):
        """Forget all but static transforms."""
        with self._tree.lock:
            self._moving.clear()
            self._tree.cleared += 1

    def lookup_transform(self, target, source, time):
        """Return a transform at a time; 0 is the newest."""
        with self._tree.lock:
            return _message(self._find((target, source), time.nanoseconds))

    def _find(self, pair, stamp_ns):
        known = {**self._tree.static, **self._moving}
        if pair[1].startswith('/'):
            raise InvalidArgumentException('frame_ids cannot start with a "/"')
        for name in pair:
            if not any(name in other for other in known):
                raise LookupException(f'"{name}" does not exist')
        if pair not in known:
            raise ConnectivityException('not part of the same tree')
        if pair in self._tree.static:
            return self._tree.static[pair]
        stamps = sorted(known[pair])
        if not stamps[0] <= stamp_ns <= stamps[-1]:
            way = 'future' if stamp_ns > stamps[-1] else 'past'
            raise ExtrapolationException(f'Lookup would require extrapolation into the {way}')
        after = next(i for i, stamp in enumerate(stamps) if stamp >= stamp_ns)
        if stamps[after] == stamp_ns:
            return known[pair][stamp_ns]
        first, second = stamps[after - 1], stamps[after]
        share = (stamp_ns - first) / (second - first)
        return tuple(
            tuple(np.add(np.multiply(a, 1 - share), np.multiply(b, share)))
            for a, b in zip(known[pair][first], known[pair][second], strict=True)
        )


class Tree:
    """What is published on /tf and /tf_static, and the module that a node finds."""

    def __init__(self):
        self.lock = threading.RLock()
        self.static = {}
        self.buffers = []
        self.listeners = 0
        self.cleared = 0
        self.module = types.ModuleType('tf2_ros')
        self.module.__spec__ = ModuleSpec('tf2_ros', None)
        for kind in (
            TransformException,
            LookupException,
            ConnectivityException,
            ExtrapolationException,
            InvalidArgumentException,
        ):
            setattr(self.module, kind.__name__, kind)
        self.module.Buffer = lambda: Buffer(self)
        self.module.TransformListener = self._listen

    def send(self, target, source, stamp, values):
        """Publish a transform of a time to every buffer that listens."""
        for buffer in self.buffers:
            buffer.set_transform((target, source), stamp.sec * 10**9 + stamp.nanosec, values)

    def _listen(self, buffer, node):
        self.listeners += 1

        def unregister():
            self.listeners -= 1
            self.buffers.remove(buffer)

        return types.SimpleNamespace(unregister=unregister)


def mount(height_m=STREET.camera.height_m):
    """Return the transform from the optical frame to base_link: translation and quaternion."""
    half = STREET.camera.pitch_rad / 2
    # Pitch about y, after the turn from the optical frame.
    w, x, y, z = 0.5, -0.5, 0.5, -0.5
    c, s = math.cos(half), math.sin(half)
    turned = (c * x + s * z, c * y + s * w, c * z - s * x, c * w - s * y)
    return (0.0, 0.0, height_m), turned


def place(x_m, y_m=0.0):
    """Return the robot's place in the odometry frame: translation and quaternion."""
    return (x_m, y_m, 0.0), (0.0, 0.0, 0.0, 1.0)


CAMERA = ('base_link', OPTICAL)
ROBOT = ('odom', 'base_link')


def _message(values):
    found = TransformStamped()
    shift, turn = found.transform.translation, found.transform.rotation
    shift.x, shift.y, shift.z = (float(v) for v in values[0])
    turn.x, turn.y, turn.z, turn.w = (float(v) for v in values[1])
    return found
