from espnet_ros.processing.postprocess import class_shares
import numpy as np
import pytest


def test_counts_every_id_once_unlabelled_included():
    labels = np.array([[0, 0, 7], [255, 7, 7]], np.uint8)
    ids, shares = class_shares(labels)
    assert ids.tolist() == [0, 7, 255]
    assert shares.tolist() == pytest.approx([2 / 6, 3 / 6, 1 / 6])
    assert (ids.dtype, shares.dtype) == (np.uint8, np.float32)


def test_agrees_with_numpy_on_all_ids():
    labels = np.random.default_rng(0).integers(0, 256, (300, 400), dtype=np.uint8)
    ids, shares = class_shares(labels)
    assert (ids == np.arange(256)).all()
    assert (shares * labels.size).round().tolist() == np.bincount(labels.ravel()).tolist()


def test_a_mask_without_pixels_has_no_classes():
    ids, shares = class_shares(np.empty((0, 5), np.uint8))
    assert ids.size == shares.size == 0
