"""The verb ``models``: what models there are, and getting them."""

from __future__ import annotations

import argparse

JOBS = 'espnet_ros.cli.jobs'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    verbs = parser.add_subparsers(metavar='list|fetch|show', title='verbs', required=True)
    _add_list(verbs.add_parser('list', help='Show the models that are here or can be fetched.'))
    _add_fetch(verbs.add_parser('fetch', help='Fetch published weights as model files.'))
    _add_show(verbs.add_parser('show', help='Show everything that a model file says of itself.'))


def _add_list(parser: argparse.ArgumentParser) -> None:
    _add_verbose(parser)
    _add_json(parser)
    parser.set_defaults(job=f'{JOBS}.list_models')


def _add_fetch(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        'Download published weights, check them, and keep them as model files in the data '
        'folder of espnet_ros. ESPNET_ROS_MIRROR names a folder that stands in for the network.'
    )
    _add_verbose(parser)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument('names', nargs='*', default=[], metavar='NAME', help='Which models.')
    which.add_argument('--all', action='store_true', help='All of them.')
    parser.set_defaults(job=f'{JOBS}.fetch_models')


def _add_show(parser: argparse.ArgumentParser) -> None:
    _add_verbose(parser)
    parser.add_argument('model', metavar='NAME|PATH', help='Name of a model, or a model file.')
    _add_json(parser)
    parser.set_defaults(job=f'{JOBS}.show_model')


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('--json', action='store_true', help='Write JSON to standard output.')


def _add_verbose(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        '--verbose', action='store_true', default=argparse.SUPPRESS, help=argparse.SUPPRESS
    )
