"""
Segment cameras: the segmentation node, and on demand free space, camera sources and RViz.

    ros2 launch espnet_ros segment.launch.py image_topic:=/camera/image_raw rviz:=true
    ros2 launch espnet_ros segment.launch.py source:=drive.mp4
    ros2 launch espnet_ros segment.launch.py source:=synthetic free_space:=true rviz:=true
    ros2 launch espnet_ros segment.launch.py cameras:=front,left free_space:=true

What cannot start ends the launch with one line and an exit code that is not 0, before anything is
started. Nothing here touches the network: fetch a model once with ``espnet-ros models fetch``.
What is decided is in ``espnet_ros.nodes.launching``; here it is only done.
"""

from collections.abc import Callable
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from espnet_ros.config import LaunchSettings
from espnet_ros.exceptions import EspnetError
from espnet_ros.nodes.launching.parts import Process
from espnet_ros.nodes.launching.plan import BOOLEANS, plan_launch, read_arguments
from espnet_ros.nodes.launching.transport import transport_setting
from espnet_ros.settings import list_settings, Setting
from launch import Event, LaunchContext, LaunchDescription
from launch.action import Action
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
)
from launch.event_handler import EventHandler
from launch.events import matches_action
from launch.events.process import ProcessExited, ShutdownProcess
from launch.logging import get_logger
from launch_ros.actions import Node

SHARE = Path(get_package_share_directory('espnet_ros'))
RESPAWN_DELAY_S = 1.0


class LaunchFailed(Event):
    """
    The launch is to end with an exit code that is not 0.

    ros2 launch ends so where a handler of an event raises. It must be an event of its own: what
    raises while others are being started leaves them behind.
    """

    name = 'espnet_ros.LaunchFailed'

    def __init__(self, reason: str) -> None:
        self.reason = reason


def fail(context: LaunchContext) -> None:
    """Raise what ends the launch."""
    raise RuntimeError(context.locals.event.reason)


def argument(entry: Setting) -> Action:
    """Declare a launch argument."""
    is_bool = isinstance(entry.default, bool)
    return DeclareLaunchArgument(
        entry.name,
        default_value=str(entry.default).lower() if is_bool else str(entry.default),
        description=entry.description,
        choices=list(BOOLEANS if is_bool else entry.choices) or None,
    )


def transport_settings() -> list[Action]:
    """Set what the middleware needs for large images, unless the user has."""
    setting = transport_setting(SHARE / 'config')
    return [SetEnvironmentVariable(*setting)] if setting else []


def when_ended(process: Process) -> Callable[[ProcessExited, LaunchContext], Action | None]:
    """Return what is done when a process has ended."""

    def react(event: ProcessExited, context: LaunchContext) -> Action | None:
        if context.is_shutdown:
            return None
        if process.has_died(event.returncode):
            reason = f'{process.name} has died (exit code {event.returncode})'
            return None if process.respawns else EmitEvent(event=LaunchFailed(reason))
        if not process.respawns:
            return None
        # It ended in order: launch is not to start it again.
        return EmitEvent(event=ShutdownProcess(process_matcher=matches_action(event.action)))

    return react


def node(process: Process, namespace: str) -> Action:
    """Return the action that runs a process."""
    files = [] if process.parameter_file is None else [str(process.parameter_file)]
    values = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in process.parameters.items()
    }
    return Node(
        package=process.package,
        executable=process.executable,
        name=process.name,
        namespace=namespace,
        remappings=list(process.remappings),
        parameters=[*files, values],
        arguments=list(process.arguments),
        ros_arguments=list(process.ros_arguments),
        output='screen',
        respawn=process.respawns,
        respawn_delay=RESPAWN_DELAY_S,
        on_exit=when_ended(process),
    )


def start(context: LaunchContext) -> list[Action]:
    """Start what is planned, or end the launch."""
    given = context.launch_configurations
    try:
        settings = read_arguments(given)
        plan = plan_launch(settings, SHARE, given.get('ros_namespace', ''))
    except EspnetError as error:
        return [EmitEvent(event=LaunchFailed(str(error)))]
    for warning in plan.warnings:
        get_logger('espnet_ros').warning(warning)
    return [node(process, settings.namespace) for process in plan.processes]


def generate_launch_description() -> LaunchDescription:
    """Describe the launch."""
    return LaunchDescription(
        [
            *(argument(entry) for entry in list_settings(LaunchSettings)),
            *transport_settings(),
            RegisterEventHandler(
                EventHandler(
                    matcher=lambda event: isinstance(event, LaunchFailed),
                    entities=[OpaqueFunction(function=fail)],
                )
            ),
            OpaqueFunction(function=start),
        ]
    )
