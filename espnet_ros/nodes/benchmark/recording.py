"""Runs a case: waits until everything works, measures, and counts what was lost where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, ExitStack
from dataclasses import dataclass
import os
from pathlib import Path
import subprocess
import tempfile
import time

from espnet_ros.benchmark.node_case import FREE_SPACE, NodeCase, SEGMENTATION
from espnet_ros.exceptions import InferenceError
from espnet_ros.nodes.benchmark.camera import Played
from espnet_ros.nodes.benchmark.camera_process import camera_process, CameraProcess
from espnet_ros.nodes.benchmark.observer import Observer
from espnet_ros.nodes.benchmark.setup import (
    COSTMAP_TOPIC,
    heard_topics,
    mask_topic,
    plan_camera,
    POWER_TOPIC,
    set_up_nodes,
)
from espnet_ros.nodes.benchmark.statuses import Counts, NodeStatuses
from espnet_ros.nodes.launching.child_process import log_path_of, node_process
from espnet_ros.nodes.launching.transport import set_transport
from espnet_ros.telemetry.cpu_load import CpuLoad
from espnet_ros.telemetry.file_tree import FileTree
import rclpy
from rclpy.signals import SignalHandlerOptions

WARM_UP_S = 0.5
SETTLE_S = 1.0
FIRST_MINUTE_S = 60.0

_OTHERS_LIMIT_S = 15.0
_REST_LIMIT_S = 10.0
_QUIET_NS = 500_000_000


@dataclass(frozen=True)
class UsageRecord:
    """
    What a process had taken when measuring began, after the first minute, and at the end.

    Runs that are shorter than a minute have the beginning twice.
    """

    start: Usage
    settled: Usage
    end: Usage


@dataclass(frozen=True)
class Recording:
    """
    What happened in a run.

    :param image: encoding and size of what the camera published
    :param counts: of the whole run, by node and camera
    :param window_ns: when measuring began and ended
    :param busy_core_percent: what all programs took together, or None
    """

    image: str
    played: Played
    counts: Mapping[tuple[str, str], Counts]
    statuses: Mapping[str, NodeStatuses]
    window_ns: tuple[int, int]
    usage: Mapping[str, UsageRecord]
    busy_core_percent: float | None


@dataclass(frozen=True)
class _Child:
    """A node in a process of its own, and the file of its output."""

    process: subprocess.Popen[bytes]
    log_path: Path


class Run:
    """
    A case that runs.

    :param prefixes: of the nodes' diagnostics, by name
    """

    def __init__(
        self,
        case: NodeCase,
        observer: Observer,
        camera: CameraProcess,
        children: Mapping[str, _Child],
        prefixes: Mapping[str, str],
    ) -> None:
        self._case = case
        self._observer = observer
        self._camera = camera
        self._children = children
        self._statuses = {
            name: NodeStatuses(observer.diagnostics, prefix) for name, prefix in prefixes.items()
        }
        if not case.camera_rate_hz:
            observer.when_arrived = self._tell_camera

    def record(self) -> Recording:
        """
        Wait until everything works, then measure.

        :raises InputError: the camera's image cannot be had
        :raises InferenceError: a node ended, or gave nothing
        """
        image = self._camera.wait_until_ready().image
        before = self._warm_up()
        self._observer.forget()
        self._camera.play()
        self._observer.spin_for(SETTLE_S)
        load = CpuLoad(FileTree(Path('/')))
        start_ns = time.time_ns()
        usage = self._measure()
        end_ns = time.time_ns()
        busy = load.read()
        played = self._camera.pause()
        after = self._counts_at_rest()
        return Recording(
            image=image,
            played=played,
            counts={key: after[key] - before[key] for key in after},
            statuses=self._statuses,
            window_ns=(start_ns, end_ns),
            usage=usage,
            busy_core_percent=sum(busy.values()) if busy else None,
        )

    def _warm_up(self) -> dict[tuple[str, str], Counts]:
        """Let everything work once; return the counts when the camera has paused."""
        self._camera.play()
        self._wait_for_first()
        self._observer.spin_for(WARM_UP_S)
        self._camera.pause()
        return self._counts_at_rest()

    def _measure(self) -> dict[str, UsageRecord]:
        """Listen for as long as is measured; return what the processes took."""
        measured_s = self._case.measured_s
        start = self._read_usage()
        self._observer.spin_for(min(measured_s, FIRST_MINUTE_S))
        settled = self._read_usage() if measured_s > FIRST_MINUTE_S else start
        self._observer.spin_for(measured_s - FIRST_MINUTE_S)
        end = self._read_usage()
        return {name: UsageRecord(start[name], settled[name], end[name]) for name in start}

    def _tell_camera(self, topic: str, stamp_ns: int) -> None:
        names = self._case.camera_names
        for index, name in enumerate(names):
            if topic == (mask_topic(name) if self._case.has_segmentation else COSTMAP_TOPIC):
                self._camera.arrived(index, stamp_ns)

    def _wait_for_first(self) -> None:
        arrivals = self._observer.arrivals
        masks = [topic for topic in arrivals if topic in map(mask_topic, self._case.camera_names)]
        self._wait_for(masks, self._case.startup_limit_s)
        self._wait_for(list(arrivals), _OTHERS_LIMIT_S if masks else self._case.startup_limit_s)

    def _wait_for(self, topics: list[str], limit_s: float) -> None:
        arrivals = self._observer.arrivals

        def has_ended() -> bool:
            missing = any(not arrivals[topic].times_ns for topic in topics)
            return not missing or self._has_failed()

        self._observer.spin_until(has_ended, limit_s)
        missing = [topic for topic in topics if not arrivals[topic].times_ns]
        if missing:
            node = FREE_SPACE if missing[0].startswith(FREE_SPACE) else SEGMENTATION
            what = 'mask' if missing[0] in map(mask_topic, self._case.camera_names) else missing[0]
            raise InferenceError(f'the node gave no {what}: {self._reason(node)}')

    def _has_failed(self) -> bool:
        has_failed = any(s.failure('model', 'state') for s in self._statuses.values())
        return has_failed or self._has_ended()

    def _has_ended(self) -> bool:
        return any(child.process.poll() is not None for child in self._children.values())

    def _reason(self, node: str) -> str:
        """Return why a node does not work, as far as it tells."""
        for name, child in self._children.items():
            if child.process.poll() is not None:
                return _tail(child.log_path) or f'{name} ended with {child.process.returncode}'
        return self._statuses[node].failure() or _tail(self._children[node].log_path)

    def _counts_at_rest(self) -> dict[tuple[str, str], Counts]:
        """
        Return the counts of all nodes once the camera has paused and nothing is under way.

        :raises InferenceError: a node ended, or tells nothing
        """
        paused_ns = time.time_ns()
        counts: dict[tuple[str, str], Counts] = {}

        def are_at_rest() -> bool:
            # A message that waits in the transport is in no count yet.
            newest_ns = (a.times_ns[-1] for a in self._observer.arrivals.values() if a.times_ns)
            since_ns = max((paused_ns, *newest_ns)) + _QUIET_NS
            for node, statuses in self._statuses.items():
                for camera in self._case.camera_names:
                    found = statuses.counts(camera, since_ns)
                    if found is None:
                        return False
                    counts[node, camera] = found
            return all(found.is_at_rest for found in counts.values())

        self._observer.spin_until(lambda: self._has_ended() or are_at_rest(), _REST_LIMIT_S)
        for node in self._statuses:
            if self._has_ended() or (node, self._case.camera_names[-1]) not in counts:
                raise InferenceError(f'{node} publishes nothing any more: {self._reason(node)}')
        return counts

    def _read_usage(self) -> dict[str, Usage]:
        pids = {'camera': self._camera.pid}
        pids |= {name: child.process.pid for name, child in self._children.items()}
        return {name: read_usage(pid) for name, pid in (pids | {'observer': os.getpid()}).items()}


@contextmanager
def running(case: NodeCase) -> Iterator[tuple[Run, Observer]]:
    """Run camera and nodes of a case in processes of their own, in a namespace of their own."""
    set_transport()
    namespace = f'bench_{os.getpid()}'
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        camera = stack.enter_context(camera_process(plan_camera(case, namespace)))
        children = {}
        for node in set_up_nodes(case, namespace):
            process = stack.enter_context(
                node_process(node.executable, node.parameters, folder, node.remappings)
            )
            children[node.name] = _Child(process, log_path_of(folder, node.executable))
        rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
        stack.callback(rclpy.try_shutdown)
        power_topic = POWER_TOPIC if case.has_segmentation else ''
        observer = Observer(namespace, heard_topics(case), power_topic)
        stack.callback(observer.close)
        prefixes = {name: f'{namespace} {name}' for name in children}
        yield Run(case, observer, camera, children, prefixes), observer


def _tail(path: Path) -> str:
    return ' '.join(path.read_text(errors='replace').splitlines()[-3:])


@dataclass(frozen=True)
class Usage:
    """
    What a process has taken up to one moment.

    :param cpu_s: time of all its threads together
    :param memory_bytes: resident now
    """

    cpu_s: float
    memory_bytes: int


def read_usage(pid: int) -> Usage:
    """
    Return what a process has taken.

    :raises OSError: it has ended
    """
    folder = Path(f'/proc/{pid}')
    # The name of the process, in brackets, may hold blanks.
    fields = (folder / 'stat').read_text().rpartition(')')[2].split()
    cpu_s = (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')
    resident_pages = int((folder / 'statm').read_text().split()[1])
    return Usage(cpu_s, resident_pages * os.sysconf('SC_PAGE_SIZE'))
