"""The command ``espnet-ros``: finds the command, runs it, turns errors into exit codes."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
import io
import logging
import os
from pathlib import Path
import signal
import sys
import threading
import traceback

from espnet_ros.cli import exit_codes
from espnet_ros.cli.console import log_on_standard_error, PROGRAM
from espnet_ros.cli.options import add_options, read_options
from espnet_ros.exceptions import ConfigError, EspnetError
from espnet_ros.version import VERSION

COMMANDS = {
    'segment': 'Segment an image, a folder, a video, a bag or a webcam.',
    'view': 'Show a source, or what running nodes publish, live in a browser.',
    'models': 'List, fetch and show models.',
    'export': 'Turn a checkpoint or an ONNX file of another origin into a model file.',
    'build': 'Build a TensorRT engine of a model, or quantise a model for one.',
    'compare': 'Compare two models or runtimes on the same images.',
    'bench': 'Measure latency, frame rate, power and energy of models, side by side.',
    'power': 'Show the power sensors of this machine and what they read.',
    'evaluate': 'Measure how good a model is on labelled images.',
    'train': 'Train a network on labelled images.',
    'doctor': 'Check the installation and say how to fix what is missing.',
}
"""The commands and what they do; each is a folder of this package."""

EXTRAS = {
    'aiohttp': 'web',
    'matplotlib': 'plot',
    'onnxruntime': 'onnxruntime',
    'openvino': 'openvino',
    'rosbags': 'bag',
    'ray': 'ray',
    'tifffile': 'slides',
    'torch': 'torch',
}
"""Libraries that are no dependency, and the extra that installs each."""


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line."""

    def error(self, message: str) -> None:  # type: ignore[override]
        """Write the error and where help is, and end with the code of wrong usage."""
        self.exit(exit_codes.USAGE, f'{self.prog}: {message} (see {self.prog} --help)\n')


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run the command line.

    :param argv: the arguments after the program's name; None takes those of the process
    :return: 0 done, 1 the command failed, 2 wrong usage, 130 interrupted
    """
    words = list(sys.argv[1:] if argv is None else argv)
    _open_streams()
    try:
        namespace = _parser(words).parse_args(words)
    except SystemExit as ending:  # argparse ends this way after --help and wrong usage
        return int(ending.code or 0)
    if 'options' not in namespace:
        print(f'{PROGRAM}: expected a command (see {PROGRAM} --help)', file=sys.stderr)
        return exit_codes.USAGE
    is_verbose = 'verbose' in namespace
    with (
        _term_as_interrupt(),
        log_on_standard_error(logging.INFO if is_verbose else logging.WARNING),
    ):
        return _run(namespace, is_verbose)


def _open_streams() -> None:
    """Let nothing that is printed end a command: a closed stream, or letters that it has not."""
    for name in ('stdout', 'stderr'):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open('w'))  # noqa: SIM115  for the process's life
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors='backslashreplace')


@contextmanager
def _term_as_interrupt() -> Iterator[None]:
    """Take TERM, as systemd and containers send it, for Ctrl-C: what is done is kept."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _parser(words: list[str]) -> argparse.ArgumentParser:
    common = Parser(add_help=False, allow_abbrev=False)
    common.add_argument(
        '--verbose',
        action='store_true',
        default=argparse.SUPPRESS,
        help='Print more, and the traceback of an error.',
    )
    parser = Parser(
        prog=PROGRAM,
        description='Semantic segmentation with ESPNet, from the command line.',
        epilog='Exit codes: 0 done, 1 the command failed, 2 wrong usage, 130 interrupted.',
        parents=[common],
        allow_abbrev=False,
    )
    parser.add_argument('--version', action='version', version=f'{PROGRAM} {VERSION}')
    commands = parser.add_subparsers(metavar='COMMAND', title='commands', parser_class=Parser)
    named = next((word for word in words if not word.startswith('-')), None)
    for name, summary in COMMANDS.items():
        command = commands.add_parser(
            name, help=summary, description=summary, parents=[common], allow_abbrev=False
        )
        if name == named:
            _declare(command, name)
    return parser


def _declare(parser: argparse.ArgumentParser, name: str) -> None:
    """Declare what a command takes, or what the commands below it take."""
    module = import_module(f'espnet_ros.cli.{name}.options')
    if not hasattr(module, 'COMMANDS'):
        _declare_options(parser, name, module.Options)
        return
    inner = parser.add_subparsers(
        metavar='|'.join(module.COMMANDS), title='commands', required=True
    )
    for word, (summary, options) in module.COMMANDS.items():
        below = inner.add_parser(word, help=summary)
        # It may stand behind these too; the help of the command above tells of it.
        below.add_argument(
            '--verbose', action='store_true', default=argparse.SUPPRESS, help=argparse.SUPPRESS
        )
        _declare_options(below, name, options)


def _declare_options(parser: argparse.ArgumentParser, name: str, options: type) -> None:
    for word in ('usage', 'description', 'epilog'):
        text = getattr(options, word.upper(), None)
        if text is not None:
            setattr(parser, word, text)
    if (parser.epilog or '').startswith('\n'):
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add_options(parser, options)
    parser.set_defaults(command=name, options=options)


def _run(namespace: argparse.Namespace, is_verbose: bool) -> int:
    try:
        options = read_options(namespace, namespace.options)
        return int(import_module(f'espnet_ros.cli.{namespace.command}.command').run(options))
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain again when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_codes.FAILED
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  the outermost frame
        if is_verbose:
            traceback.print_exc()
        print(f'{PROGRAM}: {" ".join(_message(error).split())}', file=sys.stderr)
        codes = {KeyboardInterrupt: exit_codes.INTERRUPTED, ConfigError: exit_codes.USAGE}
        return codes.get(type(error), exit_codes.FAILED)


def _message(error: BaseException) -> str:
    message = str(error)
    if isinstance(error, KeyboardInterrupt):
        message = 'interrupted'
    elif isinstance(error, ModuleNotFoundError):
        library = (error.name or '').partition('.')[0]
        wanted = f'{PROGRAM}[{EXTRAS[library]}]' if library in EXTRAS else library
        message = f"{library} is not installed; install it with: pip install '{wanted}'"
    elif isinstance(error, OSError):
        where = '' if error.filename is None else f'{error.filename}: '
        message = f'{where}{error.strerror or error}'
    elif not isinstance(error, EspnetError):
        message = f'unexpected error, please report it: {type(error).__name__}: {error}'
    return message


if __name__ == '__main__':
    sys.exit(main())
