"""Many sources on one line, second runs into a folder, and files of the user's in it."""

from __future__ import annotations

from collections.abc import Callable
import csv
import fcntl
import json
from pathlib import Path
import random
import shutil
import signal
import subprocess
import sys
import time

from bags import photo, write_bag
import cv2
from espnet_ros.datasets.opening import open_dataset
from espnet_ros.exceptions import InputError
from espnet_ros.sources import open_source
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


def test_loose_images_and_a_video_get_a_folder_each(
    segment: Segment, photos: Path, clip: Path, tmp_path: Path
) -> None:
    ended = segment(photos / 'a.png', photos / 'b.png', clip, '--no-overlay', '--masks')
    assert ended.code == 0, ended.err
    out = tmp_path / 'out'
    wanted = {f'clip/clip_frames/{index:06d}_mask.png' for index in range(8)}
    wanted |= {'images/a_mask.png', 'images/b_mask.png', 'images/summary.json'}
    wanted |= {'clip/summary.json', 'summary.json', 'failures.jsonl', 'units.csv'}
    assert files_in(out) - {'units.parquet'} == wanted
    summary = read_json(out / 'summary.json')
    assert (summary['frames'], summary['done'], summary['failed']) == (10, 2, 0)
    assert summary['fleet'] == ['images', 'clip']
    shares = {entry['name']: entry['share'] for entry in summary['classes']}
    assert shares['blue'] == pytest.approx(0.5, abs=0.02)
    with (out / 'units.csv').open() as file:
        rows = {row['unit']: row for row in csv.DictReader(file)}
    assert rows['clip']['frames'] == '8' and float(rows['images']['red']) == 0.5


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
        'clip/clip_overlay.mp4',
        'clip_2/clip_overlay.mp4',
    }
    assert (read_mask(out / 'images/other_a.png_mask.png') == 1).all()
    assert (read_mask(out / 'images/photos_a.png_mask.png') == stripe_labels()).all()


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
    out = tmp_path / 'out'
    assert files_in(out) >= {'a/a_mask.png', 'clip/clip_overlay.mp4'}
    failures = [json.loads(line) for line in (out / 'failures.jsonl').read_text().splitlines()]
    assert [(entry['source'], entry['kept']) for entry in failures] == [
        (str(page), False),
        (str(cut), False),
    ]
    assert not (out / 'cut').exists() and not list(out.glob('.*')), 'nothing is left half done'


def test_a_broken_image_among_good_ones_is_told_again_by_a_second_run(
    segment: Segment, photos: Path, clip: Path, tmp_path: Path
) -> None:
    (photos / 'c.png').write_bytes((photos / 'b.png').read_bytes()[:60])
    for _ in range(2):
        ended = segment(photos, clip)
        assert ended.code == 1 and 'c.png' in ended.err
        assert (tmp_path / 'out' / 'photos' / 'b_mask.png').is_file()
        assert '"kept": true' in (tmp_path / 'out' / 'failures.jsonl').read_text()
    assert '2 done by earlier runs' in ended.out


def test_an_empty_argument_among_others_is_refused_before_the_work(
    segment: Segment, photos: Path, tmp_path: Path
) -> None:
    ended = segment(photos / 'a.png', '')
    assert ended.code == 2
    assert 'found an empty argument' in ended.err
    assert not (tmp_path / 'out').exists()


def test_a_limit_counts_for_each_source(
    segment: Segment, photos: Path, clip: Path, tmp_path: Path
) -> None:
    assert segment(photos, clip, '--limit', 1, '--masks').code == 0
    assert read_json(tmp_path / 'out' / 'summary.json')['frames'] == 2
    assert len(list((tmp_path / 'out' / 'clip' / 'clip_frames').iterdir())) == 1


def test_patterns_and_lists_name_sources(
    segment: Segment, photos: Path, clip: Path, tmp_path: Path
) -> None:
    shutil.copy(clip, tmp_path / 'clip_b.mp4')
    for name in ('one', 'two'):
        write_bag(tmp_path / name, {f'/{t}/image': [photo(9)] for t in ('left', 'right')})
    lines = ['# drives', '', str(tmp_path / 'one'), str(photos / 'a.png'), str(photos / 'b.png')]
    (tmp_path / 'files.txt').write_text('\n'.join(lines))
    entries = [
        {'source': 'two', 'topic': '/left/image', 'name': 'second'},
        {'source': str(photos), 'name': 'a/b'},
    ]
    (tmp_path / 'drives.jsonl').write_text('\n'.join(map(json.dumps, entries)))
    words = (tmp_path / 'clip*.mp4', f'@{tmp_path / "files.txt"}', tmp_path / 'drives.jsonl')
    ended = segment(*words, '--limit', 1)
    assert ended.code == 0, ended.err
    assert read_json(tmp_path / 'out' / 'summary.json')['fleet'] == [
        'clip',
        'clip_b',
        'one_left_image',
        'one_right_image',
        'a',
        'b',
        'second',
        'a_b',
    ]


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        (None, 'cannot be read (No such file'),
        ('# nothing', 'expected a list of sources, one a line, found none'),
        ('{"sauce": 1}', 'line 1: expected {"source": "drive.mp4"}'),
        ('none_*.mp4', 'no file or folder fits this pattern'),
    ],
)
def test_a_list_that_is_none_is_one_line(
    segment: Segment, tmp_path: Path, text: str | None, said: str
) -> None:
    if text is not None:
        (tmp_path / 'list.jsonl').write_text(text)
    ended = segment(tmp_path / 'list.jsonl')
    assert ended.code in (1, 2) and said in ended.err and ended.err.count('\n') == 1


def mask_times(out: Path) -> dict[str, int]:
    """Return when each mask was written."""
    return {path.name: path.stat().st_mtime_ns for path in out.rglob('*_mask.png')}


def test_a_second_run_does_only_the_rest_and_counts_all(
    segment: Segment, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / 'out'
    assert segment(photos).code == 0
    before = mask_times(out)
    cv2.imwrite(str(photos / 'c.png'), stripes())
    (out / 'b_mask.png').unlink()
    ended = segment(photos)
    assert ended.code == 0, ended.err
    assert '2 frames in' in ended.out and '1 frame of earlier runs' in ended.out
    after = mask_times(out)
    assert {name for name in after if after[name] != before.get(name)} == {
        'b_mask.png',
        'c_mask.png',
    }
    summary = read_json(out / 'summary.json')
    assert (summary['frames'], summary['frames_of_earlier_runs']) == (3, 1)
    assert {i['name'] for i in summary['images']} == {'a', 'b', 'c'}


def test_a_second_run_of_many_does_what_is_missing_or_has_changed(
    segment: Segment, photos: Path, clip: Path, tmp_path: Path
) -> None:
    out = tmp_path / 'out'
    other = Path(shutil.copy(clip, tmp_path / 'other.mp4'))
    assert segment(photos, clip, other, '--masks').code == 0
    before = mask_times(out / 'clip')
    shutil.rmtree(out / 'other')
    cv2.imwrite(str(photos / 'c.png'), stripes())
    (out / '.part-0123-left').mkdir()
    ended = segment(photos, clip, other, '--masks')
    assert ended.code == 0, ended.err
    assert '1 done by earlier runs' in ended.out
    assert mask_times(out / 'clip') == before
    assert len(mask_times(out / 'other')) == 8
    assert read_json(out / 'summary.json')['done_by_earlier_runs'] == 1
    assert (out / 'photos' / 'c_mask.png').is_file() and not list(out.glob('.*'))


def test_recordings_of_another_day_take_no_results_of_the_same_names_away(
    segment: Segment, photos: Path, clip: Path, tmp_path: Path
) -> None:
    for day in ('day0', 'day1', 'day2'):
        (tmp_path / day).mkdir()
        shutil.copy(clip, tmp_path / day / 'front.mp4')
        shutil.copy(photos / 'a.png', tmp_path / day / 'a.png')
    days = {day: (tmp_path / day / 'front.mp4', tmp_path / day) for day in ('day1', 'day2')}
    assert segment(*days['day1'], '--masks').code == 0
    ended = segment(*days['day2'], '--masks')
    assert ended.code == 0, ended.err
    assert f'{tmp_path}/day2/front.mp4 in front_2' in ended.err
    out = tmp_path / 'out'
    before = {path: path.stat().st_mtime_ns for path in out.rglob('*_mask.png')}
    assert len(before) == 18
    earlier = sorted(tmp_path.glob('day?/front.mp4'))
    ended = segment(*earlier, '--masks')
    assert ended.code == 0 and '2 done by earlier runs' in ended.out
    after = {path: path.stat().st_mtime_ns for path in before}
    assert after == before, 'nothing is done anew'
    sources = {read_json(path)['source'] for path in out.glob('front*/summary.json')}
    assert sources == set(map(str, earlier)), 'and a third day got a folder of its own'


def test_a_recording_whose_results_are_gone_in_part_is_done_anew(
    segment: Segment, photos: Path, clip: Path, tmp_path: Path
) -> None:
    assert segment(photos, clip).code == 0
    overlay = tmp_path / 'out' / 'clip' / 'clip_overlay.mp4'
    overlay.unlink()
    ended = segment(photos, clip)
    assert ended.code == 0 and '1 done by earlier runs' in ended.out
    assert overlay.is_file()


def test_frames_that_show_nothing_are_told_of_many_recordings_and_by_a_second_run(
    segment: Segment, photos: Path, tmp_path: Path
) -> None:
    dark = tmp_path / 'dark'
    dark.mkdir()
    cv2.imwrite(str(dark / 'deep.png'), stripes().astype(np.uint16) * 16)
    for _ in range(2):
        ended = segment(photos, dark)
        assert ended.code == 0
        assert '1 of 3 frames show nothing' in ' '.join(ended.err.split())
        with (tmp_path / 'out' / 'units.csv').open() as file:
            told = {row['unit']: row['show_nothing'] for row in csv.DictReader(file)}
        assert told == {'photos': '0', 'dark': '1'}
        assert read_json(tmp_path / 'out' / 'summary.json')['frames_that_show_nothing'] == 1
    ended = segment(photos, dark, '--image-bit-depth', '12')
    assert ended.code == 0 and 'show nothing' not in ended.err
    assert (read_mask(tmp_path / 'out' / 'dark' / 'deep_mask.png') == stripe_labels()).all()


def test_a_second_run_counts_the_frames_that_showed_nothing_in_the_first(
    segment: Segment, photos: Path, tmp_path: Path
) -> None:
    cv2.imwrite(str(photos / 'covered.png'), np.full((16, 32, 3), 9, np.uint8))
    for _ in range(2):
        assert '1 of 3 frames show nothing' in ' '.join(segment(photos).err.split())
        assert read_json(tmp_path / 'out' / 'summary.json')['frames_that_show_nothing'] == 1


def test_a_name_that_is_not_utf_8_fails_alone_and_is_in_the_tables(
    segment: Segment, photos: Path, clip: Path, tmp_path: Path
) -> None:
    bad = shutil.copy(clip, f'{tmp_path}/\udcff.mp4')
    ended = segment(photos, bad)
    assert ended.code == 1 and 'the name is not UTF-8' in ended.err, ended.err
    assert read_json(tmp_path / 'out' / 'summary.json')['done'] == 1
    assert '\\udcff.mp4,failed' in (tmp_path / 'out' / 'units.csv').read_text()


def test_a_bag_is_called_after_its_whole_name_and_its_depth_images_are_left_out(
    segment: Segment, tmp_path: Path
) -> None:
    picture = photo(9)
    deep = np.full((32, 64), 900, np.uint16)
    depth = ('Image', {'height': 32, 'width': 64, 'encoding': '16UC1', 'is_bigendian': 0,
                       'step': 128, 'data': deep.view(np.uint8).ravel()})  # fmt: skip
    for name in ('run_1.5', 'run_1.6'):
        topics = {'/left/image': [picture], '/right/image': [picture], '/depth/image': [depth]}
        write_bag(tmp_path / name, topics)
    ended = segment(tmp_path / 'run_1.5', tmp_path / 'run_1.6')
    assert ended.code == 0, ended.err
    assert ended.err.count('depth images: /depth/image') == 1
    names = read_json(tmp_path / 'out' / 'summary.json')['fleet']
    assert names == [f'run_1.{n}_{side}_image' for n in (5, 6) for side in ('left', 'right')]


def test_results_in_the_folder_of_the_images_make_nothing_be_done_anew(
    photos: Path,
    clip: Path,
    monkeypatch: pytest.MonkeyPatch,
    cli: Run,
    channel_model_path: Path,
) -> None:
    (photos / 'c.png').symlink_to('nowhere')
    monkeypatch.chdir(photos)
    for is_second in (False, True):
        ended = cli('segment', '.', clip, '--model', channel_model_path, '--output', 'out')
        assert ended.code == 0, ended.err
        assert ('2 done by earlier runs' in ended.out) == is_second
    assert read_json(photos / 'out' / 'summary.json')['fleet'] == ['photos', 'clip']


def test_an_address_in_the_home_folder_is_the_same_for_one_and_for_many(
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    cli: Run,
    channel_model_path: Path,
) -> None:
    monkeypatch.setenv('HOME', str(tmp_path))
    for place in ('~/here', f'file://{tmp_path}/t%20here'):
        words = (
            'segment',
            photos,
            photos / 'a.png',
            '--model',
            channel_model_path,
            f'--output={place}',
        )
        assert cli(*words).code == 0
    assert (tmp_path / 'here' / 'a').is_dir() and (tmp_path / 't here' / 'a').is_dir()


def write_clip(path: Path, count: int) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), 10.0, (64, 32))
    for _ in range(count):
        writer.write(stripes(32, 64))
    writer.release()
    return path


def test_masks_of_other_frames_do_not_stay_among_those_of_a_video(
    segment: Segment, clip: Path, tmp_path: Path
) -> None:
    frames = tmp_path / 'out' / 'clip_frames'
    assert segment(clip, '--masks', '--confidence').code == 0
    assert segment(clip, '--masks', '--limit', 3).code == 0
    assert len(list(frames.glob('*_mask.png'))) == 8, 'a look at some takes none away'
    write_clip(tmp_path / 'clip.avi', 3).replace(clip)
    assert segment(clip, '--masks').code == 0
    assert len(list(frames.glob('*_mask.png'))) == 3
    assert len(list(frames.glob('*_confidence.png'))) == 8, 'these are not written anew'


def test_a_video_of_unknown_length_keeps_every_mask(segment: Segment, tmp_path: Path) -> None:
    video = write_clip(tmp_path / 'cut.mkv', 5)
    data = video.read_bytes()
    assert data.count(b'\x44\x89\x88') == 1, 'the duration, 8 bytes'
    video.write_bytes(data.replace(b'\x44\x89\x88', b'\xec\x89\x88'))  # is left out
    with open_source(str(video)) as source:
        assert source.frame_count is None
    assert segment(video, '--masks').code == 0
    assert len(list((tmp_path / 'out' / 'cut_frames').glob('*_mask.png'))) == 5


def test_a_linked_folder_is_called_as_its_link(
    segment: Segment, photos: Path, clip: Path, tmp_path: Path
) -> None:
    (tmp_path / 'day1').symlink_to(photos)
    assert segment(tmp_path / 'day1', clip).code == 0
    assert (tmp_path / 'out' / 'day1').is_dir()


def test_labels_are_refused_beside_images_of_earlier_runs(
    segment: Segment, photos: Path, clip: Path, tmp_path: Path
) -> None:
    (tmp_path / 'out' / 'images').mkdir(parents=True)
    ended = segment(photos, clip, '--labels-for', 'camvid')
    assert ended.code != 0
    assert 'give another --output' in ended.err


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


@pytest.mark.parametrize('many', [False, True])
def test_files_of_the_user_are_overwritten_on_demand_only(
    segment: Segment, photos: Path, clip: Path, tmp_path: Path, many: bool
) -> None:
    out = tmp_path / 'out'
    sources = (photos, clip) if many else (clip,)
    names = ('clip/mine.png', 'photos/a_mask.png') if many else ('clip_overlay.mp4',)
    for name in (*names, 'summary.json'):
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text('mine')
        before = files_in(out)
        ended = segment(*sources, '--masks')
        assert ended.code == 1
        assert name.split('/')[0] in ended.err and 'give --overwrite' in ended.err
        assert (out / name).read_text() == 'mine'
        assert files_in(out) == before, 'nothing was begun'
        ended = segment(*sources, '--masks', '--overwrite')
        assert ended.code == 0, ended.err
        assert not (out / name).exists() or (out / name).read_bytes() != b'mine'
        shutil.rmtree(out)


def test_a_mask_of_many_that_was_corrected_by_hand_is_the_users(
    segment: Segment, photos: Path, clip: Path, tmp_path: Path
) -> None:
    assert segment(photos, clip).code == 0
    mask = tmp_path / 'out' / 'photos' / 'a_mask.png'
    time.sleep(0.02)  # times of files may be that coarse
    cv2.imwrite(str(mask), np.full((16, 32), 1, np.uint8))
    assert segment(photos, clip).code == 0, 'all is done: nothing is written'
    ended = segment(photos, clip, '--mask-size', '4,8')
    assert ended.code == 1
    assert 'a_mask.png: was changed after the run that made it' in ended.err
    assert (read_mask(mask) == 1).all()


@pytest.mark.parametrize('many', [False, True])
def test_two_runs_at_a_time_into_one_folder_are_refused(
    segment: Segment, photos: Path, clip: Path, tmp_path: Path, many: bool
) -> None:
    out = tmp_path / 'out'
    sources = (photos, clip) if many else (photos,)
    out.mkdir()
    with (out / '.running').open('w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ended = segment(*sources)
    assert ended.code == 1 and 'another run writes into this folder' in ended.err
    assert segment(*sources).code == 0


def test_a_recording_that_takes_too_long_fails_alone(
    segment: Segment, photos: Path, clip: Path, tmp_path: Path
) -> None:
    (tmp_path / 'list.txt').write_text(str(photos))
    assert segment(f'@{tmp_path / "list.txt"}').code == 0
    ended = segment(photos, clip, '--timeout-per-file', '0.0001')
    assert ended.code == 1
    assert f'{clip}: took longer than 0.0001 s' in ended.err
    assert read_json(tmp_path / 'out' / 'summary.json')['done'] == 1


def test_labels_of_many_recordings_are_one_data_set(
    segment: Segment, photos: Path, clip: Path, tmp_path: Path, channel_model_path: Path
) -> None:
    ended = segment(photos, clip, '--labels-for', write_classes(tmp_path, 'red', 'blue'))
    assert ended.code == 0, ended.err
    found = open_dataset(str(tmp_path / 'out'), 'all')
    assert len(found) == 10 and found.label_set.names == ('red', 'blue')
    assert {value for i in range(10) for value in np.unique(found.load(i).labels)} == {0, 1}


@pytest.mark.parametrize('name', ['images', 'training'])
def test_recordings_called_as_parts_of_a_data_set_become_one_too(
    segment: Segment, photos: Path, clip: Path, tmp_path: Path, name: str
) -> None:
    other = shutil.copy(clip, tmp_path / f'{name}.mp4')
    ended = segment(photos, other, '--labels-for', write_classes(tmp_path, 'red', 'blue'))
    assert ended.code == 0, ended.err
    assert len(open_dataset(str(tmp_path / 'out'), 'all')) == 10


def test_labels_of_other_classes_are_not_mixed(
    segment: Segment, photos: Path, clip: Path, tmp_path: Path
) -> None:
    out = tmp_path / 'out'
    other = shutil.copy(clip, tmp_path / 'other.mp4')
    assert segment(photos, clip, '--labels-for', write_classes(tmp_path, 'red', 'blue')).code == 0
    classes = (out / 'labels.yaml').read_text()
    swapped = write_classes(tmp_path, 'blue', 'red')
    ended = segment(photos, other, '--labels-for', swapped)
    assert ended.code == 1 and 'labels.yaml: expected the classes' in ended.err
    assert (out / 'labels.yaml').read_text() == classes
    assert segment(photos, other, '--labels-for', swapped, '--overwrite').code == 0
    with pytest.raises(InputError, match=r'clip/labels.yaml: expected the classes of'):
        open_dataset(str(out), 'all')


def write_classes(folder: Path, *names: str) -> Path:
    path = folder / f'{"_".join(names)}.yaml'
    lines = [f'- {{name: {name}, color: [9, {i}, 0]}}' for i, name in enumerate(names)]
    path.write_text('\n'.join(('name: rgb', 'classes:', *lines)))
    return path


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
