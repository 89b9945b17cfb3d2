"""Batches in a fixed order, made ahead of time by threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from espnet_ros.datasets.base import LabelledDataset
from espnet_ros.exceptions import ConfigError
from espnet_ros.training.data.augmentation import Augmentation, mix_classes
import numpy as np
from numpy.typing import NDArray
import torch
from torch import Tensor

_AHEAD = 2


@dataclass(frozen=True)
class Batch:
    """
    Samples as the network takes them.

    :param images: uint8, (N, H, W, 3), BGR
    :param labels: uint8, (N, H, W)
    """

    images: Tensor
    labels: Tensor


class BatchLoader:
    """
    The batches of every epoch.

    Each sample depends on (seed, epoch, index) alone, so neither the number of threads nor
    where an epoch is resumed changes what the network sees. Samples that do not fill a batch
    are left out; the order is drawn anew in every epoch, so over epochs none is.

    :param workers: threads that read and vary samples; OpenCV lets them run side by side
    :raises ConfigError: fewer samples than one batch
    """

    def __init__(
        self,
        dataset: LabelledDataset,
        augmentation: Augmentation,
        batch_size: int,
        *,
        seed: int,
        workers: int = 2,
    ) -> None:
        if len(dataset) < batch_size:
            raise ConfigError(
                f'{dataset.name}: expected at least one batch of {batch_size} images, found '
                f'{len(dataset)}; use a smaller batch'
            )
        self._dataset = dataset
        self._augmentation = augmentation
        self._batch_size = batch_size
        self._seed = seed
        self._workers = max(workers, 1)

    def __len__(self) -> int:
        """Return the batches of one epoch."""
        return len(self._dataset) // self._batch_size

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """
        Give the batches of an epoch.

        :param start: the first batch to give, for resuming
        :raises InputError: a file of the data set cannot be used; it is named
        """
        order = np.random.default_rng((self._seed, epoch)).permutation(len(self._dataset))
        groups = [
            order[i * self._batch_size : (i + 1) * self._batch_size]
            for i in range(start, len(self))
        ]
        with ThreadPoolExecutor(self._workers, 'sample') as pool:
            waiting: deque[list[Future[tuple[NDArray[np.uint8], NDArray[np.uint8]]]]] = deque()
            pending = iter(groups)

            def submit(count: int) -> None:
                for group in islice(pending, count):
                    waiting.append([pool.submit(self.sample, epoch, int(i)) for i in group])

            submit(_AHEAD)
            try:
                while waiting:
                    samples = [future.result() for future in waiting.popleft()]
                    submit(1)
                    images, labels = zip(*samples, strict=True)
                    yield Batch(
                        torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(labels))
                    )
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def sample(self, epoch: int, index: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Return the varied image and labels of a sample in an epoch."""
        generator = np.random.default_rng((self._seed, epoch, index))
        varied = self._varied(epoch, index, generator)
        if not self._augmentation.draws_mix(generator):
            return varied
        other = self._varied(epoch, int(generator.integers(len(self._dataset))), generator)
        return mix_classes(varied, other, generator)

    def _varied(
        self, epoch: int, index: int, generator: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        sample = self._dataset.load(index, epoch)
        return self._augmentation.apply(sample.image_bgr, sample.labels, generator)
