"""
The live view of running nodes, as ``espnet-ros view --ros`` starts it.

It runs until SIGINT or SIGTERM.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import sys

from espnet_ros.config import WEB_PORT
from espnet_ros.exceptions import EspnetError
from espnet_ros.nodes.ros.process import run_node
from espnet_ros.nodes.web.viewer import ViewerNode
from espnet_ros.web.live_view import LiveView
from espnet_ros.web.server import WebServer


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the page; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--host', default='127.0.0.1')
    parser.add_argument('--port', type=int, default=WEB_PORT)
    options = parser.parse_args(arguments)
    view = LiveView('ROS 2', ())
    try:
        with WebServer(view, options.host, options.port) as server:
            sys.stdout.write(
                f'the nodes of this domain are at {server.address} (Ctrl-C ends it)\n'
            )
            sys.stdout.flush()
            return run_node(lambda _: ViewerNode(view), 'espnet_ros_view', [])
    except EspnetError as error:
        sys.stderr.write(f'espnet-ros: {error}\n')
        return 1


if __name__ == '__main__':
    sys.exit(main())
