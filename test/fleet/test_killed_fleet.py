"""The check of scripts/check_fleet.py, small: workers and the command killed, the rest done."""

from __future__ import annotations

from pathlib import Path
import tempfile

import pytest

pytest.importorskip('ray', reason='shares recordings out')
pytest.importorskip('onnxruntime', reason='runs the network')

from scripts.check_fleet import check_kills, Fleet


@pytest.mark.long
@pytest.mark.timeout(300)
def test_clips_and_bags_are_done_once_whatever_is_killed_and_nothing_of_ray_stays() -> None:
    # A short path, as there are sockets below it.
    with tempfile.TemporaryDirectory(prefix='fleet-') as folder:
        assert check_kills(Fleet(Path(folder, 'f'), units=12, broken=2), kills=1) == []
