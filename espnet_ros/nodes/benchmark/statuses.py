"""What the nodes of a benchmark tell of themselves on /diagnostics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from statistics import median

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from espnet_ros.nodes.ros.messages.stamps import stamp_ns


@dataclass(frozen=True)
class Counts:
    """
    What a node did with what one camera sent it, since it was activated.

    :param received: images or masks
    :param dropped: of those, given up for a newer one
    :param failed: of those, of no use
    :param published: of those, published as masks or maps
    """

    received: int
    dropped: int
    failed: int
    published: int

    @property
    def is_at_rest(self) -> bool:
        """Return whether nothing is under way in the node."""
        return self.received == self.dropped + self.failed + self.published

    def __add__(self, more: Counts) -> Counts:
        return self._with(more, 1)

    def __sub__(self, before: Counts) -> Counts:
        return self._with(before, -1)

    def _with(self, other: Counts, sign: int) -> Counts:
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Counts(*(own + sign * more for own, more in pairs))


class NodeStatuses:
    """
    The diagnostics of one node, of all that were heard.

    :param heard: every message of /diagnostics, in order; may grow
    :param prefix: of the node's statuses, its namespace included
    """

    def __init__(self, heard: Sequence[DiagnosticArray], prefix: str) -> None:
        self._heard = heard
        self._prefix = f'{prefix}: '

    def latest(self, camera: str = '', since_ns: int = 0) -> dict[str, str]:
        """
        Return what the newest message tells of a camera, of the whole node where it has no name.

        :param since_ns: stamp of the message, at least
        :return: values by key; nothing where there is no such message
        """
        for message in reversed(self._heard):
            values = self._values(message, camera)
            if values and stamp_ns(message.header.stamp) >= since_ns:
                return values
        return {}

    def counts(self, camera: str, since_ns: int) -> Counts | None:
        """Return the newest counts of a camera, or None where none came since."""
        values = self.latest(camera, since_ns)
        try:
            return Counts(*(int(values[f'frames_{entry.name}']) for entry in fields(Counts)))
        except KeyError:
            return None

    def stage_ms(self, camera: str, stage: str) -> float | None:
        """Return the median of what was told of a stage's median, or None."""
        key = f'{stage}_ms_p50'
        told = [self._values(message, camera).get(key, '') for message in self._heard]
        known = [float(text) for text in told if text.replace('.', '', 1).isdecimal()]
        return round(median(known), 3) if known else None

    def failure(self, *kinds: str) -> str:
        """
        Return the newest error, or nothing.

        :param kinds: of statuses, for example model; none for all
        """
        for message in reversed(self._heard):
            for status in message.status:
                kind = status.name.removeprefix(self._prefix).partition(' ')[0]
                is_ours = status.name.startswith(self._prefix)
                is_error = status.level == DiagnosticStatus.ERROR
                if is_ours and (kind in kinds or not kinds) and is_error:
                    return str(status.message)
        return ''

    def _values(self, message: DiagnosticArray, camera: str) -> dict[str, str]:
        values: dict[str, str] = {}
        for status in message.status:
            if status.name.startswith(self._prefix):
                name = status.name.removeprefix(self._prefix).partition(' ')[2]
                if name == camera:
                    values |= {entry.key: entry.value for entry in status.values}
        return values
