"""Batches depend on seed, epoch and index alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from espnet_ros.datasets.camvid import open_camvid
from espnet_ros.exceptions import ConfigError, InputError
from espnet_ros.training.data.augmentation import Augmentation
from espnet_ros.training.data.batches import BatchLoader
import numpy as np
import pytest
import torch

AUGMENTATION = Augmentation((32, 40), (0.7, 1.4), brightness=0.3)


def loader(root: Path, **keywords: int) -> BatchLoader:
    """Return batches of two of the six training images."""
    settings = {'seed': 5, 'workers': 2} | keywords
    return BatchLoader(open_camvid(root, 'train'), AUGMENTATION, 2, **settings)


def test_the_number_of_workers_changes_nothing(camvid: Path) -> None:
    for one, other in zip(
        loader(camvid, workers=1).batches(3), loader(camvid, workers=4).batches(3), strict=True
    ):
        assert torch.equal(one.images, other.images)
        assert torch.equal(one.labels, other.labels)


def test_an_epoch_can_be_entered_in_the_middle(camvid: Path) -> None:
    whole = list(loader(camvid).batches(1))
    rest = list(loader(camvid).batches(1, start=1))
    assert [len(whole), len(rest)] == [3, 2]
    assert torch.equal(whole[1].images, rest[0].images)
    assert torch.equal(whole[2].labels, rest[1].labels)


def test_epochs_and_seeds_differ(camvid: Path) -> None:
    first = next(iter(loader(camvid).batches(0)))
    assert not torch.equal(first.images, next(iter(loader(camvid).batches(1))).images)
    assert not torch.equal(first.images, next(iter(loader(camvid, seed=6).batches(0))).images)


def test_a_broken_file_is_named(camvid: Path) -> None:
    broken = camvid / 'trainannot' / 'image_3.png'
    broken.write_bytes(broken.read_bytes()[:-20])
    with pytest.raises(InputError, match=r'image_3\.png'):
        list(loader(camvid).batches(0))


def test_fewer_images_than_a_batch_are_refused(camvid: Path) -> None:
    with pytest.raises(ConfigError, match='at least one batch of 7 images, found 6'):
        BatchLoader(open_camvid(camvid, 'train'), AUGMENTATION, 7, seed=0)


def test_mixed_samples_depend_on_seed_epoch_and_index_alone(camvid: Path) -> None:
    data = open_camvid(camvid, 'train')
    varied = BatchLoader(data, AUGMENTATION, 2, seed=5)
    mixed = [
        BatchLoader(data, replace(AUGMENTATION, class_mix=1.0), 2, seed=5, workers=workers)
        for workers in (1, 3)
    ]
    for index in range(len(data)):
        one, other = (loader.sample(2, index) for loader in mixed)
        assert all(map(np.array_equal, one, other))
    assert not all(
        np.array_equal(mixed[0].sample(2, index)[0], varied.sample(2, index)[0])
        for index in range(len(data))
    )
