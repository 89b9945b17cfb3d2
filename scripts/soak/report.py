"""What a soak found, and whether that is well."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

from .processes import Life, Sample, SoakedNode

ALLOWED_GROWTH_MB = 20.0
"""What lies between blocks in use varies by some MB where nothing leaks."""

ALLOWED_MORE = 2
WARM_UP_S = 60.0
_DISTURBED_S = 5.0
_FEWEST_SAMPLES = 10


@dataclass(frozen=True)
class Growth:
    """
    What the longest life of a node held in its first and last tenth, the warm-up left out.

    :ivar memory_mb: means of its own memory
    :ivar shared_mb: means of what it shares with files and other processes; Fast DDS keeps the
        segment of a camera that was killed mapped, so that this may grow
    :ivar descriptors: largest numbers of open files
    :ivar threads: largest numbers
    :ivar core_percent: mean of that life, of one core
    """

    lives: int
    seconds: float
    core_percent: float
    memory_mb: tuple[float, float]
    shared_mb: tuple[float, float]
    descriptors: tuple[int, int]
    threads: tuple[int, int]

    def is_steady(self) -> bool:
        """Return whether nothing grew by more than is allowed."""
        return (
            self.memory_mb[1] - self.memory_mb[0] < ALLOWED_GROWTH_MB
            and self.descriptors[1] - self.descriptors[0] <= ALLOWED_MORE
            and self.threads[1] - self.threads[0] <= ALLOWED_MORE
        )


@dataclass(frozen=True)
class Stamps:
    """
    What the stamps of images and masks say.

    :ivar without_image: masks whose image was not heard by the observer
    :ivar without_image_undisturbed: of those, the ones more than seconds away from a kill, a
        starvation, a transition or a pause, when the observer may have missed images itself
    :ivar repeated: masks of the stamp of the one before
    :ivar repeated_undisturbed: of those, the ones away from what may disturb, when a middleware
        may deliver its last message again
    :ivar fallen: masks that are older than the one before, which nothing excuses
    """

    images: int
    masks: int
    without_image: int
    without_image_undisturbed: int
    repeated: int
    repeated_undisturbed: int
    fallen: int

    def are_right(self) -> bool:
        """Return whether masks came, each of an image, and in the order of the images."""
        wrong = self.without_image_undisturbed + self.repeated_undisturbed + self.fallen
        return self.masks > 0 and not wrong


def growth_of(node: SoakedNode) -> Growth | None:
    """Return what the longest life of a node shows; None where it was too short to say."""
    life = max(node.lives, key=_length_s)
    samples = [s for s in life.samples if s.at_s - life.samples[0].at_s >= WARM_UP_S]
    if len(samples) < _FEWEST_SAMPLES:
        return None
    tenth = max(1, len(samples) // 10)
    first, last = samples[:tenth], samples[-tenth:]
    return Growth(
        lives=len(node.lives),
        seconds=round(_length_s(life)),
        core_percent=_core_percent(life.samples[0], life.samples[-1]),
        memory_mb=(_mean(s.memory_mb for s in first), _mean(s.memory_mb for s in last)),
        shared_mb=(_mean(s.shared_mb for s in first), _mean(s.shared_mb for s in last)),
        descriptors=(max(s.descriptors for s in first), max(s.descriptors for s in last)),
        threads=(max(s.threads for s in first), max(s.threads for s in last)),
    )


def judge_stamps(
    images_ns: set[int],
    masks_ns: Sequence[int],
    disturbed_s: Iterable[float],
    pauses_s: Iterable[tuple[float, float]],
) -> Stamps:
    """
    Compare the stamps of masks with those of images.

    :param disturbed_s: moments of the clock near which the observer may have missed images
    :param pauses_s: the same, as stretches from and to
    """
    disturbed = [(at - _DISTURBED_S, at + _DISTURBED_S) for at in disturbed_s]
    disturbed += [(begin - _DISTURBED_S, end + _DISTURBED_S) for begin, end in pauses_s]
    strangers = [stamp for stamp in masks_ns if stamp not in images_ns]
    repeated = [stamp for before, stamp in pairwise(masks_ns) if stamp == before]

    def is_calm(stamp_ns: int) -> bool:
        return not any(begin <= stamp_ns * 1e-9 <= end for begin, end in disturbed)

    return Stamps(
        images=len(images_ns),
        masks=len(masks_ns),
        without_image=len(strangers),
        without_image_undisturbed=sum(map(is_calm, strangers)),
        repeated=len(repeated),
        repeated_undisturbed=sum(map(is_calm, repeated)),
        fallen=sum(stamp < before for before, stamp in pairwise(masks_ns)),
    )


def as_record(growth: Growth | None) -> dict[str, object] | str:
    """Return a growth for JSON."""
    return 'too short to say' if growth is None else asdict(growth)


def _length_s(life: Life) -> float:
    return life.samples[-1].at_s - life.samples[0].at_s if life.samples else 0.0


def _core_percent(first: Sample, last: Sample) -> float:
    seconds = last.at_s - first.at_s
    return round(100 * (last.processor_s - first.processor_s) / seconds, 1)


def _mean(values: Iterable[float]) -> float:
    known = list(values)
    return round(sum(known) / len(known), 1)
