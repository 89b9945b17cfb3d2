"""Running a node as a process: spin until asked to end, then end in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
import signal
import threading
from typing import Any, Protocol

from espnet_ros.exceptions import EspnetError
import rclpy
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
from rclpy.logging import get_logger
from rclpy.signals import SignalHandlerOptions
import rclpy.task
from rclpy.utilities import get_default_context

THREADS = 4
"""Parameters and lifecycle, images, diagnostics, enable: none waits for another."""

END_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class ClosableNode(Protocol):
    """A node that ends its threads and frees what it holds."""

    def close(self) -> None:
        """End; may be called more than once."""

    def destroy_node(self) -> None:
        """Take the node out of the graph."""


class Spinner:
    """
    Spins nodes in threads of its own, and ends without breaking off a callback.

    :param context: of the nodes; None is the default one
    """

    def __init__(self, context: Context | None = None) -> None:
        self.executor = MultiThreadedExecutor(num_threads=THREADS, context=context)
        self._stop = rclpy.task.Future()
        self._thread = ThreadPoolExecutor(1, 'spin')

    def start(self, when_ended: Callable[[], None] = lambda: None) -> None:
        """
        Begin to spin.

        :param when_ended: is called when spinning ends, for whatever reason
        """
        self._spinning: Future[Any] = self._thread.submit(
            self.executor.spin_until_future_complete, self._stop
        )
        self._spinning.add_done_callback(lambda _: when_ended())

    def stop(self) -> None:
        """Let the callbacks that run finish, and end; raise what a callback raised."""
        self._stop.set_result(None)
        self._thread.shutdown()
        # The executor's own shutdown frees what its callbacks use, and waits for them then.
        pool = getattr(self.executor, '_executor', None)
        if pool is not None:
            pool.shutdown()
        self.executor.shutdown()
        error = self._spinning.exception()
        if error is not None and not isinstance(error, ExternalShutdownException):
            raise error


def run_node(
    make_node: Callable[[Callable[[int], None]], ClosableNode],
    name: str,
    arguments: Sequence[str] | None = None,
) -> int:
    """
    Run a node until SIGINT or SIGTERM, or until it ends by itself.

    rclpy's own signal handlers shut ROS down under a working node, whose threads then fail
    to publish. Here the signal wakes this thread, the node ends its work, and ROS comes last.

    :param make_node: builds the node; it is given what the node calls with an exit code to end
        by itself
    :param name: of the node, for messages
    :param arguments: the command line; None takes that of the process
    :return: the exit code: 0 ended when asked to, 1 it could not start, else the node's own
    """
    ended = threading.Event()
    exit_codes = [0]

    def end(exit_code: int) -> None:
        exit_codes.append(exit_code)
        ended.set()

    for number in END_SIGNALS:
        signal.signal(number, lambda *_: ended.set())
    try:
        rclpy.init(
            args=None if arguments is None else list(arguments),
            signal_handler_options=SignalHandlerOptions.NO,
        )
        node = make_node(end)
    except (EspnetError, RuntimeError, ValueError) as error:  # rclpy's errors are the latter
        get_logger(name).fatal(' '.join(str(error).split()))
        rclpy.try_shutdown()
        return 1
    spinner = Spinner()
    spinner.executor.add_node(node)
    spinner.start(when_ended=ended.set)
    ended.wait()
    # What takes minutes in a callback, as building an engine, is not waited for.
    getattr(node, 'interrupt', lambda: None)()
    try:
        spinner.stop()
    finally:
        node.close()
        node.destroy_node()
        # Ctrl-C reaches a launched node twice, from the terminal and from ros2 launch. The second
        # one must not find the default handler, which ROS and Python put back as they end.
        for number in END_SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        # The context alone: rclpy.try_shutdown() would put the default handlers back.
        get_default_context().try_shutdown()
    return exit_codes[-1]
