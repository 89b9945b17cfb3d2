"""
NVIDIA's ``tegrastats``, for Jetsons whose power monitors are not to be seen as files.

One process runs for as long as the sensor is open.
"""

from __future__ import annotations

import re
import subprocess
import threading
import time

from espnet_ros.telemetry.jetson.power import find_total_rule
from espnet_ros.telemetry.jetson.rails import NOT_CONNECTED
from espnet_ros.telemetry.power_sensor import add_up, PowerReading, PowerSensor, RailReading

_RAIL = re.compile(
    r'(?<!\S)((?:VDD|VIN|POM)\w*|SYS5V|GPU|CPU|SOC|CV)'  # the name
    r' (-?\d+)(?:mW)?(?:/-?\d+(?:mW)?){1,2}(?!\S)'  # now, mean, and peak since JetPack 7
)
_OLDEST_S = 5.0
_ENDING_S = 2.0


def parse_rails(line: str) -> tuple[RailReading, ...]:
    """
    Return the rails of a line of tegrastats.

    A rail reads ``VDD_IN 4761mW/4778mW``: the power now, and the mean since the start.
    """
    return tuple(
        RailReading(name, int(power_mw) * 1e-3)
        for name, power_mw in _RAIL.findall(line)
        if name != NOT_CONNECTED
    )


class TegrastatsSensor(PowerSensor):
    kind = 'tegrastats'
    scope = 'module'

    def __init__(self, command: tuple[str, ...]) -> None:
        self._lock = threading.Lock()
        self._latest: tuple[float, str] | None = None
        # A group of its own, so that Ctrl-C in a terminal ends us and we end it.
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._follow, name='tegrastats')
        self._reader.start()

    def read(self) -> PowerReading:
        """Return what the latest line says."""
        with self._lock:
            latest = self._latest
        now_s = time.monotonic()
        if latest is None or now_s - latest[0] > _OLDEST_S:
            ended = '' if self._process.poll() is None else ' and has ended'
            return self._unavailable(now_s, f'tegrastats writes nothing{ended}')
        time_s, line = latest
        rails = parse_rails(line)
        if not rails:
            reason = 'tegrastats reports no power; on JetPack 4 it does so for root only'
            return self._unavailable(time_s, reason)
        rule = find_total_rule(tuple(rail.name for rail in rails))
        if rule is None:
            names = ', '.join(rail.name for rail in rails)
            reason = f'no rule is known for the total of the rails {names}'
            return PowerReading(time_s, self.kind, self.scope, '', None, rails, reason=reason)
        total_w, reason = add_up(tuple(rail for rail in rails if rail.name in rule.rails))
        return PowerReading(
            time_s, self.kind, rule.scope, rule.source, total_w, rails, reason=reason
        )

    def problem(self) -> str:
        """Return nothing: the first line takes a second, and waiting for it helps nobody."""
        return ''

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_ENDING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()

    def _unavailable(self, time_s: float, reason: str) -> PowerReading:
        return PowerReading(time_s, self.kind, self.scope, '', None, reason=reason)

    def _follow(self) -> None:
        """Keep the latest line until the process ends."""
        if self._process.stdout is None:
            return
        with self._process.stdout as lines:
            for line in lines:
                with self._lock:
                    self._latest = (time.monotonic(), line)
