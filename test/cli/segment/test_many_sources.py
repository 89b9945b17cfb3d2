"""Many sources on one line, second runs into a folder, and files of the user's in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import random
import shutil
import signal
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from ..conftest import Ended, files_in, read_json, read_mask, Run, stripe_labels, stripes

Segment = Callable[..., Ended]


@pytest.fixture
def segment(cli: Run, channel_model_path: Path, tmp_path: Path) -> Segment:
    """Return what segments sources with the channel model into ``out``."""
    words = ('--model', channel_model_path, '--output', tmp_path / 'out')

    def run(*more: object) -> Ended:
        return cli('segment', *more, *words)

    return run


def test_images_and_a_video_on_one_line_share_a_folder_and_a_summary(
    segment: Segment, photos: Path, clip: Path, tmp_path: Path
) -> None:
    ended = segment(photos / 'a.png', photos / 'b.png', clip, '--no-overlay', '--masks')
    assert ended.code == 0, ended.err
    out = tmp_path / 'out'
    masks = {f'clip_frames/{index:06d}_mask.png' for index in range(8)}
    masks |= {'a_mask.png', 'b_mask.png'}
    assert files_in(out) == {*masks, 'summary.json', 'results.jsonl'}
    summary = read_json(out / 'summary.json')
    assert summary['frames'] == 10
    assert summary['sources'] == [str(photos / 'a.png'), str(photos / 'b.png'), str(clip)]


def test_images_and_videos_of_one_name_keep_their_results(
    segment: Segment, photos: Path, clip: Path, tmp_path: Path
) -> None:
    other = tmp_path / 'other'
    other.mkdir()
    cv2.imwrite(str(other / 'a.png'), np.full((8, 8, 3), (0, 250, 0), np.uint8))
    shutil.copy(clip, other / 'clip.mp4')
    ended = segment(photos / 'a.png', other / 'a.png', clip, other / 'clip.mp4')
    assert ended.code == 0, ended.err
    out = tmp_path / 'out'
    assert {f for f in files_in(out) if f.endswith('.mp4')} == {
        'clip_overlay.mp4',
        'clip_2_overlay.mp4',
    }
    assert (read_mask(out / 'other_a.png_mask.png') == 1).all()
    assert (read_mask(out / 'photos_a.png_mask.png') == stripe_labels()).all()


def test_one_source_that_is_none_keeps_no_other_from_being_segmented(
    segment: Segment, photos: Path, clip: Path, tmp_path: Path
) -> None:
    page = tmp_path / 'page.jpg'
    page.write_text('<!DOCTYPE html>')
    cut = tmp_path / 'cut.avi'
    writer = cv2.VideoWriter(str(cut), cv2.VideoWriter.fourcc(*'MJPG'), 10.0, (64, 32))
    for _ in range(40):
        writer.write(stripes(32, 64))
    writer.release()
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    ended = segment(page, photos / 'a.png', cut, clip)
    assert ended.code == 1
    assert 'page of HTML' in ended.err and 'cut.avi' in ended.err
    assert files_in(tmp_path / 'out') >= {'a_mask.png', 'clip_overlay.mp4'}
    broken = [entry['name'] for entry in read_json(tmp_path / 'out' / 'summary.json')['broken']]
    assert broken == [str(page), f'video {cut}']


def test_an_empty_argument_among_others_is_refused_before_the_work(
    segment: Segment, photos: Path, tmp_path: Path
) -> None:
    ended = segment(photos / 'a.png', '')
    assert ended.code == 2
    assert 'found an empty argument' in ended.err
    assert not (tmp_path / 'out').exists()


def test_a_limit_counts_over_all_sources(
    segment: Segment, photos: Path, clip: Path, tmp_path: Path
) -> None:
    assert segment(photos, clip, '--limit', 5, '--masks').code == 0
    assert read_json(tmp_path / 'out' / 'summary.json')['frames'] == 5
    assert len(list((tmp_path / 'out' / 'clip_frames').iterdir())) == 3


def mask_times(out: Path) -> dict[str, int]:
    """Return when each mask was written."""
    return {path.name: path.stat().st_mtime_ns for path in out.rglob('*_mask.png')}


def test_a_second_run_does_only_the_rest_and_counts_all(
    segment: Segment, photos: Path, clip: Path, tmp_path: Path
) -> None:
    out = tmp_path / 'out'
    assert segment(photos, clip, '--masks').code == 0
    before = mask_times(out)
    cv2.imwrite(str(photos / 'c.png'), stripes())
    (out / 'b_mask.png').unlink()
    ended = segment(photos, clip, '--masks')
    assert ended.code == 0, ended.err
    assert '2 frames in' in ended.out and '9 frames of earlier runs' in ended.out
    after = mask_times(out)
    assert {name for name in after if after[name] != before.get(name)} == {
        'b_mask.png',
        'c_mask.png',
    }
    summary = read_json(out / 'summary.json')
    assert (summary['frames'], summary['frames_of_earlier_runs']) == (11, 9)
    assert {i['name'] for i in summary['images']} >= {'a', 'b', 'c', 'clip_000007'}
    shares = {entry['name']: entry['share'] for entry in summary['classes']}
    assert shares['blue'] == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize('what', ['image', 'settings', 'overwrite'])
def test_other_sources_or_settings_are_done_anew(
    segment: Segment, photos: Path, tmp_path: Path, what: str
) -> None:
    out = tmp_path / 'out'
    assert segment(photos).code == 0
    before = mask_times(out)
    more: tuple[object, ...] = ()
    if what == 'image':
        cv2.imwrite(str(photos / 'a.png'), np.full((16, 32, 3), (0, 250, 0), np.uint8))
    else:
        more = ('--overwrite',) if what == 'overwrite' else ('--mask-size', '4,8')
    assert segment(photos, *more).code == 0
    after = mask_times(out)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == ({'a_mask.png'} if what == 'image' else {'a_mask.png', 'b_mask.png'})


def test_files_of_the_user_are_overwritten_on_demand_only(
    segment: Segment, photos: Path, clip: Path, tmp_path: Path
) -> None:
    out = tmp_path / 'out'
    for name in ('b_mask.png', 'clip_overlay.mp4', 'clip_frames/000001_mask.png', 'summary.json'):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text('mine')
        before = files_in(out)
        ended = segment(photos, clip, '--masks')
        assert ended.code == 1
        assert Path(name).name in ended.err and 'give --overwrite' in ended.err
        assert (out / name).read_text() == 'mine'
        assert files_in(out) == before, 'nothing was begun'
        ended = segment(photos, clip, '--masks', '--overwrite')
        assert ended.code == 0, ended.err
        assert (out / name).read_bytes() != b'mine'
        shutil.rmtree(out)


def test_a_mask_that_was_corrected_by_hand_is_the_users(
    segment: Segment, photos: Path, tmp_path: Path
) -> None:
    assert segment(photos).code == 0
    mask = tmp_path / 'out' / 'a_mask.png'
    cv2.imwrite(str(mask), np.full((16, 32), 1, np.uint8))
    assert segment(photos).code == 0, 'all is done: nothing is written'
    ended = segment(photos, '--mask-size', '4,8')
    assert ended.code == 1
    assert 'a_mask.png would be overwritten' in ended.err
    assert (read_mask(mask) == 1).all()


def test_a_journal_that_is_none_is_kept(segment: Segment, photos: Path, tmp_path: Path) -> None:
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out' / 'results.jsonl').write_text('{"mine": 1}\n')
    ended = segment(photos)
    assert ended.code == 1
    assert 'expected the journal of an earlier run' in ended.err
    assert files_in(tmp_path / 'out') == {'results.jsonl'}


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_killed_is_finished_by_the_next(
    segment: Segment, tmp_path: Path, channel_model_path: Path, number: signal.Signals
) -> None:
    count = 100
    folder, out = tmp_path / 'many', tmp_path / 'out'
    folder.mkdir()
    for index in range(count):
        cv2.imwrite(str(folder / f'{index}.png'), stripes(240, 320))
    words = ('segment', folder, '--model', channel_model_path, '--output', out)
    command = [sys.executable, '-m', 'espnet_ros.cli', *map(str, words)]
    wanted = random.randrange(1, 60)
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 60
        while process.poll() is None and len(list(out.glob('*_mask.png'))) < wanted:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    if number == signal.SIGTERM:
        assert process.returncode == 130, errors
        summary = read_json(out / 'summary.json')
        assert wanted <= summary['frames'] < count
        assert len(list(out.glob('*_mask.png'))) == summary['frames']
        assert not list(out.glob('.*'))
    before = mask_times(out)
    ended = segment(folder)
    assert ended.code == 0, ended.err
    summary = read_json(out / 'summary.json')
    assert summary['frames'] == len(list(out.glob('*_mask.png'))) == count
    assert sorted(int(image['name']) for image in summary['images']) == list(range(count))
    assert not list(out.glob('.*')), 'what a killed run had begun is removed'
    kept = summary['frames_of_earlier_runs']
    after = mask_times(out)
    assert sum(after[name] == time_ns for name, time_ns in before.items()) == kept
    # Of a killed run only the few frames are done again that were under way.
    assert len(before) - 8 <= kept <= len(before)
