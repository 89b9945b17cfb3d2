"""Image files and folders as sources."""

from pathlib import Path

import cv2
from espnet_ros.exceptions import InputError
from espnet_ros.sources import BrokenFrame, Frame, open_source
from espnet_ros.sources.images import natural_key
import numpy as np
from pictures import at_share, encoded, textured, TURNED_HALF, with_orientation
import pytest


def write_image(path: Path, value: int = 100, shape: tuple[int, ...] = (8, 12, 3)) -> Path:
    assert cv2.imwrite(str(path), np.full(shape, value, np.uint8))
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for index in (1, 2, 10):
        write_image(tmp_path / f'frame_{index}.png', index)
    return tmp_path


def test_numbers_in_names_sort_by_value_and_case_does_not_matter() -> None:
    names = ['b10.png', 'B9.png', 'a.png', '10.png', '9.png', '009.png']
    assert sorted(names, key=natural_key) == [
        '009.png', '9.png', '10.png', 'a.png', 'B9.png', 'b10.png',
    ]  # fmt: skip


def test_folder_gives_its_images_in_natural_order(folder: Path) -> None:
    with open_source(str(folder)) as source:
        frames = list(source)
    assert source.frame_count == 3
    assert source.rate_hz is None
    assert [f.name for f in frames] == ['frame_1', 'frame_2', 'frame_10']
    assert [f.index for f in frames] == [0, 1, 2]
    assert [int(f.image_bgr[0, 0, 0]) for f in frames if isinstance(f, Frame)] == [1, 2, 10]


@pytest.mark.parametrize('suffix', ['.png', '.jpg', '.jpeg', '.bmp', '.tif', '.webp', '.PNG'])
def test_every_image_format_is_read_as_three_channels(tmp_path: Path, suffix: str) -> None:
    write_image(tmp_path / f'image{suffix}', shape=(8, 12))
    (frame,) = open_source(str(tmp_path))
    assert isinstance(frame, Frame)
    assert frame.image_bgr.shape == (8, 12, 3)
    assert frame.image_bgr.dtype == np.uint8


def test_a_photograph_is_turned_as_people_look_at_it(tmp_path: Path) -> None:
    upright = encoded('.jpg', textured())
    (tmp_path / 'a.jpg').write_bytes(upright)
    (tmp_path / 'b.jpg').write_bytes(with_orientation(upright, TURNED_HALF))
    first, second = (f.image_bgr for f in open_source(str(tmp_path)) if isinstance(f, Frame))
    np.testing.assert_array_equal(first, second[::-1, ::-1])


def test_a_damaged_photograph_is_reported_and_the_others_are_read(tmp_path: Path) -> None:
    whole = encoded('.jpg', textured())
    at = at_share(whole, 0.5)
    (tmp_path / 'a.jpg').write_bytes(whole[:at] + whole[at + 500 :])
    (tmp_path / 'b.jpg').write_bytes(whole)
    broken, frame = open_source(str(tmp_path))
    assert isinstance(broken, BrokenFrame)
    assert broken.reason.startswith(f'{tmp_path / "a.jpg"}: the JPEG is damaged')
    assert isinstance(frame, Frame)


def test_other_files_hidden_files_and_sub_folders_are_left_out(folder: Path) -> None:
    (folder / 'notes.txt').write_text('x')
    (folder / '.hidden.png').write_bytes(b'x')
    (folder / 'folder.png').mkdir()
    assert open_source(str(folder)).frame_count == 3


def test_broken_file_is_reported_and_the_others_are_read(folder: Path) -> None:
    whole = (folder / 'frame_2.png').read_bytes()
    (folder / 'frame_2.png').write_bytes(whole[: len(whole) // 2])
    (folder / 'frame_3.png').write_bytes(b'')
    frames = list(open_source(str(folder)))
    broken = [f for f in frames if isinstance(f, BrokenFrame)]
    assert [f.name for f in frames] == ['frame_1', 'frame_2', 'frame_3', 'frame_10']
    assert [f.name for f in broken] == ['frame_2', 'frame_3']
    assert str(folder / 'frame_2.png') in broken[0].reason


def test_broken_files_leave_standard_error_to_us(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = (folder / 'frame_2.png').read_bytes()
    (folder / 'frame_2.png').write_bytes(whole[: len(whole) // 2])
    list(open_source(str(folder)))
    assert capfd.readouterr().err == ''


def test_file_removed_meanwhile_is_a_broken_frame(folder: Path) -> None:
    source = open_source(str(folder))
    (folder / 'frame_2.png').unlink()
    broken = [f for f in source if isinstance(f, BrokenFrame)]
    assert 'No such file' in broken[0].reason


def test_images_that_share_a_stem_keep_distinct_names(folder: Path) -> None:
    write_image(folder / 'frame_1.jpg')
    names = [f.name for f in open_source(str(folder))]
    assert names == ['frame_1.jpg', 'frame_1.png', 'frame_2', 'frame_10']


def test_a_name_with_two_suffixes_is_no_others(folder: Path) -> None:
    write_image(folder / 'frame_1.jpg')
    write_image(folder / 'frame_1.png.png')
    names = [f.name for f in open_source(str(folder))]
    assert len(set(names)) == 5 and {'frame_1.jpg', 'frame_1.png'} < set(names)


def test_files_of_twelve_bits_in_sixteen_keep_their_brightness(tmp_path: Path) -> None:
    values = np.arange(48, dtype=np.uint8).reshape(4, 4, 3) * 5
    cv2.imwrite(str(tmp_path / 'deep.png'), values.astype(np.uint16) << 4)
    for spec in (tmp_path, tmp_path / 'deep.png'):
        (frame,) = open_source(str(spec), bit_depth=12)
        assert isinstance(frame, Frame) and np.array_equal(frame.image_bgr, values)


def test_a_file_of_floats_is_told_as_such(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / 'a.tif'), np.zeros((4, 4, 3), np.float32))
    for bit_depth, said in ((16, 'not of 8 or 16 bits'), (12, 'found float32')):
        (broken,) = open_source(str(tmp_path), bit_depth=bit_depth)
        assert isinstance(broken, BrokenFrame) and said in broken.reason


def test_single_image_is_a_source_of_one_frame(folder: Path) -> None:
    source = open_source(str(folder / 'frame_2.png'))
    assert [f.name for f in source] == ['frame_2']
    assert source.frame_count == 1


def test_loop_starts_again_and_so_does_every_iteration(folder: Path) -> None:
    source = open_source(str(folder), loop=True)
    for _ in range(2):
        names = [frame.name for frame, _ in zip(source, range(5), strict=False)]
        assert names == ['frame_1', 'frame_2', 'frame_10', 'frame_1', 'frame_2']


def test_loop_over_nothing_but_broken_files_ends_with_an_error(tmp_path: Path) -> None:
    (tmp_path / 'a.png').write_bytes(b'nonsense')
    frames = iter(open_source(str(tmp_path), loop=True))
    assert isinstance(next(frames), BrokenFrame)
    with pytest.raises(InputError, match='no frame can be read'):
        next(frames)


def test_folder_without_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'notes.txt').write_text('x')
    with pytest.raises(InputError, match='expected a folder with images'):
        open_source(str(tmp_path))


def test_rate_given_is_the_rate_of_files(folder: Path) -> None:
    assert open_source(str(folder), rate_hz=3.0).rate_hz == 3.0
