"""Label sets as espnet_ros/LabelSet, the message that tells what the ids of a mask mean."""

from __future__ import annotations

from espnet_ros.exceptions import ConfigError, InputError
from espnet_ros.labels import LabelClass, LabelSet
from espnet_ros.msg import LabelClass as LabelClassMessage
from espnet_ros.msg import LabelSet as LabelSetMessage
from std_msgs.msg import ColorRGBA, Header


def make_label_set_message(
    label_set: LabelSet, model: str, unlabelled_id: int, header: Header
) -> LabelSetMessage:
    """
    Return the message of a label set.

    :param label_set: groups applied, as in the masks
    :param unlabelled_id: value of pixels without a label
    :param header: stamp of the first image with these ids
    """
    return LabelSetMessage(
        header=header,
        name=label_set.name,
        model=model,
        classes=[_class_message(i, entry) for i, entry in enumerate(label_set.classes)],
        void_id=LabelSetMessage.NO_ID if label_set.void_id is None else label_set.void_id,
        unlabelled_id=unlabelled_id,
    )


def read_label_set_message(message: LabelSetMessage) -> LabelSet:
    """
    Return the label set that a message tells.

    :raises InputError: its ids are not 0, 1, 2 ..., or its classes are not valid
    """
    ids = [entry.id for entry in message.classes]
    if ids != list(range(len(ids))):
        raise InputError(f'label_set {message.name!r}: expected ids 0, 1, 2 ..., found {ids}')
    void_id = None if message.void_id == LabelSetMessage.NO_ID else int(message.void_id)
    try:
        return LabelSet(message.name, tuple(_read_class(c) for c in message.classes), void_id)
    except ConfigError as error:
        raise InputError(f'label_set: {error}') from error


def _class_message(class_id: int, entry: LabelClass) -> LabelClassMessage:
    red, green, blue = (value / 255 for value in entry.color_rgb)
    return LabelClassMessage(
        id=class_id,
        name=entry.name,
        color=ColorRGBA(r=red, g=green, b=blue, a=1.0),
        cost=LabelClassMessage.UNKNOWN_COST if entry.cost is None else entry.cost,
        is_flat=entry.is_flat,
    )


def _read_class(message: LabelClassMessage) -> LabelClass:
    color = message.color.r, message.color.g, message.color.b
    if not all(0 <= value <= 1 for value in color):  # NaN is neither
        raise InputError(
            f'label_set, class {message.name!r}: expected a color of 0 to 1, found {color}'
        )
    red, green, blue = (round(255 * value) for value in color)
    if message.cost == LabelClassMessage.UNKNOWN_COST:
        return LabelClass(message.name, (red, green, blue))
    return LabelClass(message.name, (red, green, blue), int(message.cost), bool(message.is_flat))
