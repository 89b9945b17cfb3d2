"""The commands that write docs/models.md and the comparisons beside it, on little data."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys

import cv2
import numpy as np
import pytest

from ..conftest import ROOT

pytest.importorskip('torch', reason='builds networks')

pytestmark = pytest.mark.slow


def run_script(name: str, *arguments: object) -> None:
    """Run a script of the repository on its own package; it must succeed."""
    ended = subprocess.run(
        [sys.executable, f'scripts/{name}', *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


def rows(page: str) -> dict[str, list[str]]:
    """Return the lines of the tables of a page by their first cell."""
    lines = [line.strip('| ').split(' | ') for line in page.splitlines() if line.startswith('|')]
    return {cells[0]: cells[1:] for cells in lines}


@pytest.fixture
def camvid(tmp_path: Path) -> Path:
    """Return a data set in the layout of CamVid: road under sky, of other heights."""
    for split, count in (('train', 4), ('val', 2)):
        for index in range(count):
            labels = np.zeros((48, 64), np.uint8)
            labels[16 + 4 * index :] = 3
            image = np.array([[220, 190, 170]] * 3 + [[70, 70, 70]], np.uint8)[labels]
            for folder, array in ((split, image), (f'{split}annot', labels)):
                path = tmp_path / 'camvid' / folder / f'{index}.png'
                path.parent.mkdir(parents=True, exist_ok=True)
                assert cv2.imwrite(str(path), array)
    return tmp_path / 'camvid'


@pytest.mark.long
def test_the_table_counts_and_measures_what_was_asked_for(camvid: Path, tmp_path: Path) -> None:
    pytest.importorskip('openvino', reason='measures on OpenVINO')
    page = tmp_path / 'models.md'
    run_script('model_table.py', '--only', 'ESPNet-A', '--speed', 1, '--output', page)
    cells = rows(page.read_text())['ESPNet-A']
    assert cells[0] == '183,568'
    assert float(cells[2].removesuffix(' MB')) == pytest.approx(0.8, abs=0.2)
    assert cells[3] == '-'
    assert all(float(rate) > 0 for rate in cells[4:6])


def test_networks_are_trained_alike_and_compared(camvid: Path, tmp_path: Path) -> None:
    page = tmp_path / 'comparison.md'
    arguments = ('--camvid', camvid, '--output', tmp_path / 'runs', '--document', page, '--epochs',
                 1, '--full-epochs', 1, '--batch-size', 2, '--crop', 32, 40)  # fmt: skip
    run_script('compare_networks.py', *arguments)
    found = rows(page.read_text())
    assert found['ESPNet, alpha3 = 8'][0] == '354,517'
    assert found['ENet'][0] == '363,856'
    assert found['ESPNet-C, alpha3 = 3'][3] == '+0.00'
    modules = [name for name in found if name.startswith('ESPNet-C of')]
    assert len(modules) == 5
    for name in ('ENet', *modules):
        assert 0 <= float(found[name][2]) <= 100
    trained = sorted((tmp_path / 'runs').glob('*/*/best.pth'))
    assert len(trained) == 8

    before = [path.stat().st_mtime_ns for path in trained]
    run_script('compare_networks.py', *arguments)
    assert [path.stat().st_mtime_ns for path in trained] == before
    assert rows(page.read_text()) == found


@pytest.mark.long
def test_recipes_get_as_many_epochs(camvid: Path, tmp_path: Path) -> None:
    page = tmp_path / 'recipes.md'
    run_script(
        'compare_recipes.py', '--camvid', camvid, '--output', tmp_path / 'runs', '--document',
        page, '--epochs', 1, '--batch-size', 2, '--crop', 32, 40, '--validate-every', 1,
    )  # fmt: skip
    found = rows(page.read_text())
    assert all(0 <= float(cells[0]) <= 100 for cells in list(found.values())[2:])
    assert found["`paper`, the paper's recipe"][2] == '+0.00'
    assert 0 <= float(found['`modern`'][1]) <= 100
    assert len(list((tmp_path / 'runs').glob('*/*/best.pth'))) == 4
