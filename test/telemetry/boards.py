"""The files of Jetson boards, as they were read from the boards, and files that fail."""

from __future__ import annotations

from collections.abc import Callable
import os
from pathlib import Path

from espnet_ros.telemetry.file_tree import FileTree, read_file
from espnet_ros.telemetry.power_sensor import PowerReading

IIO = '/sys/bus/i2c/drivers/ina3221x'
HWMON = '/sys/bus/i2c/drivers/ina3221'


def write_files(root: Path, folder: str, **values: object) -> Path:
    """Write each value into a file below the folder, with the newline of sysfs."""
    path = root / folder.lstrip('/')
    path.mkdir(parents=True, exist_ok=True)
    for name, value in values.items():
        (path / name).write_text(f'{value}\n')
    return path


def write_iio(root: Path, device: str, *rails: tuple[str, int, int, int]) -> Path:
    """Write a chip of JetPack 3 and 4; a rail is (name, millivolts, milliamperes, milliwatts)."""
    values: dict[str, object] = {'name': 'ina3221x'}
    for n, (name, voltage, current, power) in enumerate(rails):
        values |= {
            f'rail_name_{n}': name,
            f'in_voltage{n}_input': voltage,
            f'in_current{n}_input': current,
            f'in_power{n}_input': power,
            f'crit_current_limit_{n}': '7500 ma',
        }
    driver = root / IIO.lstrip('/')
    driver.mkdir(parents=True, exist_ok=True)
    for other in ('bind', 'unbind', 'uevent'):
        (driver / other).touch()
    return write_files(root, f'{IIO}/{device}', **values)


def write_hwmon(
    root: Path, device: str, *rails: tuple[str, int, int], driver: str = HWMON
) -> Path:
    """Write a chip of JetPack 5 and later; a rail is (label, millivolts, milliamperes)."""
    values: dict[str, object] = {'name': 'ina3221', 'samples': 512, 'update_interval': 430}
    for n, (name, voltage, current) in enumerate(rails, start=1):
        values |= {f'in{n}_label': name, f'in{n}_input': voltage, f'curr{n}_input': current}
        values |= {f'curr{n}_max': 4984, f'curr{n}_crit': 4984, f'in{n}_enable': 1}
    # Shunt voltages in microvolts, their sum, and the summed current: no rails.
    values |= {'in4_input': 9280, 'in5_input': 3600, 'in6_input': 2520}
    values |= {'in7_label': 'sum of shunt voltages', 'in7_input': 15400, 'curr4_input': 3080}
    return write_files(root, f'{driver}/{device}', **values)


def write_device_tree(root: Path, *entries: str, model: str = '') -> None:
    """Write the board's names, each ended by NUL."""
    folder = root / 'proc/device-tree'
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'compatible').write_bytes(b''.join(e.encode() + b'\0' for e in entries))
    if model:
        (folder / 'model').write_bytes(model.encode() + b'\0')


def tx2(root: Path) -> None:
    """Write a TX2 developer kit with JetPack 4; its carrier has monitors of its own."""
    write_device_tree(root, 'nvidia,quill', 'nvidia,p2597-0000+p3310-1000', 'nvidia,tegra186')
    write_iio(
        root,
        '0-0040/iio:device0',
        ('VDD_SYS_GPU', 19160, 24, 459),
        ('VDD_SYS_SOC', 19160, 40, 766),
        ('VDD_4V0_WIFI', 4800, 76, 364),
    )
    write_iio(
        root,
        '0-0041/iio:device1',
        ('VDD_IN', 19152, 296, 5668),
        ('VDD_SYS_CPU', 19152, 24, 459),
        ('VDD_SYS_DDR', 4800, 40, 192),
    )
    write_iio(
        root,
        '0-0042/iio:device2',
        ('VDD_MUX', 19224, 400, 7689),
        ('VDD_5V0_IO_SYS', 5016, 272, 1364),
        ('VDD_3V3_SYS', 3304, 64, 211),
    )
    write_iio(
        root,
        '0-0043/iio:device3',
        ('VDD_3V3_IO_SLP', 0, 0, 0),
        ('VDD_1V8_IO', 0, 0, 0),
        ('VDD_3V3_SYS_M2', 0, 0, 0),
    )
    gpu = '/sys/devices/17000000.gp10b'
    write_files(root, gpu, load=455)
    (root / 'sys/devices/gpu.0').symlink_to('17000000.gp10b')
    write_files(
        root,
        '/sys/class/devfreq/17000000.gp10b',
        cur_freq=1134750000,
        min_freq=114750000,
        max_freq=1300500000,
        governor='nvhost_podgov',
    )
    zones = {
        'BCPU-therm': 30000,
        'MCPU-therm': 30000,
        'GPU-therm': 28500,
        'PLL-therm': 30000,
        'Tboard_tegra': 26000,
        'Tdiode_tegra': 27500,
        'PMIC-Die': 100000,
        'thermal-fan-est': 29400,
    }
    write_zones(root, zones)


def write_zones(root: Path, zones: dict[str, int]) -> None:
    """Write thermal zones, in thousandths of a degree Celsius."""
    for n, (name, temperature) in enumerate(zones.items()):
        write_files(root, f'/sys/class/thermal/thermal_zone{n}', type=name, temp=temperature)


XAVIER_NX_RAILS = (
    ('VDD_IN', 5048, 872, 4401),
    ('VDD_CPU_GPU_CV', 5048, 112, 565),
    ('VDD_SOC', 5040, 304, 1532),
)


def xavier_nx(root: Path) -> None:
    write_device_tree(root, 'nvidia,p3449-0000+p3668-0000', 'nvidia,tegra194')
    write_iio(root, '7-0040/iio:device0', *XAVIER_NX_RAILS)


def xavier_nx_jetpack5(root: Path) -> None:
    write_device_tree(root, 'nvidia,p3509-0000+p3668-0001', 'nvidia,tegra194')
    write_hwmon(root, '7-0040/hwmon/hwmon4', *(rail[:3] for rail in XAVIER_NX_RAILS))


def agx_xavier(root: Path) -> None:
    """Write an AGX Xavier with JetPack 4; it has no rail for the total."""
    write_device_tree(root, 'nvidia,p2972-0000+p2888-0001', 'nvidia,tegra194')
    write_iio(
        root,
        '1-0040/iio:device0',
        ('GPU', 19520, 0, 0),
        ('CPU', 19520, 24, 468),
        ('SOC', 19520, 64, 1249),
    )
    write_iio(
        root,
        '1-0041/iio:device1',
        ('CV', 19520, 0, 0),
        ('VDDRQ', 19520, 8, 156),
        ('SYS5V', 19520, 120, 2342),
    )


def orin_nano(root: Path) -> None:
    """Write an Orin Nano 8GB in super mode with JetPack 6."""
    write_device_tree(
        root,
        'nvidia,p3768-0000+p3767-0005-super',
        'nvidia,p3767-0005',
        'nvidia,tegra234',
        model='NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super',
    )
    write_hwmon(
        root,
        '1-0040/hwmon/hwmon1',
        ('VDD_IN', 4984, 1856),
        ('VDD_CPU_GPU_CV', 4976, 720),
        ('VDD_SOC', 4976, 504),
    )
    devfreq = write_files(
        root,
        '/sys/class/devfreq/17000000.gpu',
        cur_freq=305000000,
        min_freq=306000000,
        max_freq=1020000000,
    )
    gpu = write_files(root, '/sys/devices/platform/bus@0/17000000.gpu', load=0)
    (gpu / 'of_node').mkdir()
    (gpu / 'of_node/name').write_bytes(b'gpu\0')
    (devfreq / 'device').symlink_to(os.path.relpath(gpu, devfreq))
    zones = {
        'cpu-thermal': 48468,
        'gpu-thermal': 48562,
        'cv0-thermal': -256000,
        'soc0-thermal': 48062,
        'soc1-thermal': 49156,
        'soc2-thermal': 47531,
        'tj-thermal': 49156,
    }
    write_zones(root, zones)
    write_files(root, '/var/lib/nvpmodel', status='pmode:0002')
    modes = '\n'.join(
        f'< POWER_MODEL ID={n} NAME={name} >'
        for n, name in enumerate(('15W', '25W', 'MAXN_SUPER'))
    )
    (root / 'etc').mkdir(exist_ok=True)
    (root / 'etc/nvpmodel.conf').write_text(f'{modes}\n< PM_CONFIG DEFAULT=1 >\n')
    release = '# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64\n'
    (root / 'etc/nv_tegra_release').write_text(release)
    write_files(
        root,
        '/sys/class/hwmon/hwmon2',
        name='soctherm_oc',
        oc1_event_cnt=0,
        oc2_event_cnt=0,
        oc3_event_cnt=14,
        oc1_throt_en=1,
    )


def agx_orin(root: Path) -> None:
    """Write an AGX Orin with JetPack 6; two channels of its second chip are switched off."""
    write_device_tree(root, 'nvidia,p3737-0000+p3701-0005', 'nvidia,tegra234')
    write_hwmon(
        root,
        '1-0040/hwmon/hwmon3',
        ('VDD_GPU_SOC', 19920, 240),
        ('VDD_CPU_CV', 19920, 40),
        ('VIN_SYS_5V0', 5032, 700),
    )
    write_files(
        root,
        f'{HWMON}/1-0041/hwmon/hwmon4',
        name='ina3221',
        in1_enable=0,
        in2_label='VDDQ_VDD2_1V8AO',
        in2_input=5024,
        curr2_input=60,
        in3_enable=0,
    )


def agx_orin_jetpack5(root: Path) -> None:
    """Write an AGX Orin with JetPack 5, which names the channels that are off."""
    agx_orin(root)
    write_files(
        root,
        f'{HWMON}/1-0041/hwmon/hwmon4',
        in1_label='NC',
        in1_input=0,
        curr1_input=0,
        in3_label='NC',
        in3_input=0,
        curr3_input=0,
    )


THOR = '/sys/bus/i2c/devices'


def agx_thor(root: Path) -> None:
    """Write an AGX Thor with JetPack 7; an INA238 measures the input of the whole kit."""
    write_device_tree(root, 'nvidia,p4071-0000+p3834-0008', 'nvidia,p3834-0008', 'nvidia,tegra264')
    write_hwmon(
        root,
        '2-0040/hwmon/hwmon5',
        ('VDD_GPU', 19864, 20),
        ('VDD_CPU_SOC_MSS', 19856, 300),
        ('VIN_SYS_5V0', 5064, 1000),
        driver=THOR,
    )
    write_files(
        root,
        f'{THOR}/2-0044/hwmon/hwmon4',
        name='ina238',
        label='VIN',
        in0_input=2,
        in1_input=28028,
        curr1_input=749,
        power1_input=20986000,
        temp1_input=41000,
    )
    write_files(root, '/sys/class/devfreq/gpu-gpc-0', cur_freq=315000000, max_freq=1575000000)


def nano(root: Path) -> None:
    write_device_tree(root, 'nvidia,p3450-0000', 'nvidia,tegra210')
    write_iio(
        root,
        '6-0040/iio:device0',
        ('POM_5V_IN', 5056, 400, 2022),
        ('POM_5V_GPU', 5056, 8, 40),
        ('POM_5V_CPU', 5056, 100, 505),
    )


class FailingFiles:
    """
    Reads files, and fails for some as the kernel does.

    A test cannot make a file fail in these ways, and nothing is denied to root.

    :ivar errors: errno by the end of the path
    """

    def __init__(self, **errors: int) -> None:
        self.errors: dict[str, int] = dict(errors)

    def __call__(self, path: Path) -> bytes:
        for end, number in self.errors.items():
            if str(path).endswith(end):
                raise OSError(number, os.strerror(number), str(path))
        return read_file(path)


def tree_of(
    board: Callable[[Path], None], root: Path, files: Callable[[Path], bytes] = read_file
) -> FileTree:
    board(root)
    return FileTree(root, files)


def rail_w(reading: PowerReading, name: str) -> float | None:
    """Return the power of a rail in watts, or None where it is not known."""
    return next((rail.power_w for rail in reading.rails if rail.name == name), None)
