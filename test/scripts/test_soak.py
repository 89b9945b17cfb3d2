"""``scripts/soak_node.py``: what it counts and judges; a minute of it where long tests run."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import json
import os
from pathlib import Path
import random
import subprocess
import sys
import threading
import time

import pytest

from ..conftest import ROOT

pytest.importorskip('rclpy', reason='needs ROS 2')

from scripts.soak.processes import Life, Sample, SoakedNode
from scripts.soak.report import ALLOWED_GROWTH_MB, Growth, growth_of, judge_stamps
from scripts.soak.viewer import Viewer

pytestmark = pytest.mark.ros

SECOND_NS = 10**9
LIMIT_S = 20.0
JPEG = b'\xff\xd8picture\xff\xd9'


def stamps(*seconds: float) -> list[int]:
    """Return stamps in nanoseconds."""
    return [round(second * SECOND_NS) for second in seconds]


def test_masks_of_images_in_their_order_are_right() -> None:
    judged = judge_stamps(set(stamps(1, 2, 3, 4)), stamps(1, 3, 4), [], [])
    assert judged.are_right()
    assert (judged.images, judged.masks) == (4, 3)


def test_no_mask_at_all_is_wrong() -> None:
    assert not judge_stamps(set(stamps(1, 2)), [], [], []).are_right()


def test_a_mask_older_than_the_one_before_is_wrong_even_beside_a_kill() -> None:
    judged = judge_stamps(set(stamps(1, 2, 3)), stamps(1, 3, 2), [2.0], [])
    assert judged.fallen == 1
    assert not judged.are_right()


@pytest.mark.parametrize('masks', [stamps(100, 101, 101.5), stamps(100, 101, 101)])
def test_a_mask_without_image_or_twice_is_excused_beside_a_kill_or_a_pause_only(masks) -> None:
    images = set(stamps(100, 101))
    assert not judge_stamps(images, masks, [], []).are_right()
    assert not judge_stamps(images, masks, [90.0], [(80.0, 95.0)]).are_right()
    assert judge_stamps(images, masks, [103.0], []).are_right()
    assert judge_stamps(images, masks, [], [(90.0, 98.0)]).are_right()


def life_of(*samples: Sample) -> Life:
    """Return a life of a process that holds what is sampled."""
    return Life(1, list(samples))


def growth(tmp_path: Path, *lives: Life) -> Growth | None:
    """Return what a node shows that had some lives."""
    node = SoakedNode('segmentation_node', {}, tmp_path)
    node.lives.extend(lives)
    return growth_of(node)


def grows(per_minute_mb: float = 0.0, more_files: int = 0, minutes: int = 30) -> Life:
    """Return a life that fills up within its first minute, and grows from there."""
    return life_of(
        *(
            Sample(
                at_s=at_s,
                memory_mb=min(100.0, 40.0 + at_s) + per_minute_mb * at_s / 60,
                shared_mb=10.0,
                descriptors=20 + round(more_files * at_s / 60 / minutes),
                threads=9,
                processor_s=0.25 * at_s,
            )
            for at_s in range(0, minutes * 60, 5)
        )
    )


def test_what_a_process_takes_in_its_first_minute_is_no_growth(tmp_path: Path) -> None:
    found = growth(tmp_path, grows())
    assert found is not None
    assert found.is_steady()
    assert found.memory_mb == (100.0, 100.0)
    assert found.core_percent == 25.0


@pytest.mark.parametrize(
    'life', [grows(per_minute_mb=ALLOWED_GROWTH_MB / 20), grows(more_files=5)]
)
def test_memory_and_descriptors_that_rise_all_the_time_are_growth(tmp_path: Path, life) -> None:
    found = growth(tmp_path, life)
    assert found is not None
    assert not found.is_steady()


def test_the_longest_life_is_judged_and_a_short_one_says_nothing(tmp_path: Path) -> None:
    assert growth(tmp_path, grows(minutes=1)) is None
    found = growth(tmp_path, grows(minutes=5), grows(more_files=9), grows(minutes=1))
    assert found is not None
    assert found.lives == 3
    assert not found.is_steady()


def test_a_process_is_sampled_from_outside(tmp_path: Path) -> None:
    node = SoakedNode('camera_source_node', {'source': 'nothing'}, tmp_path)
    node.start()
    try:
        node.pause()
        node.sample(7.0)
    finally:
        node.kill()
    node.sample(8.0)
    (sample,) = node.lives[-1].samples
    assert sample.at_s == 7.0
    assert sample.memory_mb > 0
    assert sample.descriptors > 0
    assert sample.threads >= 1


class Page(BaseHTTPRequestHandler):
    """A live view whose stream breaks off after two pictures, one of them cut short."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        for picture in (JPEG, JPEG[:-1]):
            head = f'--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n'
            self.wfile.write(head.encode() + picture + b'\r\n')

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def page() -> Iterator[str]:
    with ThreadingHTTPServer(('127.0.0.1', 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f'http://127.0.0.1:{server.server_port}/'
        server.shutdown()
        thread.join()


def test_who_watches_counts_whole_pictures_and_comes_again(page: str) -> None:
    viewer = Viewer(page, rate_hz=5)
    viewer.start()
    end_s = time.monotonic() + LIMIT_S
    while viewer.broken < 3 and time.monotonic() < end_s:
        time.sleep(0.01)
    viewer.close()
    assert viewer.streams >= viewer.broken >= 3
    assert viewer.pictures - viewer.broken in (0, 1)


@pytest.mark.long
@pytest.mark.timeout(280)
def test_two_minutes_of_everything_go_well() -> None:
    pytest.importorskip('rosbags', reason='records the street')
    pytest.importorskip('aiohttp', reason='serves the live view')
    arguments = ['--runtime', 'fake', '--rate', '10', '--minutes', '2', '--turn', '20']
    done = subprocess.run(
        [sys.executable, 'scripts/soak_node.py', *arguments],
        cwd=ROOT,
        env={**os.environ, 'PYTHONPATH': str(ROOT), 'ROS_DOMAIN_ID': str(random.randint(1, 99))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report['failures'] == []
    assert report['live_view']['pictures'] > 0
    assert report['events'].keys() >= {'walk', 'stall', 'suspend', 'kill_nodes', 'kill_camera'}
