"""The checks of scripts/, small: what is killed or lost while recordings are shared out."""

from __future__ import annotations

import os
from pathlib import Path
import shutil
import subprocess
import sys
import tempfile

import pytest

pytest.importorskip('ray', reason='shares recordings out')
pytest.importorskip('onnxruntime', reason='runs the network')

from scripts.check_fleet import check_kills, Fleet

SCRIPTS = Path(__file__).resolve().parents[2] / 'scripts'

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


def test_clips_and_bags_are_done_once_whatever_is_killed_and_nothing_of_ray_stays() -> None:
    # A short path, as there are sockets below it.
    with tempfile.TemporaryDirectory(prefix='fleet-') as folder:
        assert check_kills(Fleet(Path(folder, 'f'), units=12, broken=2), kills=1) == []


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which('ip') is None, reason='networks are made by root, with ip'
)
def test_a_node_that_is_killed_loses_no_recording() -> None:
    words = [sys.executable, str(SCRIPTS / 'check_fleet_nodes.py'), '--units', '24']
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
