#!/usr/bin/env python3
"""
Measure the memory that ``segment --tile`` takes, on a rendered picture whose truth is known.

``python scripts/measure_slide.py --size 20000 24000`` renders a TIFF file of coloured blocks,
segments it with a network of three classes, each the brightest of a channel, and tells the peak
memory, the time and how many pixels of the mask are not those of the truth.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
import resource
import subprocess
import sys
import tempfile
import time
from typing import Any

import numpy as np
import onnx
from onnx import helper
import tifffile

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / 'test' / 'support')]

from channel_model import make_channel_model  # noqa: E402
from espnet_ros.labels import LabelSet  # noqa: E402
from espnet_ros.model_file import ModelInfo  # noqa: E402
from espnet_ros.sources.tiff_reader import SlideReader  # noqa: E402

TILE, BLOCK = 256, 16


def save_network(path: Path) -> None:
    """Write the network whose class is the brightest channel."""
    names = LabelSet.from_names(('blue', 'green', 'red'))
    info = ModelInfo('channels', 'foreign', (), (256, 256), names)
    proto = make_channel_model()
    helper.set_model_props(proto, info.to_metadata())
    onnx.save(proto, path)


def truth_of(row: int, column: int) -> np.ndarray:
    """Return the classes of a tile of the picture, uint8, (TILE, TILE)."""
    side = TILE // BLOCK
    classes = np.random.default_rng((row, column)).integers(0, 3, (side, side), np.uint8)
    return np.kron(classes, np.ones((BLOCK, BLOCK), np.uint8))


def tiles(size: tuple[int, int]) -> Iterator[np.ndarray]:
    """Give the tiles of the picture, RGB: the channel of the class is the brightest."""
    for row in range(-(-size[0] // TILE)):
        for column in range(-(-size[1] // TILE)):
            classes = truth_of(row, column)
            yield np.where(classes[..., None] == np.array([2, 1, 0]), 220, 20).astype(np.uint8)


def count_wrong(mask: Path, size: tuple[int, int]) -> int:
    """Return how many pixels of a mask are not those of the truth."""
    wrong = 0
    with SlideReader(mask) as found:
        for top in range(0, size[0], TILE):
            for left in range(0, size[1], TILE):
                height, width = min(TILE, size[0] - top), min(TILE, size[1] - left)
                expected = truth_of(top // TILE, left // TILE)[:height, :width]
                wrong += int((found.read(top, left, height, width)[..., 0] != expected).sum())
    return wrong


def main() -> None:
    """Render, segment, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--size', type=int, nargs=2, default=(20000, 24000))
    size = tuple(parser.parse_args().size)
    with tempfile.TemporaryDirectory(prefix='slide-') as name:
        folder = Path(name)
        save_network(folder / 'network.onnx')
        how: dict[str, Any] = {
            'photometric': 'rgb',
            'tile': (TILE, TILE),
            'compression': 'zlib',
            'bigtiff': True,
        }
        how |= {'shape': (*size, 3), 'dtype': np.uint8}
        tifffile.imwrite(folder / 'slide.tif', tiles(size), **how)
        words = ['segment', str(folder / 'slide.tif'), '--tile', '1024', '--overlap', '128']
        words += ['--model', str(folder / 'network.onnx'), '--output', str(folder / 'out')]
        began_s = time.perf_counter()
        subprocess.run([sys.executable, '-m', 'espnet_ros.cli', *words], cwd=ROOT, check=True)
        elapsed_s = time.perf_counter() - began_s
        peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        wrong = count_wrong(folder / 'out' / 'slide' / 'slide_mask.tif', size)
    print(f'{size[0]} x {size[1]} pixels: {peak_mb:.0f} MB at most, {elapsed_s:.0f} s, '
          f'{wrong} pixels are not those of the truth')  # fmt: skip
    sys.exit(bool(wrong))


if __name__ == '__main__':
    main()
