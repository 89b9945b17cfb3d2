"""
The live view of running nodes, as ``espnet-ros view --ros`` starts it.

It runs until SIGINT or SIGTERM.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
import sys

from espnet_ros.config import WEB_PORT
from espnet_ros.exceptions import EspnetError, RuntimeUnavailableError
from espnet_ros.nodes.ros.process.runner import run_node
from espnet_ros.nodes.web.topic_recorder import TopicRecorder
from espnet_ros.nodes.web.viewer import ViewerNode
from espnet_ros.web.live_view import LiveView
from espnet_ros.web.server import WebServer


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the page; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--host', default='127.0.0.1')
    parser.add_argument('--port', type=int, default=WEB_PORT)
    parser.add_argument('--record', type=Path)
    options = parser.parse_args(arguments)
    view = LiveView('ROS 2', ())
    try:
        with ExitStack() as stack:
            server = stack.enter_context(WebServer(view, options.host, options.port))
            recorder = None
            if options.record is not None:
                recorder = _open_recorder(options.record, stack)
            sys.stdout.write(f'the nodes of this domain are at {server.address}\n')
            sys.stdout.flush()
            return run_node(lambda _: ViewerNode(view, recorder), 'espnet_ros_view', [])
    except EspnetError as error:
        sys.stderr.write(f'espnet-ros: {error}\n')
        return 1


def _open_recorder(path: Path, stack: ExitStack) -> TopicRecorder:
    try:
        from espnet_ros.recording.bag_file import BagFile  # noqa: PLC0415  (may be missing)
    except ModuleNotFoundError as error:
        raise RuntimeUnavailableError(
            f"--record needs {error.name}, which is not installed: pip install 'espnet-ros[bag]'"
        ) from error
    return TopicRecorder(stack.enter_context(BagFile(path)))


if __name__ == '__main__':
    sys.exit(main())
