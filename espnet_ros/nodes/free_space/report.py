"""The free space node's statuses for /diagnostics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
import math
import time

from espnet_ros.config import DiagnosticsSettings, FreeSpaceSettings
from espnet_ros.monitoring.camera_record import CameraRecord, CameraSnapshot
from espnet_ros.monitoring.health import (
    diagnose_input,
    diagnose_latency,
    diagnose_topic,
    Level,
    NodeHealth,
    number,
    Status,
    UNAVAILABLE,
)
from espnet_ros.nodes.free_space.outputs import FreeSpaceOutputs, Output, SCAN
from espnet_ros.nodes.free_space.pipeline import FreeSpacePipeline
from espnet_ros.nodes.free_space.poses import PoseSource
from espnet_ros.nodes.free_space.stream import CameraStream, DROP_KINDS
from espnet_ros.nodes.free_space.synchronization.camera_input import CameraInput
from espnet_ros.nodes.free_space.synchronization.meaning import Meaning
from espnet_ros.nodes.ros.messages.stamps import waits_for_clock
from espnet_ros.nodes.ros.topics import input_topic, output_topic
from rclpy.node import Node


class Report:
    """Judges the node, every camera and every output that has a reader."""

    def __init__(self, node: Node, health: NodeHealth, settings: FreeSpaceSettings) -> None:
        self._node = node
        self._health = health
        self._settings = settings

    def statuses(
        self,
        inputs: Mapping[str, CameraInput],
        pipeline: FreeSpacePipeline | None,
        outputs: FreeSpaceOutputs | None,
        poses: PoseSource | None,
    ) -> Iterator[Status]:
        """
        Judge; what is None is so while the node is not active.

        :param inputs: by camera name; empty while the node is not configured
        """
        yield self._judge_state(pipeline, poses)
        grounds = {}
        for name in self._settings.cameras:
            stream = pipeline.streams[name] if pipeline else None
            statuses = list(self._judge_camera(name, inputs.get(name), stream))
            grounds[name] = statuses[1]
            yield from statuses
        if outputs is None:
            return
        # What is of all cameras goes on while one of them is well.
        best = min(grounds.values(), key=lambda status: status.level)
        of_camera = {outputs[output_topic(name, 'points')]: grounds[name] for name in grounds}
        for output in outputs.all():
            if output.is_wanted or output in (outputs.costmap, outputs[SCAN]):
                ground = of_camera.get(output, best)
                yield diagnose_output(self._health, output, self._settings.diagnostics, ground)

    def _judge_state(self, pipeline: FreeSpacePipeline | None, poses: PoseSource | None) -> Status:
        health, settings = self._health, self._settings
        streams = pipeline.streams if pipeline else {}
        values = {
            'state': health.state,
            **_describe_meaning(streams),
            'label_set_parameter': settings.label_set,
            'base_frame': settings.base_frame,
            'pose_source': poses.name if poses else settings.pose_source,
            'fusion': pipeline.maps.state if pipeline else UNAVAILABLE,
            'dropped_maps': str(pipeline.maps.dropped) if pipeline else UNAVAILABLE,
        }
        if health.failure:
            return Status('state', Level.ERROR, health.failure, values)
        if health.state == 'active':
            return Status('state', Level.OK, 'running', values)
        return Status('state', Level.WARN, health.state, values)

    def _judge_camera(
        self, name: str, source: CameraInput | None, stream: CameraStream | None
    ) -> Iterator[Status]:
        now_s = time.monotonic()
        record = source.record if source else CameraRecord(name, now_s)
        snapshot = record.snapshot(now_s)
        diagnostics = self._settings.diagnostics
        topic = self._node.resolve_topic_name(input_topic(name, 'mask'))
        publishers = self._node.count_publishers(topic)
        statuses = (
            diagnose_input(
                self._health,
                snapshot,
                diagnostics,
                topic,
                publishers,
                waits_for_clock=waits_for_clock(self._node),
            ),
            diagnose_ground(self._health, snapshot, diagnostics, _describe_camera(stream)),
            _own_stages(diagnose_latency(self._health, snapshot, diagnostics)),
        )
        for status in statuses:
            yield replace(status, name=f'{status.name} {name}'.strip())


def diagnose_ground(
    health: NodeHealth,
    camera: CameraSnapshot,
    settings: DiagnosticsSettings,
    facts: Mapping[str, str],
) -> Status:
    """
    Diagnose whether the masks of a camera become metres, often enough and until now.

    :param facts: what else is shown, by key
    """
    values = {
        'rate_hz': number(camera.output_rate_hz),
        'min_rate_hz': number(settings.min_rate_hz or None),
        'frames_published': str(camera.frames_published),
        **facts,
    }
    if not health.is_working:
        level = Level.ERROR if health.failure else Level.WARN
        return Status('ground', level, health.failure or health.state, values)
    failure = camera.failure
    if failure is not None and failure.is_latest:
        return Status('ground', Level.ERROR, failure.reason, values)
    level, message = diagnose_rate(camera, settings, 'mask', 'mask became metres')
    if level is Level.OK and failure is not None:
        level, message = Level.WARN, failure.reason
    elif level is Level.OK and facts.get('sees_all_ranges') == 'false':
        level = Level.WARN
        message = 'the camera sees no ground at scan.range_max_m, so free ranges are unknown'
    elif level is Level.OK and camera.frames_published:
        message = 'masks become metres'
    return Status('ground', level, message, values)


def diagnose_output(
    health: NodeHealth, output: Output, settings: DiagnosticsSettings, ground: Status
) -> Status:
    """
    Judge one output by its own age and rate.

    :param ground: of its camera, or the best of all cameras; it tells of an output without reader
    """
    snapshot = output.record.snapshot(time.monotonic())
    level, message = ground.level, ground.message
    if not health.is_working:
        pass
    elif not output.is_wanted:
        if level is Level.OK:
            message = 'no subscriber'
    elif snapshot.failure is not None and snapshot.failure.is_latest:
        level, message = Level.ERROR, snapshot.failure.reason
    else:
        level, message = diagnose_rate(snapshot, settings, 'message', 'message')
        if level is Level.OK and snapshot.failure is not None:
            level, message = Level.WARN, snapshot.failure.reason
        if ground.level > level:
            level, message = ground.level, ground.message
    return diagnose_topic(Status('', level, message, {}), snapshot, settings, output.topic)


def diagnose_rate(
    record: CameraSnapshot, settings: DiagnosticsSettings, noun: str, event: str
) -> tuple[Level, str]:
    """
    Diagnose whether something happens often enough, and happened lately.

    :param noun: what is counted, for the message
    :param event: what happens, for the message
    """
    timeout_s, lowest_hz = settings.image_timeout_s, settings.min_rate_hz
    if record.idle_s > timeout_s:
        level = Level.ERROR if record.idle_s > 2 * timeout_s else Level.WARN
        return level, f'no {event} for {record.idle_s:.1f} s'
    rate_hz = record.output_rate_hz
    if rate_hz is not None and rate_hz < lowest_hz:
        level = Level.ERROR if rate_hz < lowest_hz / 2 else Level.WARN
        return level, f'{rate_hz:.2f} {noun}s per second, expected {lowest_hz:g}'
    return Level.OK, f'{noun}s are published' if record.frames_published else f'no {noun} yet'


def _own_stages(latency: Status) -> Status:
    """Leave out the stages of a segmentation, which this node has not."""
    own = ('latency', 'age', 'max')
    values = {k: v for k, v in latency.values.items() if k.startswith(own)}
    return replace(latency, values=values)


def _describe_meaning(streams: Mapping[str, CameraStream]) -> dict[str, str]:
    """Return which label sets are in use, of which model, and where they come from."""
    tellers: dict[str, Callable[[Meaning], str]] = {
        'label_set': lambda meaning: meaning.label_set.name,
        'label_set_source': lambda meaning: meaning.origin,
        'model': lambda meaning: meaning.model or UNAVAILABLE,
    }
    facts = {}
    for key, tell in tellers.items():
        told = {
            name: tell(stream.meaning) if stream.meaning else UNAVAILABLE
            for name, stream in streams.items()
        }
        same = set(told.values()) or {UNAVAILABLE}
        listed = '; '.join(f'{name}: {text}' for name, text in told.items())
        facts[key] = same.pop() if len(same) == 1 else listed
    return facts


def _describe_camera(stream: CameraStream | None) -> dict[str, str]:
    """Return what is known of a camera's geometry, and what became of its masks, by key."""
    if stream is None:
        return {f'dropped_{kind}': UNAVAILABLE for kind in DROP_KINDS}
    facts = {f'dropped_{kind}': str(stream.drops[kind]) for kind in DROP_KINDS}
    view = stream.observer.view if stream.observer else None
    if stream.observer is not None and view is not None:
        facts |= {
            'camera_height_m': number(view.pose.height_m, 3),
            'camera_pitch_deg': number(math.degrees(view.pose.pitch_rad)),
            'pitch_correction_deg': number(math.degrees(stream.observer.pitch_correction_rad)),
            'nearest_ground_m': number(float(view.polar.near_edges_m[0])),
            'sees_all_ranges': str(view.sees_all_ranges).lower(),
        }
    return facts
