"""The verb ``bench``: what models cost, in time, power and energy."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from espnet_ros.benchmark.node_case import FREE_SPACE, OUTPUTS, SEGMENTATION
from espnet_ros.cli._options import (
    add_foreign_options,
    add_runtime_options,
    number_from_zero,
    positive_integer,
    positive_number,
    size,
)
from espnet_ros.telemetry.power_sensor import KINDS

NODE_PREFIX = 'NodeCase.'
"""Of the destinations of arguments that are fields of a NodeCase."""

NODE_FLAGS = {
    'device_latency_ms': '--device-ms',
    'camera_rate_hz': '--camera-rate',
    'cameras': '--cameras',
    'outputs': '--outputs',
    'measured_s': '--seconds',
    'nodes': '--free-space',
}
"""Options by the field of a NodeCase that they set."""

EPILOG = """
examples:
  espnet-ros bench
  espnet-ros bench auto@openvino:fp32 auto@openvino:bf16 auto@onnxruntime
  espnet-ros bench espnet_p2_q8_cityscapes espnet_p2_q3_cityscapes --plot cost.png
  espnet-ros bench auto@openvino:host auto@openvino:device --size 1024,2048
  espnet-ros bench auto@tensorrt:host auto@tensorrt:device --size 1080,1920
  espnet-ros bench --peers --json bench.json
  espnet-ros bench --gpu-clocks 824,1134
  espnet-ros bench --node
  espnet-ros bench --node --device-ms 5 --camera-rate 60 --image-size 1080,1920
  espnet-ros bench --node --device-ms 8 --cameras 4 --image-size 720,1280
  espnet-ros bench --node --free-space-only

The protocol is that of the ESPNet paper, section 4.1: batches of one image of 1024x512, 200
trials, start-up excluded. Every contender runs in a process of its own, and all take turns.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.usage = '%(prog)s [MODEL ...] [options]'
    parser.epilog = EPILOG
    parser.add_argument(
        'models',
        nargs='*',
        metavar='MODEL',
        help='MODEL, MODEL@RUNTIME or MODEL@RUNTIME:PRECISION:RESIZE:TAIL, words left out at '
        'will; a name, a model file or a checkpoint. Default: auto.',
    )
    _add_protocol(parser.add_argument_group('protocol'))
    _add_power(parser.add_argument_group('power'))
    _add_output(parser.add_argument_group('output'))
    _add_node(parser.add_argument_group('the node, end to end'))
    add_runtime_options(parser)
    add_foreign_options(parser)
    parser.set_defaults(job='espnet_ros.cli.jobs.bench')


def _add_protocol(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        '--trials', type=positive_integer, default=200, metavar='N', help='Default: 200.'
    )
    group.add_argument(
        '--warm-up',
        type=positive_integer,
        default=20,
        metavar='N',
        help='Trials before those that count; they are told, but not counted. Default: 20.',
    )
    group.add_argument(
        '--rounds',
        type=positive_integer,
        default=4,
        metavar='N',
        help='How often the contenders take turns, so that a machine that slows down slows '
        'all of them. Default: 4.',
    )
    group.add_argument(
        '--size',
        '--image-size',
        type=size,
        metavar='HEIGHT,WIDTH',
        help='Size of the image in pixels. Default: 512,1024; with --node 1080,1920, or that of '
        '--image.',
    )
    group.add_argument(
        '--image', type=Path, metavar='FILE', help='Image to segment. Default: a rendered street.'
    )
    group.add_argument(
        '--peers',
        action='store_true',
        help="Also the authors' way (PyTorch eager, pre-processing in numpy) and that of the "
        'Nav2 tutorial (ONNX Runtime, softmax and argmax in numpy), on the first model.',
    )
    group.add_argument(
        '--gpu-clocks',
        metavar='MHZ,MHZ',
        help='Measure at each of these GPU clocks and tell how sensitive the time is to them. '
        'Sets them where it may; else says how.',
    )
    group.add_argument(
        '--ncu',
        action='store_true',
        help='Warp execution and memory efficiency by Nsight Compute, in a run of its own.',
    )


def _add_power(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        '--sensor',
        choices=('auto', *KINDS, 'none'),
        default='auto',
        metavar='KIND',
        help=f'What the power is read from: auto, {", ".join(KINDS)} or none. Default: auto.',
    )
    group.add_argument(
        '--rate',
        type=positive_number,
        default=10.0,
        metavar='HZ',
        help='Power readings per second. Default: 10.',
    )
    group.add_argument(
        '--idle',
        type=positive_number,
        default=10.0,
        metavar='S',
        help='How long the power of the idle machine is measured before, where there is a '
        'sensor. Default: 10.',
    )
    group.add_argument(
        '--root',
        type=Path,
        default=Path('/'),
        metavar='DIR',
        help='Read the sensors from a copy of the files of a machine.',
    )


def _add_output(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        '--json',
        nargs='?',
        const=Path('-'),
        type=Path,
        metavar='FILE',
        help='Write JSON into FILE, or to standard output instead of the table.',
    )
    group.add_argument(
        '--plot', type=Path, metavar='FILE', help='Draw the contenders (PNG, SVG or PDF).'
    )
    group.add_argument(
        '--plot-axes',
        default='auto',
        metavar='X,Y',
        help='X: power, size or latency; Y: fps or accuracy. Default: power where it is known, '
        'else size, against fps.',
    )


def _add_node(group: argparse._ArgumentGroup) -> None:
    """Declare the fields of a NodeCase; those that are not given leave nothing behind."""
    group.add_argument(
        '--node',
        action='store_true',
        help='Measure the real node over ROS 2 topics: camera, node and observer in processes of '
        'their own, from the publication of an image to the arrival of its mask.',
    )
    _add_load(group)
    beside = group.add_mutually_exclusive_group()
    for flag, nodes, text in (
        (NODE_FLAGS['nodes'], (SEGMENTATION, FREE_SPACE), 'The free space node too, beside it.'),
        ('--free-space-only', (FREE_SPACE,), 'The free space node alone, on masks of a street.'),
    ):
        beside.add_argument(
            flag,
            action='store_const',
            const=nodes,
            dest=f'{NODE_PREFIX}nodes',
            default=argparse.SUPPRESS,
            help=text,
        )


def _add_load(group: argparse._ArgumentGroup) -> None:
    def add(field: str, kind: Callable[[str], Any], form: str, text: str) -> None:
        group.add_argument(
            NODE_FLAGS[field],
            type=kind,
            metavar=form,
            dest=NODE_PREFIX + field,
            default=argparse.SUPPRESS,
            help=text,
        )

    add(
        'device_latency_ms',
        positive_number,
        'MS',
        'Put a stand-in in the place of the network that takes so long for each batch, as a fast '
        'device would, without the processor.',
    )
    add(
        'camera_rate_hz',
        number_from_zero,
        'HZ',
        'Images per second and camera; 0 publishes the next one when a mask has arrived, with '
        'three under way. Default: 30.',
    )
    add('cameras', positive_integer, 'N', 'Cameras of one batch. Default: 1.')
    add(
        'outputs',
        _names,
        'NAME,NAME',
        f'What is subscribed, the mask always: {", ".join(OUTPUTS)}. Default: mask.',
    )
    add('measured_s', positive_number, 'S', 'Measured time. Default: 10.')


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(',') if part.strip())
