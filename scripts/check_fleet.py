#!/usr/bin/env python3
"""
Kill what segments many recordings, and compare the results with those of one process.

Short clips and bags, some of them broken, are shared out by Ray. Workers are killed while they
work, then the command; the same command does the rest. For example ``python
scripts/check_fleet.py --units 200 --broken 3 --kills 3``.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import tempfile
import time

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / 'test' / 'support')]

from bags import picture, write_bag  # noqa: E402
from processes import children, is_running, ray_workers, wait_until  # noqa: E402
from small_network import save_small_network, SIZE  # noqa: E402

FRAMES = 6

LIMIT_S = 600.0
_LEFT_S = 20.0
"""So long may what belongs to a killed command take to end."""


@dataclass(frozen=True)
class Fleet:
    """
    Recordings, a network, and how they are segmented.

    :param folder: of everything; a short path, as there are sockets below it
    :param units: clips and bags, every fourth a bag
    :param broken: how many of them are broken
    :param jobs: workers of Ray
    """

    folder: Path
    units: int
    broken: int
    jobs: int = 2

    @property
    def names(self) -> list[str]:
        """Return what the recordings are called."""
        return [f'{"bag" if i % 4 == 3 else "clip"}_{i:03d}' for i in range(self.units)]

    @property
    def broken_names(self) -> set[str]:
        """Return those that are broken, spread over all."""
        step = self.units // max(self.broken, 1)
        return {self.names[(index + 1) * step - 1] for index in range(self.broken)}

    def paths(self) -> list[Path]:
        """Return the clips and bags."""
        return sorted((self.folder / 'drives').iterdir())

    def make(self) -> None:
        """Write recordings and network."""
        (self.folder / 'drives').mkdir(parents=True)
        save_small_network(self.folder / 'network.onnx')
        random = np.random.default_rng(7)
        for name in self.names:
            small = random.integers(0, 256, (FRAMES, 6, 8, 3), np.uint8)
            images_bgr = [cv2.resize(image, SIZE[::-1]) for image in small]
            path = self.folder / 'drives' / name
            if name.startswith('bag'):
                write_bag(path, {'/camera/image': [picture(image) for image in images_bgr]})
                path = next(path.glob('*.mcap'))
            else:
                path = path.with_suffix('.mp4')
                writer = cv2.VideoWriter(
                    str(path), cv2.VideoWriter.fourcc(*'mp4v'), 10.0, SIZE[::-1]
                )
                for image_bgr in images_bgr:
                    writer.write(image_bgr)
                writer.release()
            if name in self.broken_names:
                path.write_bytes(path.read_bytes()[:200])

    def start(self, output: str, *more: str, before: Sequence[str] = ()) -> subprocess.Popen[str]:
        """
        Start the command.

        :param output: where the results go, ``shared`` or ``alone``
        :param before: words before the command, as of ``ip netns exec``
        """
        words = [*before, sys.executable, '-m', 'espnet_ros.cli', 'segment']
        words += [f'{self.folder}/drives/*']
        words += ['--model', str(self.folder / 'network.onnx'), '--output', output]
        words += ['--masks', '--no-overlay', '--runtime', 'onnxruntime', '--threads', '1', *more]
        paths = {'PYTHONPATH': str(ROOT), 'XDG_CACHE_HOME': str(self.folder / 'c')}
        with (self.folder / 'log.txt').open('a') as log:
            return subprocess.Popen(
                words, cwd=self.folder, env=os.environ | paths, stdout=log, stderr=log, text=True
            )

    def log(self) -> str:
        """Return the end of what the commands wrote."""
        return (self.folder / 'log.txt').read_text()[-2000:]

    def done(self) -> dict[str, int]:
        """Return the units that Ray has done, and when, in ns."""
        found = {}
        for path in (self.folder / 'shared').glob('[!.]*/summary.json'):
            found[path.parent.name] = path.stat().st_mtime_ns
        return found

    def has_done(self, count: int) -> bool:
        """Return whether so many units are done."""
        return len(self.done()) >= count


def kill_workers(
    fleet: Fleet, command: subprocess.Popen[str], kills: int
) -> Iterator[dict[str, int]]:
    """
    Kill workers, then the command, each while units are done; give what was done at each kill.

    :raises RuntimeError: the command ends before
    """

    def await_or_end(condition: Callable[[], object]) -> None:
        wait_until(lambda: command.poll() is not None or condition(), LIMIT_S)
        if command.poll() is not None:
            raise RuntimeError(f'the command ended too early: {fleet.log()}')

    good = fleet.units - fleet.broken
    for index in range(1, kills + 2):
        wanted = max(1, good * index // (kills + 2))
        await_or_end(partial(fleet.has_done, wanted))
        await_or_end(lambda: ray_workers(command.pid, 'do'))
        if index <= kills:
            os.kill(ray_workers(command.pid, 'do')[0], signal.SIGKILL)
            yield fleet.done()
    process_ids = [pid for pid, _ in children(command.pid)]
    command.kill()
    command.wait()
    began_s = time.monotonic()
    wait_until(lambda: not any(map(is_running, process_ids)), _LEFT_S)
    print(f'what belonged to the killed command ended in {time.monotonic() - began_s:.1f} s')
    yield fleet.done()


def check_kills(fleet: Fleet, kills: int) -> list[str]:
    """Kill workers and the command, do the rest, and return what is wrong."""
    fleet.make()
    on_ray = ('shared', '--engine', 'ray', '--jobs', str(fleet.jobs))
    command = fleet.start(*on_ray)
    try:
        seen = list(kill_workers(fleet, command, kills))
        print(f'done at each kill: {[len(done) for done in seen]}')
        command = fleet.start(*on_ray)
        code = command.wait(LIMIT_S)
        fleet.start('alone').wait(LIMIT_S)
    finally:
        command.kill()
    return [*faults(fleet, seen, code, len(seen[-1])), *_left_of_ray(fleet)]


def faults(
    fleet: Fleet, seen: Sequence[dict[str, int]], code: int, earlier: int = 0
) -> Iterator[str]:
    """
    Give what is wrong with the results.

    :param seen: what was done, and when, at earlier times
    :param code: with which the last run ended
    :param earlier: units that an earlier run had done
    """
    shared, alone = fleet.folder / 'shared', fleet.folder / 'alone'
    good = set(fleet.names) - fleet.broken_names
    done = fleet.done()
    if set(done) != good:
        yield f'expected the results of {len(good)} units, differ: {sorted(set(done) ^ good)}'
    again = {name for earlier in seen for name, ns in earlier.items() if done.get(name) != ns}
    if again:
        yield f'done twice: {sorted(again)}'
    earlier_count = json.loads((shared / 'summary.json').read_text())['done_by_earlier_runs']
    if earlier_count != earlier:
        yield f'expected {earlier} units of earlier runs, found {earlier_count}'
    ours, expected = _masks(shared), _masks(alone)
    if len(expected) != len(good) * FRAMES:
        yield f'expected {len(good) * FRAMES} masks of one process, found {len(expected)}'
    unlike = {n for n in ours.keys() | expected.keys() if ours.get(n) != expected.get(n)}
    if unlike:
        yield f'{len(unlike)} masks are not those of one process: {sorted(unlike)[:5]}'
    lines = (shared / 'failures.jsonl').read_text().splitlines()
    failed = sorted(json.loads(line)['unit'] for line in lines)
    if failed != sorted(fleet.broken_names) or code != bool(failed):
        yield f'expected {sorted(fleet.broken_names)} to fail, found {failed}, exit code {code}'
    left = [str(path) for path in shared.rglob('.*')]
    if left:
        yield f'half done: {left}'


def _masks(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob('*_mask.png')}


def _left_of_ray(fleet: Fleet) -> list[str]:
    """Return processes of Ray that name the folder, and files in its cache."""
    found = [f'{pid} {name}' for pid, name in children(1) if str(fleet.folder) in name]
    return found + [str(path) for path in (fleet.folder / 'c').rglob('session_*')]


def main() -> int:
    """Kill and compare; return 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--units', type=int, default=200)
    parser.add_argument('--broken', type=int, default=3)
    parser.add_argument('--kills', type=int, default=3, help='of workers')
    parser.add_argument('--jobs', type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix='fleet-') as folder:
        fleet = Fleet(Path(folder, 'f'), options.units, options.broken, options.jobs)
        found = check_kills(fleet, options.kills)
    return tell(found)


def tell(found: Sequence[str]) -> int:
    """Print what is wrong; return the exit code."""
    print('\n'.join(found) or 'all as it should be')
    return int(bool(found))


if __name__ == '__main__':
    sys.exit(main())
