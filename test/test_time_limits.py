"""A test that hangs is red within its limit, says where it hangs, and holds up nothing."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys

import pytest
import time_limits

PLUGIN_FOLDER = Path(time_limits.__file__).parent
LIMIT_S = 50.0
CONFTEST = """
import pytest, time_limits

time_limits.GRACE_S = time_limits.TEARDOWN_LIMIT_S = time_limits.EXIT_LIMIT_S = 2.5
time_limits.SLOW_LIMIT_S = 10.0
time_limits.slowness = lambda: 1.0

def pytest_configure(config):
    config.addinivalue_line('markers', 'slow: is slow')
    config.pluginmanager.register(time_limits)

@pytest.fixture
def opened():
    yield
    print('the fixture closed')

@pytest.fixture
def hanging_close():
    import threading
    yield
    threading.Event().wait()
"""
HANGING_THREAD = """
import threading
def test_leaves_a_thread():
    threading.Thread(target=threading.Event().wait, name='hanging').start()
"""
DEAF_TO_SIGNALS = """
import ctypes
def test_hangs_in_c():
    waits = ctypes.CDLL(None).pthread_cond_wait
    waits(ctypes.create_string_buffer(64), ctypes.create_string_buffer(64))
"""


def run_tests(folder: Path, tests: str, *arguments: str) -> tuple[int, str]:
    """Run tests of another suite with a limit of a second; return code and output."""
    (folder / 'conftest.py').write_text(CONFTEST)
    (folder / 'test_it.py').write_text(tests)
    options = ['-o', f'pythonpath={PLUGIN_FOLDER}', '-o', 'timeout=1', '-rA', *arguments]
    plugins = {
        'PYTEST_DISABLE_PLUGIN_AUTOLOAD': '1',
        'PYTEST_PLUGINS': 'pytest_timeout,xdist.plugin',
    }
    done = subprocess.run(
        [sys.executable, '-m', 'pytest', *options, str(folder / 'test_it.py')],
        cwd=folder,
        env=os.environ | plugins | {'PYTEST_ADDOPTS': ''},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_test_that_hangs_fails_closes_its_fixtures_and_lets_the_next_one_run(tmp_path):
    tests = (
        'import threading\n'
        'def test_hangs(opened): threading.Event().wait()\n'
        'def test_next(): pass\n'
    )
    code, output = run_tests(tmp_path, tests)
    assert code == 1
    assert '1 failed, 1 passed' in output
    assert 'Timeout (>1.0s)' in output
    assert 'def test_hangs(opened): threading.Event().wait()' in output
    assert 'the fixture closed' in output


def test_a_fixture_that_does_not_close_is_an_error_of_its_test(tmp_path):
    code, output = run_tests(tmp_path, 'def test_it(hanging_close): pass\n')
    assert code == 1
    assert '1 passed, 1 error' in output
    assert 'Timeout (>1.0s)' in output


@pytest.mark.parametrize('body', ['assert False', 'threading.Event().wait()'])
def test_a_fixture_that_hangs_after_a_red_test_ends_the_run_and_is_named(tmp_path, body):
    tests = f'import threading\ndef test_it(hanging_close): {body}\n'
    code, output = run_tests(tmp_path, tests)
    assert code == 1
    assert 'in hanging_close' in output


def test_a_wait_in_c_that_no_signal_ends_ends_the_run_and_is_named(tmp_path):
    code, output = run_tests(tmp_path, DEAF_TO_SIGNALS)
    assert code == 1
    assert 'in test_hangs_in_c' in output


def test_a_thread_that_a_test_left_keeps_no_process_alive_and_is_named(tmp_path):
    code, output = run_tests(tmp_path, HANGING_THREAD)
    assert '1 passed' in output
    assert code == 1, 'a run that does not end is not green'
    assert 'in wait' in output and 'threading.py' in output


def test_a_worker_that_hangs_names_its_test_and_the_others_run(tmp_path):
    code, output = run_tests(tmp_path, DEAF_TO_SIGNALS + 'def test_next(): pass\n', '-n', '1')
    assert code == 1
    assert 'crashed while running' in output and 'test_hangs_in_c' in output
    assert '1 failed, 1 passed' in output


def test_slow_tests_have_a_limit_of_their_own(tmp_path):
    tests = (
        'import pytest, time\n'
        '@pytest.mark.slow\n'
        'def test_slow(): time.sleep(1.5)\n'
        '@pytest.mark.slow\n'
        '@pytest.mark.timeout(1)\n'
        'def test_named(): time.sleep(1.5)\n'
    )
    code, output = run_tests(tmp_path, tests)
    assert code == 1
    assert 'PASSED test_it.py::test_slow' in output
    assert 'FAILED test_it.py::test_named' in output


def test_every_test_of_this_suite_has_a_limit(request):
    assert float(request.config.getini('timeout')) > 0
    assert request.config.pluginmanager.is_registered(time_limits)
