"""What tells the readers of one camera's masks what the ids mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import threading
import time
from typing import Any

from espnet_ros.labels import LabelSet
from espnet_ros.msg import LabelSet as LabelSetMessage
from espnet_ros.nodes.ros.messages.label_info import label_info_types, make_label_info
from espnet_ros.nodes.ros.messages.label_set import make_label_set_message
from espnet_ros.nodes.ros.messages.stamps import stamp_ns
from espnet_ros.nodes.ros.qos import latched_qos
from espnet_ros.nodes.ros.steady_timer import create_steady_timer
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher
from std_msgs.msg import Header

REPEAT_S = 2.0
_POLL_S = 0.001
_NOW = Duration()


@dataclass(frozen=True)
class MaskMeaning:
    """
    What the ids of a mask mean.

    :param label_set: groups applied
    """

    label_set: LabelSet
    model: str
    unlabelled_id: int


class LatchedOutput:
    """
    A latched topic whose last message is published again for readers that missed it.

    Messages are published in the worker's thread and repeated in the executor's.
    """

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._lock = threading.Lock()
        self._message: Any | None = None

    def publish(self, message: Any) -> None:
        with self._lock:
            self._message = message
            self._publisher.publish(message)

    def repeat(self) -> None:
        """Publish the last message again, as it was, where somebody listens."""
        with self._lock:
            if self._message is not None and self._publisher.get_subscription_count():
                self._publisher.publish(self._message)

    def is_acknowledged(self) -> bool:
        """Return whether every reliable reader has all that was published."""
        # Without waiting: rclpy keeps the interpreter's lock while it waits.
        return bool(self._publisher.wait_for_all_acked(_NOW))


class LabelAnnouncer:
    """
    Publishes ~/label_set, and ~/label_info where vision_msgs is installed.

    Both are repeated every REPEAT_S by a steady clock: volatile readers get no latched message,
    and a reader that came up at the wrong moment may have missed it.

    :param create: makes a publisher of a message type, topic and quality of service
    :param topic: returns the full name of an output topic
    """

    def __init__(
        self, node: Node, create: Callable[..., Publisher], topic: Callable[[str], str]
    ) -> None:
        self._node = node
        self._meaning: MaskMeaning | None = None
        self._since_ns: int | None = None
        self._has_changed = False
        self._label_set = LatchedOutput(create(LabelSetMessage, topic('label_set'), latched_qos()))
        self._outputs = [self._label_set]
        self._info_types = label_info_types()
        if self._info_types is not None:
            info_type = self._info_types.LabelInfo
            self._label_info = LatchedOutput(create(info_type, topic('label_info'), latched_qos()))
            self._outputs.append(self._label_info)
        self._timer = create_steady_timer(node, REPEAT_S, self._repeat)

    def begin(self, meaning: MaskMeaning) -> None:
        """Tell what the ids will mean, while there is no image yet."""
        self._publish(meaning, Header())

    def announce(self, meaning: MaskMeaning, header: Header) -> bool:
        """
        Tell what the ids of a mask mean before it is published, where that is news.

        It is told with the first image, as ids change, and when stamps go back before those
        told so far.

        :return: whether readers may take the mask for another one until they have the news;
            see :meth:`is_acknowledged`
        """
        image_ns = stamp_ns(header.stamp)
        has_changed = meaning != self._meaning
        self._meaning = meaning  # the same object is compared fastest
        if not has_changed and self._since_ns is not None and image_ns >= self._since_ns:
            return False
        self._since_ns = image_ns
        self._has_changed |= has_changed
        self._publish(meaning, header)
        return self._has_changed

    def publish_info(self, label_set: LabelSet, threshold: float) -> None:
        """Publish ~/label_info, where vision_msgs is installed."""
        if self._info_types is not None:
            header = Header(stamp=self._node.get_clock().now().to_msg())
            self._label_info.publish(
                make_label_info(self._info_types, label_set, threshold, header)
            )

    def is_acknowledged(self) -> bool:
        """Return whether every reliable reader has all that was told."""
        return all(output.is_acknowledged() for output in self._outputs)

    def destroy(self) -> None:
        """Repeat no more; the publishers are left to their owner."""
        self._node.destroy_timer(self._timer)

    def _publish(self, meaning: MaskMeaning, header: Header) -> None:
        self._meaning = meaning
        self._label_set.publish(
            make_label_set_message(meaning.label_set, meaning.model, meaning.unlabelled_id, header)
        )

    def _repeat(self) -> None:
        for output in self._outputs:
            output.repeat()


def wait_until_acknowledged(announcers: Sequence[LabelAnnouncer], limit_s: float) -> bool:
    """
    Wait until every reliable reader has what was announced.

    :return: whether that was so within the limit
    """
    end_s = time.monotonic() + limit_s
    while not all(announcer.is_acknowledged() for announcer in announcers):
        if time.monotonic() > end_s:
            return False
        time.sleep(_POLL_S)
    return True
