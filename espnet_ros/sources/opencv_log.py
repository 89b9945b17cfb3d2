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
    logging = getattr(cv2.utils, 'logging', None)  # since 4.7; Ubuntu 22.04 has 4.5
    if 'OPENCV_LOG_LEVEL' not in os.environ and logging is not None:
        logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')
