"""What ``bench`` takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from espnet_ros.benchmark.node_case import OUTPUTS
from espnet_ros.cli.options import argument, foreign_settings, option, runtime_settings, section
from espnet_ros.cli.values import number_from_zero, positive_number
from espnet_ros.config import ForeignModelSettings, RuntimeSettings
from espnet_ros.telemetry.power_sensor import KINDS

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
trials, start-up excluded. Each contender runs in its own process, and all take turns.
"""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    GROUP = 'protocol'

    trials: int = option(200, '', 'N')
    warm_up: int = option(
        20, 'Trials before the measurement; they are reported, but not counted.', 'N'
    )
    rounds: int = option(
        4,
        'How often the contenders take turns, so that a machine that slows down slows all of '
        'them.',
        'N',
    )
    size: tuple[int, int] | None = option(
        None,
        'Size of the image in pixels. Default: 512,1024; with --node 1080,1920, or that of '
        '--image.',
        'HEIGHT,WIDTH',
        flags=('--size', '--image-size'),
    )
    image: Path | None = option(None, 'Image to segment. Default: a rendered street.', 'FILE')
    peers: bool = option(
        False,
        'Also run the first model as the authors do (PyTorch eager, pre-processing in numpy) and '
        'as the Nav2 tutorial does (ONNX Runtime, softmax and argmax in numpy).',
    )
    gpu_clocks: str | None = option(
        None,
        'Measure at each of these GPU clocks, and how the time depends on them. Sets the clocks '
        'if it may; otherwise says how.',
        'MHZ,MHZ',
    )
    ncu: bool = option(
        False, 'Warp execution and memory efficiency by Nsight Compute, in a run of its own.'
    )


@dataclass(frozen=True, kw_only=True)
class PowerOptions:
    GROUP = 'power'

    sensor: str = option(
        'auto',
        f'Sensor that the power is read from: auto, {", ".join(KINDS)} or none.',
        'KIND',
        choices=('auto', *KINDS, 'none'),
    )
    rate: float = option(10.0, 'Power readings per second.', 'HZ', type=positive_number)
    idle: float = option(
        10.0,
        'How long the power of the idle machine is measured first, if there is a sensor.',
        'S',
        type=positive_number,
    )
    root: Path = option(
        Path('/'), 'Read the sensors from a copy of the files of a machine.', 'DIR'
    )


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    GROUP = 'output'

    json: Path | None = option(
        None,
        'Write JSON into FILE, or to standard output instead of the table.',
        'FILE',
        nargs='?',
        const=Path('-'),
    )
    plot: Path | None = option(None, 'Draw the contenders (PNG, SVG or PDF).', 'FILE')
    plot_axes: str = option(
        'auto',
        'X: power, size or latency; Y: fps or accuracy. Default: power if it is known, else '
        'size, against fps.',
        'X,Y',
    )


@dataclass(frozen=True, kw_only=True)
class NodeOptions:
    """What is measured of the nodes; None is as :class:`NodeCase` has it."""

    GROUP = 'the node, end to end'

    node: bool = option(
        False,
        'Measure the real node over ROS 2 topics: camera, node and observer in separate '
        'processes, from the publication of an image to the arrival of its mask.',
    )
    device_ms: float | None = option(
        None,
        'Replace the network by a stand-in that takes so many milliseconds per batch without '
        'using the processor, as a fast device would.',
        'MS',
        type=positive_number,
    )
    camera_rate: float | None = option(
        None,
        'Images per second and camera; 0 publishes the next one when a mask has arrived, with '
        'three images on their way. Default: 30.',
        'HZ',
        type=number_from_zero,
    )
    cameras: int | None = option(None, 'Cameras, all in one batch. Default: 1.', 'N')
    outputs: tuple[str, ...] | None = option(
        None,
        f'Topics to subscribe; the mask always is: {", ".join(OUTPUTS)}. Default: mask.',
        'NAME,NAME',
    )
    seconds: float | None = option(None, 'Measured time. Default: 10.', 'S', type=positive_number)
    free_space: bool = option(False, 'Run the free space node too.', one_of=False)
    free_space_only: bool = option(
        False, 'The free space node alone, on masks of a street.', one_of=False
    )


@dataclass(frozen=True, kw_only=True)
class Options:
    USAGE = '%(prog)s [MODEL ...] [options]'
    EPILOG = EPILOG

    models: tuple[str, ...] = argument(
        'MODEL, MODEL@RUNTIME or MODEL@RUNTIME:PRECISION:RESIZE, each word optional; MODEL is a '
        'name, a model file or a checkpoint. Default: auto.',
        'MODEL',
        nargs='*',
    )
    protocol: Protocol = section(Protocol)
    power: PowerOptions = section(PowerOptions)
    output: OutputOptions = section(OutputOptions)
    nodes: NodeOptions = section(NodeOptions)
    runtime: RuntimeSettings = runtime_settings()
    foreign: ForeignModelSettings = foreign_settings()
