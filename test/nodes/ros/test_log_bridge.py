import logging

import pytest

pytest.importorskip('rclpy', reason='no rclpy')

from espnet_ros.nodes.ros.log_bridge import LogBridge
from rclpy.logging import get_logger, LoggingSeverity

pytestmark = pytest.mark.ros
library = logging.getLogger('espnet_ros.runtimes.factory')


@pytest.fixture
def logger():
    result = get_logger('bridged')
    bridge = LogBridge(result)
    bridge.attach()
    yield result
    bridge.detach()


@pytest.mark.parametrize(
    ('level', 'word'),
    [
        (logging.INFO, 'INFO'),
        (logging.WARNING, 'WARN'),
        (logging.ERROR, 'ERROR'),
        (logging.CRITICAL, 'FATAL'),
    ],
)
def test_records_keep_their_level_and_arguments(logger, capfd, level, word):
    library.log(level, 'runtime %s', 'openvino')
    output = ''.join(capfd.readouterr())
    assert f'[{word}]' in output
    assert '[bridged]: runtime openvino' in output


def test_the_level_of_the_nodes_logger_decides(logger, capfd):
    library.debug('hidden')
    logger.set_level(LoggingSeverity.DEBUG)
    library.debug('shown')
    logger.set_level(LoggingSeverity.INFO)
    output = ''.join(capfd.readouterr())
    assert 'hidden' not in output
    assert '[bridged]: shown' in output


def test_a_trace_goes_along(logger, capfd):
    try:
        raise ValueError('broken')
    except ValueError:
        library.exception('failed')
    output = ''.join(capfd.readouterr())
    assert 'failed' in output
    assert 'ValueError: broken' in output


def test_nothing_is_forwarded_after_it_is_detached(capfd):
    bridge = LogBridge(get_logger('bridged'))
    bridge.attach()
    bridge.detach()
    library.info('late')
    assert 'late' not in ''.join(capfd.readouterr())
    assert logging.getLogger('espnet_ros').propagate
