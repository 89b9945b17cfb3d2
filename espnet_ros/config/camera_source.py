"""The settings of the camera source node."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.config.images import check_size, ImageSettings
from espnet_ros.settings import section, setting


@dataclass(frozen=True)
class CameraSourceSettings:
    """Every parameter of the camera source node."""

    source: str = setting(
        'synthetic',
        'What to play: path of a video, an image or a folder of images; path of a bag, as '
        'BAG:TOPIC where several topics hold images; number of a webcam; or synthetic for the '
        'synthetic street.',
        read_only=True,
    )
    images: ImageSettings = section(ImageSettings)
    rate_hz: float = setting(
        0.0,
        "Images per second; 0 takes the source's own rate, or 10 where it has none.",
        minimum=0.0,
        maximum=1000.0,
        read_only=True,
    )
    loop: bool = setting(False, 'Start files again when they end.', read_only=True)
    transport: str = setting(
        'raw',
        'Publish image_raw, image_raw/compressed or both.',
        choices=('raw', 'compressed', 'both'),
        read_only=True,
    )
    camera: str = setting(
        '',
        'Name of the camera; it is put before the topics, as in front/image_raw. Empty for none.',
        read_only=True,
    )
    frame_id: str = setting(
        '',
        'Frame of the images and of camera_info, x right, y down, z ahead; empty takes those that '
        'a bag has recorded, else camera_optical_frame.',
        read_only=True,
    )
    base_frame: str = setting(
        'base_link',
        'Parent frame of the transform of the synthetic camera: x ahead, '
        'y left, z up, the ground at 0.',
        read_only=True,
    )
    publish_transform: bool = setting(
        True,
        'Publish the pose of the camera on /tf_static, if it is known, as for the synthetic '
        'street, and tf2_msgs is installed.',
        read_only=True,
    )
    camera_info_topic: str = setting(
        '',
        'Topic of a bag that holds the camera_info of its images; empty takes camera_info beside '
        'the image topic, as in /front/camera_info for /front/image_raw/compressed.',
        read_only=True,
    )
    jpeg_quality: int = setting(
        90, 'Quality of compressed images.', minimum=1, maximum=100, read_only=True
    )
    publish_labels: bool = setting(
        False,
        'Publish the true class ids beside each image as ~/labels; the synthetic street only.',
        read_only=True,
    )
    size: tuple[int, ...] = setting(
        (0, 0),
        '[height, width] of the synthetic street, or requested of a webcam; [0, 0] takes the '
        "source's own. Files have a size of their own.",
        minimum=0,
        maximum=8192,
        read_only=True,
    )
    seed: int = setting(0, 'Which synthetic street.', minimum=0, maximum=2**31 - 1, read_only=True)

    def __post_init__(self) -> None:
        check_size('size', self.size)
