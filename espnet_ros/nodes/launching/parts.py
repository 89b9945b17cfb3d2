"""The parts of a launch: each node's process, with its parameters and its topics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from espnet_ros.config import WEB_PORT
from espnet_ros.exceptions import ConfigError
from espnet_ros.nodes.launching.cameras import CameraTopics, fill_in
from espnet_ros.nodes.launching.request import FREE_SPACE, LaunchRequest, SEGMENTATION
from espnet_ros.nodes.ros.topics import mask_remappings
from espnet_ros.settings import Value

PACKAGE = 'espnet_ros'
SYNTHETIC = 'synthetic'
BASE_FRAME = 'base_link'
"""The fixed frame in rviz/segmentation.rviz, and the default of the nodes."""


@dataclass(frozen=True)
class Process:
    """
    A process to start.

    :param parameters: set after those of the file
    :param may_end: whether exit code 0 is its regular end, and no death
    :param respawns: whether it is started again when it dies
    """

    package: str
    executable: str
    name: str
    parameters: Mapping[str, Value]
    parameter_file: Path | None = None
    remappings: tuple[tuple[str, str], ...] = ()
    arguments: tuple[str, ...] = ()
    ros_arguments: tuple[str, ...] = ()
    may_end: bool = False
    respawns: bool = False

    def has_died(self, exit_code: int) -> bool:
        """Tell whether an end that the launch did not ask for is a death."""
        return exit_code != 0 or not self.may_end


def segmentation(request: LaunchRequest) -> Process:
    settings = request.settings
    chosen: dict[str, Value] = {
        'model': settings.model,
        'runtime': settings.runtime,
        'precision': settings.precision,
        'cameras': request.cameras if settings.cameras else (),
    }
    return Process(
        PACKAGE,
        'segmentation_node',
        SEGMENTATION,
        {
            **{name: value for name, value in chosen.items() if value},
            **_live_view(request),
            'build_only': settings.build_only,
            **_common(request),
        },
        request.files[SEGMENTATION].rules.path,
        tuple(rule for topics in request.topics for rule in topics.remappings()),
        ros_arguments=_log_level(request),
        may_end=settings.build_only,
        respawns=respawns(request),
    )


def free_space(request: LaunchRequest) -> Iterator[Process]:
    """
    Give the free space node, which reads what the segmentation node publishes.

    :raises ConfigError: it is to have a camera that the segmentation node has not
    """
    file = request.files.get(FREE_SPACE)
    if file is None:
        return
    chosen: tuple[str, ...] = file.value('cameras')
    cameras = request.cameras if chosen == ('',) else chosen
    strange = [name for name in cameras if name not in request.cameras]
    if strange:
        has = ', '.join(request.cameras) if request.cameras != ('',) else 'one without a name'
        raise ConfigError(
            f'{file.argument}: cameras: expected cameras of the segmentation node ({has}), '
            f'found {", ".join(strange)}'
        )
    yield Process(
        PACKAGE,
        'free_space_node',
        FREE_SPACE,
        {
            'cameras': cameras,
            **_mount_without_tf(request),
            **_common(request),
        },
        file.rules.path,
        tuple(mask_remappings(cameras).items()),
        ros_arguments=_log_level(request),
        respawns=respawns(request),
    )


def camera_sources(request: LaunchRequest) -> Iterator[Process]:
    """
    Give what plays the cameras, one for each.

    :raises ConfigError: the source has no place for a camera's name, or one too many
    """
    settings = request.settings
    if not settings.source:
        return
    for topics in request.topics:
        own: dict[str, Value] = {'camera': topics.name} if topics.name else {}
        if settings.source == SYNTHETIC:
            own |= _synthetic_frames(request, topics.name)
        source = settings.source
        if source != SYNTHETIC:
            source = fill_in('source', source, topics.name, request.cameras)
        yield Process(
            PACKAGE,
            'camera_source_node',
            f'camera_source_{topics.name}' if topics.name else 'camera_source',
            {'source': source, 'loop': True, **own, **_common(request)},
            None,
            topics.remappings(),
            ros_arguments=_log_level(request),
            may_end=True,
            respawns=respawns(request),
        )


def rviz(request: LaunchRequest) -> Iterator[Process]:
    """Give RViz, which shows the first camera."""
    if not request.settings.rviz:
        return
    first = request.topics[0]
    pictures = ('overlay', 'color_mask') if first.name else ()
    arguments = ['-d', str(request.share / 'rviz' / 'segmentation.rviz')]
    base_frame = _base_frame(request)
    if base_frame != BASE_FRAME:
        arguments += ['-f', base_frame]
    yield Process(
        'rviz2',
        'rviz2',
        'rviz',
        _common(request),
        None,
        (
            *CameraTopics('', first.image, first.info).remappings(),
            *((f'segmentation/{kind}', f'segmentation/{first.name}/{kind}') for kind in pictures),
        ),
        tuple(arguments),
        may_end=True,
        respawns=respawns(request),
    )


def respawns(request: LaunchRequest) -> bool:
    """Tell whether what dies is started again; a build that failed is not."""
    return request.settings.on_death == 'respawn' and not request.settings.build_only


def _live_view(request: LaunchRequest) -> dict[str, Value]:
    """Return where the live view is served, where the launch asks for it and the file does not."""
    has_port = request.files[SEGMENTATION].value('web.port') != 0
    return {} if has_port or not request.settings.web else {'web.port': WEB_PORT}


def _common(request: LaunchRequest) -> dict[str, Value]:
    return {'use_sim_time': request.settings.use_sim_time}


def _log_level(request: LaunchRequest) -> tuple[str, ...]:
    return ('--log-level', request.settings.log_level)


def _base_frame(request: LaunchRequest) -> str:
    file = request.files.get(FREE_SPACE)
    return BASE_FRAME if file is None else str(file.value('base_frame'))


def _synthetic_frames(request: LaunchRequest, camera: str) -> dict[str, Value]:
    """Return the frames that the transform of a synthetic camera joins, where they differ."""
    frames: dict[str, Value] = {'frame_id': f'{camera}_camera_optical_frame'} if camera else {}
    base_frame = _base_frame(request)
    return frames if base_frame == BASE_FRAME else {**frames, 'base_frame': base_frame}


def _mount_without_tf(request: LaunchRequest) -> dict[str, Value]:
    """
    Return how the synthetic street's camera is mounted, where no transform can tell.

    With tf2_ros the camera source publishes the transform, and free space takes it from there.
    """
    is_told = request.files[FREE_SPACE].value('pose_source') != 'auto'
    if request.settings.source != SYNTHETIC or is_told or find_spec('tf2_ros'):
        return {}
    return street_mount()


def street_mount() -> dict[str, Value]:
    """Return the free space node's parameters for the camera of the street, by name."""
    from espnet_ros.sources.street.source import HEIGHT_M, PITCH_RAD  # noqa: PLC0415  (OpenCV)

    return {
        'pose_source': 'parameters',
        'mount.height_m': (HEIGHT_M,),
        'mount.pitch_rad': (PITCH_RAD,),
    }
