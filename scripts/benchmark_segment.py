#!/usr/bin/env python3
"""
Compare the frames per second of this package with the authors' way, side by side in one run.

The authors' way (test/VisualizeResults.py of github.com/sacmehta/ESPNet, written anew): the
image is normalised in numpy as float32 at its full size, resized, divided by 255, and run
through PyTorch in eager mode. Ours: the segmenter on each runtime that is usable. All take
turns, so that a machine that slows down slows all of them.

The authors' way has a process of its own, because the runtimes switch denormal numbers off for
the process that they are in, which makes PyTorch several times faster; the last row shows it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
import multiprocessing
from pathlib import Path
from statistics import median
import time
from typing import Any

import cv2
from espnet_ros.benchmark.image import read_image
from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import RuntimeUnavailableError
from espnet_ros.export.onnx_export import export_checkpoint
from espnet_ros.model_file import ModelFile
from espnet_ros.models.checkpoints import load_checkpoint
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.segmenter import Segmenter
import numpy as np
from numpy.typing import NDArray
import torch

Segment = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
Way = Callable[[NDArray[np.uint8]], float]

CONFIGURATIONS = (
    ('openvino', 'auto'),
    ('openvino', 'fp32'),
    ('onnxruntime', 'fp32'),
    ('torch', 'fp32'),
)


def authors_way(path: Path, size: tuple[int, int]) -> Segment:
    """Return a function that segments an image as the authors' script does."""
    checkpoint = load_checkpoint(path)
    network = checkpoint.build_network()
    normalization = checkpoint.training_set.normalization

    def segment(image_bgr: NDArray[np.uint8]) -> NDArray[np.uint8]:
        image: Any = image_bgr.astype(np.float32)
        for channel in range(3):
            image[:, :, channel] -= normalization.mean_bgr[channel]
        for channel in range(3):
            image[:, :, channel] /= normalization.std_bgr[channel]
        image = cv2.resize(image, (size[1], size[0]))
        image /= 255
        tensor = torch.from_numpy(image.transpose((2, 0, 1)).copy()).unsqueeze(0)
        with torch.no_grad():
            logits = network(tensor)
        return np.asarray(logits[0].max(0)[1].byte().numpy(), np.uint8)

    return segment


def without_denormals(make: Callable[[], Segment]) -> Segment:
    """Switch denormals off before PyTorch has started its threads, which inherit it."""
    torch.set_flush_denormal(True)
    return make()


def our_way(model: ModelFile, runtime: str, precision: str) -> tuple[str, Segment] | None:
    """Return a name and a function that segments an image, or None where it cannot be had."""
    try:
        opened = open_runtime(model, RuntimeSettings(runtime=runtime, precision=precision))
    except RuntimeUnavailableError as error:
        print(f'{runtime} {precision}: left out ({error})')
        return None
    segmenter = Segmenter(opened)
    name = f'{runtime} {opened.precision}'
    return name, lambda image_bgr: segmenter.segment([image_bgr])[0].labels


class OwnProcess:
    """Times a way to segment in a process of its own."""

    segment: Segment

    def __init__(self, make: Callable[[], Segment]) -> None:
        self._pool = ProcessPoolExecutor(
            1, multiprocessing.get_context('spawn'), OwnProcess._prepare, (make,)
        )

    def seconds(self, image_bgr: NDArray[np.uint8]) -> float:
        """Return how long one image took."""
        return self._pool.submit(OwnProcess._run, image_bgr).result()

    @classmethod
    def _prepare(cls, make: Callable[[], Segment]) -> None:
        cls.segment = staticmethod(make())

    @classmethod
    def _run(cls, image_bgr: NDArray[np.uint8]) -> float:
        return stopwatch(cls.segment, image_bgr)


def stopwatch(segment: Segment, image_bgr: NDArray[np.uint8]) -> float:
    """Return how long one image took."""
    started = time.perf_counter()
    segment(image_bgr)
    return time.perf_counter() - started


def measure(
    ways: dict[str, Way],
    image_bgr: NDArray[np.uint8],
    runs: int,
) -> None:
    """Time the ways in turn and print medians and ratios to the first."""
    for seconds_of in ways.values():
        seconds_of(image_bgr)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(runs):
        for name, seconds_of in ways.items():
            seconds[name].append(seconds_of(image_bgr))
    reference = seconds[next(iter(ways))]
    print(f'{"":32}{"ms/frame":>10}{"frames/s":>10}{"ratio":>8}')
    for name, values in seconds.items():
        ratio = median(a / b for a, b in zip(reference, values, strict=True))
        print(f'{name:32}{median(values) * 1e3:10.1f}{1 / median(values):10.2f}{ratio:8.1f}')


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('checkpoint', type=Path, help='published ESPNet checkpoint (.pth)')
    parser.add_argument('image', type=Path, help='camera image')
    parser.add_argument('--runs', type=int, default=7, help='timed runs of each way')
    options = parser.parse_args()
    image_bgr = read_image(options.image, None)
    model = export_checkpoint(options.checkpoint)
    size = model.info.input_size
    authors = partial(authors_way, options.checkpoint, size)
    ways: dict[str, Way] = {"authors' way, torch eager": OwnProcess(authors).seconds}
    for name, segment in filter(None, (our_way(model, *pair) for pair in CONFIGURATIONS)):
        ways[name] = partial(stopwatch, segment)
    ways["authors' way, no denormals"] = OwnProcess(partial(without_denormals, authors)).seconds
    height, width = image_bgr.shape[:2]
    print(
        f'{model.info.name}, image {width}x{height}, network {size[1]}x{size[0]}, batch 1, '
        f'median of {options.runs} runs'
    )
    measure(ways, image_bgr, options.runs)


if __name__ == '__main__':
    main()
