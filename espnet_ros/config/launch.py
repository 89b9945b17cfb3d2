"""The arguments of the launch file."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.config.runtime import PRECISIONS, RUNTIMES
from espnet_ros.settings import setting


@dataclass(frozen=True)
class LaunchSettings:
    """Every argument of segment.launch.py; what is left empty comes from elsewhere."""

    image_topic: str = setting(
        '',
        'Topic of the images to segment; with cameras a pattern in which {camera} is each name. '
        'Empty: image_raw, or {camera}/image_raw.',
    )
    camera_info_topic: str = setting(
        '',
        'Calibration of the camera, or a pattern. Empty: camera_info beside the images, as '
        '/camera/camera_info of /camera/image_raw.',
    )
    cameras: str = setting('', 'Names of the cameras, as front,left. Empty: as in params_file.')
    model: str = setting('', 'Model name or ONNX file. Empty: as in params_file.')
    runtime: str = setting(
        '', 'What runs the network. Empty: as in params_file.', choices=('', *RUNTIMES)
    )
    precision: str = setting(
        '', 'Arithmetic of the network. Empty: as in params_file.', choices=('', *PRECISIONS)
    )
    params_file: str = setting(
        '', 'Parameters of the segmentation node. Empty: config/segmentation.yaml.'
    )
    namespace: str = setting('', 'Namespace of all nodes.')
    enclave: str = setting(
        '',
        'SROS 2: what the enclaves of the processes are below, as /espnet_ros for '
        '/espnet_ros/segmentation. Empty: none is passed.',
    )
    source: str = setting(
        '',
        'Video file, image folder, bag, webcam number or "synthetic" to play as the camera; with '
        'cameras it may contain {camera}. Empty: your own camera publishes image_topic.',
    )
    free_space: bool = setting(False, 'Turn masks into maps, ranges and obstacles for planners.')
    free_space_params_file: str = setting(
        '', 'Parameters of the free space node. Empty: config/free_space.yaml.'
    )
    web: bool = setting(
        False,
        'Serve the live view, a page that a browser opens; at web.port of params_file, else at '
        'port 8421.',
    )
    rviz: bool = setting(False, 'Show image, overlay, mask and free space.')
    build_only: bool = setting(
        False, 'Start the segmentation node alone, to build its TensorRT engine and end.'
    )
    on_death: str = setting(
        'shutdown',
        'What happens if a process dies: shutdown ends the launch with an exit code that is not '
        '0, respawn starts the process again after a second.',
        choices=('shutdown', 'respawn'),
    )
    use_sim_time: bool = setting(False, 'Take the time from /clock.')
    log_level: str = setting('info', 'Log level of the nodes.')
