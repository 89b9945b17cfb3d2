"""The free space node's statuses for /diagnostics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
import math
import time

from espnet_ros.config import FreeSpaceSettings
from espnet_ros.monitoring.camera_record import CameraRecord
from espnet_ros.monitoring.ground_health import (
    diagnose_ground,
    diagnose_ground_output,
    KNOWN,
    WRONG_SIDE,
)
from espnet_ros.monitoring.health import (
    diagnose_input,
    diagnose_latency,
    Level,
    NodeHealth,
    number,
    Status,
    UNAVAILABLE,
)
from espnet_ros.nodes.free_space.outputs import FreeSpaceOutputs, SCAN
from espnet_ros.nodes.free_space.pipeline import FreeSpacePipeline
from espnet_ros.nodes.free_space.poses import PoseSource
from espnet_ros.nodes.free_space.stream import CameraStream, DROP_KINDS
from espnet_ros.nodes.free_space.synchronization.camera_input import CameraInput
from espnet_ros.nodes.free_space.synchronization.meaning import Meaning
from espnet_ros.nodes.ros.messages.stamps import waits_for_clock
from espnet_ros.nodes.ros.topics import input_topic, output_topic
from rclpy.node import Node


class Report:
    """Gathers what is diagnosed: the node, each camera, and each output that has a reader."""

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
        Diagnose; what is None is so while the node is not active.

        :param inputs: by camera name; empty while the node is not configured
        """
        yield self._diagnose_state(pipeline, poses)
        grounds = {}
        for name in self._settings.cameras:
            stream = pipeline.streams[name] if pipeline else None
            statuses = list(self._diagnose_camera(name, inputs.get(name), stream))
            grounds[name] = statuses[1]
            yield from statuses
        if outputs is None:
            return
        # What is of all cameras goes on while one of them is well.
        best = min(grounds.values(), key=lambda status: status.level)
        of_camera = {outputs[output_topic(name, 'points')]: grounds[name] for name in grounds}
        for output in outputs.all():
            if output.is_wanted or output in (outputs.costmap, outputs[SCAN]):
                yield diagnose_ground_output(
                    self._health,
                    output.record.snapshot(time.monotonic()),
                    self._settings.diagnostics,
                    of_camera.get(output, best),
                    output.topic,
                    is_wanted=output.is_wanted,
                )

    def _diagnose_state(
        self, pipeline: FreeSpacePipeline | None, poses: PoseSource | None
    ) -> Status:
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

    def _diagnose_camera(
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
            KNOWN: number(100 * stream.observer.known_share),
            WRONG_SIDE: number(100 * stream.observer.wrong_share),
            'sees_all_ranges': str(view.sees_all_ranges).lower(),
        }
    return facts
