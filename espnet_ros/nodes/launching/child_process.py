"""Running a node of this package in a process of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
import signal
import subprocess
import sys

STOP_LIMIT_S = 15.0


def log_path_of(folder: Path, executable: str) -> Path:
    """Return where a node's output is kept."""
    return folder / f'{executable}.log'


def node_command(
    executable: str,
    parameters: Mapping[str, object],
    remappings: Iterable[tuple[str, str]] = (),
) -> list[str]:
    """
    Return the command line that runs a node with this Python.

    :param executable: as :command:`ros2 run` names it: segmentation_node
    :param remappings: of its topics, of ``__node`` and ``__ns``: pairs of names
    """
    module = f'espnet_ros.nodes.{executable.removesuffix("_node")}.node'
    command = [sys.executable, '-m', module, '--ros-args']
    for name, value in parameters.items():
        plain = list(value) if isinstance(value, tuple) else value
        text = str(plain).lower() if isinstance(plain, bool) else plain
        command += ['-p', f'{name}:={text}']
    for name, other in remappings:
        command += ['-r', f'{name}:={other}']
    return command


@contextmanager
def node_process(
    executable: str,
    parameters: Mapping[str, object],
    folder: Path,
    remappings: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """
    Run a node in a process of its own, which is ended as by Ctrl-C.

    :param folder: where its output is kept
    :param remappings: of its topics, and of ``__ns``, from name to name
    """
    command = node_command(executable, parameters, (remappings or {}).items())
    with (
        log_path_of(folder, executable).open('wb') as log,
        subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        ) as process,
    ):
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
