"""What slows a Jetson down: thermal alerts and over-current events."""

from __future__ import annotations

from espnet_ros.telemetry.file_tree import FileTree

_ALERTS = ('-throttle-alert', 'hot-surface-alert')


def read_thermal_alerts(tree: FileTree) -> tuple[str, ...] | None:
    """Return the thermal throttles that are active now, or None where the board has none."""
    active, is_told = [], False
    for folder in tree.glob('/sys/class/thermal/cooling_device*'):
        kind = tree.text(folder / 'type') or ''
        state = tree.number(folder / 'cur_state').value
        if kind.endswith(_ALERTS) and state is not None:
            is_told = True
            if state > 0:
                active.append(kind)
    return tuple(active) if is_told else None


class OverCurrentCounter:
    """
    Counts over-current events since it was made.

    Such an event halves the clocks for some milliseconds, and no clock file shows it. The
    names are the driver's own, as their meanings differ between boards.
    """

    def __init__(self, tree: FileTree) -> None:
        self._tree = tree
        self._first = self._read_counts()

    def read(self) -> dict[str, int]:
        """Return the events by name; nothing where the board does not count them."""
        # A counter that stands lower than before was reset.
        return {
            name: count - self._first.get(name, 0) if count >= self._first.get(name, 0) else count
            for name, count in self._read_counts().items()
        }

    def _read_counts(self) -> dict[str, int]:
        counts = {}
        for folder in self._tree.glob('/sys/class/hwmon/hwmon*'):
            if self._tree.text(folder / 'name') != 'soctherm_oc':
                continue
            where = f'/{folder.relative_to(self._tree.root)}/oc*_event_cnt'
            for path in self._tree.glob(where):
                count = self._tree.number(path).value
                if count is not None:
                    counts[path.name.partition('_')[0]] = int(count)
        return counts
