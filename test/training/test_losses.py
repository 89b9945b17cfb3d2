"""The loss against torch and by hand."""

from __future__ import annotations

import math

from espnet_ros.datasets import IGNORED
from espnet_ros.training.losses import class_weights, dice_loss, SegmentationLoss
from espnet_ros.training.recipes import LossRecipe
import numpy as np
import pytest
import torch
from torch.nn import functional

VOID = 3
PLAIN = LossRecipe(weighted=False)


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Return logits of four classes and labels with void and unlabelled pixels."""
    generator = torch.Generator().manual_seed(4)
    logits = torch.randn(2, 4, 6, 8, generator=generator)
    labels = torch.randint(0, 4, (2, 6, 8), generator=generator).to(torch.uint8)
    labels[:, 0] = IGNORED
    return logits, labels


def test_rare_classes_weigh_more_as_in_the_authors_code() -> None:
    weights = class_weights(np.array([0.5, 0.0]), 1.10)
    assert weights == pytest.approx([1 / math.log(1.6), 1 / math.log(1.1)])


def test_weighted_loss_is_that_of_torch(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    logits, labels = batch
    weights = np.array([1.0, 4.0, 2.0, 3.0], np.float32)
    expected = functional.cross_entropy(
        logits, labels.long(), torch.from_numpy(weights), ignore_index=IGNORED
    )
    loss = SegmentationLoss(LossRecipe(void='class'), VOID, weights)(logits, labels)
    torch.testing.assert_close(loss, expected)


def test_ignored_void_has_no_part_in_the_loss(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    logits, labels = batch
    loss = SegmentationLoss(PLAIN, VOID)
    changed = logits.clone()
    changed.movedim(1, -1)[labels == VOID] = 50.0
    torch.testing.assert_close(loss(changed, labels), loss(logits, labels))
    as_class = SegmentationLoss(LossRecipe(weighted=False, void='class'), VOID)
    assert not torch.isclose(as_class(changed, labels), as_class(logits, labels))


def test_only_the_hardest_pixels_train(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    logits, labels = batch
    losses = functional.cross_entropy(
        logits, labels.long(), ignore_index=IGNORED, reduction='none'
    )
    count = math.ceil(0.25 * int((labels != IGNORED).sum()))
    expected = losses.flatten().topk(count).values.mean()
    loss = SegmentationLoss(LossRecipe(weighted=False, hard_share=0.25, void='class'), VOID)
    torch.testing.assert_close(loss(logits, labels), expected)


def test_labels_are_reduced_to_the_size_of_the_logits() -> None:
    labels = torch.zeros(1, 16, 16, dtype=torch.uint8)
    labels[:, :, 8:] = 1
    logits = torch.zeros(1, 2, 2, 2)
    logits[:, 0, :, 0] = logits[:, 1, :, 1] = 20.0
    assert SegmentationLoss(PLAIN)(logits, labels) < 1e-6


def test_a_batch_without_labels_gives_zero_and_finite_gradients() -> None:
    logits = torch.randn(1, 3, 4, 4, requires_grad=True)
    labels = torch.full((1, 4, 4), IGNORED, dtype=torch.uint8)
    loss = SegmentationLoss(LossRecipe(weighted=False, hard_share=0.5, dice=1.0))(logits, labels)
    loss.backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_dice_is_small_where_all_is_right_and_large_where_all_is_wrong() -> None:
    targets = torch.zeros(1, 8, 8, dtype=torch.long)
    targets[:, :4] = 1
    right = functional.one_hot(targets, 2).movedim(-1, 1).float() * 30
    assert dice_loss(right, targets) < 0.01
    assert dice_loss(-right, targets) > 0.9


def test_dice_is_that_of_its_definition_and_ignores_unlabelled_pixels(
    batch: tuple[torch.Tensor, torch.Tensor],
) -> None:
    logits, labels = batch
    labels[labels == VOID] = 0
    probability = logits.softmax(dim=1).movedim(1, -1)[labels != IGNORED].double()
    truth = functional.one_hot(labels[labels != IGNORED].long(), 4).double()
    dice = (2 * (probability * truth).sum(0) + 1) / (probability.sum(0) + truth.sum(0) + 1)
    expected = 1 - dice[:3].mean()
    assert float(dice_loss(logits, labels.long())) == pytest.approx(float(expected))
