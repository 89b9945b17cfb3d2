"""NVML for tests: the functions that are used, on cards that a test describes."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any


class NVMLError(Exception):
    """An error with NVML's code."""

    def __init__(self, value: int) -> None:
        super().__init__(f'code {value}')
        self.value = value

    def __eq__(self, other: object) -> bool:  # as the real one, which has no hash for that
        return isinstance(other, NVMLError) and other.value == self.value

    __hash__ = None  # type: ignore[assignment]


@dataclass
class Card:
    """A card; a value that is an error is raised."""

    name: Any = 'NVIDIA RTX A2000'
    power_mw: Any = 42500
    energy_mj: Any = 1_000_000
    load: Any = 87
    clock_mhz: Any = 1200
    temperature_c: Any = 63
    reasons: Any = 0x1


@dataclass
class FakeNvml:
    """What stands for the module ``pynvml``."""

    cards: list[Card] = field(default_factory=list)
    init_error: int | None = None
    calls: list[str] = field(default_factory=list)
    is_open: bool = False

    NVMLError = NVMLError

    def nvmlInit(self) -> None:  # noqa: N802
        if self.init_error is not None:
            raise NVMLError(self.init_error)
        self.is_open = True

    def nvmlShutdown(self) -> None:  # noqa: N802
        self.is_open = False

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return len(self.cards)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> Card:  # noqa: N802
        return self.cards[index]

    def nvmlDeviceGetName(self, card: Card) -> Any:  # noqa: N802
        return self._answer('name', card.name)

    def nvmlDeviceGetPowerUsage(self, card: Card) -> Any:  # noqa: N802
        return self._answer('power', card.power_mw)

    def nvmlDeviceGetTotalEnergyConsumption(self, card: Card) -> Any:  # noqa: N802
        return self._answer('energy', card.energy_mj)

    def nvmlDeviceGetUtilizationRates(self, card: Card) -> Any:  # noqa: N802
        return SimpleNamespace(gpu=self._answer('load', card.load), memory=12)

    def nvmlDeviceGetClockInfo(self, card: Card, _kind: int) -> Any:  # noqa: N802
        return self._answer('clock', card.clock_mhz)

    def nvmlDeviceGetMaxClockInfo(self, _card: Card, _kind: int) -> Any:  # noqa: N802
        return 2100

    def nvmlDeviceGetTemperature(self, card: Card, _kind: int) -> Any:  # noqa: N802
        return self._answer('temperature', card.temperature_c)

    def nvmlDeviceGetCurrentClocksEventReasons(self, card: Card) -> Any:  # noqa: N802
        return self._answer('reasons', card.reasons)

    def _answer(self, what: str, value: Any) -> Any:
        self.calls.append(what)
        if isinstance(value, NVMLError):
            raise value
        return value
