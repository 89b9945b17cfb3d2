"""What tegrastats writes, on every generation of boards."""

from __future__ import annotations

from pathlib import Path
import sys
import threading

from espnet_ros.telemetry.jetson.tegrastats import parse_rails, TegrastatsSensor
import pytest

TX2 = (
    'RAM 707/7854MB (lfb 1659x4MB) CPU [12%@345,off,off,3%@345,1%@345,2%@345] EMC_FREQ 1%@665 '
    'GR3D_FREQ 40%@1134 APE 150 MTS fg 0% bg 0% BCPU@30C MCPU@30C GPU@28.5C PLL@30C Tboard@26C '
    'Tdiode@27.5C PMIC@100C thermal@29.4C VDD_IN 1383/1383 VDD_CPU 153/191 VDD_GPU 76/76 '
    'VDD_SOC 384/384 VDD_WIFI 364/335 VDD_DDR 192/201'
)
AGX_ORIN = (
    'GR3D_FREQ 0%@114 NVJPG1 729 VIC_FREQ 729 APE 233 CV0@-256C CPU@43.5C '
    'VDD_GPU_SOC 4788mW/4788mW VDD_CPU_CV 798mW/798mW VIN_SYS_5V0 3842mW/3842mW NC 0mW/0mW '
    'VDDQ_VDD2_1V8AO 707mW/707mW NC 0mW/0mW'
)
ORIN_NANO = (
    '04-27-2026 14:59:41 RAM 775/7620MB (lfb 3x4MB) SWAP 0/3810MB (cached 0MB) CPU [1%@729] '
    'GR3D_FREQ 0% cpu@48.468C VDD_IN 4761mW/4778mW VDD_CPU_GPU_CV 515mW/501mW '
    'VDD_SOC 1428mW/1428mW'
)
THOR = (
    'VDD_GPU -392mW/-392mW VDD_CPU_SOC_MSS 3924mW/3835mW VIN_SYS_5V0 5064mW/5055mW '
    'VIN 15004mW/15096mW'
)
THOR_R39 = (
    'GR3D_FREQ 87%@[1574,1574,1574] VIC off cpu@58.25C/61.75C VDD_GPU 37939mW/8660mW/37939mW '
    'VDD_CPU_SOC_MSS 30059mW/30059mW/30059mW VIN_SYS_5V0 15486mW/15486mW/15486mW '
    'VIN 124486mW/124486mW/124486mW'
)
XAVIER = (
    'RAM 2/15MB CPU [1%@1,off] GPU@28C GPU 1155/1155 CPU 385/385 SOC 2502/2502 CV 0/0 '
    'VDDRQ 192/192 SYS5V 2692/2692'
)


def test_rails_are_those_of_now_and_only_rails() -> None:
    rails = {rail.name: rail.power_w for rail in parse_rails(ORIN_NANO)}
    assert rails == {'VDD_IN': 4.761, 'VDD_CPU_GPU_CV': 0.515, 'VDD_SOC': 1.428}


def test_unconnected_channels_and_bare_names_are_told_apart() -> None:
    assert [rail.name for rail in parse_rails(AGX_ORIN)] == [
        'VDD_GPU_SOC',
        'VDD_CPU_CV',
        'VIN_SYS_5V0',
        'VDDQ_VDD2_1V8AO',
    ]
    assert len(parse_rails(XAVIER)) == 6
    assert parse_rails('GARBAGE VDD_IN 4761mW CPU [1%@729] RAM 775/7620MB') == ()


@pytest.mark.parametrize(
    ('line', 'total_w'),
    [
        (TX2, 1.383),
        (AGX_ORIN, 9.428),
        (ORIN_NANO, 4.761),
        (THOR, 15.004),
        (THOR_R39, 124.486),
        (XAVIER, 6.926),
        ('RAM 775/7620MB (lfb 3x4MB) CPU [1%@729] GR3D_FREQ 0%', None),
    ],
    ids=['TX2', 'AGX Orin', 'Orin Nano', 'Thor', 'Thor R39', 'Xavier', 'not root'],
)
def test_total_is_by_the_rule_of_the_board(
    tmp_path: Path, line: str, total_w: float | None
) -> None:
    program = tmp_path / 'tegrastats.py'
    program.write_text(f'import sys\nprint({line!r}, flush=True)\nsys.stdin.read()\n')
    sensor = TegrastatsSensor((sys.executable, '-u', str(program)))
    try:
        written = threading.Event()
        while sensor.read().reason.startswith('tegrastats writes nothing'):
            written.wait(0.01)
        reading = sensor.read()
    finally:
        sensor.close()
    assert reading.total_w == (None if total_w is None else pytest.approx(total_w))
    assert bool(reading.reason) == (total_w is None)


def test_program_that_ends_is_told(tmp_path: Path) -> None:
    sensor = TegrastatsSensor((sys.executable, '-c', ''))
    sensor._process.wait()
    assert 'has ended' in sensor.read().reason
    sensor.close()
