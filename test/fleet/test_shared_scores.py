"""Data sets and sources that Ray's jobs evaluate and compare: the figures of one process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
from espnet_ros.cli.main import main
import numpy as np
import pytest

pytest.importorskip('ray', reason='shares data sets out')

ROOT = Path(__file__).resolve().parents[2]
SIZE = (24, 48)

pytestmark = [pytest.mark.long, pytest.mark.timeout(280)]


@pytest.fixture(autouse=True)
def places(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set where jobs find the package, and a cache whose path is short enough for sockets."""
    monkeypatch.setenv('PYTHONPATH', str(ROOT))
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path_factory.mktemp('c')))


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


def run_both(words: list[object], folder: Path) -> tuple[Any, ...]:
    """Return exit code, record and pictures of ``--engine local``, then those of Ray."""
    found: list[Any] = []
    for engine in (('local',), ('ray', '--jobs', '2')):
        out, path = folder / engine[0], folder / f'{engine[0]}.json'
        given = (*words, '--engine', *engine, '--json', path)
        code = main([str(word).replace('OUT', str(out)) for word in given])
        pictures = {str(p.relative_to(out)): p.read_bytes() for p in out.rglob('*.[jp]*g')}
        found.append((code, json.loads(path.read_text()), pictures))
    return tuple(found)


def test_data_sets_on_ray_have_the_confusion_of_one_process_and_one_that_fails_is_told(
    channel_model_path: Path, tmp_path: Path
) -> None:
    sets = [make_set(tmp_path / name, i, 4 + i) for i, name in enumerate(('a', 'b', 'c'))]
    (sets[1] / 'labels/val/002.png').write_bytes(b'broken')
    words = [
        'evaluate', '--data', *sets, '--model', channel_model_path, '--runtime', 'onnxruntime',
        '--conditions', 'fog', '--pictures', 'OUT',
    ]  # fmt: skip
    local, ray = run_both(words, tmp_path)
    assert ray == local
    code, record, pictures = ray
    assert code == 1 and len(record['failed']) == 1 and '002.png' in record['failed'][0]['reason']
    assert np.sum(record['total']['confusion']) == (4 + 6) * SIZE[0] * SIZE[1]
    assert {'confusion.png', 'a/confusion.png', 'c/conditions.png'} <= pictures.keys()
    assert any(name.startswith('c/worst_1_') for name in pictures)


def test_parts_of_one_folder_on_ray_have_the_agreement_of_one_process(
    channel_model_path: Path, tmp_path: Path
) -> None:
    photos = make_set(tmp_path / 'a', 1, 9) / 'images/val'
    (photos / '004.png').write_bytes(b'broken')
    both = [f'{channel_model_path}@onnxruntime:{where}' for where in ('host', 'device')]
    local, ray = run_both(['compare', *both, photos, '--output', 'OUT'], tmp_path)
    assert ray == local
    assert len(ray[1]['images']) == 8 and [b['name'] for b in ray[1]['broken']] == ['004']
