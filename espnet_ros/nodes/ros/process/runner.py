"""Running a node as a process: spin until a signal, then end in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
import signal
import threading
from typing import Any, Protocol
import warnings

from espnet_ros.exceptions import EspnetError
from espnet_ros.nodes.ros.process.executor import NodeExecutor
from espnet_ros.nodes.ros.process.hints import what_to_do
from espnet_ros.nodes.ros.process.memory import keep_freed_memory
import rclpy
from rclpy.context import Context
from rclpy.exceptions import ParameterException
from rclpy.executors import ExternalShutdownException
from rclpy.logging import get_logger
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import get_default_context

END_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_START_ERRORS = (EspnetError, ParameterException, RuntimeError, ValueError)
"""rclpy raises the last three."""


class ClosableNode(Protocol):
    """A node that ends its threads and frees what it holds."""

    def close(self) -> None:
        """End; may be called more than once."""

    def destroy_node(self) -> None:
        """Take the node out of the graph."""


class Spinner:
    """
    Spins nodes in a thread of its own, and ends without breaking off a callback.

    :param context: of the nodes; None is the default one
    """

    def __init__(self, context: Context | None = None) -> None:
        self.executor = NodeExecutor(context=context)
        self._is_stopped = threading.Event()
        self._thread = ThreadPoolExecutor(1, 'spin')

    def start(self, when_ended: Callable[[], None] = lambda: None) -> None:
        """
        Begin to spin.

        :param when_ended: is called when spinning ends, for whatever reason
        """
        self._spinning: Future[None] = self._thread.submit(
            self.executor.spin_until, self._is_stopped.is_set
        )
        self._spinning.add_done_callback(lambda _: when_ended())

    def stop(self) -> None:
        """Let the callbacks that run finish, and end; raise what a callback raised."""
        self._is_stopped.set()
        self.executor.nudge()
        self._thread.shutdown()
        self.executor.finish_slow()
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
    :param arguments: the command line; None takes that of the process
    :return: the exit code: 0 ended by a signal, 1 it could not start, else the node's own
    """
    ended = threading.Event()
    exit_codes = [0]

    def end(exit_code: int) -> None:
        exit_codes.append(exit_code)
        ended.set()

    _handle_signals(lambda *_: ended.set())
    keep_freed_memory()
    # What rclpy warns of where a node cannot be made, beside the error that tells why.
    warnings.filterwarnings('ignore', 'Failed to fini ', RuntimeWarning)
    try:
        given = None if arguments is None else list(arguments)
        rclpy.init(args=given, signal_handler_options=SignalHandlerOptions.NO)
        node = make_node(end)
    except _START_ERRORS as error:
        get_logger(name).fatal(' '.join(f'{error}{what_to_do(error)}'.split()))
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
        _handle_signals(signal.SIG_IGN)
        # The context alone: rclpy.try_shutdown() would put the default handlers back.
        get_default_context().try_shutdown()
    return exit_codes[-1]


def _handle_signals(handler: Any) -> None:
    for number in END_SIGNALS:
        signal.signal(number, handler)
