"""
One thread for ROS, and threads beside it for callbacks that take long.

rclpy's multi-threaded executor costs two thirds of a fast camera's frames, and an entity that is
destroyed while it builds its wait set ends the process (rclpy#1206). Here one thread waits, calls
back and destroys; only callbacks of slow groups run elsewhere.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
import threading
from typing import Any, TypeVar

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from rclpy.context import Context
from rclpy.executors import (
    ConditionReachedException,
    Executor,
    ShutdownException,
    TimeoutException,
)
from rclpy.node import Node

ResultT = TypeVar('ResultT')

_SLOW_THREADS = 8


class SlowCallbackGroup(MutuallyExclusiveCallbackGroup):  # type: ignore[misc]
    """
    Callbacks that may take seconds or minutes, one at a time: building an engine, recovery.

    A :class:`NodeExecutor` runs them beside its thread; any other executor as it runs the rest.
    """


class SlowReentrantCallbackGroup(ReentrantCallbackGroup):  # type: ignore[misc]
    """The same where several may run at once: the state can be read during a transition."""


_SLOW_GROUPS = (SlowCallbackGroup, SlowReentrantCallbackGroup)


class NodeExecutor(Executor):  # type: ignore[misc]
    """
    Runs callbacks in the thread that spins, those of slow groups in threads of their own.

    :param context: of the nodes; None is the default one
    """

    def __init__(self, *, context: Context | None = None) -> None:
        super().__init__(context=context)
        self._slow = ThreadPoolExecutor(_SLOW_THREADS, 'slow_callback')
        self._slow_errors: deque[BaseException] = deque()
        self._calls: deque[Callable[[], None]] = deque()
        self._lock = threading.Lock()
        self._spin_thread: int | None = None

    def spin_until(self, is_stopped: Callable[[], bool]) -> None:
        """
        Run callbacks until told to stop; :meth:`nudge` lets it ask again.

        :raises Exception: what a callback raised
        """
        with self._lock:
            self._spin_thread = threading.get_ident()
        try:
            while self.context.ok() and not is_stopped():
                self.spin_once()
        finally:
            with self._lock:
                self._spin_thread = None
            self._run_calls()

    def spin_once(self, timeout_sec: float | None = None) -> None:
        """
        Wait for one callback and run it, or hand it on where it is slow.

        :param timeout_sec: seconds to wait; None for ever
        """
        if self._slow_errors:
            raise self._slow_errors.popleft()
        try:
            task, entity, _ = self.wait_for_ready_callbacks(timeout_sec=timeout_sec)
        except (ConditionReachedException, ShutdownException, TimeoutException):
            return
        if entity is not None and isinstance(entity.callback_group, _SLOW_GROUPS):
            # One that is handed on twice before it has begun runs once all the same.
            self._slow.submit(self._run_slow, task)
            return
        task()
        error = task.exception()
        if error is not None:
            raise error

    def call(self, function: Callable[[], ResultT]) -> ResultT:
        """
        Run a function in the spinning thread between two callbacks, and return its result.

        What takes entities away goes through here: nobody waits on them then. In the spinning
        thread, or while nothing spins, the function is called at once.
        """
        with self._lock:
            is_elsewhere = self._spin_thread not in (None, threading.get_ident())
            if is_elsewhere:
                result: Future[ResultT] = Future()
                self._calls.append(lambda: _settle(result, function))
        if not is_elsewhere:
            return function()
        self.nudge()
        return result.result()

    def nudge(self) -> None:
        """Let the spinning thread look for calls, and whether it is to stop."""
        self.create_task(self._run_calls)

    def finish_slow(self) -> None:
        """Wait for the slow callbacks that still run, after spinning has ended."""
        self._slow.shutdown()

    def _run_slow(self, task: Any) -> None:
        task()
        error = task.exception()
        if error is not None:
            self._slow_errors.append(error)
            self.nudge()

    def _run_calls(self) -> None:
        while self._calls:
            self._calls.popleft()()


def call_in_spin_thread(node: Node, function: Callable[[], ResultT]) -> ResultT:
    """Run a function where a node's executor waits on nothing; see :meth:`NodeExecutor.call`."""
    executor = node.executor
    return executor.call(function) if isinstance(executor, NodeExecutor) else function()


def _settle(result: Future[ResultT], function: Callable[[], ResultT]) -> None:
    try:
        result.set_result(function())
    except BaseException as error:  # noqa: BLE001  (it is raised where the call came from)
        result.set_exception(error)
