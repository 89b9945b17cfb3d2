"""The free space node's statuses for /diagnostics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
import math
import time

from espnet_ros.config import FreeSpaceSettings
from espnet_ros.nodes.camera_record import CameraRecord, CameraSnapshot
from espnet_ros.nodes.free_space.input import MaskInput
from espnet_ros.nodes.free_space.pipeline import FreeSpacePipeline
from espnet_ros.nodes.health import (
    judge_input,
    judge_latency,
    judge_topic,
    Level,
    NodeHealth,
    number,
    Status,
    UNAVAILABLE,
)
from espnet_ros.nodes.topics import input_topic
from rclpy.node import Node

DROP_KINDS = ('age', 'labels', 'mask', 'calibration', 'pose')


def judge_free_space(
    node: Node,
    health: NodeHealth,
    settings: FreeSpaceSettings,
    inputs: Mapping[str, MaskInput],
    pipeline: FreeSpacePipeline | None,
) -> Iterator[Status]:
    """
    Judge the node and every camera.

    :param inputs: by camera name; empty while the node is not configured
    """
    yield _judge_state(health, settings, pipeline)
    now_s = time.monotonic()
    for name in settings.cameras:
        record = inputs[name].record if name in inputs else CameraRecord(name, now_s)
        snapshot = record.snapshot(now_s)
        topic = node.resolve_topic_name(input_topic(name, 'mask'))
        publishers = node.count_publishers(topic)
        ground = judge_ground(health, snapshot, _facts(name, inputs, pipeline))
        for status in (
            judge_input(health, snapshot, settings.diagnostics, topic, publishers),
            ground,
            _own_stages(judge_latency(health, snapshot, settings.diagnostics)),
        ):
            yield replace(status, name=f'{status.name} {name}'.strip())
        costmap = node.resolve_topic_name('~/costmap')
        if name == settings.cameras[0]:
            yield judge_topic(ground, snapshot, settings.diagnostics, costmap)


def judge_ground(health: NodeHealth, camera: CameraSnapshot, facts: Mapping[str, str]) -> Status:
    """Judge whether masks become metres."""
    values = {
        'rate_hz': number(camera.output_rate_hz),
        'frames_published': str(camera.frames_published),
        **facts,
    }
    if not health.is_working:
        level = Level.ERROR if health.failure else Level.WARN
        return Status('ground', level, health.failure or health.state, values)
    failure = camera.failure
    if failure is not None:
        level = Level.ERROR if failure.is_latest else Level.WARN
        return Status('ground', level, failure.reason, values)
    if not camera.frames_published:
        return Status('ground', Level.OK, 'waiting for the first mask', values)
    if facts.get('sees_all_ranges') == 'false':
        message = 'the camera sees no ground at scan.range_max_m, so free ranges are unknown'
        return Status('ground', Level.WARN, message, values)
    return Status('ground', Level.OK, 'masks become metres', values)


def _judge_state(
    health: NodeHealth, settings: FreeSpaceSettings, pipeline: FreeSpacePipeline | None
) -> Status:
    values = {
        'state': health.state,
        'label_set': settings.label_set,
        'base_frame': settings.base_frame,
        **health.model,
        'fusion': pipeline.fusion_state if pipeline else UNAVAILABLE,
    }
    if health.failure:
        return Status('state', Level.ERROR, health.failure, values)
    if health.state == 'active':
        return Status('state', Level.OK, 'running', values)
    return Status('state', Level.WARN, health.state, values)


def _own_stages(latency: Status) -> Status:
    """Leave out the stages of a segmentation, which this node has not."""
    own = ('latency', 'age', 'max')
    values = {k: v for k, v in latency.values.items() if k.startswith(own)}
    return replace(latency, values=values)


def _facts(
    name: str, inputs: Mapping[str, MaskInput], pipeline: FreeSpacePipeline | None
) -> dict[str, str]:
    """Return what is known of a camera's geometry, by key."""
    facts = {f'dropped_{kind}': UNAVAILABLE for kind in DROP_KINDS}
    if pipeline is None:
        return facts
    facts = {f'dropped_{kind}': str(pipeline.drops[name, kind]) for kind in DROP_KINDS}
    facts['dropped_unpaired'] = str(inputs[name].unpaired if name in inputs else 0)
    observer = pipeline.observers[name]
    view = observer.view
    if view is not None:
        facts |= {
            'camera_height_m': number(view.pose.height_m, 3),
            'camera_pitch_deg': number(math.degrees(view.pose.pitch_rad)),
            'pitch_correction_deg': number(math.degrees(observer.pitch_correction_rad)),
            'nearest_ground_m': number(float(view.fan.near_edges_m[0])),
            'sees_all_ranges': str(view.sees_all_ranges).lower(),
        }
    return facts
