"""Data sets and sources that Ray's jobs evaluate and compare: the figures of one process."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
import json
from pathlib import Path
import pickle
import subprocess
import sys
from typing import Any

import cv2
from espnet_ros.cli.main import main
from espnet_ros.fleet.engine import run_in_turn, WorkerFactory
from espnet_ros.fleet.unit import Finished, Task
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
SIZE = (24, 48)
RunBoth = Callable[..., list[tuple[int, Any, dict[str, bytes]]]]

pytestmark = pytest.mark.timeout(280)


def run_pickled(
    factory: WorkerFactory, tasks: Sequence[Task], *_: object
) -> Generator[Finished, None, None]:
    """Do tasks as Ray may: in another order, and all that goes between processes is pickled."""
    work, given = pickle.loads(pickle.dumps((factory, list(reversed(tasks)))))
    for end in run_in_turn(work, given, 1, lambda: None):
        yield pickle.loads(pickle.dumps(end))


def run_in_process(line: list[str], monkeypatch: pytest.MonkeyPatch, _: Path) -> int:
    monkeypatch.setattr('espnet_ros.fleet.ray_engine.run_on_ray', run_pickled)
    return main(line)


def run_on_real_ray(line: list[str], monkeypatch: pytest.MonkeyPatch, cache: Path) -> int:
    """Run a process of its own: where Ray was imported before, it knows no token."""
    pytest.importorskip('ray', reason='shares data sets out')
    monkeypatch.setenv('PYTHONPATH', str(ROOT))
    monkeypatch.setenv('XDG_CACHE_HOME', str(cache))
    words = [sys.executable, '-m', 'espnet_ros.cli', *line]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode in (0, 1), ended.stderr
    return ended.returncode


@pytest.fixture(
    params=[
        pytest.param(run_in_process, id='pickled'),
        pytest.param(run_on_real_ray, id='ray', marks=pytest.mark.long),
    ]
)
def run_both(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> RunBoth:
    """Return what gives code, record and pictures of ``--engine local``, and those of ray."""

    def run(*words: object) -> list[tuple[int, Any, dict[str, bytes]]]:
        found = []
        for engine in (('local',), ('ray', '--jobs', '2')):
            out, path = tmp_path / engine[0], tmp_path / f'{engine[0]}.json'
            given = (*words, '--engine', *engine, '--json', path)
            line = [str(word).replace('OUT', str(out)) for word in given]
            is_local = engine == ('local',)
            cache = tmp_path_factory.mktemp('c')  # its path is short enough for sockets
            code = main(line) if is_local else request.param(line, monkeypatch, cache)
            pictures = {str(p.relative_to(out)): p.read_bytes() for p in out.rglob('*.[jp]*g')}
            found.append((code, json.loads(path.read_text()), pictures))
        return found

    return run


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


def test_data_sets_on_ray_have_the_confusion_of_one_process_and_one_that_fails_is_told(
    run_both: RunBoth, channel_model_path: Path, tmp_path: Path
) -> None:
    sets = [make_set(tmp_path / name, i, 4 + i) for i, name in enumerate(('a', 'b', 'c'))]
    (sets[1] / 'labels/val/002.png').write_bytes(b'broken')
    local, ray = run_both(
        'evaluate', '--data', *sets, '--model', channel_model_path, '--runtime', 'onnxruntime',
        '--conditions', 'fog', '--pictures', 'OUT',
    )  # fmt: skip
    assert ray == local
    code, record, pictures = ray
    assert code == 1 and len(record['failed']) == 1 and '002.png' in record['failed'][0]['reason']
    assert np.sum(record['total']['confusion']) == (4 + 6) * SIZE[0] * SIZE[1]
    assert {'confusion.png', 'a/confusion.png', 'c/conditions.png'} <= pictures.keys()
    assert any(name.startswith('c/worst_1_') for name in pictures)


def test_parts_of_one_folder_on_ray_have_the_agreement_of_one_process(
    run_both: RunBoth, channel_model_path: Path, tmp_path: Path
) -> None:
    photos = make_set(tmp_path / 'a', 1, 9) / 'images/val'
    (photos / '004.png').write_bytes(b'broken')
    both = [f'{channel_model_path}@onnxruntime:{where}' for where in ('host', 'device')]
    local, ray = run_both('compare', *both, photos, '--output', 'OUT')
    assert ray == local
    assert len(ray[1]['images']) == 8 and [b['name'] for b in ray[1]['broken']] == ['004']
