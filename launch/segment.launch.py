"""
Segment a camera: the segmentation node, and on demand free space, a camera source and RViz.

    ros2 launch espnet_ros segment.launch.py image_topic:=/camera/image_raw rviz:=true
    ros2 launch espnet_ros segment.launch.py source:=drive.mp4
    ros2 launch espnet_ros segment.launch.py source:=synthetic free_space:=true rviz:=true

Nothing here touches the network: fetch a model once with ``espnet-ros models fetch``.
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from espnet_ros.nodes.transport import profile_variable, user_has_profile
from launch import LaunchContext, LaunchDescription
from launch.action import Action
from launch.actions import (
    DeclareLaunchArgument,
    OpaqueFunction,
    SetEnvironmentVariable,
    Shutdown,
)
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterFile, ParameterValue

SHARE = Path(get_package_share_directory('espnet_ros'))
RUNTIMES = ['', 'auto', 'tensorrt', 'openvino', 'onnxruntime', 'torch', 'fake']
PRECISIONS = ['', 'auto', 'fp32', 'fp16', 'bf16', 'int8']
BOOLEANS = ['true', 'false']


def argument(name: str, default: str, description: str, **kwargs: object) -> Action:
    """Declare a launch argument."""
    return DeclareLaunchArgument(name, default_value=default, description=description, **kwargs)


def transport_settings() -> list[Action]:
    """Set the Fast DDS profile for large images, unless the user has one."""
    if user_has_profile():
        return []
    return [SetEnvironmentVariable(profile_variable(), str(SHARE / 'config' / 'fastdds.xml'))]


def overrides(context: LaunchContext, *names: str) -> dict[str, object]:
    """Return the parameters that were given as launch arguments; the file has the others."""
    values = {name: context.launch_configurations[name] for name in names}
    return {name: ParameterValue(value, value_type=str) for name, value in values.items() if value}


def known_mount(context: LaunchContext) -> dict[str, object]:
    """Return how the synthetic street's camera is mounted; of others the user tells."""
    if context.launch_configurations['source'] != 'synthetic':
        return {}
    from espnet_ros.sources.street.source import HEIGHT_M, PITCH_RAD  # noqa: PLC0415  (loads OpenCV)

    return {
        'pose_source': 'parameters',
        'mount.height_m': [HEIGHT_M],
        'mount.pitch_rad': [PITCH_RAD],
    }


def free_space(context: LaunchContext, common: dict[str, object]) -> Action:
    """Return the free space node, which reads what the segmentation node publishes."""
    kinds = ('mask', 'confidence', 'camera_info', 'label_info')
    return Node(
        package='espnet_ros',
        executable='free_space_node',
        name='free_space',
        namespace=LaunchConfiguration('namespace'),
        remappings=[(kind, f'segmentation/{kind}') for kind in kinds],
        parameters=[
            ParameterFile(LaunchConfiguration('free_space_params_file')),
            {**known_mount(context), **common},
        ],
        ros_arguments=['--log-level', LaunchConfiguration('log_level')],
        output='screen',
        condition=IfCondition(LaunchConfiguration('free_space')),
    )


def nodes(context: LaunchContext) -> list[Action]:
    """Return the nodes, with what the launch arguments say."""
    namespace = LaunchConfiguration('namespace')
    sim_time = {
        'use_sim_time': ParameterValue(LaunchConfiguration('use_sim_time'), value_type=bool)
    }
    topics = [
        ('image_raw', LaunchConfiguration('image_topic')),
        ('image_raw/compressed', [LaunchConfiguration('image_topic'), '/compressed']),
        ('camera_info', LaunchConfiguration('camera_info_topic')),
    ]
    log_level = ['--log-level', LaunchConfiguration('log_level')]
    segmentation = Node(
        package='espnet_ros',
        executable='segmentation_node',
        name='segmentation',
        namespace=namespace,
        remappings=topics,
        parameters=[
            ParameterFile(LaunchConfiguration('params_file')),
            overrides(context, 'model', 'runtime', 'precision'),
            {'build_only': ParameterValue(LaunchConfiguration('build_only'), value_type=bool)},
            sim_time,
        ],
        ros_arguments=log_level,
        output='screen',
        on_exit=Shutdown(reason='the segmentation node ended'),
    )
    actions = [segmentation, free_space(context, sim_time)]
    if context.launch_configurations['source']:
        actions.append(
            Node(
                package='espnet_ros',
                executable='camera_source_node',
                name='camera_source',
                namespace=namespace,
                remappings=topics,
                parameters=[overrides(context, 'source'), {'loop': True}, sim_time],
                ros_arguments=log_level,
                output='screen',
            )
        )
    actions.append(
        Node(
            package='rviz2',
            executable='rviz2',
            name='rviz',
            namespace=namespace,
            arguments=['-d', str(SHARE / 'rviz' / 'segmentation.rviz')],
            remappings=topics,
            parameters=[sim_time],
            condition=IfCondition(LaunchConfiguration('rviz')),
        )
    )
    return actions


def generate_launch_description() -> LaunchDescription:
    """Describe the launch."""
    return LaunchDescription(
        [
            argument('image_topic', 'image_raw', 'Camera images to segment.'),
            argument('camera_info_topic', 'camera_info', 'Calibration of the camera (optional).'),
            argument('model', '', 'Model name or ONNX file; empty: as in params_file.'),
            argument(
                'runtime', '', 'What computes it; empty: as in params_file.', choices=RUNTIMES
            ),
            argument(
                'precision', '', 'Its arithmetic; empty: as in params_file.', choices=PRECISIONS
            ),
            argument(
                'params_file',
                str(SHARE / 'config' / 'segmentation.yaml'),
                'Parameters of the segmentation node.',
            ),
            argument('namespace', '', 'Namespace of all nodes.'),
            argument(
                'source',
                '',
                'Video file, image folder, bag, webcam index or "synthetic" to play as the '
                'camera; empty: your own camera publishes image_topic.',
            ),
            argument(
                'free_space',
                'false',
                'Make maps, ranges and obstacles for planners of the masks.',
                choices=BOOLEANS,
            ),
            argument(
                'free_space_params_file',
                str(SHARE / 'config' / 'free_space.yaml'),
                'Parameters of the free space node.',
            ),
            argument(
                'rviz', 'false', 'Show image, overlay, mask and free space.', choices=BOOLEANS
            ),
            argument(
                'build_only',
                'false',
                'Build the TensorRT engine and end, to prepare a robot.',
                choices=BOOLEANS,
            ),
            argument('use_sim_time', 'false', 'Take the time from /clock.', choices=BOOLEANS),
            argument('log_level', 'info', 'Log level of the nodes.'),
            *transport_settings(),
            OpaqueFunction(function=nodes),
        ]
    )
