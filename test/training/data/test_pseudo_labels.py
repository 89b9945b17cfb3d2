"""Labels of a teacher: computed once, kept while what they follow from is the same."""

from __future__ import annotations

from pathlib import Path

import cv2
from espnet_ros.datasets.folder import open_folder
from espnet_ros.exceptions import ConfigError, InputError
from espnet_ros.labels import LabelSet, load_label_set
from espnet_ros.model_file import ModelFile, open_model
from espnet_ros.training.data.pseudo_labels import label_images, Unlabelled
from espnet_ros.training.data.teachers import merge_labels, Teachers, vote
import numpy as np
from numpy.typing import NDArray
import pytest

SIZE = (32, 48)


@pytest.fixture(scope='module')
def teacher() -> ModelFile:
    """Return the model that ships, for a small input."""
    return open_model('espnet_p2_q8_camvid_street').with_input_size(SIZE)


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    """Return a folder of three images without labels, sky above road."""
    folder = tmp_path / 'drive'
    folder.mkdir()
    for index in range(3):
        image = np.full((*SIZE, 3), (230, 200, 180), np.uint8)
        image[12 + 4 * index :] = 90
        assert cv2.imwrite(str(folder / f'{index}.png'), image)
    return folder


def maps(
    labels: list[int], confidence: list[float]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    return np.array([labels], np.uint8), np.array([np.round(255 * np.array(confidence))], np.uint8)


CAMVID: LabelSet = load_label_set('camvid')
POLE, ROAD, VOID = CAMVID.id_of('pole'), CAMVID.id_of('road'), CAMVID.void_id


def test_unsure_pixels_and_void_stay_unlabelled(teacher: ModelFile) -> None:
    assert VOID is not None
    seen = maps([ROAD, ROAD, VOID], [0.5, 0.3, 0.9])
    assert merge_labels(seen, None, Teachers((teacher,))).tolist() == [[ROAD, 255, 255]]


def test_the_second_teacher_counts_where_it_is_sure_and_the_first_is_less_so(
    teacher: ModelFile,
) -> None:
    first = maps([ROAD, ROAD, ROAD, ROAD], [0.5, 0.9, 0.5, 0.2])
    second = maps([POLE, POLE, POLE, ROAD], [0.8, 0.8, 0.6, 0.1])
    merged = merge_labels(first, second, Teachers((teacher,), second=teacher))
    assert merged.tolist() == [[POLE, ROAD, ROAD, ROAD]], 'agreement labels unsure pixels too'
    only_cars = merge_labels(
        first, second, Teachers((teacher,), second=teacher, second_classes=('car',))
    )
    assert only_cars.tolist() == [[ROAD, ROAD, ROAD, ROAD]]


def test_labels_are_a_data_set_of_the_teacher_s_classes(
    drive: Path, teacher: ModelFile, tmp_path: Path
) -> None:
    folder = tmp_path / 'out' / 'pseudo'
    assert label_images(Unlabelled((str(drive),)), Teachers((teacher,)), folder) == 3
    data = open_folder(folder, 'all')
    assert len(data) == 3
    assert data.label_set.names == teacher.info.label_set.names
    labels = data.load(0).labels
    assert labels.shape == SIZE
    assert (labels != 255).any(), 'the teacher is sure of something'


def test_images_are_kept_at_the_size_that_is_given_and_every_second_is_taken(
    drive: Path, teacher: ModelFile, tmp_path: Path
) -> None:
    wanted = Unlabelled((str(drive),), every=2, size=(16, 24))
    assert label_images(wanted, Teachers((teacher,)), tmp_path / 'out') == 2
    assert open_folder(tmp_path / 'out', 'all').load(1).image_bgr.shape == (16, 24, 3)


def written(folder: Path) -> dict[str, int]:
    """Return when each label was written."""
    return {path.name: path.stat().st_mtime_ns for path in (folder / 'labels').iterdir()}


def test_an_interrupted_call_goes_on_and_a_finished_one_is_not_repeated(
    drive: Path, teacher: ModelFile, tmp_path: Path
) -> None:
    folder = tmp_path / 'out'
    wanted = Unlabelled((str(drive),))

    def interrupt(done: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        label_images(wanted, Teachers((teacher,)), folder, interrupt)
    before = written(folder)
    assert len(before) == 2
    assert label_images(wanted, Teachers((teacher,)), folder) == 3
    after = written(folder)
    assert before.items() <= after.items()
    counted: list[int] = []
    assert label_images(wanted, Teachers((teacher,)), folder, counted.append) == 3
    assert (written(folder), counted) == (after, [])


def test_other_settings_or_images_give_new_labels(
    drive: Path, teacher: ModelFile, tmp_path: Path
) -> None:
    folder = tmp_path / 'out'
    wanted = Unlabelled((str(drive),))
    label_images(wanted, Teachers((teacher,)), folder)
    before = written(folder)
    label_images(wanted, Teachers((teacher,), confidence=1.0), folder)
    assert not before.items() & written(folder).items()
    (drive / '2.png').unlink()
    assert label_images(wanted, Teachers((teacher,), confidence=1.0), folder) == 2
    assert len(written(folder)) == 2


def test_a_folder_of_something_else_is_left_alone(
    drive: Path, teacher: ModelFile, tmp_path: Path
) -> None:
    folder = tmp_path / 'out'
    (folder / 'labels').mkdir(parents=True)
    (folder / 'labels' / 'by_hand.png').write_bytes(b'mine')
    with pytest.raises(InputError, match='expected an empty folder or earlier pseudo labels'):
        label_images(Unlabelled((str(drive),)), Teachers((teacher,)), folder)
    assert (folder / 'labels' / 'by_hand.png').read_bytes() == b'mine'


def test_mistakes_are_told(drive: Path, teacher: ModelFile, tmp_path: Path) -> None:
    with pytest.raises(InputError, match='nowhere: expected a folder of images'):
        label_images(Unlabelled(('nowhere',)), Teachers((teacher,)), tmp_path / 'out')
    with pytest.raises(ConfigError, match=r'expected some of sky, building.*found zebra'):
        Teachers((teacher,), second=teacher, second_classes=('zebra',))
    with pytest.raises(ConfigError, match='confidence: expected 0 to 1, found 40'):
        Teachers((teacher,), confidence=40)
    with pytest.raises(ConfigError, match='every: expected 1 or more, found 0'):
        Unlabelled((str(drive),), every=0)


def test_two_unsure_views_outvote_a_sure_one_only_where_they_agree() -> None:
    classes = len(CAMVID.names)
    car = CAMVID.id_of('car')
    views = [
        maps([ROAD, ROAD], [0.7, 0.7]),
        maps([POLE, POLE], [0.5, 0.5]),
        maps([POLE, car], [0.5, 0.5]),
    ]
    labels, confidence = vote(views, classes)
    assert labels.tolist() == [[POLE, ROAD]]
    expected = 255 * np.array([(0.5 + 0.5 + 0.3 / 11) / 3, (0.7 + 2 * 0.5 / 11) / 3])
    assert np.abs(confidence[0] - expected).max() <= 1


def test_mirrored_views_vote_in_their_own_place(
    drive: Path, teacher: ModelFile, tmp_path: Path
) -> None:
    image = cv2.imread(str(drive / '0.png'))
    assert image is not None
    image[:, :24] = (40, 90, 60)
    folder, mirrored = tmp_path / 'one_sided', tmp_path / 'other_side'
    for place, picture in ((folder, image), (mirrored, image[:, ::-1])):
        place.mkdir()
        assert cv2.imwrite(str(place / 'a.png'), picture)
    teachers = Teachers((teacher,), mirrored=True, confidence=0.0)
    for place in (folder, mirrored):
        label_images(Unlabelled((str(place),)), teachers, place / 'out')
    one, other = (open_folder(place / 'out', 'all').load(0).labels for place in (folder, mirrored))
    assert np.array_equal(one, other[:, ::-1]), 'both sides were seen the same two times'
    assert not np.array_equal(one, one[:, ::-1])
