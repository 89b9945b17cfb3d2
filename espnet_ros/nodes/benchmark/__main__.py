"""
Runs a pickled NodeCase from standard input and pickles the NodeResult into the named file.

``espnet-ros bench --node`` runs it, as only the nodes know ROS.
"""

from __future__ import annotations

from pathlib import Path
import pickle
import sys

from espnet_ros.benchmark.node_case import NodeCase
from espnet_ros.benchmark.node_result import NodeResult
from espnet_ros.exceptions import EspnetError
from espnet_ros.nodes.benchmark.recording import running
from espnet_ros.nodes.benchmark.report import Report


def measure(case: NodeCase) -> NodeResult:
    """
    Return what a case gives.

    :raises EspnetError: it cannot be run
    """
    with running(case) as (run, observer):
        return Report(case, run.record(), observer.arrivals).result(observer.power_w)


def main(result_path: Path) -> int:
    """Run; return the exit code."""
    try:
        result = measure(pickle.load(sys.stdin.buffer))
    except EspnetError as error:
        sys.stderr.write(f'{error}\n')
        return 1
    except KeyboardInterrupt:
        return 130
    result_path.write_bytes(pickle.dumps(result))
    return 0


if __name__ == '__main__':
    sys.exit(main(Path(sys.argv[1])))
