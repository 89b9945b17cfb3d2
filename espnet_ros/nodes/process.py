"""Running a node as a process: spin until asked to end, then end in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
import signal
import threading
from typing import Any, Protocol

from espnet_ros.exceptions import EspnetError
import rclpy
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
from rclpy.logging import get_logger
from rclpy.signals import SignalHandlerOptions

THREADS = 4
"""Parameters and lifecycle, images, diagnostics, enable: none waits for another."""


class ClosableNode(Protocol):
    """A node that ends its threads and frees what it holds."""

    def close(self) -> None:
        """End; may be called more than once."""

    def destroy_node(self) -> None:
        """Take the node out of the graph."""


def run_node(
    make_node: Callable[[], ClosableNode], name: str, arguments: Sequence[str] | None = None
) -> int:
    """
    Run a node until SIGINT or SIGTERM.

    rclpy's own signal handlers shut ROS down under a working node, whose threads then fail
    to publish. Here the signal wakes this thread, the node ends its work, and ROS comes last.

    :param make_node: builds the node
    :param name: of the node, for messages
    :param arguments: the command line; None takes that of the process
    :return: the exit code: 0 ended when asked to, 1 it could not start
    """
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        rclpy.init(
            args=None if arguments is None else list(arguments),
            signal_handler_options=SignalHandlerOptions.NO,
        )
        node = make_node()
    except (EspnetError, RuntimeError, ValueError) as error:  # rclpy's errors are the latter
        get_logger(name).fatal(' '.join(str(error).split()))
        rclpy.try_shutdown()
        return 1
    executor = MultiThreadedExecutor(num_threads=THREADS)
    executor.add_node(node)
    try:
        with ThreadPoolExecutor(1, 'spin') as pool:
            spinning = pool.submit(executor.spin)
            spinning.add_done_callback(lambda _: ended.set())
            ended.wait()
            executor.shutdown()
            node.close()
        _raise_unless_shut_down(spinning)
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    return 0


def _raise_unless_shut_down(spinning: Future[Any]) -> None:
    error = spinning.exception()
    if error is not None and not isinstance(error, ExternalShutdownException):
        raise error
