"""
Every command that README.md and docs/ print, and what a test does with it.

A command of a page that no entry covers makes the test red: add it to ``RUN`` with what it needs,
or to ``NOT_RUN`` with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
import re

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / 'README.md', *sorted((ROOT / 'docs').rglob('*.md'))]
_BLOCK = re.compile(r'```(?:sh|bash|console)\n(.*?)```', re.DOTALL)
_COMMENT = re.compile(r'\s+#\s.*$')


@dataclass(frozen=True)
class Run:
    """
    How a command is run.

    :param replaced: placeholders of the page, and what stands for them
    :param seconds: how long it may run before it is asked to end by Ctrl-C; 0 until it ends
    :param needs: modules without which it cannot run
    """

    replaced: tuple[tuple[str, str], ...] = (('MODEL', 'auto'),)
    seconds: float = 0.0
    needs: tuple[str, ...] = ()


RUN: dict[str, Run] = {
    r'espnet-ros models list': Run(),
    r'espnet-ros segment (drive\.mp4|drive_bag)( --output \w+)?': Run(),
    r'espnet-ros segment drive_bag:/front/image_raw --output drive': Run(),
    r'espnet-ros segment drive\.mp4 --birdseye .*': Run(),
    r'espnet-ros view drive\.mp4( --port \d+)?': Run(seconds=6.0, needs=('aiohttp',)),
    r'espnet-ros compare MODEL@openvino MODEL@onnxruntime images/': Run(
        needs=('openvino', 'onnxruntime')
    ),
    r'espnet-ros compare drive\.mp4 --help': Run(),
    r'espnet-ros evaluate --model MODEL --data camvid': Run(
        (('MODEL', 'espnet_p2_q8_camvid_street'),)
    ),
    r'espnet-ros power': Run(),
    r'espnet-ros power --watch': Run(seconds=2.0),
    r'espnet-ros doctor( --json > doctor\.json)?': Run(),
}

_LAUNCH = 'ros2 launch has no wheel; test/launch runs it where it is installed'
_HOURS = 'takes hours; test/cli/test_train.py runs the command with fewer epochs'
_GPU = 'needs TensorRT and a GPU; test/cli/test_build.py runs the command on a stand-in'
_MEASURES = (
    'a measurement of many minutes for a quiet machine; test/cli/test_bench.py runs the command'
)
_FETCHES = 'exports weights for half a minute; test/cli/test_models.py runs it from a mirror'
_INSTALLS = 'installs into the user\'s system; "make setup" in a clean clone is the test of it'

_RECORDS = 'test/recording and test/nodes/segmentation/test_web_feed.py record'
_BROWSER = 'test/web looks at the page; test/nodes/segmentation/test_web_feed.py at nodes'
_FLEET = 'test/cli/segment and test/fleet run it on drives of their own'
_CLUSTER = 'of a cluster; scripts/check_fleet_nodes.py starts one'

NOT_RUN: dict[str, str] = {
    r'espnet-ros view (--ros|.* --host .*)': _BROWSER,
    r'espnet-ros (segment|view) (drive\.mp4|--ros) --(bag|record) out\.mcap': _RECORDS,
    r'ssh -L .*': 'needs another machine',
    r'grep -l .* /proc/.*/maps': 'finds something only where a process is deaf',
    r"espnet-ros segment '?(@|drives/|slide).*": _FLEET,
    r'espnet-ros segment twenty_images/ --labels-for .*': (
        'test/cli/segment/test_pseudo_labels.py runs it on images of its own'
    ),
    r'ray start .*': _CLUSTER,
    r'ros2 launch .*': _LAUNCH,
    r'ros2 (topic|param|service|run) .*': 'the command ros2 has no wheel',
    r'export FAST(DDS|RTPS)_DEFAULT_PROFILES_FILE=.*': 'sets a variable of the shell',
    r'make (demo( DEMO=--keep)?|test( PYTEST=.*)?)': 'test_demo.py runs it; this is the test',
    r'rosdep install .*': 'needs rosdep and a network',
    r'colcon build .*': 'needs a sourced ROS 2',
    r'cd ~/ws/src .*': 'clones this repository',
    r'(python3 -m )?pip3? install .*': _INSTALLS,
    r'(POLICY=.*|ros2 security .*)': (
        'the command ros2 has no wheel; docs/security.md says what was tried'
    ),
    r'export (RMW_IMPLEMENTATION|CYCLONEDDS_URI|ZENOH_CONFIG_OVERRIDE|ROS_SECURITY_KEYSTORE)=.*': (
        'sets a variable of the shell'
    ),
    r'sudo sysctl .*': 'changes the kernel of the machine',
    r'sudo apt install .*': _INSTALLS,
    r'python3 -m venv .*': _INSTALLS,
    r'python3 -c .*tensorrt.*': _GPU,
    r'cat /etc/nv_tegra_release.*': 'of a Jetson',
    r'make gpu-check|python3 scripts/gpu_check.py .*': _GPU,
    r'espnet-ros build .*': _GPU,
    r'espnet-ros models (fetch|show)( \w+)+': _FETCHES,
    r'espnet-ros bench --peers': _MEASURES,
    r'espnet-ros bench .*@tensorrt.*': _GPU,
    r'espnet-ros bench (espnet_p2_q8_cityscapes|\$M)@.*': _MEASURES,
    r'M=espnet_p2_q8_cityscapes': _MEASURES,
    r'espnet-ros bench --node.*': _MEASURES,
    r'espnet-ros train .*': _HOURS,
    r'espnet-ros evaluate --data camvid .* --by (categories|camvid)': (
        'needs weights that were fetched'
    ),
    r'espnet-ros evaluate --data camvid --split test .*': 'needs the test images of CamVid',
    r'python scripts/generalisation_table\.py .*': _MEASURES,
    r'espnet-ros (evaluate --data towns|compare street\.onnx).* --engine ray .*': (
        'test/fleet/test_shared_scores.py shares out data sets of its own'
    ),
    r'\.venv/bin/python scripts/benchmark_openvino\.py .*': (
        'for a quiet machine; test/scripts/test_benchmark_openvino.py runs it with small matrices'
    ),
    r'espnet-ros evaluate --data slides .*': 'test/slides evaluates slides of its own',
    r'espnet-ros (evaluate --data (my_streets|twenty)|compare espnet_p2_q8_streets19 runs/) ?.*': (
        'needs the result of a training of hours'
    ),
    r'espnet-ros segment drive\.mp4 --model runs/.*': 'needs the result of a training of hours',
    r'espnet-ros export .*': 'needs a file of the reader; see test_export.py',
    r'espnet-ros compare my_espnet\.onnx@.*': 'needs a file of the reader; see test_compare.py',
    r'(\.venv/bin/)?python -m espnet_ros\.nodes\..*': 'test/system/test_street.py runs the nodes',
}


def commands_of(page: Path) -> Iterator[str]:
    """Give the commands that a page prints: lines joined, comments and prompts left out."""
    for block in _BLOCK.findall(page.read_text(encoding='utf-8')):
        for line in block.replace('\\\n', ' ').splitlines():
            command = re.sub(r'\s+', ' ', _COMMENT.sub('', line)).strip()
            if command and not command.startswith('#'):
                yield command.replace('.venv/bin/espnet-ros', 'espnet-ros')


def all_commands() -> list[str]:
    """Return every command of every page once."""
    return list(dict.fromkeys(c for page in PAGES for c in commands_of(page)))


def find_run(command: str) -> Run | None:
    """Return how a command is run, or None where it is not."""
    return next((run for text, run in RUN.items() if re.fullmatch(text, command)), None)


def find_reason(command: str) -> str | None:
    """Return why a command is not run, or None where nothing says so."""
    return next((why for text, why in NOT_RUN.items() if re.fullmatch(text, command)), None)
