"""Starving processes that talk to each other ends with a count, and leaves none behind."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys

import pytest

from ..conftest import ROOT

pytestmark = [pytest.mark.ros, pytest.mark.long]


def test_starved_processes_hear_each_other_again_with_our_profile() -> None:
    pytest.importorskip('rclpy', reason='needs ROS 2')
    done = subprocess.run(
        [sys.executable, ROOT / 'scripts' / 'starve_transport.py', '--rounds', '1'],
        env=os.environ | {'PYTHONPATH': str(ROOT), 'ROS_DOMAIN_ID': str(random.randint(1, 99))},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    counts = json.loads(done.stdout)
    assert counts['fastdds.xml'] == {'rounds': 1, 'deaf': 0}
    assert counts['its own 1 s']['rounds'] == 1
