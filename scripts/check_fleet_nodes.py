#!/usr/bin/env python3
"""
Let two Ray nodes share many recordings, lose one of them, and compare the results.

Each node has a network of its own (namespaces of Linux: as root), as two machines have, and both
see the same files. While both work, all processes of the second are killed, or with ``--cut`` its
network is cut off, so that it goes on alone. For example ``python scripts/check_fleet_nodes.py``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import signal
import subprocess
import sys
import tempfile
import time

from check_fleet import faults, Fleet, LIMIT_S, ROOT, tell
from processes import title_of, wait_until

NODES = ('fleet-a', 'fleet-b')
ADDRESSES = ('10.77.0.1', '10.77.0.2')
PORT = 6379

_QUIET = ('--num-cpus', '1', '--object-store-memory', '80000000', '--disable-usage-stats')


@contextmanager
def networks() -> Iterator[None]:
    """Make two networks that are joined by a cable; end what runs in them, and remove them."""
    _ip('link', 'add', NODES[0], 'type', 'veth', 'peer', 'name', NODES[1])
    try:
        for name, address in zip(NODES, ADDRESSES, strict=True):
            _ip('netns', 'add', name)
            _ip('link', 'set', name, 'netns', name)
            _ip('-n', name, 'address', 'add', f'{address}/24', 'dev', name)
            for link in ('lo', name):
                _ip('-n', name, 'link', 'set', link, 'up')
            # By its default route a machine finds its own address.
            _ip('-n', name, 'route', 'add', 'default', 'dev', name)
        yield
    finally:
        for name in NODES:
            end_all(name)
            _ip('netns', 'delete', name)


def _ip(*words: str) -> str:
    return subprocess.run(('ip', *words), check=True, capture_output=True, text=True).stdout


def processes_in(node: str) -> list[int]:
    """Return the processes of a node."""
    return [int(process_id) for process_id in _ip('netns', 'pids', node).split()]


def end_all(node: str) -> None:
    """Kill all processes of a node."""
    while found := processes_in(node):
        for process_id in found:
            os.kill(process_id, signal.SIGKILL)
        time.sleep(0.1)


def is_working(node: str) -> bool:
    """Return whether a job of a node does a unit."""
    return any(title_of(pid).startswith('ray::Job.do') for pid in processes_in(node))


def start_ray(fleet: Fleet) -> None:
    """Start Ray on both nodes."""
    head: tuple[str, ...] = ('--head', '--port', str(PORT), '--include-dashboard', 'false')
    head += ('--temp-dir', str(fleet.folder / 'r'))
    roles = (head, ('--address', f'{ADDRESSES[0]}:{PORT}'))
    for node, address, role in zip(NODES, ADDRESSES, roles, strict=True):
        words = ('ray', 'start', '--node-ip-address', address, *role, *_QUIET)
        command = ('ip', 'netns', 'exec', node, sys.executable, '-m', 'ray.scripts.scripts')
        subprocess.run(
            (*command, *words[1:]),
            check=True,
            env=os.environ | {'PYTHONPATH': str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def check_nodes(fleet: Fleet, *, is_cut: bool) -> list[str]:
    """Lose a node while both work, and return what is wrong."""
    fleet.make()
    fleet.start('alone').wait(LIMIT_S)
    with networks():
        start_ray(fleet)
        address = f'{ADDRESSES[0]}:{PORT}'
        command = fleet.start(
            'shared', '--engine', 'ray', '--address', address,
            before=('ip', 'netns', 'exec', NODES[0]),
        )  # fmt: skip
        good = fleet.units - fleet.broken
        wait_until(
            lambda: (
                command.poll() is not None
                or (len(fleet.done()) >= good // 4 and all(map(is_working, NODES)))
            ),
            LIMIT_S,
        )
        if command.poll() is not None:
            return [f'the two nodes did not share the work: {fleet.log()}']
        if is_cut:
            _ip('-n', NODES[1], 'link', 'set', NODES[1], 'down')
        else:
            end_all(NODES[1])
        seen, lost_s = fleet.done(), time.monotonic()
        code = command.wait(LIMIT_S)
        print(
            f'{len(seen)} units were done when a node was lost, the rest took '
            f'{time.monotonic() - lost_s:.1f} s'
        )
    return [*faults(fleet, (seen,), code)]


def main() -> int:
    """Lose a node and compare; return 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--units', type=int, default=60)
    parser.add_argument('--broken', type=int, default=2)
    parser.add_argument('--cut', action='store_true', help='cut the network, kill nothing')
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix='fleet-') as folder:
        fleet = Fleet(Path(folder, 'f'), options.units, options.broken)
        return tell(check_nodes(fleet, is_cut=options.cut))


if __name__ == '__main__':
    sys.exit(main())
