"""What the docs site is made of; ``make docs`` builds it, and ``make release-check`` judges it."""

from __future__ import annotations

import re
import runpy

from espnet_ros.cli.main import COMMANDS
import pytest

from .conftest import ROOT


@pytest.fixture(scope='module')
def pages(tmp_path_factory) -> dict[str, str]:
    """Return what is generated, by file name."""
    folder = tmp_path_factory.mktemp('site')
    runpy.run_path(str(ROOT / 'scripts' / 'docs_pages.py'))['write_pages'](folder)
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_every_command_shows_its_help(pages: dict[str, str]) -> None:
    for name in COMMANDS:
        section = pages['commands.md'].split(f'## espnet-ros {name}\n', 1)[1].split('## ')[0]
        assert f'espnet-ros {name}' in section.split('```text\n')[1]


def test_every_message_and_parameter_has_its_place(pages: dict[str, str]) -> None:
    for path in (ROOT / 'msg').glob('*.msg'):
        assert path.read_text() in pages['messages.md']
    for name in ('confidence_threshold', 'grid.resolution_m', 'rate_hz'):
        assert f'`{name}`' in pages['parameters.md']


def test_every_module_of_the_api_exists(pages: dict[str, str]) -> None:
    modules = re.findall(r'automodule:: (\S+)', pages['api.rst'])
    assert len(modules) > 10
    for name in modules:
        path = ROOT.joinpath(*name.split('.'))
        assert path.with_suffix('.py').exists() or (path / '__init__.py').exists(), name


def test_every_page_of_docs_is_in_the_contents() -> None:
    contents = (ROOT / 'docs' / 'index.md').read_text().split('\n')
    names = {p.stem for p in (ROOT / 'docs').glob('*.md')} - {'index'}
    assert sorted(names - set(contents)) == []
