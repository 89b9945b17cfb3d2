"""NVIDIA cards: power, energy and state, with cards that lack or lose it."""

from __future__ import annotations

import sys
from typing import Any

from espnet_ros.telemetry.combined import CombinedSensor
from espnet_ros.telemetry.nvml import NvmlSensor, open_nvml
from espnet_ros.telemetry.power_sensor import PowerReading, PowerSensor
import pytest

from .fake_nvml import Card, FakeNvml, NVMLError

NOT_SUPPORTED, TIMEOUT, LOST = 3, 10, 15


def install(monkeypatch: pytest.MonkeyPatch, **arguments: Any) -> FakeNvml:
    """Put a library in the place of pynvml."""
    fake = FakeNvml(**arguments)
    monkeypatch.setitem(sys.modules, 'pynvml', fake)
    return fake


def open_sensor(monkeypatch: pytest.MonkeyPatch, *cards: Card) -> tuple[FakeNvml, NvmlSensor]:
    fake = install(monkeypatch, cards=list(cards))
    nvml, reason = open_nvml()
    assert nvml is not None, reason
    return fake, NvmlSensor(nvml)


def test_missing_library_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, 'pynvml', None)
    assert open_nvml() == (None, "NVML is not installed (pip install 'espnet-ros[nvml]')")


@pytest.mark.parametrize('code', [9, 12, 18])
def test_machine_without_driver_has_no_nvml(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    install(monkeypatch, init_error=code)
    nvml, reason = open_nvml()
    assert nvml is None and f'code {code}' in reason


def test_machine_without_card_has_no_nvml(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = install(monkeypatch)
    assert open_nvml()[0] is None
    assert not fake.is_open


def test_power_and_energy_of_cards_are_added(monkeypatch: pytest.MonkeyPatch) -> None:
    cards = Card(), Card(name=b'NVIDIA T4', power_mw=30000)
    fake, sensor = open_sensor(monkeypatch, *cards)
    cards[0].energy_mj += 85_000
    cards[1].energy_mj += 60_000
    reading = sensor.read()
    assert reading.total_w == pytest.approx(72.5)
    assert reading.energy_j == pytest.approx(145.0)
    assert [rail.name for rail in reading.rails] == ['GPU 0 NVIDIA RTX A2000', 'GPU 1 NVIDIA T4']
    sensor.close()
    assert not fake.is_open


def test_card_without_power_is_unknown_and_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    card = Card(power_mw=NVMLError(NOT_SUPPORTED), energy_mj=NVMLError(NOT_SUPPORTED))
    fake, sensor = open_sensor(monkeypatch, card)
    for _ in range(3):
        reading = sensor.read()
        assert reading.total_w is None and reading.energy_j is None and reading.reason
    assert fake.calls.count('power') == 1


def test_card_that_times_out_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    card = Card(power_mw=NVMLError(TIMEOUT))
    _, sensor = open_sensor(monkeypatch, card)
    assert sensor.read().total_w is None
    card.power_mw = 20000
    assert sensor.read().total_w == pytest.approx(20.0)


def test_lost_card_is_asked_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    card = Card()
    fake, sensor = open_sensor(monkeypatch, card)
    card.power_mw = NVMLError(LOST)
    sensor.read()
    asked = len(fake.calls)
    assert sensor.read().total_w is None
    assert len(fake.calls) == asked


def test_idle_card_is_not_throttled_and_a_hot_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    card = Card()
    install(monkeypatch, cards=[card])
    nvml, _ = open_nvml()
    assert nvml is not None
    gpu = nvml.gpus[0]
    assert gpu.throttling() == ()
    card.reasons = 0x1 | 0x40
    assert gpu.throttling() == ('GPU 0 NVIDIA RTX A2000: thermal (hardware)',)
    assert gpu.clock().value == pytest.approx(1.2e9)
    assert gpu.load().value == 87


class Fixed(PowerSensor):
    """A sensor that always reads the same."""

    def __init__(self, kind: str, total_w: float | None) -> None:
        self.kind, self.scope, self.total_w = kind, kind, total_w

    def read(self) -> PowerReading:
        reason = '' if self.total_w is not None else 'gone'
        return PowerReading(1.0, self.kind, self.scope, self.kind, self.total_w, reason=reason)


def test_combined_total_is_unknown_where_a_part_is() -> None:
    gpu, cpu = Fixed('gpu', 30.0), Fixed('cpu', 20.0)
    sensor = CombinedSensor((gpu, cpu))
    assert (sensor.read().total_w, sensor.scope) == (50.0, 'gpu+cpu')
    cpu.total_w = None
    assert sensor.read().total_w is None
    assert sensor.read().reason == 'gone'
