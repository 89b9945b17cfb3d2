"""Running a node of this package in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
import signal
import subprocess
import sys

STOP_LIMIT_S = 15.0


def log_path_of(folder: Path, module: str) -> Path:
    """Return where a node's output is kept."""
    return folder / f'{module}.log'


@contextmanager
def node_process(
    module: str,
    parameters: Mapping[str, object],
    folder: Path,
    remappings: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """
    Run a node in a process of its own, which is asked to end as Ctrl-C does.

    :param module: of ``espnet_ros.nodes``
    :param parameters: of the node, by name
    :param folder: where its output is kept
    :param remappings: of its topics, and of ``__ns``, from name to name
    """
    command = [sys.executable, '-m', f'espnet_ros.nodes.{module}', '--ros-args']
    for name, value in parameters.items():
        plain = list(value) if isinstance(value, tuple) else value
        text = str(plain).lower() if isinstance(plain, bool) else plain
        command += ['-p', f'{name}:={text}']
    for name, other in (remappings or {}).items():
        command += ['-r', f'{name}:={other}']
    with (
        log_path_of(folder, module).open('wb') as log,
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
