"""What turns the label map of a network into the mask that the user wants."""

from __future__ import annotations

from dataclasses import dataclass
import math

import cv2
from espnet_ros.config import MaskSettings
from espnet_ros.exceptions import ConfigError
from espnet_ros.labels import LabelSet, parse_grouping
from espnet_ros.processing.preprocess import Crop, Rectangle
import numpy as np
from numpy.typing import NDArray

OUTSIDE_CONFIDENCE = 0

Maps = tuple[NDArray[np.uint8], NDArray[np.uint8] | None]
"""Labels, and the confidence where it was computed."""


@dataclass(frozen=True)
class MaskPlan:
    """
    What follows from the settings and the model, worked out once.

    :param label_set: what the ids of masks mean, groups applied
    :param group_table: uint8, (256,), the group of each class id; None without groups
    :param network_size: (height, width) of the network's input
    """

    settings: MaskSettings
    label_set: LabelSet
    group_table: NDArray[np.uint8] | None
    network_size: tuple[int, int]


def plan_masks(
    settings: MaskSettings,
    label_set: LabelSet,
    network_size: tuple[int, int],
    *,
    has_confidence: bool,
) -> MaskPlan:
    """
    Return how the masks of a model are made.

    :param label_set: of the model
    :param has_confidence: whether the runtime gives a confidence
    :raises ConfigError: the settings do not fit the model or the runtime
    """
    grouping = parse_grouping(settings.label_groups, label_set)
    unlabelled = settings.unlabelled_id
    table = None
    if grouping is not None:
        table = label_set.group_table(grouping, unlabelled)
        label_set = label_set.grouped(grouping)
    if unlabelled < len(label_set.classes) and unlabelled != label_set.void_id:
        raise ConfigError(
            f'unlabelled_id: expected an id without a class ({len(label_set.classes)} to 255) '
            f'or the void class, found {unlabelled}, which is {label_set.names[unlabelled]!r}'
        )
    if settings.confidence_threshold > 0 and not has_confidence:
        raise ConfigError(
            f'confidence_threshold: expected 0, as the engine is to give no confidence, found '
            f'{settings.confidence_threshold:g}; set engine_confidence to true'
        )
    return MaskPlan(settings, label_set, table, network_size)


def make_mask(
    plan: MaskPlan, labels: NDArray[np.uint8], confidence: NDArray[np.uint8] | None, crop: Crop
) -> Maps:
    """
    Return labels and confidence as the settings ask, in arrays of the caller's own.

    :param labels: uint8, (H, W), of the network
    :param confidence: uint8, (H, W), or None
    :param crop: what of the image the network saw
    """
    settings = plan.settings
    if plan.group_table is not None:
        labels = remap_ids(labels, plan.group_table)
    if confidence is not None and settings.confidence_threshold > 0:
        labels = apply_confidence_threshold(
            labels, confidence, settings.confidence_threshold, settings.unlabelled_id
        )
    size = settings.fixed_mask_size() or (
        crop.image_size if settings.mask_size == 'image' else plan.network_size
    )
    place = scale_rectangle(crop.part, crop.image_size, size)
    mask = paste_into_roi(labels, size, place, settings.unlabelled_id)
    if confidence is None:
        return mask, None
    return mask, paste_into_roi(confidence, size, place, OUTSIDE_CONFIDENCE)


def resize_labels(labels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """
    Resize a label or confidence map; every pixel takes the value nearest to its centre.

    :param labels: uint8, (H, W)
    :param size: (height, width) in pixels
    :return: an array of the caller's own
    """
    if labels.shape == size:
        return labels.copy()
    height, width = size
    resized = cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(resized, np.uint8)


def scale_rectangle(
    part: Rectangle, image_size: tuple[int, int], mask_size: tuple[int, int]
) -> Rectangle:
    """
    Return the pixels of a mask that belong to a part of its image.

    :param image_size: (height, width) of the image
    :param mask_size: (height, width) of the mask
    """
    x, width = _scale_span(part.x, part.width, image_size[1], mask_size[1])
    y, height = _scale_span(part.y, part.height, image_size[0], mask_size[0])
    return Rectangle(x, y, width, height)


def _scale_span(start: int, length: int, full: int, scaled: int) -> tuple[int, int]:
    first = min(round(start * scaled / full), scaled - 1)
    last = max(round((start + length) * scaled / full), first + 1)
    return first, last - first


def remap_ids(labels: NDArray[np.uint8], table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """
    Replace every id by its entry in a table, as in :meth:`LabelSet.group_table`.

    :param labels: uint8, (H, W)
    :param table: uint8, (256,)
    :return: an array of the caller's own
    """
    return np.asarray(cv2.LUT(labels, table), np.uint8)


def threshold_byte(threshold: float) -> int:
    """Return the lowest confidence byte that is not below a threshold of 0 to 1."""
    return math.ceil(threshold * 255)


def apply_confidence_threshold(
    labels: NDArray[np.uint8], confidence: NDArray[np.uint8], threshold: float, unlabelled_id: int
) -> NDArray[np.uint8]:
    """
    Make the pixels unlabelled whose confidence is below a threshold.

    :param labels: uint8, (H, W)
    :param confidence: uint8, (H, W), 0..255
    :param threshold: 0 to 1
    :return: an array of the caller's own
    """
    return np.where(confidence < threshold_byte(threshold), np.uint8(unlabelled_id), labels)


def paste_into_roi(
    values: NDArray[np.uint8], size: tuple[int, int], part: Rectangle, outside: int
) -> NDArray[np.uint8]:
    """
    Resize a label or confidence map to a part of a mask and fill the rest.

    :param values: uint8, (H, W)
    :param size: (height, width) of the mask
    :param part: where in the mask the map goes
    :param outside: value of all other pixels
    :return: an array of the caller's own, of shape ``size``
    """
    if part == (0, 0, size[1], size[0]):
        return resize_labels(values, size)
    mask = np.full(size, outside, np.uint8)
    mask[part.slices] = resize_labels(values, (part.height, part.width))
    return mask


def class_shares(labels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """
    Return the ids that a mask holds, and the share of its pixels of each of them.

    :param labels: uint8, (H, W), class ids
    :return: ids, uint8, ascending; shares, float32, that add up to 1; both empty for a mask
        without pixels
    """
    if labels.size == 0:
        return np.empty(0, np.uint8), np.empty(0, np.float32)
    # numpy's bincount would make eight bytes of each pixel first.
    counts = cv2.calcHist([labels], [0], None, [256], [0, 256]).ravel()
    ids = np.flatnonzero(counts)
    return ids.astype(np.uint8), (counts[ids] / labels.size).astype(np.float32)
