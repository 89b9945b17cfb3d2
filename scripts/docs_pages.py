#!/usr/bin/env python3
"""Write the pages of the docs site that come from the code."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
import os
from pathlib import Path
import runpy
import sys

from espnet_ros import config
from espnet_ros.cli.main import COMMANDS, main

ROOT = Path(__file__).resolve().parents[1]
NODES = {
    'segmentation_node': 'SegmentationNodeSettings',
    'free_space_node': 'FreeSpaceSettings',
    'camera_source_node': 'CameraSourceSettings',
}
API = (
    'espnet_ros.segmenter',
    'espnet_ros.model_file.store',
    'espnet_ros.model_file.file_format',
    'espnet_ros.model_file.model_info',
    'espnet_ros.runtimes.base',
    'espnet_ros.runtimes.factory',
    'espnet_ros.labels.label_set',
    'espnet_ros.sources.base',
    'espnet_ros.sources.opening',
    'espnet_ros.planning.geometry.camera',
    'espnet_ros.processing.overlay',
    'espnet_ros.telemetry.discovery',
    'espnet_ros.telemetry.power_sensor',
    'espnet_ros.evaluation.metrics',
    'espnet_ros.exceptions',
)
"""The library's public modules, in the order in which one meets them."""


def help_of(*command: str) -> str:
    """Return what a command prints about itself."""
    os.environ['COLUMNS'] = '99'
    text = StringIO()
    with redirect_stdout(text):
        main([*command, '--help'])
    return text.getvalue()


def commands_page() -> str:
    """Return every command's help."""
    parts = ['# Commands\n', f'```text\n{help_of()}```\n']
    for name in COMMANDS:
        parts.append(f'## espnet-ros {name}\n\n```text\n{help_of(name)}```\n')
    return '\n'.join(parts)


def parameters_page() -> str:
    """Return the parameters of every node."""
    table = runpy.run_path(str(ROOT / 'scripts' / 'update_docs.py'))['parameter_table']
    parts = ['# Parameters\n']
    parts += [f'## {node}\n\n{table(getattr(config, name))}' for node, name in NODES.items()]
    return '\n'.join(parts)


def messages_page() -> str:
    """Return every message as it is defined."""
    parts = ['# Messages\n']
    for path in sorted((ROOT / 'msg').glob('*.msg')):
        parts.append(f'## espnet_ros/{path.stem}\n\n```text\n{path.read_text()}```\n')
    return '\n'.join(parts)


def api_page() -> str:
    """Return the page from which Sphinx reads the docstrings."""
    parts = ['API', '===', '']
    for module in API:
        options = f'.. automodule:: {module}\n   :members:\n'
        parts += [module, '-' * len(module), '', options]
    return '\n'.join(parts)


def write_pages(folder: Path) -> None:
    """Write every page into a folder, where it differs."""
    pages = {
        'commands.md': commands_page(),
        'parameters.md': parameters_page(),
        'messages.md': messages_page(),
        'api.rst': api_page(),
    }
    folder.mkdir(exist_ok=True)
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding='utf-8') != text:
            path.write_text(text, encoding='utf-8')


if __name__ == '__main__':
    write_pages(Path(sys.argv[1]))
