"""Joint augmentation keeps labels on their pixels."""

from __future__ import annotations

import cv2
from espnet_ros.datasets import IGNORED
from espnet_ros.exceptions import ConfigError
from espnet_ros.training.data.augmentation import Augmentation, BORDER_BGR, mix_classes
import numpy as np
import pytest

PALETTE = np.random.default_rng(7).integers(0, 256, (12, 3), np.uint8)


def blocks(height: int = 60, width: int = 80) -> tuple[np.ndarray, np.ndarray]:
    """Return labels in blocks of 10x10, and an image that shows their colours."""
    small = np.random.default_rng(3).integers(0, 12, (height // 10, width // 10), np.uint8)
    labels = small.repeat(10, axis=0).repeat(10, axis=1)
    return PALETTE[labels], labels


@pytest.mark.parametrize('aspect', [0.0, 0.8])
@pytest.mark.parametrize('seed', range(8))
def test_labels_stay_on_the_pixels_that_they_label(seed: int, aspect: float) -> None:
    image, labels = blocks()
    augmentation = Augmentation((40, 56), (0.6, 1.8), aspect)
    varied = augmentation.apply(image, labels, np.random.default_rng(seed))
    shown = np.vstack([PALETTE, np.repeat([BORDER_BGR], 244, axis=0)]).astype(np.int16)
    expected = shown[np.minimum(varied[1], 12)]
    # Away from the edges of blocks, where interpolation mixes colours, both agree exactly.
    inner = np.zeros(varied[1].shape, bool)
    inner[1:-1, 1:-1] = True
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            inner &= np.roll(varied[1], (dy, dx), (0, 1)) == varied[1]
    assert inner.mean() > 0.3
    assert np.abs(varied[0].astype(np.int16) - expected)[inner].max() <= 2


def test_a_crop_of_the_whole_image_is_the_image_or_its_mirror() -> None:
    image, labels = blocks()
    seen = set()
    for seed in range(16):
        varied_image, varied_labels = Augmentation((60, 80)).apply(
            image, labels, np.random.default_rng(seed)
        )
        mirrored = not np.array_equal(varied_labels, labels)
        seen.add(mirrored)
        step = -1 if mirrored else 1
        assert np.array_equal(varied_labels, labels[:, ::step])
        assert np.array_equal(varied_image, image[:, ::step])
    assert seen == {True, False}


def test_the_aspect_ratio_varies_within_its_bounds_and_the_area_stays() -> None:
    labels = np.zeros((80, 100), np.uint8)
    labels[20:60, 30:70] = 1  # 40 by 40
    augmentation = Augmentation((200, 200), aspect=0.8)
    ratios = []
    for seed in range(24):
        _, varied = augmentation.apply(PALETTE[labels], labels, np.random.default_rng(seed))
        _, _, width, height, area = cv2.connectedComponentsWithStats(
            (varied == 1).astype(np.uint8)
        )[2][1]
        assert abs(area - 1600) < 100
        ratios.append(np.log2(width / height))
    assert max(np.abs(ratios)) < 0.8 + 0.08
    assert min(ratios) < -0.5
    assert max(ratios) > 0.5


def test_outside_the_image_nothing_is_labelled() -> None:
    image, labels = blocks()
    augmentation = Augmentation((100, 120), mirror=False)
    varied_image, varied_labels = augmentation.apply(image, labels, np.random.default_rng(0))
    outside = varied_labels == IGNORED
    assert outside.sum() == 100 * 120 - 60 * 80
    # One pixel further out nothing of the image is mixed in.
    well_outside = cv2.erode(outside.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert (varied_image[well_outside] == BORDER_BGR).all()


def test_colour_jitter_leaves_labels_and_the_given_arrays_alone() -> None:
    image, labels = blocks()
    image_before = image.copy()
    augmentation = Augmentation(
        (60, 80),
        mirror=False,
        brightness=0.4,
        contrast=0.4,
        saturation=0.4,
        white_balance=0.1,
        gamma=0.5,
    )
    varied_image, varied_labels = augmentation.apply(image, labels, np.random.default_rng(1))
    assert np.array_equal(varied_labels, labels)
    assert not np.array_equal(varied_image, image)
    assert np.array_equal(image, image_before)


def test_gray_stays_gray_when_only_the_saturation_varies() -> None:
    image = np.full((16, 16, 3), 90, np.uint8)
    labels = np.zeros((16, 16), np.uint8)
    for seed in range(5):
        varied, _ = Augmentation((16, 16), saturation=0.9).apply(
            image, labels, np.random.default_rng(seed)
        )
        assert np.abs(varied.astype(int) - 90).max() <= 1


@pytest.mark.parametrize(
    ('crop', 'scales'), [((0, 8), (1.0, 1.0)), ((8, 8), (0.0, 1.0)), ((8, 8), (2.0, 1.0))]
)
def test_impossible_settings_are_refused(
    crop: tuple[int, int], scales: tuple[float, float]
) -> None:
    with pytest.raises(ConfigError, match='expected'):
        Augmentation(crop, scales)


def test_a_negative_change_of_aspect_is_refused() -> None:
    with pytest.raises(ConfigError, match='aspect: expected 0 or more'):
        Augmentation((8, 8), aspect=-0.1)


def test_conditions_change_the_share_of_samples_that_is_asked_for() -> None:
    image = np.random.default_rng(1).integers(0, 256, (32, 40, 3), np.uint8)
    labels = np.zeros((32, 40), np.uint8)
    plain = Augmentation((32, 40), mirror=False)
    seen = Augmentation((32, 40), mirror=False, conditions=0.5)
    changed = 0
    for index in range(60):
        varied, same_labels = seen.apply(image, labels, np.random.default_rng(index))
        again, _ = seen.apply(image, labels, np.random.default_rng(index))
        before, _ = plain.apply(image, labels, np.random.default_rng(index))
        assert np.array_equal(varied, again)
        assert np.array_equal(same_labels, labels)
        changed += not np.array_equal(varied, before)
    assert 18 < changed < 42


def test_half_of_the_classes_of_another_sample_are_pasted_with_their_pixels() -> None:
    below = np.full((4, 6, 3), 10, np.uint8), np.zeros((4, 6), np.uint8)
    labels = np.repeat(np.array([[1, 2, 3, 4, 255, 255]], np.uint8), 4, axis=0)
    above = np.full((4, 6, 3), 200, np.uint8), labels
    image, mixed = mix_classes(below, above, np.random.default_rng(3))
    pasted = np.unique(mixed[mixed != 0])
    assert len(pasted) == 2
    assert set(pasted) < {1, 2, 3, 4}, 'what is unlabelled is not pasted'
    assert np.array_equal(image[..., 0] == 200, mixed != 0)
    assert not np.array_equal(mixed, mix_classes(below, above, np.random.default_rng(4))[1])


def test_shares_beyond_all_samples_are_refused() -> None:
    for name in ('conditions', 'class_mix'):
        with pytest.raises(ConfigError, match=f'{name}: expected a share of 0 to 1, found 1.5'):
            Augmentation((8, 8), **{name: 1.5})
