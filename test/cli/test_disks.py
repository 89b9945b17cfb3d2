"""Disks that are full or read-only, as real ones: a small tmpfs in a mount space of its own."""

from pathlib import Path
import shlex
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest

IN_OWN_MOUNT_SPACE = ['unshare', '--map-root-user', '--mount', 'sh', '-c']


@pytest.fixture(scope='module')
def can_mount(tmp_path_factory: pytest.TempPathFactory) -> None:
    if shutil.which('unshare') is None:
        pytest.skip('no unshare on this machine')
    place = tmp_path_factory.mktemp('mount')
    command = [*IN_OWN_MOUNT_SPACE, f'mount -t tmpfs -o size=64k tmpfs {place}']
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f'no file system can be mounted here: {done.stderr.strip()}')


def segment_onto(options: str, source: Path, model: Path, *more: str) -> tuple[int, str, set[str]]:
    """Run the verb on a mounted disk; return exit code, errors and the files that are left."""
    disk = source.parent / 'disk'
    disk.mkdir()
    words = [sys.executable, '-m', 'espnet_ros.cli', 'segment', source, *more]
    words += ['--output', disk, '--model', model]
    command = shlex.join(map(str, words))
    script = (
        f'mount -t tmpfs -o {options} tmpfs {disk}; {command} >/dev/null; code=$?; '
        f'ls -A {disk}; exit $code'
    )
    done = subprocess.run(
        [*IN_OWN_MOUNT_SPACE, script], capture_output=True, text=True, check=False, timeout=120
    )
    return done.returncode, done.stderr, set(done.stdout.split())


def noise(height: int, width: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.usefixtures('can_mount')
def test_full_disk_ends_the_job_and_leaves_whole_files_only(
    tmp_path: Path, channel_model_path: Path
) -> None:
    folder = tmp_path / 'photos'
    folder.mkdir()
    for index in range(12):
        cv2.imwrite(str(folder / f'{index:02d}.png'), noise(100, 100, index))
    code, told, left = segment_onto('size=128k', folder, channel_model_path)
    assert code == 1
    assert 'the disk is full' in told
    assert 'kept in' in told
    assert '00_mask.png' in left
    assert not any(name.startswith('.') for name in left)


@pytest.mark.usefixtures('can_mount')
def test_video_that_does_not_fit_is_an_error_and_not_half_a_file(
    tmp_path: Path, channel_model_path: Path
) -> None:
    clip = tmp_path / 'clip.avi'
    writer = cv2.VideoWriter(str(clip), cv2.VideoWriter.fourcc(*'MJPG'), 10.0, (320, 240))
    for seed in range(10):
        writer.write(noise(240, 320, seed))
    writer.release()
    code, told, left = segment_onto('size=128k', clip, channel_model_path, '--alpha', '0')
    assert code == 1
    assert told.splitlines()[-1].startswith('espnet-ros: ')
    assert 'disk full?' in told or 'the disk is full' in told
    assert not any('overlay' in name for name in left)


@pytest.mark.usefixtures('can_mount')
def test_read_only_disk_is_told_before_any_work(tmp_path: Path, channel_model_path: Path) -> None:
    photo = tmp_path / 'a.png'
    cv2.imwrite(str(photo), noise(20, 20, 0))
    code, told, left = segment_onto('ro', photo, channel_model_path)
    assert code == 1
    assert 'cannot write into this folder (Read-only file system)' in told
    assert left == set()
