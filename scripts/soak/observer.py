"""What a soak hears of the nodes: stamps, diagnostics, and answers to what it requests."""

from __future__ import annotations

from collections.abc import Callable
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from espnet_ros.nodes.benchmark.observer import stamp_ns
from lifecycle_msgs.srv import ChangeState
from nav_msgs.msg import OccupancyGrid
from rcl_interfaces.msg import SetParametersResult
from rcl_interfaces.srv import SetParametersAtomically
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Image

from .processes import PauseWatch, slowness

_DEPTH = 100
_ANSWER_LIMIT_S = 60.0
_LONGEST_SPIN_S = 0.1


class SoakObserver(Node):  # type: ignore[misc]
    """
    Listens to images, masks, maps and diagnostics; pixels stay undecoded, so that it keeps up.

    :ivar image_stamps_ns: of every image that was heard
    :ivar mask_stamps_ns: of every mask, in the order of arrival
    :ivar map_count: maps of the free space node
    :ivar watch: notices when this process itself was paused
    """

    def __init__(self) -> None:
        super().__init__('soak_observer')
        self.image_stamps_ns: set[int] = set()
        self.mask_stamps_ns: list[int] = []
        self.map_count = 0
        self.watch = PauseWatch()
        self._worst_input = DiagnosticStatus.OK
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self)
        self._listen(Image, 'image_raw', lambda data: self.image_stamps_ns.add(stamp_ns(data)))
        self._listen(
            Image, 'segmentation/mask', lambda data: self.mask_stamps_ns.append(stamp_ns(data))
        )
        self._listen(OccupancyGrid, 'free_space/costmap', self._count_map)
        self.create_subscription(
            DiagnosticArray, '/diagnostics', self._judge, QoSProfile(depth=_DEPTH)
        )
        self._transitions = self.create_client(ChangeState, 'segmentation/change_state')
        self._settings = self.create_client(
            SetParametersAtomically, 'segmentation/set_parameters_atomically'
        )

    def spin_until(self, is_done: Callable[[], bool], limit_s: float) -> bool:
        """Listen until something is so or the time is up; return whether it is."""
        end_s = time.monotonic() + limit_s
        while not (done := is_done()) and (left_s := end_s - time.monotonic()) > 0:
            self._executor.spin_once(min(left_s, _LONGEST_SPIN_S))
            if self.watch.look():
                end_s = time.monotonic() + limit_s
        return done

    def wait_for(self, is_done: Callable[[], bool], limit_s: float) -> bool:
        """
        Listen until something is so; return whether it came to be.

        :param limit_s: on a machine with nothing beside; longer where others want its cores
        """
        return self.spin_until(is_done, limit_s * slowness())

    def rest(self, seconds: float) -> None:
        """Listen for some time."""
        self.spin_until(lambda: False, seconds)

    def hears_masks(self, limit_s: float, count: int = 5) -> bool:
        """Wait for masks that come from now on; return whether they came."""
        before = len(self.mask_stamps_ns)
        return self.wait_for(lambda: len(self.mask_stamps_ns) >= before + count, limit_s)

    def hears_maps(self, limit_s: float) -> bool:
        """Wait for a map that comes from now on; return whether one came."""
        before = self.map_count
        return self.wait_for(lambda: self.map_count > before, limit_s)

    def hears_of_trouble(self, limit_s: float) -> bool:
        """Wait for diagnostics that say that the node's images are missing."""
        self._worst_input = DiagnosticStatus.OK
        return self.wait_for(lambda: self._worst_input != DiagnosticStatus.OK, limit_s)

    def change_state(self, transition: int) -> bool:
        """Request a transition of the segmentation node; return whether it was made."""
        request = ChangeState.Request()
        request.transition.id = transition
        answer = self._call(self._transitions, request)
        return answer is not None and bool(answer.success)

    def set_parameters(self, **values: object) -> SetParametersResult | None:
        """Request new values, a double underscore for each dot; None where nobody answers."""
        parameters = [
            Parameter(name.replace('__', '.'), value=value).to_parameter_msg()
            for name, value in values.items()
        ]
        answer = self._call(self._settings, SetParametersAtomically.Request(parameters=parameters))
        return None if answer is None else answer.result

    def close(self) -> None:
        """Listen no more."""
        self._executor.shutdown()
        self.destroy_node()

    def _call(self, client: Any, request: object) -> Any:
        if not self.wait_for(client.service_is_ready, _ANSWER_LIMIT_S):
            return None
        future = client.call_async(request)
        self.wait_for(future.done, _ANSWER_LIMIT_S)
        return future.result() if future.done() else None

    def _listen(self, kind: type, topic: str, take: Callable[[bytes], Any]) -> None:
        self.create_subscription(kind, topic, take, QoSProfile(depth=_DEPTH), raw=True)

    def _count_map(self, _: bytes) -> None:
        self.map_count += 1

    def _judge(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name.startswith('segmentation: input'):
                self._worst_input = max(self._worst_input, status.level)
