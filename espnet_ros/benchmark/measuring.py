"""Running the contenders of a benchmark in turns, while power and load are sampled."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass, field
import math
import multiprocessing
import time

from espnet_ros.benchmark.worker import (
    Contender,
    ContenderInfo,
    open_contender,
    run_trials,
    Trials,
)
from espnet_ros.exceptions import InferenceError
from espnet_ros.telemetry.device_state import DeviceMonitor, DeviceState
from espnet_ros.telemetry.discovery import find_sensor
from espnet_ros.telemetry.energy import EnergyWindow
from espnet_ros.telemetry.file_tree import FileTree
from espnet_ros.telemetry.jetson.throttling import OverCurrentCounter
from espnet_ros.telemetry.power_sampler import PowerSampler
from espnet_ros.telemetry.power_sensor import NoSensor, PowerReading, PowerSensor
import numpy as np
from numpy.typing import NDArray

KEPT_S = 3600.0
STATE_PERIOD_S = 0.5
_SETTLE_PERIODS = 3.0


@dataclass
class Measured:
    """
    What was measured of a contender.

    :ivar way: ours, or which peer
    :ivar warm_up_s: latencies before those that count
    :ivar windows: energy of each block
    :ivar over_current_events: during the blocks, by name; empty where nothing counts them
    """

    info: ContenderInfo
    way: str
    warm_up_s: NDArray[np.float64]
    blocks: list[Trials] = field(default_factory=list)
    windows: list[EnergyWindow] = field(default_factory=list)
    states: list[DeviceState] = field(default_factory=list)
    over_current_events: dict[str, int] = field(default_factory=dict)

    def add_events(self, events: dict[str, int]) -> None:
        for name, count in events.items():
            self.over_current_events[name] = self.over_current_events.get(name, 0) + count

    @property
    def latencies_s(self) -> NDArray[np.float64]:
        return np.concatenate([block.latencies_s for block in self.blocks])

    @property
    def inferences_s(self) -> NDArray[np.float64]:
        """Return what the runtime took of them."""
        return np.concatenate([block.inferences_s for block in self.blocks])

    @property
    def duration_s(self) -> float:
        return sum(block.end_s - block.start_s for block in self.blocks)

    @property
    def energy(self) -> EnergyWindow:
        return EnergyWindow(
            sum(window.duration_s for window in self.windows),
            sum(window.covered_s for window in self.windows),
            sum(window.covered_j for window in self.windows),
        )


class OwnProcess:
    """
    A contender in a process of its own.

    Runtimes switch denormal numbers off for the process that they are in, and their memory
    and threads are nobody else's.

    :raises EspnetError: it cannot be opened
    """

    def __init__(self, contender: Contender) -> None:
        self._name = f'{contender.model} ({contender.way})'
        self._pool = ProcessPoolExecutor(1, multiprocessing.get_context('spawn'))
        try:
            self.info = self._pool.submit(open_contender, contender).result()
        except BrokenProcessPool as error:
            raise self._crashed() from error
        except BaseException:
            self.close()
            raise

    def run(self, image_bgr: NDArray[np.uint8], count: int) -> Trials:
        try:
            return self._pool.submit(run_trials, image_bgr, count).result()
        except BrokenProcessPool as error:
            raise self._crashed() from error

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _crashed(self) -> InferenceError:
        return InferenceError(f'{self._name}: its process crashed; try another runtime')


class Telemetry:
    """Power and the machine's state while something runs."""

    def __init__(self, kind: str, tree: FileTree, rate_hz: float) -> None:
        self._period_s = 1.0 / rate_hz
        self._states: list[tuple[float, DeviceState]] = []
        self._monitor = DeviceMonitor(tree)
        self._tree = tree
        self.board = self._monitor.board
        self.sensor: PowerSensor = find_sensor(kind, tree)
        self.idle: EnergyWindow | None = None
        self.sampler = PowerSampler(self.sensor, rate_hz, self._take, kept_s=KEPT_S)

    def __enter__(self) -> Telemetry:
        self.sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.sampler.stop()
        self._monitor.close()

    @property
    def idle_w(self) -> float | None:
        return None if self.idle is None else self.idle.mean_power_w

    def measure_idle(self, duration_s: float) -> None:
        """Measure the power of the machine at rest, where there is a sensor."""
        if not isinstance(self.sensor, NoSensor):
            self._await_reading(time.monotonic())  # the sampler may have just begun
            start_s = time.monotonic()
            time.sleep(duration_s)
            self.idle = self.window(start_s, time.monotonic())

    def window(self, start_s: float, end_s: float) -> EnergyWindow:
        """Return the energy of a stretch of time, once it was read to its end."""
        self._await_reading(end_s)
        return self.sampler.meter.window(start_s, end_s)

    def _await_reading(self, time_s: float) -> None:
        """Wait for a reading of a time or later, or one without power, but not for ever."""
        limit_s = time_s + _SETTLE_PERIODS * max(self._period_s, 1.0)
        while time.monotonic() < limit_s:
            latest = self.sampler.latest
            if latest is not None and (latest.time_s >= time_s or latest.total_w is None):
                break
            time.sleep(self._period_s / 4)

    def states(self, start_s: float = -math.inf, end_s: float = math.inf) -> list[DeviceState]:
        """Return the states that were read in a stretch of time."""
        return [state for time_s, state in tuple(self._states) if start_s <= time_s <= end_s]

    def count_over_current(self) -> OverCurrentCounter:
        return OverCurrentCounter(self._tree)

    def _take(self, _: PowerReading) -> None:
        now_s = time.monotonic()
        if not self._states or now_s - self._states[-1][0] >= STATE_PERIOD_S:
            self._states.append((now_s, self._monitor.read()))


def measure(
    contenders: list[Contender],
    image_bgr: NDArray[np.uint8],
    telemetry: Telemetry,
    *,
    trials: int,
    warm_up: int,
    rounds: int,
    advance: Callable[[int], None],
) -> list[Measured]:
    """
    Measure contenders in turns.

    :param trials: of each, over all rounds
    :param advance: is told of trials that are done
    :raises EspnetError: one cannot be opened, or failed
    """
    rounds = min(rounds, trials)
    with ExitStack() as stack:
        processes, results = [], []
        for contender in contenders:
            process = OwnProcess(contender)
            stack.callback(process.close)
            processes.append(process)
            latencies_s = process.run(image_bgr, warm_up).latencies_s
            results.append(Measured(process.info, contender.way, latencies_s))
            advance(warm_up)
        for n in range(rounds):
            count = trials // rounds + (n < trials % rounds)
            for process, result in zip(processes, results, strict=True):
                events = telemetry.count_over_current()
                block = process.run(image_bgr, count)
                result.add_events(events.read())
                result.blocks.append(block)
                result.windows.append(telemetry.window(block.start_s, block.end_s))
                result.states += telemetry.states(block.start_s, block.end_s)
                advance(count)
    return results
