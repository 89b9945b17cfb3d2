"""What doctor says of power sensors."""

from __future__ import annotations

import errno
from pathlib import Path

from espnet_ros.cli.doctor import power
from espnet_ros.cli.doctor.check import Status
from espnet_ros.telemetry.file_tree import FileTree
import pytest

from ..telemetry import boards
from ..telemetry.boards import FailingFiles


def check_on(monkeypatch: pytest.MonkeyPatch, tree: FileTree) -> tuple[Status, str, str]:
    """Return what is said of a machine."""
    monkeypatch.setattr(power, 'FileTree', lambda: tree)
    (check,) = power.check_power()
    return check.status, check.found, check.fix


def test_sensor_that_is_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    boards.agx_orin(tmp_path)
    status, found, _ = check_on(monkeypatch, FileTree(tmp_path))
    assert (status, found) == (Status.OK, 'can be read from jetson')


def test_sensor_without_the_right_to_it_warns_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    boards.xavier_nx(tmp_path)
    files = FailingFiles(in_power0_input=errno.EACCES)
    status, found, fix = check_on(monkeypatch, FileTree(tmp_path, files))
    assert status is Status.WARN
    assert 'permission denied' in found and 'chmod' in fix


def test_machine_without_a_sensor_is_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert check_on(monkeypatch, FileTree(tmp_path))[0] is Status.ABSENT
