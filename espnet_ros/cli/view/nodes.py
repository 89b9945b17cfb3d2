"""The live view of running nodes, which a process with ROS 2 shows."""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import sys

from espnet_ros.cli import exit_codes
from espnet_ros.cli.view.options import Options
from espnet_ros.exceptions import ConfigError, RuntimeUnavailableError

MODULE = 'espnet_ros.nodes.web'


def view_nodes(options: Options) -> int:
    """
    Show what the nodes of this domain publish until Ctrl-C; return the exit code.

    :raises ConfigError: options that mean nothing here
    :raises RuntimeUnavailableError: there is no ROS 2
    """
    if options.once or options.rate is not None:
        raise ConfigError('--once and --rate are of a SOURCE; with --ros nothing is played')
    if importlib.util.find_spec('rclpy') is None:
        raise RuntimeUnavailableError(
            '--ros: expected ROS 2, found none; source one, or run make setup'
        )
    command = [sys.executable, '-m', MODULE]
    command += ['--host', options.page.host, '--port', str(options.page.port)]
    if options.record is not None:
        command += ['--record', str(options.record)]
    with subprocess.Popen(command) as process:
        # Ctrl-C in a terminal reaches both; the one that shows ends in order.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        term = signal.signal(signal.SIGTERM, lambda *_: process.send_signal(signal.SIGINT))
        try:
            code = process.wait()
        finally:
            signal.signal(signal.SIGINT, before)
            signal.signal(signal.SIGTERM, term)
    return exit_codes.DONE if code == 0 else exit_codes.FAILED
