"""A labelled data set of a few small images whose classes are told by their colour."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

SIZE = (48, 64)
COLORS_BGR = np.array([[200, 180, 160], [30, 40, 120], [60, 160, 60], [128, 128, 128]], np.uint8)


def write_pair(image_path: Path, label_path: Path, seed: int) -> None:
    """Write an image of three vertical bands and its labels; the labels' last row is void."""
    generator = np.random.default_rng(seed)
    labels = np.zeros(SIZE, np.uint8)
    edges = np.sort(generator.integers(8, SIZE[1] - 8, 2))
    labels[:, edges[0] : edges[1]] = 1
    labels[:, edges[1] :] = 2
    image = COLORS_BGR[labels] + generator.integers(0, 12, (*SIZE, 3), np.uint8)
    labels[-1] = 11
    for path, array in ((image_path, image), (label_path, labels)):
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), array)


def write_camvid(root: Path, count: int = 6) -> Path:
    """Write a data set in the layout of CamVid."""
    for split, first in (('train', 0), ('val', 100)):
        for index in range(count):
            stem = f'image_{index}.png'
            write_pair(root / split / stem, root / f'{split}annot' / stem, first + index)
    return root


@pytest.fixture
def camvid(tmp_path: Path) -> Path:
    """Return a folder in the layout of CamVid with six training and six validation images."""
    return write_camvid(tmp_path / 'camvid')
