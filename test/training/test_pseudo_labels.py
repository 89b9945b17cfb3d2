"""Labels of a teacher: computed once, kept while what they follow from is the same."""

from __future__ import annotations

from pathlib import Path

import cv2
from espnet_ros.datasets.folder import open_folder
from espnet_ros.exceptions import ConfigError, InputError
from espnet_ros.labels import LabelSet, load_label_set
from espnet_ros.model_file import ModelFile, open_model
from espnet_ros.training.pseudo_labels import label_images, merge_labels, Sureness, Unlabelled
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


def test_unsure_pixels_and_void_stay_unlabelled() -> None:
    assert VOID is not None
    seen = maps([ROAD, ROAD, VOID], [0.5, 0.3, 0.9])
    assert merge_labels(seen, None, Sureness(first=0.4), CAMVID).tolist() == [[ROAD, 255, 255]]


def test_the_second_teacher_counts_where_it_is_sure_and_the_first_is_less_so() -> None:
    first = maps([ROAD, ROAD, ROAD, ROAD], [0.5, 0.9, 0.5, 0.2])
    second = maps([POLE, POLE, POLE, ROAD], [0.8, 0.8, 0.6, 0.1])
    merged = merge_labels(first, second, Sureness(0.4, 0.65), CAMVID)
    assert merged.tolist() == [[POLE, ROAD, ROAD, ROAD]], 'agreement labels unsure pixels too'
    only_cars = merge_labels(first, second, Sureness(0.4, 0.65, ('car',)), CAMVID)
    assert only_cars.tolist() == [[ROAD, ROAD, ROAD, ROAD]]


def test_labels_are_a_data_set_of_the_teacher_s_classes(
    drive: Path, teacher: ModelFile, tmp_path: Path
) -> None:
    folder = tmp_path / 'out' / 'pseudo'
    assert label_images(Unlabelled((str(drive),)), [teacher], Sureness(), folder) == 3
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
    assert label_images(wanted, [teacher], Sureness(), tmp_path / 'out') == 2
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
        label_images(wanted, [teacher], Sureness(), folder, interrupt)
    before = written(folder)
    assert len(before) == 2
    assert label_images(wanted, [teacher], Sureness(), folder) == 3
    after = written(folder)
    assert before.items() <= after.items()
    counted: list[int] = []
    assert label_images(wanted, [teacher], Sureness(), folder, counted.append) == 3
    assert (written(folder), counted) == (after, [])


def test_other_settings_or_images_give_new_labels(
    drive: Path, teacher: ModelFile, tmp_path: Path
) -> None:
    folder = tmp_path / 'out'
    wanted = Unlabelled((str(drive),))
    label_images(wanted, [teacher], Sureness(), folder)
    before = written(folder)
    label_images(wanted, [teacher], Sureness(first=1.0), folder)
    assert not before.items() & written(folder).items()
    (drive / '2.png').unlink()
    assert label_images(wanted, [teacher], Sureness(first=1.0), folder) == 2
    assert len(written(folder)) == 2


def test_a_folder_of_something_else_is_left_alone(
    drive: Path, teacher: ModelFile, tmp_path: Path
) -> None:
    folder = tmp_path / 'out'
    (folder / 'labels').mkdir(parents=True)
    (folder / 'labels' / 'by_hand.png').write_bytes(b'mine')
    with pytest.raises(InputError, match='expected an empty folder or earlier pseudo labels'):
        label_images(Unlabelled((str(drive),)), [teacher], Sureness(), folder)
    assert (folder / 'labels' / 'by_hand.png').read_bytes() == b'mine'


def test_mistakes_are_told(drive: Path, teacher: ModelFile, tmp_path: Path) -> None:
    with pytest.raises(InputError, match='nowhere: expected a folder of images'):
        label_images(Unlabelled(('nowhere',)), [teacher], Sureness(), tmp_path / 'out')
    with pytest.raises(ConfigError, match=r'expected some of sky, building.*found zebra'):
        label_images(
            Unlabelled((str(drive),)), [teacher], Sureness(classes=('zebra',)), tmp_path / 'out'
        )
    with pytest.raises(ConfigError, match='expected 0 to 1, found 40'):
        Sureness(first=40)
    with pytest.raises(ConfigError, match='every: expected 1 or more, found 0'):
        Unlabelled((str(drive),), every=0)
