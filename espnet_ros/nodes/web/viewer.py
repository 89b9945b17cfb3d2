"""A node that shows what other nodes publish, from this machine or another one of the domain."""

from __future__ import annotations

from espnet_ros.monitoring.health import Status
from espnet_ros.nodes.ros.steady_timer import create_steady_timer
from espnet_ros.nodes.web.found_cameras import find_cameras
from espnet_ros.nodes.web.ground_feed import GroundFeed
from espnet_ros.nodes.web.remote_camera import RemoteCamera
from espnet_ros.nodes.web.status_feed import StatusFeed
from espnet_ros.nodes.web.topic_recorder import TopicRecorder
from espnet_ros.web.live_view import LiveView
from rclpy.node import Node

PERIOD_S = 0.25
_LOOK_TICKS = 8
_SAMPLE_TICKS = 4


class ViewerNode(Node):  # type: ignore[misc]
    """
    Shows the cameras of every segmentation node that it sees.

    It only listens. What somebody has to compute for it (masks as PNG, statistics, the free
    ground) is subscribed while a page is open, pictures while somebody looks at that camera.

    :param recorder: writes what comes, or None
    """

    def __init__(
        self, view: LiveView, recorder: TopicRecorder | None = None, **arguments: object
    ) -> None:
        super().__init__('espnet_ros_view', **arguments)
        self._view = view
        self._recorder = recorder
        self._cameras: dict[str, RemoteCamera] = {}
        self._grounds: dict[str, GroundFeed] = {}
        self._statuses = StatusFeed(self, self._is_ours)
        self._ticks = 0
        self._timer = create_steady_timer(self, PERIOD_S, self._tick)

    def close(self) -> None:
        """Listen no more; may be called more than once."""
        self._timer.cancel()

    def _tick(self) -> None:
        if self._ticks % _LOOK_TICKS == 0:
            self._look_around()
        self._statuses.follow(bool(self._cameras))
        for ground in self._grounds.values():
            ground.follow(self._view.has_readers)
        for camera in self._cameras.values():
            camera.follow()
        self._ticks += 1
        if self._ticks % _SAMPLE_TICKS == 0:
            self._show_numbers()

    def _look_around(self) -> None:
        for found in find_cameras(self):
            known = self._cameras.get(found.base)
            if known is None:
                self._view.add_camera(found.name)
                self._cameras[found.base] = RemoteCamera(self, self._view, found)
                namespace = found.node.rpartition('/')[0]
                if self._recorder is not None:
                    self._recorder.follow(self, found.base, f'{namespace}/free_space')
                if namespace not in self._grounds:
                    feed = GroundFeed(self, self._view, f'{namespace}/free_space')
                    self._grounds[namespace] = feed
            elif found.image_topic and not known.found.image_topic:
                known.found = found

    def _show_numbers(self) -> None:
        statuses = self._statuses.statuses()
        self._view.put_statuses(statuses)
        by_name = {status.name: status for status in statuses}
        facts: dict[str, str] = {}
        for camera in self._cameras.values():
            prefix = _status_prefix(camera.found.node)
            camera.put_sample(by_name.get(f'{prefix}device'))
            model: Status | None = by_name.get(f'{prefix}model')
            if model is not None:
                facts |= model.values
        self._view.put_model(facts)

    def _is_ours(self, name: str) -> bool:
        for camera in self._cameras.values():
            free_space = f'{camera.found.node.rpartition("/")[0]}/free_space'
            for node in (camera.found.node, free_space):
                if name.startswith((_status_prefix(node), f'{node}/')):
                    return True
        return False


def _status_prefix(node: str) -> str:
    """Return what the statuses of a node begin with."""
    return f'{node.strip("/").replace("/", " ")}: '
