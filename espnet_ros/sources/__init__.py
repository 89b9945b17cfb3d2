"""Cameras for machines without one: video, image files, bag, webcam, synthetic street."""

from espnet_ros.sources.base import BrokenFrame, CameraModel, Frame, FrameCalibration, Source
from espnet_ros.sources.images import ImageFilesSource
from espnet_ros.sources.opening import image_topics, open_source, split_topic

__all__ = [
    'BrokenFrame',
    'CameraModel',
    'Frame',
    'FrameCalibration',
    'ImageFilesSource',
    'Source',
    'image_topics',
    'open_source',
    'split_topic',
]
