#!/usr/bin/env python3
"""
Measure what the live view costs the segmentation node: nobody, one browser, 20 browsers.

The browsers are stand-ins in a process of their own that request what the page requests: pictures
of 960 pixels, 15 per second at most, and events. One of the 20 reads nothing. The camera is
960x540 at a rate that the device keeps up with. Needs ROS 2, aiohttp and psutil:

    python scripts/benchmark_web.py
    python scripts/benchmark_web.py --runtime openvino --rate 8
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

import aiohttp
from espnet_ros.nodes.benchmark.camera import CameraPlan
from espnet_ros.nodes.benchmark.camera_process import camera_process
from espnet_ros.nodes.launching.child_process import node_command
from espnet_ros.nodes.launching.transport import set_transport
import psutil

WIDTH, RATE_HZ = 960, 15
START_LIMIT_S = 120.0
SETTLE_S = 3.0


@dataclass(frozen=True)
class Measurement:
    """Of the node over some seconds."""

    core_percent: float
    masks_hz: float
    pictures_hz: float
    memory_mb: float


async def _look(client: aiohttp.ClientSession, address: str, end_s: float) -> int:
    """Request pictures as the page does; return how many came."""
    number, key, count = -1, '', 0
    while time.monotonic() < end_s:
        began_s = time.monotonic()
        query: dict[str, int | str] = {'width': WIDTH, 'after': number, 'labels': key}
        async with client.get(f'{address}frame', params=query) as answer:
            body = await answer.read()
            if answer.status == 200:
                length = int.from_bytes(body[:4], 'little')
                facts = json.loads(body[4 : 4 + length])
                number, key, count = facts['number'], facts['labels'], count + 1
        await asyncio.sleep(max(0.0, began_s + 1 / RATE_HZ - time.monotonic()))
    return count


async def _listen(client: aiohttp.ClientSession, address: str, end_s: float) -> None:
    async with client.get(f'{address}events') as answer:
        while time.monotonic() < end_s:
            await answer.content.readline()


async def _browse(address: str, count: int, seconds: float, *, stalled: bool) -> float:
    """Look as some browsers do; return the pictures per second of all together."""
    connector = aiohttp.TCPConnector(limit=0)
    end_s = time.monotonic() + seconds
    async with aiohttp.ClientSession(connector=connector) as client:
        held = []
        if stalled:
            port = int(address.rstrip('/').rpartition(':')[2])
            held.append(socket.create_connection(('127.0.0.1', port)))
            held[0].sendall(b'GET /overlay.mjpg?rate=30 HTTP/1.1\r\nHost: localhost\r\n\r\n')
        looks = [_look(client, address, end_s) for _ in range(count - stalled)]
        listens = [_listen(client, address, end_s) for _ in range(count - stalled)]
        found = await asyncio.gather(*looks, *listens)
        for each in held:
            each.close()
    return sum(each for each in found if each is not None) / seconds


async def _masks_hz(address: str) -> float:
    """Return the masks per second of the last seconds, as the page shows them."""
    async with aiohttp.ClientSession() as client, client.get(f'{address}events') as answer:
        async for line in answer.content:
            if line.startswith(b'data: {"columns"'):
                history = json.loads(line[6:])
                place = history['columns'].index('masks_hz')
                rows = [row[place] for row in history['rows'][-8:] if row[place] is not None]
                return float(sum(rows) / max(len(rows), 1))
    return 0.0


def _measure(node: psutil.Process, address: str, browsers: int, seconds: float) -> Measurement:
    """Measure the node while some browsers look."""
    total = seconds + SETTLE_S
    looking = None
    if browsers:
        command = [sys.executable, __file__, '--browse', str(browsers), '--address', address]
        looking = subprocess.Popen(
            [*command, '--seconds', str(total)], stdout=subprocess.PIPE, text=True
        )
    time.sleep(SETTLE_S)
    before, began_s = node.cpu_times(), time.monotonic()
    time.sleep(seconds)
    after, spent_s = node.cpu_times(), time.monotonic() - began_s
    pictures_hz = float(looking.communicate()[0]) if looking else 0.0
    used_s = after.user + after.system - before.user - before.system
    masks_hz = asyncio.run(_masks_hz(address)) if address else float('nan')
    return Measurement(100 * used_s / spent_s, masks_hz, pictures_hz, node.memory_info().rss / 1e6)


@contextmanager
def _process(command: list[str], log_path: str) -> Iterator[subprocess.Popen[bytes]]:
    with open(log_path, 'wb') as log:  # noqa: PTH123
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for_masks(process: subprocess.Popen[bytes], log_path: str, address: str) -> None:
    """Wait until the node is active, and until it has had masks where it can be asked."""
    end_s = time.monotonic() + START_LIMIT_S
    while time.monotonic() < end_s:
        if process.poll() is not None:
            sys.exit(f'the node ended; see {log_path}')
        with open(log_path, encoding='utf-8') as log:  # noqa: PTH123
            is_active = '[segmentation]: active' in log.read()
        if is_active and (not address or asyncio.run(_masks_hz(address)) > 0):
            return
        time.sleep(0.5)
    sys.exit(f'no masks; see {log_path}')


def _run(options: argparse.Namespace) -> None:
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = int(free.getsockname()[1])
    plan = CameraPlan('', ('',), options.rate, False, False, None, (540, 960))
    print('| browsers | core of the node, % | masks per second | pictures per second | MB |')
    print('|---|---|---|---|---|')
    with tempfile.TemporaryDirectory() as folder:
        cases = [(0, (('no page', 0),)), (port, (('0', 0), ('1', 1), ('20, one stalled', 20)))]
        with camera_process(plan) as camera:
            camera.wait_until_ready()
            camera.play()
            for own_port, looks in cases:
                parameters = {'runtime': options.runtime, 'web.port': own_port}
                if options.runtime == 'fake':
                    parameters['fake.latency_ms'] = options.device_ms
                address = f'http://127.0.0.1:{own_port}/' if own_port else ''
                log_path = f'{folder}/node{own_port}.log'
                with _process(node_command('segmentation_node', parameters), log_path) as process:
                    _wait_for_masks(process, log_path, address)
                    node = psutil.Process(process.pid)
                    for name, browsers in looks:
                        found = _measure(node, address, browsers, options.seconds)
                        masks = '-' if not own_port else f'{found.masks_hz:.1f}'
                        print(
                            f'| {name} | {found.core_percent:.1f} | {masks} | '
                            f'{found.pictures_hz:.1f} | {found.memory_mb:.0f} |',
                            flush=True,
                        )


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seconds', type=float, default=12.0, help='of each measurement')
    parser.add_argument('--runtime', default='fake', help='what runs the network')
    parser.add_argument('--device-ms', type=float, default=25.0, help='what the fake one takes')
    parser.add_argument('--rate', type=float, default=20.0, help='images per second')
    parser.add_argument('--browse', type=int, help=argparse.SUPPRESS)
    parser.add_argument('--address', help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.browse:
        is_stalled = options.browse > 1
        looking = _browse(options.address, options.browse, options.seconds, stalled=is_stalled)
        print(asyncio.run(looking))
        return
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    set_transport()
    _run(options)


if __name__ == '__main__':
    main()
