"""The node's statuses for /diagnostics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
import time

from espnet_ros.config import SegmentationNodeSettings
from espnet_ros.monitoring.camera_record import CameraRecord
from espnet_ros.monitoring.geometry_health import diagnose_geometry, GeometrySnapshot
from espnet_ros.monitoring.health import (
    diagnose_input,
    diagnose_latency,
    diagnose_model,
    diagnose_output,
    diagnose_topic,
    NodeHealth,
    Status,
)
from espnet_ros.monitoring.power_health import diagnose_device, diagnose_power
from espnet_ros.nodes.ros.messages.stamps import waits_for_clock
from espnet_ros.nodes.ros.topics import image_topic, input_topic, output_topic
from espnet_ros.nodes.segmentation.session import Session
from espnet_ros.segmenter import Segmenter
from rclpy.node import Node


def describe_model(segmenter: Segmenter) -> dict[str, str]:
    """Return what runs, by key."""
    runtime, info = segmenter.runtime, segmenter.runtime.model.info
    height, width = info.input_size
    return {
        'model': info.name,
        'model_file': str(runtime.model.path or 'none'),
        'runtime': runtime.name,
        'device': runtime.device,
        'precision': runtime.precision,
        'resize': runtime.resize,
        'input_height': str(height),
        'input_width': str(width),
        'label_set': segmenter.label_set.name,
        'classes': str(len(segmenter.label_set.classes)),
        **runtime.facts,
    }


def diagnose_node(
    node: Node,
    health: NodeHealth,
    settings: SegmentationNodeSettings,
    session: Session | None,
) -> Iterator[Status]:
    """
    Diagnose the model, the machine and every camera.

    :param session: None while the node is not configured
    """
    yield diagnose_model(health)
    cameras = {} if session is None else session.cameras
    max_rate_hz = settings.max_rate_hz if session is None else session.max_rate_hz
    now_s = time.monotonic()
    for name in settings.cameras:
        # Without its topics a camera has an empty record.
        camera = cameras.get(name)
        record = CameraRecord(name, now_s) if camera is None else camera.record
        snapshot = record.snapshot(now_s)
        topic = node.resolve_topic_name(image_topic(node, name, settings.image_transport))
        info_topic = node.resolve_topic_name(input_topic(name, 'camera_info'))
        geometry = camera.geometry.snapshot(now_s) if camera else GeometrySnapshot(info_topic)
        mask = node.resolve_topic_name(output_topic(name, 'mask'))
        output = diagnose_output(
            health, snapshot, settings.diagnostics, max_rate_hz, node.count_publishers(mask)
        )
        for status in (
            diagnose_input(
                health,
                snapshot,
                settings.diagnostics,
                topic,
                node.count_publishers(topic),
                waits_for_clock=waits_for_clock(node),
            ),
            diagnose_geometry(health, geometry),
            output,
            diagnose_latency(health, snapshot, settings.diagnostics),
        ):
            yield replace(status, name=f'{status.name} {name}'.strip())
        yield diagnose_topic(output, snapshot, settings.diagnostics, mask)
    power = None if session is None else session.power.snapshot()
    yield diagnose_power(power, settings.power, health.state)
    yield diagnose_device(power, settings.power, health.state)
