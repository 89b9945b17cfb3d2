"""The manifest, the two front ends and the installed files agree with each other."""

from __future__ import annotations

import os
from pathlib import Path
import re
import subprocess
import sys
from xml.etree import ElementTree

from espnet_ros.labels import shipped_label_sets
import pytest

from .conftest import ROOT

PYPROJECT = (ROOT / 'pyproject.toml').read_text()


def test_licence_is_the_same_for_colcon_and_pip() -> None:
    manifest = ElementTree.parse(ROOT / 'package.xml').getroot()
    (license_name,) = re.findall(r'^license = "(.+)"$', PYPROJECT, re.MULTILINE)
    assert manifest.findtext('license') == license_name == 'Apache-2.0'


def test_every_file_gives_the_repository_the_same_address() -> None:
    """Those that docs/releasing.md names, and no others."""
    address = re.compile(r'https://github\.com/[\w-]+/espnet_ros\b')
    tracked = subprocess.run(
        ['git', 'grep', '-lI', 'github.com/[a-zA-Z0-9-]*/espnet_ros'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    if not tracked:
        pytest.skip('not a clone of git')
    addresses = {place for name in tracked for place in address.findall((ROOT / name).read_text())}
    assert len(addresses) == 1
    named = (ROOT / 'docs' / 'releasing.md').read_text()
    unnamed = [name for name in tracked if f'`{name}`' not in named]
    assert unnamed == ['docs/releasing.md']


@pytest.mark.parametrize('name', ['pure_tests.txt', 'arm64_tests.txt'])
def test_the_tests_for_other_machines_are_there(name: str) -> None:
    lines = (ROOT / 'test' / name).read_text().splitlines()
    tests = [line for line in lines if not line.startswith('#')]
    assert len(tests) > 5
    assert [test for test in tests if not (ROOT / test).exists()] == []


def test_every_message_is_generated() -> None:
    cmake = (ROOT / 'CMakeLists.txt').read_text()
    assert {f'msg/{path.name}' for path in (ROOT / 'msg').iterdir()} == set(
        re.findall(r'"(msg/.+\.msg)"', cmake)
    )


def test_every_script_is_installed_and_executable() -> None:
    installed = set(re.findall(r'^  scripts/(\S+)$', (ROOT / 'CMakeLists.txt').read_text(), re.M))
    scripts = filter(Path.is_file, (ROOT / 'scripts').glob('[!_]*'))
    launchers = {path for path in scripts if path.suffix == ''}
    assert {path.name for path in launchers} == installed
    assert all(os.access(path, os.X_OK) for path in launchers)


def test_every_ros_import_is_in_the_manifest() -> None:
    manifest = ElementTree.parse(ROOT / 'package.xml').getroot()
    named = {e.text for e in manifest if e.tag in ('depend', 'exec_depend')}
    imported: set[str] = set()
    for path in (ROOT / 'espnet_ros' / 'nodes').rglob('*.py'):
        imported |= set(
            re.findall(
                r'^\s*(?:from|import) (rclpy|cv_bridge|\w+_(?:msgs|srvs|interfaces))\b',
                path.read_text(),
                re.MULTILINE,
            )
        )
    assert imported - {'builtin_interfaces'} <= named


OPTIONAL = (
    'matplotlib',
    'openvino',
    'pooch',
    'requests',
    'rich',
    'rosbags',
    'tensorboard',
    'torch',
)


@pytest.mark.ros
def test_the_nodes_and_the_launch_file_start_without_what_is_optional_on_a_robot() -> None:
    """ROS and apt's packages, onnx and one inference library are enough."""
    pytest.importorskip('rclpy', reason='needs ROS 2')
    modules = (
        'espnet_ros.nodes.segmentation.node',
        'espnet_ros.nodes.free_space.node',
        'espnet_ros.nodes.camera_source.node',
        'espnet_ros.nodes.launching.plan',
    )
    code = (
        f'import sys\nfor name in {OPTIONAL}: sys.modules[name] = None\n'
        + ''.join(f'import {module}\n' for module in modules)
        + 'from espnet_ros.segmenter import Segmenter\nimport numpy\n'
        'segmenter = Segmenter.open("auto")\n'
        'print(segmenter.segment([numpy.zeros((90, 120, 3), numpy.uint8)])[0].labels.shape)'
    )
    result = subprocess.run(
        [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == '(90, 120)'


def test_what_pip_and_the_manifest_need_is_the_same() -> None:
    """Each dependency of pip is a key of rosdep, or comes with requirements/robot.txt."""
    keys = {'opencv-python-headless': 'opencv', 'pyyaml': 'yaml'}
    manifest = ElementTree.parse(ROOT / 'package.xml').getroot()
    named = {e.text for e in manifest if e.tag in ('depend', 'exec_depend')}
    robot = re.findall(r'^([a-z]+)', (ROOT / 'requirements' / 'robot.txt').read_text(), re.M)
    (block,) = re.findall(r'^dependencies = \[(.*?)^\]', PYPROJECT, re.MULTILINE | re.DOTALL)
    needed = re.findall(r'"([\w-]+)', block)
    assert len(needed) > 5
    assert [
        name
        for name in needed
        if f'python3-{keys.get(name, name)}' not in named and name not in (*robot, 'pooch')
    ] == []


def test_pure_wheel_holds_code_and_data_but_no_messages(tmp_path: Path) -> None:
    """Without ROS, pip packs the library and the command line."""
    environment = {k: v for k, v in os.environ.items() if k != 'AMENT_PREFIX_PATH'}
    no_ros = (
        'import runpy, sys; from importlib import metadata\n'
        'def files(name): raise metadata.PackageNotFoundError(name)\n'
        'metadata.files = files\n'
        f'sys.argv = ["setup.py", "-q", "build", "-b", {str(tmp_path / "build")!r}]\n'
        'runpy.run_path("setup.py", run_name="__main__")\n'
    )
    result = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', no_ros],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    package = tmp_path / 'build' / 'lib' / 'espnet_ros'
    names = {str(path.relative_to(package)) for path in package.rglob('*') if path.is_file()}
    assert {'py.typed', 'segmenter.py', 'cli/main.py'} <= names
    assert {f'labelsets/{name}.yaml' for name in shipped_label_sets()} <= names
    assert {'web/page/index.html', 'web/page/app.js', 'web/page/vendor/LICENSE'} <= names
    assert 'recording/definitions/LabelSet.msg' in names
    assert not any(name.startswith('msg/') for name in names)


@pytest.mark.ros
def test_messages_are_found_from_the_source_tree() -> None:
    """The source tree and the installed messages are one package."""
    pytest.importorskip('rclpy', reason='needs ROS 2')
    code = 'import espnet_ros, espnet_ros.msg as m; print(espnet_ros.__file__, m.__file__)'
    result = subprocess.run(
        [sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    source, messages = result.stdout.split()
    assert Path(source).is_relative_to(ROOT)
    assert 'site-packages' in messages or 'dist-packages' in messages


def test_the_plugins_of_launch_stay_out_of_the_tests(tmp_path: Path) -> None:
    """A sourced ROS brings them; they import test modules anew, or fail with this pytest."""
    for name in ('launch_testing', 'launch_ros', 'launch_pytest'):
        folder = tmp_path / f'{name}-1.0.dist-info'
        folder.mkdir()
        (folder / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n')
        (folder / 'entry_points.txt').write_text(f'[pytest11]\n{name} = loaded_{name}\n')
        (tmp_path / f'loaded_{name}.py').write_text(f'raise SystemExit("{name} was loaded")\n')
    result = subprocess.run(
        [sys.executable, '-m', 'pytest', '--collect-only', '-q', ROOT / 'test/test_version.py'],
        cwd=tmp_path,
        env=os.environ | {'PYTHONPATH': str(tmp_path), 'PYTEST_ADDOPTS': ''},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert 'was loaded' not in result.stdout + result.stderr
    assert 'collected' in result.stdout
