"""Large images between two processes: what the shipped Fast DDS profile is for."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys

import pytest

from ..conftest import ROOT

pytestmark = pytest.mark.ros


def test_profile_delivers_the_large_images_that_default_settings_lose() -> None:
    pytest.importorskip('rclpy', reason='needs ROS 2')
    result = subprocess.run(
        [sys.executable, 'scripts/benchmark_transport.py'],
        cwd=ROOT,
        env={**os.environ, 'PYTHONPATH': str(ROOT), 'ROS_DOMAIN_ID': str(random.randint(1, 99))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    arrived = json.loads(result.stdout)
    assert arrived['fastdds.xml']['received'] >= 90
    assert arrived['default']['received'] < arrived['fastdds.xml']['received']
