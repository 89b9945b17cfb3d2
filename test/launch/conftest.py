"""A place where everything that a launch starts is installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from espnet_ros.config import LaunchSettings
from espnet_ros.nodes.launching.parts import Process
from espnet_ros.nodes.launching.plan import LaunchPlan, plan_launch
import pytest

ROOT = Path(__file__).parents[2]
EXECUTABLES = (
    'espnet_ros/segmentation_node',
    'espnet_ros/free_space_node',
    'espnet_ros/camera_source_node',
    'rviz2/rviz2',
)


def install(prefix: Path, executable: str) -> None:
    """Put an executable where ``ros2 run`` looks for it."""
    path = prefix / 'lib' / executable
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(0o755)


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only install prefix, which has every executable."""
    folder = tmp_path / 'prefix'
    for executable in EXECUTABLES:
        install(folder, executable)
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'{tmp_path / "absent"}:{folder}')
    return folder


@pytest.fixture
def plan(prefix: Path) -> Callable[..., LaunchPlan]:
    """Return a function that plans a launch of this package by arguments."""

    def make(base_namespace: str = '', **arguments: str | bool) -> LaunchPlan:
        return plan_launch(LaunchSettings(**arguments), ROOT, base_namespace)

    return make


@pytest.fixture
def parts(plan: Callable[..., LaunchPlan]) -> Callable[..., dict[str, Process]]:
    """Return a function that plans a launch, and gives its processes by name."""

    def make(**arguments: str | bool) -> dict[str, Process]:
        return {process.name: process for process in plan(**arguments).processes}

    return make


@pytest.fixture
def parameter_file(tmp_path: Path) -> Callable[[str], str]:
    """Return a function that writes a parameter file, and gives its path."""

    def write(text: str) -> str:
        path = tmp_path / 'parameters.yaml'
        path.write_text(text)
        return str(path)

    return write
