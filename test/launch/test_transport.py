"""Which file the middleware in use is given for large images."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlparse
from xml.etree import ElementTree

import pytest

pytest.importorskip('rclpy', reason='its version decides')

from espnet_ros.nodes.launching import transport

from ..conftest import ROOT

VARIABLES = (*transport.FAST_DDS_VARIABLES, transport.CYCLONE_DDS_VARIABLE)


@pytest.fixture(autouse=True)
def of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start from an environment that chooses nothing, and forget what was set."""
    for name in ('RMW_IMPLEMENTATION', *VARIABLES):
        monkeypatch.setenv(name, '')


@pytest.mark.parametrize(
    ('middleware', 'variables', 'file'),
    [
        ('', transport.FAST_DDS_VARIABLES, 'fastdds.xml'),
        ('rmw_fastrtps_dynamic_cpp', transport.FAST_DDS_VARIABLES, 'fastdds.xml'),
        ('rmw_cyclonedds_cpp', (transport.CYCLONE_DDS_VARIABLE,), 'cyclonedds.xml'),
    ],
)
def test_a_middleware_gets_its_file_unless_the_user_has_one(
    monkeypatch: pytest.MonkeyPatch, middleware: str, variables: tuple[str, ...], file: str
) -> None:
    monkeypatch.setenv('RMW_IMPLEMENTATION', middleware)
    transport.set_transport()
    (named,) = [os.environ[name] for name in VARIABLES if os.environ[name]]
    path = Path(urlparse(named).path)
    assert path == ROOT / 'config' / file
    assert ElementTree.parse(path).getroot() is not None
    for name in VARIABLES:
        monkeypatch.setenv(name, '')
    for name in variables:
        monkeypatch.setenv(name, 'mine')
        assert transport.transport_setting(ROOT / 'config') is None
        monkeypatch.setenv(name, '')


def test_cyclone_takes_a_path_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('RMW_IMPLEMENTATION', 'rmw_cyclonedds_cpp')
    setting = transport.transport_setting(Path('/home/josé/my ws'))
    assert setting == ('CYCLONEDDS_URI', 'file:///home/josé/my ws/cyclonedds.xml')
    assert transport.transport_setting(Path('/home/a,b')) is None


def test_zenoh_reads_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('RMW_IMPLEMENTATION', 'rmw_zenoh_cpp')
    assert transport.transport_setting(ROOT / 'config') is None
