"""What runs where: callbacks in one thread, slow ones beside it, and errors come out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
import threading

import pytest

pytest.importorskip('rclpy', reason='no rclpy')

from espnet_ros.nodes.ros.process.executor import (
    call_in_spin_thread,
    SlowCallbackGroup,
    SlowReentrantCallbackGroup,
)
from espnet_ros.nodes.ros.process.runner import Spinner
import rclpy
from rclpy.context import Context
from rclpy.node import Node
from std_srvs.srv import Trigger

LIMIT_S = 10.0


def offer(ros, name, callback, group=None):
    """Offer a service of a node of its own."""
    node = ros.add(Node(f'{name}_node', context=ros.context, use_global_arguments=False))
    node.create_service(Trigger, name, callback, callback_group=group)
    return node


def answer_with_thread(request, response):
    response.message = threading.current_thread().name
    return response


def test_callbacks_share_one_thread_and_slow_ones_have_others(ros):
    offer(ros, 'quick', answer_with_thread)
    offer(ros, 'other', answer_with_thread)
    offer(ros, 'slow', answer_with_thread, SlowCallbackGroup())
    names = [ros.call(Trigger, n, Trigger.Request()).message for n in ('quick', 'other', 'slow')]
    assert names[0] == names[1]
    assert names[0].startswith('spin')
    assert names[2].startswith('slow_callback')


def hold(ros, name, group):
    """Return a service's release, and the answers to two requests that were sent at once."""
    release, running = threading.Event(), threading.Semaphore(0)

    def wait(request, response):
        running.release()
        release.wait(LIMIT_S)
        return response

    offer(ros, name, wait, group)
    client = ros.probe.create_client(Trigger, name)
    assert client.wait_for_service(LIMIT_S)
    futures = [client.call_async(Trigger.Request()) for _ in range(2)]
    return release, running, futures


def test_a_slow_callback_holds_nothing_up_and_has_its_group_for_itself(ros):
    release, running, futures = hold(ros, 'slow', SlowCallbackGroup())
    assert running.acquire(timeout=LIMIT_S)
    offer(ros, 'quick', answer_with_thread)
    for _ in range(3):
        ros.call(Trigger, 'quick', Trigger.Request())
    assert not running.acquire(blocking=False), 'the second waits for the first'
    release.set()
    ros.wait_until(lambda: all(future.done() for future in futures), 'both answers')


def test_callbacks_of_a_reentrant_slow_group_run_at_once(ros):
    release, running, futures = hold(ros, 'state', SlowReentrantCallbackGroup())
    assert running.acquire(timeout=LIMIT_S)
    assert running.acquire(timeout=LIMIT_S)
    release.set()
    ros.wait_until(lambda: all(future.done() for future in futures), 'both answers')


def test_a_call_runs_in_the_spinning_thread_and_raises_where_it_came_from(ros):
    here = call_in_spin_thread(ros.probe, lambda: threading.current_thread().name)
    assert here.startswith('spin')
    with pytest.raises(ZeroDivisionError):
        call_in_spin_thread(ros.probe, lambda: 1 / 0)
    assert call_in_spin_thread(ros.probe, lambda: 7) == 7, 'it goes on spinning'


def test_a_call_out_of_a_call_and_of_a_node_that_does_not_spin_is_made_at_once(ros):
    def nested():
        return call_in_spin_thread(ros.probe, lambda: threading.current_thread().name)

    assert call_in_spin_thread(ros.probe, nested).startswith('spin')
    idle = Node('idle', context=ros.context, use_global_arguments=False)
    assert call_in_spin_thread(idle, nested_name) == threading.current_thread().name
    idle.destroy_node()


def nested_name():
    return threading.current_thread().name


@pytest.mark.parametrize('group', [None, SlowCallbackGroup])
def test_what_a_callback_raises_ends_spinning_and_comes_out(ros_domain, group):
    context = Context()
    rclpy.init(context=context, domain_id=ros_domain, args=[])
    node = Node('broken', context=context, use_global_arguments=False)
    node.create_timer(0.001, lambda: 1 / 0, callback_group=group and group())
    spinner = Spinner(context)
    ended = threading.Event()
    spinner.executor.add_node(node)
    spinner.start(when_ended=ended.set)
    assert ended.wait(LIMIT_S)
    with pytest.raises(ZeroDivisionError):
        spinner.stop()
    node.destroy_node()
    context.try_shutdown()


def test_a_slow_callback_that_needs_the_thread_finishes_while_everything_ends(ros_domain):
    context = Context()
    rclpy.init(context=context, domain_id=ros_domain, args=[])
    node = Node('ending', context=context, use_global_arguments=False)
    begun, may_go_on, done = threading.Event(), threading.Event(), threading.Event()

    def work():
        timer.cancel()
        begun.set()
        may_go_on.wait(LIMIT_S)
        call_in_spin_thread(node, lambda: None)
        done.set()

    timer = node.create_timer(0.001, work, callback_group=SlowCallbackGroup())
    spinner = Spinner(context)
    spinner.executor.add_node(node)
    spinner.start()
    assert begun.wait(LIMIT_S)
    with ThreadPoolExecutor(1) as pool:
        stopping = pool.submit(spinner.stop)
        may_go_on.set()
        stopping.result(LIMIT_S)
    assert done.is_set()
    node.destroy_node()
    context.try_shutdown()
