"""What README.md and docs/ print works as printed."""

from __future__ import annotations

from importlib.util import find_spec
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import threading

import cv2
from documented_commands import all_commands, find_reason, find_run, NOT_RUN, RUN
from espnet_ros.sources.street import StreetSource
import pytest

RUNNING = [command for command in all_commands() if find_run(command)]
LIMIT_S = 120.0


def test_every_command_is_run_or_has_a_reason_why_not():
    uncovered = [c for c in all_commands() if find_run(c) is None and find_reason(c) is None]
    assert uncovered == [], 'add them to test/support/documented_commands.py'


def test_no_entry_is_of_a_command_that_no_page_prints():
    import re

    commands = all_commands()
    idle = [t for t in (*RUN, *NOT_RUN) if not any(re.fullmatch(t, c) for c in commands)]
    assert idle == []


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Path:
    """Return a folder with what the pages speak of: a drive, a bag, images, CamVid."""
    pytest.importorskip('rosbags', reason='bags need rosbags')
    from bags import write_bag

    folder = tmp_path_factory.mktemp('reader')
    street = StreetSource(size=(64, 96))
    images = [street.frame(index).image_bgr for index in range(3)]
    video = cv2.VideoWriter(
        str(folder / 'drive.mp4'), cv2.VideoWriter_fourcc(*'mp4v'), 25.0, (96, 64)
    )
    (folder / 'images').mkdir()
    for index, image_bgr in enumerate(images):
        video.write(image_bgr)
        cv2.imwrite(str(folder / 'images' / f'{index}.png'), image_bgr)
    video.release()
    fields = {'height': 64, 'width': 96, 'encoding': 'bgr8', 'is_bigendian': 0, 'step': 288}
    messages = [('Image', fields | {'data': image.reshape(-1)}) for image in images]
    write_bag(folder / 'drive_bag', {'/front/image_raw': messages})
    for part in ('train', 'val'):
        for kind in (part, f'{part}annot'):
            (folder / 'camvid' / kind).mkdir(parents=True)
        names = sorted(path.stem for path in (shared_data / 'camvid' / part).iterdir())[:2]
        for name in names:
            for kind in (part, f'{part}annot'):
                (found,) = (shared_data / 'camvid' / kind).glob(f'{name}.*')
                shutil.copy(found, folder / 'camvid' / kind)
    return folder


@pytest.fixture(scope='module')
def environment(folder: Path, shared_data: Path) -> dict[str, str]:
    """Return the environment of somebody who works there and has fetched nothing."""
    here = Path(__file__).resolve().parents[2]
    commands = folder / 'bin'
    commands.mkdir()
    # As "make setup" puts it into .venv/bin, but of this source tree.
    command = commands / 'espnet-ros'
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m espnet_ros.cli "$@"\n')
    command.chmod(0o755)
    return os.environ | {
        'PATH': f'{commands}:{os.environ["PATH"]}',
        'PYTHONPATH': f'{here}:{os.environ.get("PYTHONPATH", "")}',
        'XDG_CACHE_HOME': str(folder / 'cache'),
        'XDG_DATA_HOME': str(folder / 'data'),
        'ESPNET_ROS_MIRROR': str(shared_data / 'weights'),
    }


def end_of(process: subprocess.Popen[str], seconds: float) -> tuple[int, str]:
    """Wait for a command, or end it by Ctrl-C after a while."""
    timer = threading.Timer(
        seconds or LIMIT_S, os.killpg, (process.pid, signal.SIGINT if seconds else signal.SIGKILL)
    )
    timer.start()
    try:
        output, _ = process.communicate()
    finally:
        timer.cancel()
    return process.returncode, output


@pytest.mark.parametrize('command', RUNNING)
@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_command_works_as_printed(
    command: str, folder: Path, environment: dict[str, str]
) -> None:
    run = find_run(command)
    missing = [name for name in run.needs if not find_spec(name)]
    if missing:
        pytest.skip(f'needs {", ".join(missing)}')
    printed = command
    for placeholder, value in run.replaced:
        printed = printed.replace(placeholder, value)
    with subprocess.Popen(
        ['bash', '-ec', printed],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        code, output = end_of(process, run.seconds)
    expected = (0, 130) if run.seconds else (0,)
    assert code in expected, f'{printed}\n{output}'
    assert 'Traceback' not in output
