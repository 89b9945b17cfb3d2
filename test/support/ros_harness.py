"""
A ROS of its own for every test: own context, own domain, real nodes in real threads.

Nothing here sleeps to synchronise: tests wait for messages, with a limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
import os
import random
import socket
import threading
from typing import Any, TypeVar

# Message fields are checked on assignment only where this is set before the first message.
os.environ['ROS_PYTHON_CHECK_FIELDS'] = '1'
os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'

import pytest
from time_limits import message_limit_s

try:
    import espnet_ros.msg  # noqa: F401
    from espnet_ros.nodes.ros.process.runner import Spinner
    import rclpy
    from rclpy.context import Context
    from rclpy.node import Node
    from rclpy.parameter import Parameter
    from rclpy.qos import QoSProfile
    from rclpy.signals import SignalHandlerOptions

    MISSING = ''
except ImportError as error:
    MISSING = f'no ROS ({error}): source one, or run make setup'

NodeT = TypeVar('NodeT')

PROCESSES = 4.0
"""The patience of tests that start processes of nodes, which import for seconds."""


class Inbox:
    """
    The messages that came on one topic.

    :param first_limit_s: tells how long the first message may take, whose node may still start;
        those after it have the usual limit
    """

    def __init__(self, first_limit_s: Callable[[], float] = message_limit_s) -> None:
        self.messages: list[Any] = []
        self._limit_s = first_limit_s
        self._arrived = threading.Condition()

    def put(self, message: Any) -> None:
        """Take a message; the subscription's callback."""
        with self._arrived:
            self._limit_s = message_limit_s
            self.messages.append(message)
            self._arrived.notify_all()

    def wait_for(
        self, wanted: Callable[[Any], bool] = lambda _: True, limit_s: float | None = None
    ) -> Any:
        """Return the first message that is wanted, and forget it and those before it."""
        limit_s = self._limit_s() if limit_s is None else limit_s

        def find() -> int | None:
            return next((i for i, m in enumerate(self.messages) if wanted(m)), None)

        with self._arrived:
            if not self._arrived.wait_for(lambda: find() is not None, limit_s):
                last = self.messages[-1] if self.messages else None
                pytest.fail(
                    f'no such message within {limit_s:.1f} s among {len(self.messages)}: {last}'
                )
            index = find()
            message = self.messages[index]
            del self.messages[: index + 1]
            return message

    def clear(self) -> None:
        """Forget every message."""
        with self._arrived:
            self.messages.clear()


class Ros:
    """
    A context, an executor that spins in threads, and a node to talk with.

    :ivar patience: how many times the usual limit the first message of a topic, or an answer,
        may take
    """

    def __init__(self, domain_id: int) -> None:
        self.domain_id = domain_id
        self.patience = 1.0
        self.context = Context()
        rclpy.init(
            context=self.context,
            domain_id=domain_id,
            args=[],
            signal_handler_options=SignalHandlerOptions.NO,
        )
        self._spinner = Spinner(self.context)
        self._nodes: list[Node] = []
        self.probe = self.add(Node('probe', context=self.context, use_global_arguments=False))
        self._spinner.start()

    def add(self, node: NodeT) -> NodeT:
        """Spin a node until the test ends; then close and destroy it."""
        self._nodes.append(node)
        self._spinner.executor.add_node(node)
        return node

    def start(
        self, kind: Callable[..., NodeT], values: Mapping[str, Any], arguments: Sequence[str] = ()
    ) -> NodeT:
        """
        Make a node and spin it.

        :param values: of its parameters
        :param arguments: as those after ``--ros-args``
        """
        return self.add(
            kind(
                context=self.context,
                use_global_arguments=False,
                cli_args=['--ros-args', *arguments],
                parameter_overrides=[Parameter(n, value=value) for n, value in values.items()],
            )
        )

    def listen(self, message_type: type, topic: str, qos: QoSProfile | int = 10) -> Inbox:
        """Subscribe a topic."""
        inbox = Inbox(self._limit_s)
        self.probe.create_subscription(message_type, topic, inbox.put, qos)
        return inbox

    def publisher(self, message_type: type, topic: str, qos: QoSProfile | int = 10) -> Any:
        """Return a publisher that somebody listens to."""
        publisher = self.probe.create_publisher(message_type, topic, qos)
        self.wait_until(lambda: publisher.get_subscription_count() > 0, f'reader of {topic}')
        return publisher

    def call(self, service_type: type, name: str, request: Any) -> Any:
        """Call a service and return its response."""
        client = self.probe.create_client(service_type, name)
        assert client.wait_for_service(self._limit_s()), f'no service {name}'
        done = threading.Event()
        future = client.call_async(request)
        future.add_done_callback(lambda _: done.set())
        assert done.wait(self._limit_s()), f'no answer from {name}'
        return future.result()

    def wait_until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for what no message tells, as a match of publisher and subscription."""
        limit = threading.Event()
        limit_s = self._limit_s()
        timer = threading.Timer(limit_s, limit.set)
        timer.start()
        try:
            while not condition():
                assert not limit.wait(0.01), f'{what} did not come within {limit_s:.1f} s'
        finally:
            timer.cancel()

    def close(self) -> None:
        """Destroy the nodes and end the threads, whatever a callback raised."""
        with ExitStack() as stack:
            stack.callback(self.context.try_shutdown)
            for node in self._nodes:
                stack.callback(node.destroy_node)
                stack.callback(getattr(node, 'close', lambda: None))
            stack.callback(self._spinner.stop)
            for node in self._nodes:
                stack.callback(getattr(node, 'interrupt', lambda: None))

    def _limit_s(self) -> float:
        return self.patience * message_limit_s()


@pytest.fixture
def ros_domain() -> Iterator[int]:
    """Return a domain that no other test of this machine uses at the moment."""
    if MISSING:
        pytest.skip(MISSING)
    numbers = list(range(1, 100))
    random.shuffle(numbers)
    for number in numbers:
        with socket.socket() as claim:
            try:
                claim.bind(('127.0.0.1', 22100 + number))
            except OSError:
                continue
            yield number
            return
    pytest.fail('no free ROS domain')


@pytest.fixture
def ros(ros_domain: int) -> Iterator[Ros]:
    """Return a ROS of the test's own."""
    harness = Ros(ros_domain)
    try:
        yield harness
    finally:
        harness.close()
