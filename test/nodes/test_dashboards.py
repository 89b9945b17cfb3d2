"""The dashboards that ship show what the node really publishes."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

from espnet_ros.config import DiagnosticsSettings, PowerSettings
from espnet_ros.monitoring.camera_record import CameraRecord
from espnet_ros.monitoring.geometry_health import diagnose_geometry, GeometrySnapshot
from espnet_ros.monitoring.health import (
    diagnose_input,
    diagnose_latency,
    diagnose_model,
    diagnose_output,
    NodeHealth,
)
from espnet_ros.monitoring.power_health import diagnose_device, diagnose_power
import pytest
import yaml

from ..conftest import ROOT

CONFIG = ROOT / 'config'


def test_every_curve_is_a_field_of_its_message() -> None:
    messages = pytest.importorskip('espnet_ros.msg', reason='no messages')
    fields = {
        'stats': messages.InferenceStats.get_fields_and_field_types(),
        'power': messages.PowerReading.get_fields_and_field_types(),
    }
    layout = ElementTree.parse(CONFIG / 'plotjuggler_layout.xml')
    curves = [curve.get('name', '') for curve in layout.iter('curve')]
    assert curves
    for curve in curves:
        found = re.fullmatch(r'/segmentation/(\w+)/(\w+)(\[\d+\])?', curve)
        assert found and found[2] in fields[found[1]], curve


def test_the_layout_of_foxglove_shows_what_is_published() -> None:
    messages = pytest.importorskip('espnet_ros.msg', reason='no messages')
    layout = json.loads((CONFIG / 'foxglove_layout.json').read_text())
    panels: dict[str, Any] = layout['configById']
    fields = messages.InferenceStats.get_fields_and_field_types()
    plots = [path['value'] for panel in panels.values() for path in panel.get('paths', ())]
    assert plots
    for value in plots:
        topic, _, name = value.partition('.')
        assert topic == '/segmentation/stats' and name in fields, value
    # What is laid out is there, and what is there is laid out.
    assert set(re.findall(r'"(\w+!\w+)"', json.dumps(layout['layout']))) == set(panels)


def test_every_status_has_its_place_in_the_aggregator() -> None:
    text = (CONFIG / 'diagnostics_aggregator.yaml').read_text()
    parameters = yaml.safe_load(text)['/**']['ros__parameters']
    assert isinstance(parameters['pub_rate'], float)
    analyzers = parameters['segmentation']['analyzers'].values()
    prefixes = [prefix for analyzer in analyzers for prefix in analyzer['startswith']]
    camera = CameraRecord('', 0.0).snapshot(1.0)
    health, settings = NodeHealth('active'), DiagnosticsSettings()
    statuses = [
        diagnose_model(health),
        diagnose_input(health, camera, settings, '/image_raw', 1),
        diagnose_geometry(health, GeometrySnapshot('/camera_info')),
        diagnose_output(health, camera, settings, 0.0),
        diagnose_latency(health, camera, settings),
        diagnose_power(None, PowerSettings(), 'active'),
        diagnose_device(None, PowerSettings(), 'active'),
    ]
    names = {f'segmentation: {status.name}' for status in statuses}
    assert names == set(prefixes)


def test_every_status_of_free_space_has_its_place_in_the_aggregator(ros: Any) -> None:
    from diagnostic_msgs.msg import DiagnosticArray
    from espnet_ros.nodes.free_space.node import FreeSpaceNode

    text = (CONFIG / 'diagnostics_aggregator.yaml').read_text()
    groups = yaml.safe_load(text)['/**']['ros__parameters']['free_space']['analyzers']
    prefixes = [prefix for group in groups.values() for prefix in group['startswith']]
    inbox = ros.listen(DiagnosticArray, '/diagnostics')
    ros.add(FreeSpaceNode(context=ros.context, use_global_arguments=False))
    message = inbox.wait_for(lambda m: any(s.name == 'free_space: state' for s in m.status))
    names = {s.name for s in message.status if s.name.startswith('free_space: ')}
    assert names == set(prefixes)
    assert len(prefixes) == len(set(prefixes))
