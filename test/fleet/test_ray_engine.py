"""Recordings shared out by Ray: killed workers and drivers, and results as of one process."""

from __future__ import annotations

import json
import os
from pathlib import Path
import signal
import subprocess
import sys

import cv2
import numpy as np
from processes import children, is_running, ray_workers, wait_until
import pytest

pytest.importorskip('ray', reason='shares recordings out')

ROOT = Path(__file__).resolve().parents[2]
COUNT, FRAMES = 14, 500
BROKEN = ('05_broken.mp4', '11_broken.mp4')


@pytest.fixture(scope='module')
def drives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of short clips, two of which are none."""
    folder = tmp_path_factory.mktemp('drives')
    for index in range(COUNT):
        path = folder / f'{index:02d}.mp4'
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'mp4v'), 10.0, (64, 32))
        for step in range(FRAMES):
            image_bgr = np.full((32, 64, 3), 7 * index, np.uint8)
            image_bgr[:, step % 50 : step % 50 + 9] = 220
            writer.write(image_bgr)
        writer.release()
    for name in BROKEN:
        (folder / name).write_bytes((folder / '00.mp4').read_bytes()[:200])
    return folder


@pytest.fixture(scope='module')
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache whose path is short enough for sockets."""
    return tmp_path_factory.mktemp('c')


def command(drives: Path, model: Path, out: Path, *more: str) -> list[str]:
    """Return the command that segments the drives with a runtime that needs no network."""
    words = ('--model', model, '--output', out, '--masks', '--no-overlay', '--runtime', 'fake')
    sources = (f'{drives}/*.mp4',)
    return [sys.executable, '-m', 'espnet_ros.cli', 'segment', *sources, *map(str, words), *more]


def environment(cache: Path) -> dict[str, str]:
    return {**os.environ, 'PYTHONPATH': str(ROOT), 'XDG_CACHE_HOME': str(cache)}


def masks(out: Path) -> dict[str, bytes]:
    """Return every mask below a folder."""
    return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob('*.png')}


def units_in(out: Path) -> set[str]:
    return {path.parent.name for path in out.glob('*/summary.json')}


def is_listening_outside(process_id: int) -> list[str]:
    """Return addresses beyond the loopback interface that processes below one listen at."""
    inodes = set()
    for pid, _ in children(process_id):
        for link in Path(f'/proc/{pid}/fd').glob('*'):
            try:
                inodes.add(str(link.readlink()).removeprefix('socket:[').rstrip(']'))
            except OSError:
                continue
    found = []
    for table in ('/proc/net/tcp', '/proc/net/tcp6'):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            address = fields[1].partition(':')[0]
            is_loopback = address.endswith('0100007F')
            if fields[3] == '0A' and fields[9] in inodes and not is_loopback:
                found.append(fields[1])
    return found


@pytest.mark.timeout(300)
def test_a_killed_worker_and_a_killed_driver_lose_no_recording_and_do_none_twice(
    drives: Path, channel_model_path: Path, cache: Path, tmp_path: Path
) -> None:
    local, out = tmp_path / 'local', tmp_path / 'out'
    words = command(drives, channel_model_path, out, '--engine', 'ray', '--jobs', '2')
    driver = subprocess.Popen(words, env=environment(cache), stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: driver.poll() is not None or len(ray_workers(driver.pid)) == 2, 110)
        assert is_listening_outside(driver.pid) == []
        wait_until(lambda: driver.poll() is not None or units_in(out))
        assert driver.poll() is None, driver.returncode
        first = ray_workers(driver.pid)[0]
        os.kill(first, signal.SIGKILL)
        at_kill = len(units_in(out))
        wait_until(lambda: driver.poll() is not None or len(units_in(out)) >= at_kill + 2)
        assert driver.poll() is None, 'it goes on'
        everything = [pid for pid, _ in children(driver.pid)]
        driver.kill()
        driver.wait(timeout=30)
        wait_until(lambda: not any(map(is_running, everything)))
    finally:
        driver.kill()
    done = {name: (out / name / 'summary.json').stat().st_mtime_ns for name in units_in(out)}
    assert 3 <= len(done) < COUNT
    ended = subprocess.run(
        command(drives, channel_model_path, out), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert f'{len(done)} done by earlier runs' in ended.stdout
    assert all((out / n / 'summary.json').stat().st_mtime_ns == t for n, t in done.items())
    assert len(masks(out)) == COUNT * FRAMES
    first_done = sorted(done)[0]
    words = command(drives, channel_model_path, local)
    words = [word.replace('*.mp4', f'{first_done}.mp4') for word in words]
    subprocess.run(words, check=True, capture_output=True)
    found, expected = masks(out / first_done), masks(local)
    assert len(expected) == FRAMES and found == expected
    failures = [json.loads(line) for line in (out / 'failures.jsonl').read_text().splitlines()]
    assert {Path(entry['source']).name for entry in failures} == set(BROKEN)
    assert not list(out.glob('.*')), 'no part is left'
