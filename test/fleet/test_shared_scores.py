"""Data sets and sources that Ray's jobs evaluate and compare: the figures of one process."""

from __future__ import annotations

from collections.abc import Callable
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
from typing import Any

import cv2
import numpy as np
from processes import ray_workers, wait_until
import pytest

pytest.importorskip('ray', reason='shares data sets out')

ROOT = Path(__file__).resolve().parents[2]
SIZE = (24, 48)
Command = Callable[..., list[str]]

pytestmark = [pytest.mark.long, pytest.mark.timeout(280)]


@pytest.fixture
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of commands, whose cache has a path short enough for sockets."""
    cache = str(tmp_path_factory.mktemp('c'))
    return {**os.environ, 'PYTHONPATH': str(ROOT), 'XDG_CACHE_HOME': cache}


def command(verb: str, *words: object) -> list[str]:
    return [sys.executable, '-m', 'espnet_ros.cli', verb, *map(str, words)]


def make_set(root: Path, seed: int, count: int) -> Path:
    """Write a data set of noise, whose labels are wrong in places."""
    random = np.random.default_rng(seed)
    for folder in ('images', 'labels'):
        (root / folder / 'val').mkdir(parents=True)
    names = ('blue', 'green', 'red')
    classes = ', '.join(f'{{name: {n}, color: [{i}, 0, 0]}}' for i, n in enumerate(names))
    (root / 'labels.yaml').write_text(f'name: channels\nclasses: [{classes}]\n')
    for index in range(count):
        image = random.integers(0, 255, (*SIZE, 3), np.uint8)
        labels = image.argmax(axis=2).astype(np.uint8)
        labels[random.random(SIZE) < 0.2] = 1
        assert cv2.imwrite(str(root / f'images/val/{index:03d}.png'), image)
        assert cv2.imwrite(str(root / f'labels/val/{index:03d}.png'), labels)
    return root


def run_both(words: list[str], environment: dict[str, str], folder: Path) -> tuple[Any, ...]:
    """Return exit code, record and files of ``--engine local``, then those of Ray."""
    found: list[Any] = []
    for engine in (('local',), ('ray', '--jobs', '2')):
        out = folder / engine[0]
        path = folder / f'{engine[0]}.json'
        more = ('--json', path, '--engine', *engine)
        line = [word.replace('OUT', str(out)) for word in words]
        ended = subprocess.run(
            [*line, *map(str, more)], env=environment, capture_output=True, text=True, check=False
        )
        assert path.is_file(), ended.stderr
        pictures = {str(p.relative_to(out)): p.read_bytes() for p in out.rglob('*.*')}
        found.append((ended.returncode, json.loads(path.read_text()), pictures))
    return tuple(found)


def test_data_sets_on_ray_have_the_confusion_of_one_process_and_one_that_fails_is_told(
    channel_model_path: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    sets = [make_set(tmp_path / name, i, 4 + i) for i, name in enumerate(('a', 'b', 'c'))]
    (sets[1] / 'labels/val/002.png').write_bytes(b'broken')
    words = command(
        'evaluate', '--data', *sets, '--model', channel_model_path, '--runtime', 'onnxruntime',
        '--conditions', 'fog', '--pictures', 'OUT',
    )  # fmt: skip
    local, ray = run_both(words, environment, tmp_path)
    assert ray == local
    code, record, pictures = ray
    assert code == 1 and len(record['failed']) == 1 and '002.png' in record['failed'][0]['reason']
    assert np.sum(record['total']['confusion']) == (4 + 6) * SIZE[0] * SIZE[1]
    assert {'a/conditions.png', 'c/worst_1_000.jpg'} <= {
        name if 'worst_1' not in name else f'{name[:9]}_000.jpg' for name in pictures
    }


def test_parts_of_one_folder_on_ray_have_the_agreement_of_one_process(
    channel_model_path: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    photos = make_set(tmp_path / 'a', 1, 9) / 'images/val'
    (photos / '004.png').write_bytes(b'broken')
    both = [f'{channel_model_path}@onnxruntime:{where}' for where in ('host', 'device')]
    words = command('compare', *both, photos, '--output', 'OUT')
    local, ray = run_both(words, environment, tmp_path)
    assert ray == local
    assert len(ray[1]['images']) == 8 and [b['name'] for b in ray[1]['broken']] == ['004']


def test_a_killed_job_costs_no_data_set_and_the_end_leaves_no_process(
    channel_model_path: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    sets = [make_set(tmp_path / f'{i}', i, 300) for i in range(4)]
    words = command(
        'evaluate', '--data', *sets, '--model', channel_model_path, '--runtime', 'onnxruntime',
        '--engine', 'ray', '--jobs', '2', '--conditions', '--json', tmp_path / 'a.json',
    )  # fmt: skip
    driver = subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        wait_until(lambda: driver.poll() is not None or len(ray_workers(driver.pid)) == 2, 110)
        os.kill(ray_workers(driver.pid)[0], signal.SIGKILL)
        _, err = driver.communicate(timeout=120)
    finally:
        driver.kill()
    assert driver.returncode == 0, err
    assert json.loads((tmp_path / 'a.json').read_text())['total']['images'] == 1200
