"""Several sensors whose scopes do not overlap, as one."""

from __future__ import annotations

from espnet_ros.telemetry.power_sensor import PowerReading, PowerSensor


class CombinedSensor(PowerSensor):
    """
    Adds what sensors read, for example of the graphics card and of the processor.

    :param sensors: no watt is counted by two of them; they are closed with this one
    """

    def __init__(self, sensors: tuple[PowerSensor, ...]) -> None:
        self._sensors = sensors
        self.kind = '+'.join(sensor.kind for sensor in sensors)
        self.scope = '+'.join(sensor.scope for sensor in sensors)

    def read(self) -> PowerReading:
        """Return the sum, which is not known where one part is not."""
        readings = [sensor.read() for sensor in self._sensors]
        totals = [r.total_w for r in readings if r.total_w is not None]
        energies = [r.energy_j for r in readings if r.energy_j is not None]
        return PowerReading(
            time_s=readings[-1].time_s,
            sensor=self.kind,
            scope=self.scope,
            source='+'.join(r.source for r in readings),
            total_w=sum(totals) if len(totals) == len(readings) else None,
            rails=tuple(rail for r in readings for rail in r.rails),
            energy_j=sum(energies) if len(energies) == len(readings) else None,
            reason='; '.join(r.reason for r in readings if r.reason),
        )

    def close(self) -> None:
        for sensor in self._sensors:
            sensor.close()
