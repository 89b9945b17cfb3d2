"""Batches of any count on models and engines that take so many images and no more."""

from __future__ import annotations

from collections.abc import Callable

from espnet_ros.runtimes.base import Inference, Runtime
import numpy as np
from numpy.typing import NDArray


def infer_in_fixed_batches(
    runtime: Runtime, batch: NDArray[np.generic], limit: int, *, confidence: bool
) -> Inference:
    """
    Segment a batch of any count by a model whose batch size is fixed.

    The last piece is filled up with black images.

    :param batch: as :meth:`Runtime.infer` takes it
    :return: arrays of the caller's own
    """

    def infer(piece: NDArray[np.generic]) -> Inference:
        missing = limit - len(piece)
        if missing:
            black = np.zeros((missing, *batch.shape[1:]), batch.dtype)
            piece = np.concatenate((piece, black))
        return runtime.infer(piece, confidence=confidence)

    return infer_in_pieces(infer, batch, limit)


def infer_in_pieces(
    infer: Callable[[NDArray[np.generic]], Inference], batch: NDArray[np.generic], limit: int
) -> Inference:
    """
    Segment a batch in pieces, and join what they give.

    :param infer: segments a piece; what it returns need hold until its next call only
    :param limit: images in a piece, at most
    :return: arrays of the caller's own
    """
    labels: list[NDArray[np.uint8]] = []
    confidences: list[NDArray[np.uint8]] = []
    for start in range(0, len(batch), limit):
        piece = batch[start : start + limit]
        found = infer(piece)
        labels.append(found.labels[: len(piece)].copy())
        if found.confidence is not None:
            confidences.append(found.confidence[: len(piece)].copy())
    return Inference(np.concatenate(labels), np.concatenate(confidences) if confidences else None)
