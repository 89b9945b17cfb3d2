"""
Limits in time: of every test, of its teardown, and of the process after the last test.

pytest-timeout fails a test at its limit by a signal: the report shows where the test stood and the
stacks of all threads, its fixtures close, and the next test goes on. A signal does not reach C++
that waits for ever, a fixture that hangs after its test failed, or a thread that Python joins as
it exits. A watchdog that needs neither the main thread nor the GIL prints the stacks then, and
ends the process.
"""

from __future__ import annotations

from collections.abc import Generator
import faulthandler
import os
import threading
from typing import Any

import pytest
import pytest_timeout

SLOW_LIMIT_S = 300.0
GRACE_S = 20.0
TEARDOWN_LIMIT_S = 40.0
EXIT_LIMIT_S = 20.0
LONG_VARIABLE = 'ESPNET_ROS_LONG'
MESSAGE_LIMIT_S = 10.0

STDERR_FD = pytest.StashKey[int]()


def slowness() -> float:
    """Return how many times longer than alone a process takes, as others want its cores too."""
    return max(os.getloadavg()[0] / (os.cpu_count() or 1), 1.0)


def message_limit_s() -> float:
    """Return how long a message or an answer may take."""
    return MESSAGE_LIMIT_S * slowness()


def _end_after(limit_s: float, config: pytest.Config) -> None:
    """End the process after a time, unless it is called anew or cancelled before."""
    if not config.getoption('usepdb'):
        faulthandler.dump_traceback_later(limit_s, file=config.stash[STDERR_FD], exit=True)


def pytest_configure(config: pytest.Config) -> None:
    """Keep the way to the terminal, which is captured during tests."""
    config.stash[STDERR_FD] = os.dup(2)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give slow tests a limit of their own, and put them first; leave long ones out."""
    wants_long = bool(os.environ.get(LONG_VARIABLE))
    for item in items:
        if item.get_closest_marker('long') and not wants_long:
            item.add_marker(pytest.mark.skip(reason=f'long; {LONG_VARIABLE}=1 runs it'))
        if item.get_closest_marker('slow') and not item.get_closest_marker('timeout'):
            item.add_marker(pytest.mark.timeout(SLOW_LIMIT_S))
    # Files with slow tests first: what is long at the end keeps one worker while the others rest.
    slow = {item.path for item in items if item.get_closest_marker('slow')}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> bool:
    """Watch a test from its first fixture on, with more patience on a busy machine."""
    settings = settings._replace(timeout=settings.timeout * slowness())
    _end_after(settings.timeout + GRACE_S * slowness(), item.config)
    return bool(pytest_timeout.pytest_timeout_set_timer(item, settings))


@pytest.hookimpl(trylast=True)
def pytest_exception_interact(node: pytest.Item | pytest.Collector) -> None:
    """Watch the fixtures of a test that failed: all other timers end with the failure."""
    if isinstance(node, pytest.Item):
        _end_after(TEARDOWN_LIMIT_S * slowness(), node.config)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Stop watching after the last fixture."""
    result = yield
    faulthandler.cancel_dump_traceback_later()
    return result


def pytest_enter_pdb() -> None:
    """Let a person who debugs take their time."""
    faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Let no thread that a test left behind keep the process alive."""
    left = [t for t in threading.enumerate() if not t.daemon and t is not threading.main_thread()]
    if left and not hasattr(config, 'workerinput'):  # workers of pytest-xdist are ended by it
        _end_after(EXIT_LIMIT_S * slowness(), config)
