"""Shows a source, or what nodes publish, in a browser."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from espnet_ros.cli import exit_codes
from espnet_ros.cli.console import ERROR, say
from espnet_ros.cli.recorder import open_recorder
from espnet_ros.cli.view.machine import Machine
from espnet_ros.cli.view.nodes import view_nodes
from espnet_ros.cli.view.options import Options
from espnet_ros.cli.view.player import CAMERA, Player
from espnet_ros.config import PowerSettings
from espnet_ros.exceptions import ConfigError
from espnet_ros.export.any_model import open_any_model
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.segmentation import Segmentation
from espnet_ros.segmenter import Segmenter
from espnet_ros.sources import Frame, open_source
from espnet_ros.web.live_view import LiveView
from espnet_ros.web.server import WebServer


def run(options: Options) -> int:
    if options.ros == bool(options.source):
        raise ConfigError('view: expected a SOURCE, or --ros and none, to be looked at')
    if options.ros:
        return view_nodes(options)
    with ExitStack() as stack:
        _play(options, str(options.source), stack)
    return exit_codes.DONE


def _play(options: Options, spec: str, stack: ExitStack) -> None:
    is_once = options.once or options.record is not None
    source = stack.enter_context(
        open_source(
            spec,
            loop=not is_once,
            rate_hz=options.rate,
            bit_depth=options.images.image_bit_depth,
        )
    )
    # Its name alone: where it lies is nobody's business.
    view = LiveView(Path(spec).name, (CAMERA,))
    server = stack.enter_context(WebServer(view, options.page.host, options.page.port))
    with ERROR.status('loading the model'):
        model = open_any_model(options.model.model, options.model.foreign)
        segmenter = stack.enter_context(
            Segmenter(open_runtime(model, options.runtime), options.mask)
        )
        segmenter.warm_up()
    machine = stack.enter_context(Machine(PowerSettings()))
    take = None
    if options.record is not None:
        recorder = open_recorder(options.record, segmenter, stack)

        def take(frame: Frame, result: Segmentation) -> None:
            recorder.take(frame, result, source.rate_hz)

    say(f'{source.name} is at {server.address} (Ctrl-C ends it)')
    try:
        Player(source, segmenter, view, machine, take).run()
    except KeyboardInterrupt:  # the way to end it, not a failure
        return
