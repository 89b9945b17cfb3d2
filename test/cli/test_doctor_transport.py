"""``doctor`` tells the middleware, and whether large images pass."""

from __future__ import annotations

from pathlib import Path
import socket

from espnet_ros.cli.doctor import transport
from espnet_ros.cli.doctor.check import Check, Status
import pytest


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch):
    """Return a function that checks a machine with these variables."""

    def run(**variables: str) -> dict[str, Check]:
        names = ('RMW_IMPLEMENTATION', 'ZENOH_CONFIG_OVERRIDE', 'CYCLONEDDS_URI')
        for name in (*names, *transport.PROFILES):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return {entry.topic: entry for entry in transport.check_transport()}

    monkeypatch.setattr(transport, 'find_spec', lambda name: name)
    return run


def test_without_ros_there_is_no_middleware(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, 'find_spec', lambda name: None)
    assert transport.check_transport() == []


def test_fast_dds_is_the_default_and_wants_the_profile(check, tmp_path: Path) -> None:
    found = check()
    assert found['middleware'].found == 'rmw_fastrtps_cpp (the default)'
    assert found['large images'].status is Status.WARN
    assert 'FASTDDS_DEFAULT_PROFILES_FILE' in found['large images'].fix
    profile = tmp_path / 'fastdds.xml'
    missing = check(FASTDDS_DEFAULT_PROFILES_FILE=str(profile))['large images']
    assert 'no such file' in missing.found
    profile.touch()
    assert check(FASTRTPS_DEFAULT_PROFILES_FILE=str(profile))['large images'].status is Status.OK


def test_zenoh_wants_its_router_and_shared_memory(check, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(('127.0.0.1', 0)) as router:
        monkeypatch.setattr(transport, 'ROUTER', router.getsockname())
        found = check(RMW_IMPLEMENTATION='rmw_zenoh_cpp')
        assert found['middleware'].found == 'rmw_zenoh_cpp (RMW_IMPLEMENTATION)'
        assert found['router'].status is Status.OK
        assert found['large images'].status is Status.WARN
        override = 'transport/shared_memory/enabled=true'
        found = check(RMW_IMPLEMENTATION='rmw_zenoh_cpp', ZENOH_CONFIG_OVERRIDE=override)
        assert found['large images'].status is Status.OK
    found = check(RMW_IMPLEMENTATION='rmw_zenoh_cpp')
    assert found['router'].status is Status.WARN
    assert 'rmw_zenohd' in found['router'].fix


def test_cyclone_wants_receive_buffers(
    check, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(transport, 'RECEIVE_BUFFER', tmp_path / 'rmem_max')
    cyclone = 'rmw_cyclonedds_cpp'
    assert check(RMW_IMPLEMENTATION=cyclone)['large images'].status is Status.WARN
    (tmp_path / 'rmem_max').write_text('212992\n')
    found = check(RMW_IMPLEMENTATION=cyclone)['large images']
    assert (found.status, 'rmem_max' in found.fix) == (Status.WARN, True)
    (tmp_path / 'rmem_max').write_text('2147483647\n')
    found = check(RMW_IMPLEMENTATION=cyclone)['large images']
    assert (found.status, 'cyclonedds.xml' in found.fix) == (Status.WARN, True)
    found = check(RMW_IMPLEMENTATION=cyclone, CYCLONEDDS_URI='file:///cyclonedds.xml')
    assert found['large images'].status is Status.OK


def test_a_middleware_that_nobody_knows_is_said_to_be(check) -> None:
    assert check(RMW_IMPLEMENTATION='rmw_other')['large images'].status is Status.WARN
