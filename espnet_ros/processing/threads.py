"""How many threads image processing takes."""

from __future__ import annotations

import cv2


def limit_threads(count: int) -> None:
    """Let OpenCV take so many threads in this process, where several share a machine."""
    cv2.setNumThreads(count)
