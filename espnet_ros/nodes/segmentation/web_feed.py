"""The live view of the segmentation node: what it is given, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
import time

from espnet_ros.config import WebSettings
from espnet_ros.exceptions import EspnetError
from espnet_ros.monitoring.health import Level, Status
from espnet_ros.nodes.ros.messages.stamps import NS_PER_S, stamp_ns
from espnet_ros.nodes.ros.process.hints import what_to_do
from espnet_ros.nodes.ros.steady_timer import create_steady_timer
from espnet_ros.nodes.segmentation.camera.outputs import SegmentedFrame
from espnet_ros.nodes.segmentation.session import Session
from espnet_ros.nodes.web.ground_feed import GroundFeed
from espnet_ros.nodes.web.status_feed import StatusFeed
from espnet_ros.web.live_view import LiveView
from espnet_ros.web.model_card import model_card
from espnet_ros.web.records import LiveFrame
from espnet_ros.web.sampling import make_sample
from espnet_ros.web.server import WebServer
from rclpy.node import Node

PERIOD_S = 0.25
"""Of statuses and numbers while a page is open; once a second else."""
_RESTING_TICKS = 4
FREE_SPACE = 'free_space'


class WebFeed:
    """
    Serves the live view, whatever state the node is in.

    A page that cannot be served ends nothing else: the log and a status tell why.

    :param node: whose state it shows; made in the thread that spins it
    """

    def __init__(
        self,
        node: Node,
        settings: WebSettings,
        cameras: Sequence[str],
        diagnose: Callable[[], Iterable[Status]],
    ) -> None:
        self._node = node
        self._diagnose = diagnose
        self._session: Session | None = None
        self._ticks = 0
        self._view = LiveView(node.get_name(), cameras)
        self._ground = GroundFeed(node, self._view, FREE_SPACE)
        self._others = StatusFeed(node, self._is_beside)
        self._server: WebServer | None = None
        self.failure = ''
        try:
            self._server = WebServer(self._view, settings.host, settings.port)
        except EspnetError as error:
            self.failure = str(error)
            node.get_logger().error(f'no live view: {error}')
            return
        node.get_logger().info(f'live view: {self._server.address}')
        self._timer = create_steady_timer(node, PERIOD_S, self._tick)

    @property
    def address(self) -> str:
        """Return what to open in a browser, empty where nothing is served."""
        return '' if self._server is None else self._server.address

    def attach(self, session: Session) -> None:
        if self._server is None:
            return
        self._view.put_model(model_card(session.segmenter))
        for name, camera in session.cameras.items():
            camera.outputs.is_probed = partial(self._view.wants_confidence, name)
        session.pipeline.show = self.offer
        self._session = session

    def detach(self) -> None:
        """Let go of the session, which is to be closed."""
        self._session = None

    def offer(self, camera: str, frame: SegmentedFrame, unlabelled_id: int) -> None:
        """Show a frame, if somebody looks; called by the thread that publishes masks."""
        if not self._view.is_watched(camera):
            return
        image_ns = stamp_ns(frame.header.stamp)
        result = frame.result
        self._view.offer(
            camera,
            LiveFrame(
                frame.picture,
                result.labels,
                result.label_set,
                unlabelled_id,
                image_ns / NS_PER_S if image_ns else None,
                result.confidence,
            ),
        )

    def statuses(self) -> Iterator[Status]:
        """Give what is wrong with the live view, if anything is."""
        if self.failure:
            yield Status('web', Level.WARN, self.failure, {})

    def close(self) -> None:
        """End the server; may be called more than once."""
        if self._server is not None:
            self._server.close()

    def _is_beside(self, name: str) -> bool:
        """Return whether a status of /diagnostics is of the free space node beside this one."""
        namespace = self._node.get_namespace()
        full = f'{namespace.rstrip("/")}/{FREE_SPACE}'
        return name.startswith((f'{full.strip("/").replace("/", " ")}: ', f'{full}/'))

    def _tick(self) -> None:
        has_readers = self._view.has_readers
        self._follow(has_readers)
        self._ticks += 1
        if has_readers:
            own = [_without_path(status) for status in self._diagnose()]
            self._view.put_statuses([*own, *self._others.statuses()])
        if self._ticks % _RESTING_TICKS == 0:
            self._put_samples()

    def _follow(self, is_wanted: bool) -> None:
        """Subscribe what is shown of others, until a policy of SROS 2 does not allow it."""
        if self.failure:
            return
        try:
            self._ground.follow(is_wanted)
            self._others.follow(is_wanted)
        except RuntimeError as error:
            self._ground.follow(False)
            self._others.follow(False)
            self.failure = f'the page shows this node alone: {error}{what_to_do(error)}'
            self._node.get_logger().error(self.failure)

    def _put_samples(self) -> None:
        session = self._session
        if session is None:
            return
        power, now_s = session.power.snapshot(), time.monotonic()
        for name, camera in tuple(session.cameras.items()):
            self._view.put_sample(name, make_sample(camera.record.snapshot(now_s), power))


def _without_path(status: Status) -> Status:
    """Return a status without the folders of this machine."""
    path = status.values.get('model_file')
    if not path:
        return status
    return replace(status, values={**status.values, 'model_file': Path(path).name})
