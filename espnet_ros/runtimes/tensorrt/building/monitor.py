"""How far a build is, as TensorRT 9.1, 10.0 and newer tell it."""

from __future__ import annotations

from collections.abc import Callable
import threading
from typing import Any

PhaseReport = Callable[[str, float | None], bool]
"""Is told the phase and the share that is done; False ends the build."""


class PhaseTree:
    """
    Adds up the phases of a build, which nest; TensorRT tells of them from several threads.

    Their names differ from version to version.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._phases: dict[str, tuple[str | None, int, int]] = {}
        self._highest = 0.0

    def start(self, name: str, parent: str | None, steps: int) -> None:
        with self._lock:
            if not self._phases:
                self._highest = 0.0
            self._phases[name] = (parent, steps, 0)

    def step(self, name: str, step: int) -> None:
        with self._lock:
            parent, steps, _ = self._phases.get(name, (None, 1, 0))
            self._phases[name] = (parent, steps, step + 1)

    def finish(self, name: str) -> None:
        """End a phase, perhaps before its last step."""
        with self._lock:
            self._phases.pop(name, None)

    def share(self) -> float | None:
        """
        Return how much of the outermost phase is done, or None where there is none.

        It never falls: phases inside end before the step that they belong to.
        """
        with self._lock:
            root = self._child_of(None)
            if root is None:
                return None
            self._highest = max(self._highest, self._share_of(root))
            return self._highest

    def _child_of(self, parent: str | None) -> str | None:
        return next((name for name, (p, _, _) in self._phases.items() if p == parent), None)

    def _share_of(self, name: str) -> float:
        _, steps, done = self._phases[name]
        inner = self._child_of(name)
        begun = 0.0 if inner is None else self._share_of(inner)
        return min((done + begun) / max(steps, 1), 1.0)


def make_monitor(trt: Any, report: PhaseReport) -> Any:
    """Return a progress monitor (9.1, 10.0 and newer) that reports phases and shares."""

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        """Passes on what TensorRT tells; its methods have TensorRT's names."""

        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)  # the bindings demand it
            self._tree = PhaseTree()

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            self._tree.start(phase_name, parent_phase, num_steps)
            report(phase_name, self._tree.share())

        def step_complete(self, phase_name: str, step: int) -> bool:
            """Count a step; False ends the build."""
            self._tree.step(phase_name, step)
            return report(phase_name, self._tree.share())

        def phase_finish(self, phase_name: str) -> None:
            self._tree.finish(phase_name)

    return Monitor()
