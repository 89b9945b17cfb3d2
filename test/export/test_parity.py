from espnet_ros.exceptions import InputError
from espnet_ros.export.parity import ClassChange, compare_labels, LabelPair
from espnet_ros.labels import LabelSet
import numpy as np
from numpy.typing import NDArray
import pytest

LABEL_SET = LabelSet.from_names(('road', 'car', 'sky', 'never'))


def labels(*rows: list[int]) -> NDArray[np.uint8]:
    return np.array(rows, np.uint8)


def pair(name: str, a: NDArray[np.uint8], b: NDArray[np.uint8]) -> LabelPair:
    return LabelPair(name, a, b)


def test_equal_maps_agree_wholly() -> None:
    a = labels([0, 1], [2, 255])
    parity = compare_labels([pair('one', a, a.copy())], LABEL_SET)
    assert parity.agreement == 1
    assert parity.images[0].differing == 0


def test_agreement_counts_pixels_over_all_images() -> None:
    parity = compare_labels(
        [
            pair('large', labels([0] * 6), labels([0] * 6)),
            pair('small', labels([0, 1]), labels([0, 2])),
        ],
        LABEL_SET,
    )
    assert parity.agreement == 7 / 8
    assert parity.worst.name == 'small'
    assert parity.worst.agreement == 0.5


def test_class_change_tells_shares_and_overlap() -> None:
    parity = compare_labels([pair('one', labels([0, 0, 0, 1]), labels([0, 0, 1, 1]))], LABEL_SET)
    assert parity.classes[:2] == (
        ClassChange('road', 0.75, 0.5, 2 / 3),
        ClassChange('car', 0.25, 0.5, 0.5),
    )


def test_class_that_nobody_saw_has_no_overlap() -> None:
    parity = compare_labels([pair('one', labels([0]), labels([0]))], LABEL_SET)
    assert parity.classes[3] == ClassChange('never', 0.0, 0.0, None)


def test_ids_without_class_count_as_pixels() -> None:
    parity = compare_labels([pair('one', labels([255, 0]), labels([254, 0]))], LABEL_SET)
    assert parity.agreement == 0.5
    assert parity.classes[0] == ClassChange('road', 0.5, 0.5, 1.0)


def test_images_are_taken_one_at_a_time() -> None:
    taken = []

    def images() -> object:
        for index in range(3):
            taken.append(index)
            yield pair(str(index), labels([0]), labels([0]))

    assert len(compare_labels(images(), LABEL_SET).images) == len(taken) == 3


def test_maps_of_different_sizes_are_refused_by_name() -> None:
    with pytest.raises(InputError, match=r'odd: expected two label maps of one size.*\(1, 2\)'):
        compare_labels([pair('odd', labels([0, 0]), labels([0]))], LABEL_SET)


def test_nothing_to_compare_is_refused() -> None:
    with pytest.raises(InputError, match=r'at least one image'):
        compare_labels([], LABEL_SET)
