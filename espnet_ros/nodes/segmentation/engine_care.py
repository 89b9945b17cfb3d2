"""What the node does about its engine: watch a build, end it, rebuild it."""

from __future__ import annotations

from collections.abc import Callable
import threading

from espnet_ros.exceptions import EspnetError
from espnet_ros.nodes.ros.process.executor import SlowCallbackGroup
from espnet_ros.nodes.segmentation.session import Session
from espnet_ros.runtimes.build_watch import BuildProgress, BuildWatch
from rclpy.node import Node
from std_srvs.srv import Trigger


class EngineCare:
    """
    Keeps an eye on engine builds, and offers ``~/rebuild_engine``.

    A build takes minutes, and the node goes on with its old engine meanwhile.

    :param session: returns the session of this moment, or None
    :param rebuilt: is called after a new engine took over
    """

    def __init__(
        self, node: Node, session: Callable[[], Session | None], rebuilt: Callable[[], None]
    ) -> None:
        self._node = node
        self._session = session
        self._rebuilt = rebuilt
        self._cancelled = threading.Event()
        self._progress = ''
        self.watch = BuildWatch(self._take, self._cancelled.is_set, self.done)
        self._service = node.create_service(
            Trigger,
            '~/rebuild_engine',
            self._rebuild,
            callback_group=SlowCallbackGroup(),
        )

    @property
    def facts(self) -> dict[str, str]:
        """Return how far a build is, by key; empty while there is none."""
        return {'engine_build': self._progress} if self._progress else {}

    def cancel(self) -> None:
        """End a build that goes on, and every later one: the node ends."""
        self._cancelled.set()

    def done(self) -> None:
        """Forget a build that has ended, however it did."""
        self._progress = ''

    def _take(self, progress: BuildProgress) -> None:
        self._progress = f'building the engine: {progress.words}'

    def _rebuild(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        session = self._session()
        try:
            if session is None:
                response.message = 'the node is not configured; configure it first'
            else:
                response.message = session.rebuild_engine(self.watch)
                response.success = True
                self._rebuilt()
        except EspnetError as error:
            response.message = f'{error}; the old engine keeps running'
        finally:
            self.done()
        log = self._node.get_logger()
        (log.info if response.success else log.error)(f'rebuild_engine: {response.message}')
        return response
