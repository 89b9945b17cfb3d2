from importlib import metadata
from pathlib import Path

from espnet_ros import version
import pytest

MANIFEST = '<package format="3"><name>espnet_ros</name><version>4.5.6</version></package>'


@pytest.mark.parametrize(
    'manifest,module',
    [
        ('package.xml', 'espnet_ros/version.py'),
        ('share/espnet_ros/package.xml', 'lib/python3.12/site-packages/espnet_ros/version.py'),
    ],
    ids=['source tree', 'colcon'],
)
def test_version_is_read_from_the_manifest_without_metadata(
    manifest: str, module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_installed(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, 'version', not_installed)
    monkeypatch.setattr(version, '__file__', str(tmp_path / module))
    assert version.package_version() == version.UNKNOWN
    path = tmp_path / manifest
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('half a <pack')
    assert version.package_version() == version.UNKNOWN
    path.write_text(MANIFEST)
    assert version.package_version() == '4.5.6'


def test_installed_package_says_what_pip_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, 'version', lambda name: f'{name} 1.2')
    assert version.package_version() == 'espnet-ros 1.2'
