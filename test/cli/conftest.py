"""Running the command line in this process, and small pictures of known classes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import json
from pathlib import Path
from typing import Any

import cv2
from espnet_ros.cli.main import main
import numpy as np
from numpy.typing import NDArray
import pytest


@dataclass(frozen=True)
class Ended:
    """How a run of the command line ended: exit code and what it wrote."""

    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs the command line with its arguments."""

    def run(*arguments: object) -> Ended:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        written = capsys.readouterr()
        return Ended(code, written.out, written.err)

    return run


def stripes(height: int = 16, width: int = 32) -> NDArray[np.uint8]:
    """Return an image of which the left half is blue (class 0), the right half red (2)."""
    image_bgr = np.full((height, width, 3), 20, np.uint8)
    image_bgr[:, : width // 2, 0] = 220
    image_bgr[:, width // 2 :, 2] = 220
    return image_bgr


def stripe_labels(height: int = 16, width: int = 32) -> NDArray[np.uint8]:
    labels = np.zeros((height, width), np.uint8)
    labels[:, width // 2 :] = 2
    return labels


def read_mask(path: Path) -> NDArray[np.uint8]:
    """Return a mask file, which must have one channel."""
    mask: NDArray[np.uint8] = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert mask.ndim == 2
    return mask


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding='utf-8'))


def files_in(folder: Path) -> set[str]:
    """Return every file below a folder, hidden ones included."""
    return {str(p.relative_to(folder)) for p in folder.rglob('*') if p.is_file()}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder with two images."""
    folder = tmp_path / 'photos'
    folder.mkdir()
    for name in ('a.png', 'b.png'):
        cv2.imwrite(str(folder / name), stripes())
    return folder


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Return a video of eight frames."""
    path = tmp_path / 'clip.mp4'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'mp4v'), 10.0, (64, 32))
    for _ in range(8):
        writer.write(stripes(32, 64))
    writer.release()
    return path


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of fetched models, which is empty, on a machine where none ships."""
    folder = tmp_path / 'store'
    monkeypatch.setenv('ESPNET_ROS_MODELS', str(folder))
    monkeypatch.setattr('espnet_ros.model_file.store._shipped_folder', lambda: tmp_path / 'none')
    return folder
