"""Agreement of label maps, counted by hand."""

from espnet_ros.evaluation.parity import ClassChange, Parity
from espnet_ros.exceptions import InputError
from espnet_ros.labels import LabelSet
import numpy as np
import pytest

LABEL_SET = LabelSet.from_names(('road', 'car', 'sky', 'never'))
A = np.array([[0, 0, 1, 1], [2, 2, 2, 255]], np.uint8)
B = np.array([[0, 1, 1, 1], [2, 2, 0, 255]], np.uint8)


def test_differing_pixels_are_counted_by_image_and_overall() -> None:
    parity = Parity()
    assert parity.add('same', A, A).agreement == 1
    image = parity.add('other', A, B)
    assert (image.pixels, image.differing) == (8, 2)
    assert parity.agreement == 14 / 16
    assert [entry.name for entry in parity.worst(1)] == ['other']


def test_change_of_every_class_is_told() -> None:
    parity = Parity()
    parity.add('image', A, B)
    assert parity.changes(LABEL_SET) == [
        ClassChange('road', 2 / 8, 2 / 8, 1 / 3),
        ClassChange('car', 2 / 8, 3 / 8, 2 / 3),
        ClassChange('sky', 3 / 8, 2 / 8, 2 / 3),
        ClassChange('never', 0.0, 0.0, None),
    ]


def test_agreement_counts_pixels_over_images_of_any_size() -> None:
    parity = Parity()
    parity.add('large', np.zeros((2, 3), np.uint8), np.zeros((2, 3), np.uint8))
    parity.add('small', np.array([[0, 1]], np.uint8), np.array([[0, 0]], np.uint8))
    assert parity.agreement == 7 / 8
    assert parity.worst(1)[0].agreement == 0.5


@pytest.mark.parametrize('shape', [(2, 3), (0, 4), (8,)])
def test_label_maps_of_different_sizes_are_refused(shape: tuple[int, ...]) -> None:
    other = np.zeros(shape, np.uint8)
    with pytest.raises(InputError, match='image: expected two label maps of one size'):
        Parity().add('image', np.zeros((0, 4), np.uint8), other)


def test_nothing_compared_is_an_error() -> None:
    with pytest.raises(InputError, match='at least one image'):
        _ = Parity().agreement
