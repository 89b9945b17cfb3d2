"""One version, told the same by every face of the package."""

from __future__ import annotations

from importlib import metadata
import re
from xml.etree import ElementTree

from espnet_ros import version
from espnet_ros.cli.main import main
import pytest

from .conftest import ROOT


def test_the_manifest_of_ros_has_the_release_of_the_version() -> None:
    """ROS allows three numbers and nothing behind them."""
    manifest = ElementTree.parse(ROOT / 'package.xml').getroot()
    release = re.match(r'\d+\.\d+\.\d+', version.VERSION)
    assert release is not None
    assert manifest.findtext('version') == release[0]


def test_the_changelog_begins_with_the_release() -> None:
    text = (ROOT / 'CHANGELOG.rst').read_text()
    first = re.search(r'^(\d+\.\d+\.\d+) \(.+\)$', text, re.MULTILINE)
    assert first is not None
    assert version.VERSION.startswith(first[1])


def test_the_citation_has_the_version() -> None:
    assert f'version: {version.VERSION}\n' in (ROOT / 'CITATION.cff').read_text()


def test_no_other_file_of_the_project_writes_a_version_of_its_own() -> None:
    assert not re.search(r'^version = "', (ROOT / 'pyproject.toml').read_text(), re.MULTILINE)


def test_the_command_line_tells_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(['--version']) == 0
    assert capsys.readouterr().out.strip().endswith(version.VERSION)


def test_colcon_leaves_nothing_that_pip_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_installed(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, 'version', lambda name: '1.2')
    assert version.is_installed()
    monkeypatch.setattr(metadata, 'version', not_installed)
    assert not version.is_installed()
