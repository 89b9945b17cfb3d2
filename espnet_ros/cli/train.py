"""The verb ``train``: labelled images to a model file."""

from __future__ import annotations

import argparse
from pathlib import Path

from espnet_ros.cli._options import positive_integer, size
from espnet_ros.cli.evaluate import add_data_options

EPILOG = """
examples:
  espnet-ros train --data camvid --output runs/camvid
  espnet-ros train --data my_streets --output runs/mine --initial espnet_p2_q8_cityscapes
  espnet-ros train --data cityscapes --output runs/paper --recipe paper

The same command goes on with a training that was interrupted, to the same result.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.usage = '%(prog)s --data DIR --output DIR [options]'
    parser.epilog = EPILOG
    add_data_options(parser)
    group = parser.add_argument_group('more data')
    group.add_argument(
        '--synthetic',
        type=positive_integer,
        metavar='N',
        help='Train on N frames of the synthetic street too (its classes are those of CamVid).',
    )
    group.add_argument(
        '--synthetic-size',
        type=size,
        metavar='HEIGHT,WIDTH',
        help='Size of those frames. Default: that of the first image.',
    )
    _add_network_options(parser)
    _add_recipe_options(parser)
    _add_result_options(parser)
    _add_run_options(parser)
    parser.set_defaults(job='espnet_ros.cli.jobs.train')


def _add_network_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('network')
    group.add_argument(
        '--architecture',
        default='espnet',
        metavar='NAME',
        help='A network of the registry: espnet, espnet_c, espnetv2, enet ... Default: espnet.',
    )
    group.add_argument(
        '--alpha2',
        type=positive_integer,
        metavar='N',
        help="Of ESPNets: ESP modules at a quarter of the size. Default: the network's, 2.",
    )
    group.add_argument(
        '--alpha3',
        type=positive_integer,
        metavar='N',
        help="Of ESPNets: ESP modules at an eighth of the size. Default: the network's, 8.",
    )
    group.add_argument(
        '--argument',
        action='append',
        default=[],
        type=_argument,
        metavar='NAME=VALUE',
        help='Another argument of the network, such as scale=1.5 of espnetv2; may be repeated.',
    )
    group.add_argument(
        '--initial',
        metavar='MODEL',
        help='Weights to start from: a model by name, a model file, a published checkpoint or '
        'the best.pth of another training. What does not fit starts fresh.',
    )
    group.add_argument(
        '--teacher',
        metavar='MODEL',
        help='A better model of the same classes to learn from beside the labels; given as '
        '--initial is.',
    )


def _add_recipe_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('recipe')
    group.add_argument(
        '--recipe',
        default='modern',
        metavar='{modern,paper}',
        help='modern: AdamW, averaged weights, colour jitter; paper: as ECCV 2018. Both train '
        'ESPNet-C first; modern does without where --initial is given. Default: modern.',
    )
    for name, kind, form, text in (
        ('epochs', positive_integer, 'N', 'Passes over the data.'),
        ('batch-size', positive_integer, 'N', 'Images of one step.'),
        ('crop', size, 'HEIGHT,WIDTH', 'What the network sees of an image; multiples of 8.'),
        ('scales', _scales, 'LOW,HIGH', 'Lowest and highest factor on the size of images.'),
        ('aspect', float, 'OCTAVES', 'Largest change of the aspect ratio; 16:9 to 4:3 is 0.42.'),
        ('learning-rate', float, 'RATE', 'The highest learning rate.'),
        ('schedule', str, 'NAME', 'constant, halving, poly, cosine or one_cycle.'),
        ('warmup-epochs', float, 'N', 'Epochs until the learning rate is at its highest.'),
        ('average-decay', float, 'SHARE', 'Of the averaged weights, that stays in each step.'),
        ('dice', float, 'WEIGHT', 'Of the Dice loss beside the cross entropy.'),
        ('auxiliary', float, 'WEIGHT', "Of the loss of the encoder's own scores (ESPNet)."),
        ('hard-share', float, 'SHARE', 'Of the pixels that train, the hardest ones.'),
        ('weight-offset', float, 'OFFSET', 'Rare classes weigh 1 / ln(OFFSET + frequency).'),
        ('distillation', float, 'WEIGHT', 'Of the distance from the teacher.'),
    ):
        group.add_argument(
            f'--{name}', type=kind, metavar=form, help=f"{text} Default: the recipe's."
        )
    group.add_argument(
        '--weighted',
        action=argparse.BooleanOptionalAction,
        help="Whether rare classes weigh more in the cross entropy. Default: the recipe's.",
    )
    group.add_argument('--seed', type=int, default=0, metavar='N', help='Default: 0.')


def _add_result_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('result')
    group.add_argument(
        '--output',
        type=Path,
        required=True,
        metavar='DIR',
        help='Folder of the state, the best weights and the model file.',
    )
    group.add_argument('--name', help='Name of the model. Default: that of the folder.')
    group.add_argument(
        '--size',
        type=size,
        metavar='HEIGHT,WIDTH',
        help='Size that the model resizes images to. Default: that of the first image.',
    )
    group.add_argument('--license', default='', metavar='TEXT', help='Licence of the weights.')


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('run')
    group.add_argument(
        '--device', default='auto', help='auto, cpu, cuda or cuda:N. Default: the GPU.'
    )
    group.add_argument(
        '--precision',
        default='auto',
        metavar='{auto,fp32,bf16,fp16}',
        help='Arithmetic of the network. Default: bf16 where the device has it.',
    )
    group.add_argument(
        '--workers',
        type=positive_integer,
        default=2,
        metavar='N',
        help='Threads that read and vary images. Default: 2.',
    )
    group.add_argument(
        '--validate-every',
        type=positive_integer,
        default=1,
        metavar='N',
        help='Epochs between validations. Default: 1.',
    )
    group.add_argument(
        '--compile', action='store_true', help='Compile the network: slow to start, then faster.'
    )


def _argument(text: str) -> tuple[str, str]:
    name, equals, value = text.partition('=')
    if not equals or not name or not value:
        raise argparse.ArgumentTypeError(f'expected NAME=VALUE, found {text!r}')
    return name, value


def _scales(text: str) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in text.split(','))
    except ValueError:
        raise argparse.ArgumentTypeError(f'expected LOW,HIGH, found {text!r}') from None
    return low, high
