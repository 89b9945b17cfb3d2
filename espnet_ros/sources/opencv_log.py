"""OpenCV's own messages on standard error."""

import os

import cv2


def silence_opencv() -> None:
    """
    Keep OpenCV and FFmpeg from writing to standard error.

    They write a line of their own wherever a file or device cannot be read, next to the error
    that this package raises with the path and what to do. Whoever sets ``OPENCV_LOG_LEVEL`` or
    ``OPENCV_FFMPEG_LOGLEVEL`` gets their messages.
    """
    if 'OPENCV_LOG_LEVEL' not in os.environ:
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')
