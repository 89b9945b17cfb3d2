#!/usr/bin/env python3
"""
The demo: camera source, segmentation and free space as ROS 2 processes, watched by another.

On the synthetic street, a model of its classes is scored against the truth while it runs, and
sees images at the size of the street's camera, in which poles and people are not lost; and free
space knows how the camera is mounted, so that masks become metres.

``make demo`` runs it. It fetches a model where there is none, shows a live line, prints where the
live view is, and leaves an overlay video and a picture behind; ``make demo DEMO=--keep`` goes on
until Ctrl-C.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
import socket
import subprocess
import sys
import time

from demo.live_score import can_score
from demo.recorder import DemoRecorder
from demo.view import measure_free_ahead_m
from espnet_ros.exceptions import EspnetError, ModelError, OutputError
from espnet_ros.labels import load_label_set
from espnet_ros.model_file import load_model_file, ModelInfo
from espnet_ros.model_file.store import find_model
from espnet_ros.nodes.launching.child_process import log_path_of, node_process
from espnet_ros.nodes.launching.parts import street_mount
from espnet_ros.nodes.launching.transport import set_transport
from espnet_ros.nodes.ros.topics import mask_remappings
from espnet_ros.sources.opening import SYNTHETIC
from espnet_ros.sources.street.source import SIZE
import rclpy
from rclpy.executors import ExternalShutdownException

FETCHED_MODEL = 'espnet_p2_q8_cityscapes'
STARTUP_LIMIT_S = 60.0
LINE_PERIOD_S = 0.5
SLOW_MACHINE = {'max_age_ms': 5000.0}
"""Nobody drives by the demo's map, so a machine without a GPU may take its time."""


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the demo.

    :return: the exit code: 0 done, 1 failed
    """
    options = _parse(arguments)
    try:
        model = _ensure_model(options.model)
        _run(options, model)
    except EspnetError as error:
        sys.stderr.write(f'\n{error}\n')
        return 1
    except (KeyboardInterrupt, ExternalShutdownException):
        return 130
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seconds', type=float, default=10.0, help='how long to record')
    parser.add_argument('--source', default='synthetic', help='video, folder, webcam, synthetic')
    parser.add_argument('--rate', type=float, default=20.0, help='images per second')
    parser.add_argument('--model', default='auto', help='model name or file')
    parser.add_argument(
        '--input-size',
        type=int,
        nargs=2,
        metavar=('HEIGHT', 'WIDTH'),
        help="what the network sees, 0 0 is the model's own; default: that, and the camera's "
        'size on a street that is scored',
    )
    parser.add_argument(
        '--keep', action='store_true', help='go on until Ctrl-C, and keep the live view open'
    )
    parser.add_argument(
        '--port',
        type=int,
        help='port of the live view; 0 serves none; default: one that is free',
    )
    parser.add_argument('--output', type=Path, default=Path('demo_output'), help='folder')
    return parser.parse_args(arguments)


def _ensure_model(name: str) -> ModelInfo:
    """Return what the model says of itself; fetch one where none is there."""
    try:
        path = find_model(name)
    except ModelError:
        wanted = FETCHED_MODEL if name == 'auto' else name
        command = [sys.executable, '-m', 'espnet_ros.cli', 'models', 'fetch', wanted]
        if subprocess.run(command, check=False).returncode:
            raise
        path = find_model(name)
    return load_model_file(path).info


def _camera_size(model: ModelInfo) -> tuple[int, int]:
    """Return (height, width) of the street's camera, rounded up to what the network takes."""
    multiple = model.size_multiple
    height, width = (-(-length // multiple) * multiple for length in SIZE)
    return height, width


def _run(options: argparse.Namespace, model: ModelInfo) -> None:
    try:
        options.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f'{options.output}: cannot be made ({error.strerror})') from error
    set_transport()
    truth = load_label_set('camvid')
    has_truth = options.source == SYNTHETIC and can_score(model.label_set, truth)
    input_size = options.input_size or (_camera_size(model) if has_truth else (0, 0))
    camera = {
        'source': options.source,
        'rate_hz': options.rate,
        'loop': True,
        'publish_labels': has_truth,
    }
    has_metres = options.source == SYNTHETIC
    port = _find_port() if options.port is None else options.port
    segmentation = {
        'model': options.model,
        'input_size': list(input_size),
        'web.port': port,
    }
    with ExitStack() as processes:

        def start(
            name: str,
            parameters: Mapping[str, object],
            remappings: Mapping[str, str] | None = None,
        ) -> subprocess.Popen[bytes]:
            return processes.enter_context(
                node_process(name, parameters, options.output, remappings)
            )

        children = {
            'camera_source_node': start('camera_source_node', camera),
            'segmentation_node': start('segmentation_node', segmentation),
        }
        if has_metres:
            children['free_space_node'] = start(
                'free_space_node', {**street_mount(), **SLOW_MACHINE}, mask_remappings([''])
            )
        rclpy.init()
        try:
            recorder = DemoRecorder(
                options.output,
                model.label_set,
                truth=truth if has_truth else None,
                has_metres=has_metres,
            )
            if port:
                sys.stdout.write(f'Live view:       http://127.0.0.1:{port}/\n')
            _record(recorder, options.seconds, children, options.output)
            recorder.finish()
            _tell(recorder)
            if options.keep:
                _keep(recorder, children, options.output)
        finally:
            rclpy.try_shutdown()


def _tell(recorder: DemoRecorder) -> None:
    lines = ['', f'Overlay video:   {recorder.video_path}']
    lines.append(f'Overlay picture: {recorder.picture_path}')
    moment = recorder.moment
    if moment is not None and moment.scan is not None:
        free_m = measure_free_ahead_m(moment.scan)
        words = 'unknown' if free_m is None else f'{free_m:.1f} m'
        lines.append(f'Free ahead:      {words} in that picture, as free_space measures it')
    score = recorder.score
    for name, miou in score.mious.items():
        by = '' if name == 'classes' else f', by {name}'
        lines.append(
            f'Score: {miou:.1%} mean IoU of {score.frames} masks against the true classes '
            f'of the street{by}'
        )
    sys.stdout.write('\n'.join(lines) + '\n')


def _record(
    recorder: DemoRecorder,
    seconds: float,
    children: dict[str, subprocess.Popen[bytes]],
    folder: Path,
) -> None:
    """
    Record until the overlays cover ``seconds``.

    :raises EspnetError: a node ended, or no overlay came
    """
    started = shown = time.monotonic()
    while recorder.recorded_s < seconds or not recorder.is_complete:
        rclpy.spin_once(recorder, timeout_sec=0.1)
        now = time.monotonic()
        if now - shown >= LINE_PERIOD_S:
            shown = now
            sys.stdout.write(f'\r{recorder.line()}\x1b[K')
            sys.stdout.flush()
        _check(children, folder)
        if now - started > STARTUP_LIMIT_S + 2 * seconds:
            slow = 'free_space_node' if recorder.recorded_s >= seconds else 'segmentation_node'
            raise EspnetError(_failure(slow, 'gave too little', folder))


def _keep(
    recorder: DemoRecorder, children: dict[str, subprocess.Popen[bytes]], folder: Path
) -> None:
    """
    Go on until Ctrl-C.

    :raises EspnetError: a node ended
    """
    sys.stdout.write('The nodes go on, and the live view with them; Ctrl-C ends them.\n')
    sys.stdout.flush()
    recorder.destroy_node()
    while True:
        time.sleep(LINE_PERIOD_S)
        _check(children, folder)


def _check(children: dict[str, subprocess.Popen[bytes]], folder: Path) -> None:
    for executable, process in children.items():
        if process.poll() is not None:
            raise EspnetError(_failure(executable, 'ended', folder))


def _find_port() -> int:
    """Return a port for the live view that is free now; 0 where it cannot be served."""
    if find_spec('aiohttp') is None:
        return 0
    with socket.socket() as found:
        found.bind(('127.0.0.1', 0))
        return int(found.getsockname()[1])


def _failure(executable: str, what: str, folder: Path) -> str:
    log_path = log_path_of(folder, executable)
    tail = log_path.read_text(errors='replace').splitlines()[-5:]
    return '\n'.join([f'{executable} {what}; the end of {log_path}:', *tail])


if __name__ == '__main__':
    sys.exit(main())
