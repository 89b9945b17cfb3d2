"""What happens to the nodes in a soak, and what must be so afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
import time
from urllib.request import urlopen

from lifecycle_msgs.msg import Transition

from .observer import SoakObserver
from .processes import SoakedNode
from .viewer import Viewer

RECOVERY_LIMIT_S = 60.0
SUSPENDED_S = 30.0
"""Longer than the lease of 20 s."""
_STARVED_LIMIT_S = 30.0
_PAGE_LIMIT_S = 10.0
_FEWEST_PICTURES = 3
_STALL_S = 0.4
_STALLS = 3
_LIVE = (
    {'confidence_threshold': 0.25, 'overlay__alpha': 0.25},
    {'confidence_threshold': 0.0, 'overlay__alpha': 0.75},
    {'max_rate_hz': 20.0},
    {'max_rate_hz': 0.0},
)
_FULL_WALK = (
    Transition.TRANSITION_DEACTIVATE,
    Transition.TRANSITION_CLEANUP,
    Transition.TRANSITION_CONFIGURE,
    Transition.TRANSITION_ACTIVATE,
)
_SHORT_WALK = (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_ACTIVATE)


@dataclass
class Nodes:
    """The processes of a soak."""

    camera: SoakedNode
    segmentation: SoakedNode
    free_space: SoakedNode

    def all(self) -> tuple[SoakedNode, ...]:
        """Return every one."""
        return self.camera, self.segmentation, self.free_space


@dataclass
class Events:
    """
    What may happen, each a method that raises :class:`SoakError` where the nodes do not cope.

    :param viewer: watches the live view; None where none is served
    :ivar counts: how often each happened
    :ivar disturbed_s: when images may have been lost on the way to the observer, by the clock
    """

    nodes: Nodes
    observer: SoakObserver
    viewer: Viewer | None = None
    counts: dict[str, int] = field(default_factory=dict)
    disturbed_s: list[float] = field(default_factory=list)

    def every_turn(self) -> tuple[Callable[[], None], ...]:
        """Return what happens in each turn."""
        return (
            self.reconfigure,
            self.refuse,
            self.stall,
            self.starve,
            self.walk,
            self.kill_camera,
            self.look,
        )

    def reconfigure(self) -> None:
        """Change live parameters; masks go on."""
        for values in _LIVE:
            result = self.observer.set_parameters(**values)
            _require(result is not None and result.successful, f'{values} not taken: {result}')
        self._expect_masks('after live changes')

    def refuse(self) -> None:
        """Give a value that is not allowed; it is refused and masks go on."""
        result = self.observer.set_parameters(confidence_threshold=7.0)
        refused = result is not None and not result.successful and 'confidence' in result.reason
        _require(refused, f'a threshold of 7 was not refused: {result}')
        self._expect_masks('after a refused value')

    def stall(self) -> None:
        """Let the segmentation node stand still for moments, as on a machine that is too busy."""
        for _ in range(_STALLS):
            self.nodes.segmentation.pause()
            self.observer.rest(_STALL_S)
            self.nodes.segmentation.resume()
            self.observer.rest(_STALL_S)
        self._expect_masks('after the node stood still')

    def starve(self) -> None:
        """Stop the camera; diagnostics tell, and masks come again with the images."""
        self.nodes.camera.pause()
        try:
            told = self.observer.hears_of_trouble(_STARVED_LIMIT_S)
        finally:
            self.nodes.camera.resume()
        _require(told, 'no diagnostics of missing images')
        self._expect_masks('after the camera stood still')

    def walk(self) -> None:
        """Walk through the lifecycle, in every third turn through all of it."""
        self.disturbed_s.append(time.time())
        is_full = self.counts.get('walk', 0) % 3 == 2
        for transition in _FULL_WALK if is_full else _SHORT_WALK:
            if not self.observer.change_state(transition):
                # It would stay where it is, and nothing after it could be judged.
                self._kill(self.nodes.segmentation)
                raise SoakError(f'transition {transition} failed; the node was started anew')
        self._expect_masks('after a walk through the lifecycle')

    def kill_camera(self) -> None:
        """Kill the camera and start another."""
        self._kill(self.nodes.camera)
        self._expect_masks('after the camera was killed')

    def kill_nodes(self) -> None:
        """Kill the two nodes under test and start them again."""
        self._kill(self.nodes.segmentation)
        self._expect_masks('after the segmentation node was killed')
        self._kill(self.nodes.free_space)
        _require(self.observer.hears_maps(RECOVERY_LIMIT_S), 'no map after a kill')

    def suspend(self) -> None:
        """
        Let all nodes stand still for longer than Fast DDS believes a silent peer to be alive.

        That is what a suspended machine does. They find each other again, and masks and maps come.
        """
        self.disturbed_s.append(time.time())
        for node in self.nodes.all():
            node.pause()
        self.observer.rest(SUSPENDED_S)
        for node in self.nodes.all():
            node.resume()
        self._expect_masks('after all nodes stood still')
        _require(self.observer.hears_maps(RECOVERY_LIMIT_S), 'no map after all nodes stood still')

    def look(self) -> None:
        """See that maps come, and where there is a live view, its page and pictures."""
        _require(self.observer.hears_maps(RECOVERY_LIMIT_S), 'no map from the free space node')
        viewer = self.viewer
        if viewer is None:
            return
        with urlopen(viewer.page_url, timeout=_PAGE_LIMIT_S) as answer:
            _require(answer.status == 200, f'{viewer.page_url}: status {answer.status}')
        enough = viewer.pictures + _FEWEST_PICTURES
        _require(
            self.observer.wait_for(lambda: viewer.pictures >= enough, RECOVERY_LIMIT_S),
            'no pictures of the live view',
        )

    def run(self, event: Callable[[], None]) -> None:
        """Let one happen, and count it."""
        event()
        self.counts[event.__name__] = self.counts.get(event.__name__, 0) + 1

    def _kill(self, node: SoakedNode) -> None:
        self.disturbed_s.append(time.time())
        node.kill()
        node.start()

    def _expect_masks(self, when: str) -> None:
        _require(self.observer.hears_masks(RECOVERY_LIMIT_S), f'no masks {when}')
        self.disturbed_s.append(time.time())


class SoakError(Exception):
    """The nodes did not do what they must."""


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise SoakError(otherwise)
