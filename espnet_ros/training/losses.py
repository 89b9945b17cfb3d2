"""What training minimises: weighted cross entropy, hard examples first, and Dice."""

from __future__ import annotations

import math

from espnet_ros.datasets.base import IGNORED
from espnet_ros.training.recipes import LossRecipe
import numpy as np
from numpy.typing import NDArray
import torch
from torch import nn, Tensor
from torch.nn import functional


def class_weights(frequencies: NDArray[np.float64], offset: float) -> NDArray[np.float32]:
    """
    Return the weight of each class: 1 / ln(offset + frequency).

    The paper calls it inverse class probability weighting (section 4.1); the formula is that
    of ENet (section 5.1) and of the authors' train/loadData.py.

    :param frequencies: share of the labelled pixels of each class, 0 to 1
    :param offset: above 1, which keeps the weight of rare classes finite; the larger, the more
        alike are the weights
    """
    return (1 / np.log(offset + frequencies)).astype(np.float32)


class SegmentationLoss(nn.Module):
    """
    The loss of a batch.

    :param weights: float32, one for each class; None for equal ones
    """

    weights: Tensor | None

    def __init__(
        self,
        recipe: LossRecipe,
        void_id: int | None = None,
        weights: NDArray[np.float32] | None = None,
    ) -> None:
        super().__init__()
        self._recipe = recipe
        self._void_id = void_id
        self.register_buffer('weights', None if weights is None else torch.from_numpy(weights))

    def forward(self, logits: Tensor, labels: Tensor) -> Tensor:
        """
        Return the loss.

        :param logits: (N, classes, H, W)
        :param labels: uint8, (N, H, W); a multiple of the logits' size, of which the nearest
            label is taken
        :return: a scalar; zero where no pixel is labelled
        """
        logits = logits.float()
        targets = self._targets(labels, logits.shape[-2:])
        loss = self._cross_entropy(logits, targets)
        if self._recipe.dice:
            loss = loss + self._recipe.dice * dice_loss(logits, targets)
        return loss

    def _targets(self, labels: Tensor, size: torch.Size) -> Tensor:
        targets = labels.long()
        if targets.shape[-2:] != size:
            resized = functional.interpolate(labels[:, None].float(), size, mode='nearest-exact')
            targets = resized[:, 0].long()
        if self._void_id is None:
            return targets
        if self._recipe.void == 'ignore':
            return targets.masked_fill(targets == self._void_id, IGNORED)
        return targets

    def _cross_entropy(self, logits: Tensor, targets: Tensor) -> Tensor:
        losses = functional.cross_entropy(
            logits, targets, self.weights, ignore_index=IGNORED, reduction='none'
        )
        valid = targets != IGNORED
        weights = valid.float()
        if self.weights is not None:
            weights = self.weights[targets.masked_fill(~valid, 0)] * valid
        if self._recipe.hard_share < 1:
            count = max(1, math.ceil(self._recipe.hard_share * int(valid.sum())))
            hardest = losses.detach().flatten().topk(count).indices
            losses, weights = losses.flatten()[hardest], weights.flatten()[hardest]
        return losses.sum() / weights.sum().clamp(min=1e-6)


def dice_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """
    Return one minus the mean soft Dice coefficient of the classes in the batch.

    :param logits: float32, (N, classes, H, W)
    :param targets: int64, (N, H, W)
    """
    classes = logits.shape[1]
    valid = targets != IGNORED
    ids = targets.masked_fill(~valid, 0)
    probability = logits.softmax(dim=1) * valid[:, None].to(logits.dtype)
    # Of the truth, only the probability of the true class counts: one-hot maps would be zeros.
    of_truth = probability.gather(1, ids[:, None]).flatten()
    overlap = of_truth.new_zeros(classes).index_add(0, ids.flatten(), of_truth)
    truth = torch.bincount(ids[valid], minlength=classes)
    total = probability.sum(dim=(0, 2, 3)) + truth
    dice = (2 * overlap + 1) / (total + 1)
    present = truth > 0
    return 1 - (dice * present).sum() / present.sum().clamp(min=1)
