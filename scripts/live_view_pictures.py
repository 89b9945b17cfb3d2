#!/usr/bin/env python3
"""
Take the pictures of the live view that README.md and docs/web.md show.

``python scripts/live_view_pictures.py drive.mp4 --output docs/images`` plays a recording with
``espnet-ros view``, looks at its page in a Chromium without a window, and writes live_view.jpg and
live_view_slider.webp, in which the slider moves over one image from the camera to the mask and
back.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
import math
from pathlib import Path
import subprocess
import sys
import tempfile
import time

import cv2
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / 'test' / 'support')]

from chromium import chromium, find_chromium, Page  # noqa: E402

PAGE = (912, 1600)
SLIDER_PAGE = (760, 1000)
SLIDER_WIDTH = 720
SLIDER_STEPS = 10
FRAME_MS = 200
START_LIMIT_S = 120.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('source', type=Path, help='a video, a folder of images or a bag')
    parser.add_argument('--output', type=Path, default=Path('docs/images'), help='folder')
    parser.add_argument('--after', type=float, default=45.0, help='seconds the curves show')
    parser.add_argument('--port', type=int, default=8531)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    path = find_chromium()
    if path is None:
        sys.exit('expected a chromium, found none: sudo apt-get install chromium')
    source, port = str(options.source.resolve()), str(options.port)
    view = ['-m', 'espnet_ros.cli', 'view', source, '--port', port]
    with ExitStack() as stack:
        server = stack.enter_context(subprocess.Popen([sys.executable, *view], cwd=ROOT))
        stack.callback(server.terminate)
        folder = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        page = stack.enter_context(stack.enter_context(chromium(path, Path(folder))).page())
        page.prefer('dark')
        _open(page, f'http://127.0.0.1:{options.port}/')
        time.sleep(options.after)
        _resize(page, PAGE)
        _write(options.output / 'live_view.jpg', page.screenshot())
        _resize(page, SLIDER_PAGE)
        page.evaluate('document.getElementById("pause").click()')
        there = [_slide(page, index / SLIDER_STEPS) for index in range(SLIDER_STEPS + 1)]
    _animate(options.output / 'live_view_slider.webp', [*there, *there[-2:0:-1]])


def _resize(page: Page, size: tuple[int, int]) -> None:
    page.resize(size[1], size[0])
    time.sleep(2.0)


def _open(page: Page, address: str) -> None:
    """Open the page as soon as it is served, and wait for its first picture."""
    _resize(page, PAGE)
    page.open(address)
    end_s = time.monotonic() + START_LIMIT_S
    while not page.evaluate('!!document.getElementById("empty")?.hidden'):
        if time.monotonic() > end_s:
            sys.exit(f'{address}: expected a picture within {START_LIMIT_S:g} s, found none')
        time.sleep(1.0)
        if page.evaluate('document.getElementById("empty") === null'):
            page.open(address)


def _slide(page: Page, phase: float) -> NDArray[np.uint8]:
    """Return the picture with the slider on its way: the camera at phase 0, the mask at 1."""
    percent = 50 - 50 * math.cos(math.pi * phase)
    page.evaluate(
        '(() => { const slider = document.getElementById("blend");'
        f' slider.value = {percent}; slider.dispatchEvent(new Event("input")); }})()'
    )
    image = _decode(page.picture_of('#stage'))
    height = round(image.shape[0] * SLIDER_WIDTH / image.shape[1])
    return np.asarray(
        cv2.resize(image, (SLIDER_WIDTH, height), interpolation=cv2.INTER_AREA), np.uint8
    )


def _decode(png: bytes) -> NDArray[np.uint8]:
    return np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def _write(path: Path, png: bytes) -> None:
    cv2.imwrite(str(path), _decode(png), [cv2.IMWRITE_JPEG_QUALITY, 78])


def _animate(path: Path, frames: list[NDArray[np.uint8]]) -> None:
    animation = cv2.Animation()
    animation.frames = frames
    animation.durations = [FRAME_MS] * len(frames)
    cv2.imwriteanimation(str(path), animation, [cv2.IMWRITE_WEBP_QUALITY, 85])


if __name__ == '__main__':
    main()
