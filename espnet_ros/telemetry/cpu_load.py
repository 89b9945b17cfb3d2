"""Load and clocks of the CPU cores, and memory, from procfs and sysfs."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.telemetry.file_tree import FileTree, Quantity

_IDLE_FIELDS = (3, 4)  # idle, iowait
_COUNTED_FIELDS = 8  # guest times behind them are part of user time


@dataclass(frozen=True)
class Memory:
    """
    Main memory; on Jetson the GPU's too.

    :param used_bytes: what is not available to a new program
    """

    used_bytes: Quantity
    total_bytes: Quantity


class CpuLoad:
    """Measures the load of the cores between two readings."""

    def __init__(self, tree: FileTree) -> None:
        self._tree = tree
        self._before = self._read_times()

    def read(self) -> dict[str, float]:
        """Return the load since the last reading in percent, by core; without those off."""
        now = self._read_times()
        before, self._before = self._before, now
        loads = {}
        for core, (busy, total) in now.items():
            busy_before, total_before = before.get(core, (busy, total))
            if total > total_before:
                load = 100.0 * (busy - busy_before) / (total - total_before)
                loads[core] = min(max(load, 0.0), 100.0)
        return loads

    def _read_times(self) -> dict[str, tuple[int, int]]:
        """Return (busy, total) ticks by core."""
        times = {}
        for line in (self._tree.text('/proc/stat') or '').splitlines():
            name, _, rest = line.partition(' ')
            if name.startswith('cpu') and name != 'cpu':
                ticks = [int(word) for word in rest.split()[:_COUNTED_FIELDS]]
                idle = sum(ticks[i] for i in _IDLE_FIELDS)
                times[name] = (sum(ticks) - idle, sum(ticks))
        return times


def read_cpu_clock(tree: FileTree) -> Quantity:
    files = tree.glob('/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq')
    clocks = [tree.number(path, 1e3).value for path in files]
    known = [clock for clock in clocks if clock is not None]
    if not known:
        return Quantity(None, 'no clocks under /sys/devices/system/cpu/cpu*/cpufreq')
    return Quantity(sum(known) / len(known))


def read_memory(tree: FileTree) -> Memory:
    kilobytes = {}
    for line in (tree.text('/proc/meminfo') or '').splitlines():
        key, _, rest = line.partition(':')
        kilobytes[key] = rest.split()[0] if rest.split() else ''
    values = [kilobytes.get(key, '') for key in ('MemTotal', 'MemAvailable')]
    if not all(value.isdecimal() for value in values):
        unknown = Quantity(None, '/proc/meminfo cannot be read')
        return Memory(unknown, unknown)
    total, available = (int(value) * 1024 for value in values)
    return Memory(Quantity(total - available), Quantity(total))
