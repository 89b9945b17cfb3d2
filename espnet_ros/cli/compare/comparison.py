"""What was found when two contenders segmented the same images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from espnet_ros.evaluation.parity import Parity
from espnet_ros.exceptions import InputError
from espnet_ros.labels import LabelSet
from espnet_ros.runtimes.base import Runtime
from espnet_ros.sources import BrokenFrame


@dataclass(frozen=True)
class Side:
    """One of two contenders, as it ran."""

    model: str
    sha256: str
    runtime: str
    precision: str
    resize: str
    device: str

    @classmethod
    def on(cls, runtime: Runtime) -> Side:
        """Build it while the runtime is open: closed, it does not tell how it ran."""
        model, how = runtime.model, (runtime.name, runtime.precision, runtime.resize)
        return cls(model.info.name, model.sha256, *how, runtime.device)


@dataclass(frozen=True, eq=False)
class Comparison:
    """The agreement of two contenders on a source, or on several."""

    source: str
    sides: tuple[Side, Side]
    label_set: LabelSet
    parity: Parity
    broken: tuple[BrokenFrame, ...]

    def check(self) -> None:
        """
        Check that something was compared.

        :raises InputError: no image could be
        """
        if not self.parity.images:
            reason = self.broken[0].reason if self.broken else f'{self.source}: no images'
            raise InputError(reason)


def joined(source: str, parts: Sequence[Comparison], names: Sequence[str] = ()) -> Comparison:
    """
    Return several as one.

    :param source: what they are together, in words
    :param names: of the parts, put before those of their images
    """
    parity = Parity()
    for index, part in enumerate(parts):
        parity.extend(part.parity, f'{names[index]}/' if names else '')
    broken = tuple(frame for part in parts for frame in part.broken)
    return Comparison(source, parts[0].sides, parts[0].label_set, parity, broken)
