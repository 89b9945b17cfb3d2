"""What contributors are told to run is what the project runs."""

from __future__ import annotations

import re

import yaml

from .conftest import ROOT

TOOLS = '.venv/bin/'


def lint_commands() -> list[str]:
    makefile = (ROOT / 'Makefile').read_text()
    (recipe,) = re.findall(r'^lint:.*\n((?:\t.*\n)+)', makefile, re.MULTILINE)
    return [line.strip().removeprefix('@$(BIN)/') for line in recipe.splitlines()]


def test_hooks_before_a_commit_are_the_commands_of_make_lint() -> None:
    config = yaml.safe_load((ROOT / '.pre-commit-config.yaml').read_text())
    (repository,) = config['repos']
    hooks = repository['hooks']
    assert len(lint_commands()) > 1
    assert [hook['entry'] for hook in hooks] == [TOOLS + line for line in lint_commands()]
    # A hook of files alone would miss what "make lint" finds in the others.
    assert not any(hook['pass_filenames'] for hook in hooks)
    assert all(hook['always_run'] for hook in hooks)


def test_hooks_run_the_tools_of_the_environment_whose_versions_are_pinned() -> None:
    config = yaml.safe_load((ROOT / '.pre-commit-config.yaml').read_text())
    assert {repository['repo'] for repository in config['repos']} == {'local'}
    assert {h['language'] for r in config['repos'] for h in r['hooks']} == {'system'}
    pins = (ROOT / 'requirements' / 'constraints.txt').read_text()
    for package in ('ruff', 'mypy', 'import-linter'):
        assert re.search(rf'^{package}==\d', pins, re.MULTILINE), package


def test_every_make_target_of_the_page_exists() -> None:
    makefile = (ROOT / 'Makefile').read_text()
    targets = re.findall(r'^make ([\w-]+)', (ROOT / 'CONTRIBUTING.md').read_text(), re.MULTILINE)
    assert 'lint' in targets
    for target in targets:
        assert re.search(rf'^{target}:', makefile, re.MULTILINE), target
