"""
Pip front end of the package.

colcon builds this package with CMakeLists.txt and never reads this file. Pip
reads it: where ROS 2 is at hand, it runs the same CMakeLists.txt and packs what
that installs; elsewhere it packs the Python code without the messages.
"""

from importlib import metadata
import os
from pathlib import Path
import subprocess
import sys

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.dist import Distribution

NAME = 'espnet_ros'
ROOT = Path(__file__).resolve().parent


def ros_prefixes() -> list[Path]:
    """Return the install prefixes of ROS 2, sourced or from PyPI wheels."""
    prefixes = [Path(p) for p in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep) if p]
    try:
        files = metadata.files('ros-ament-cmake') or []
    except metadata.PackageNotFoundError:
        files = []
    prefixes += [
        Path(f.locate()).resolve().parents[3] for f in files if f.name == 'ament_cmakeConfig.cmake'
    ]
    return list(dict.fromkeys(p for p in prefixes if p.is_dir()))


class BuildWithInterfaces(build_py):
    """Add what CMakeLists.txt installs to the Python code."""

    def run(self) -> None:
        """Build the Python code, then the messages where ROS 2 is at hand."""
        super().run()
        self.copy_definitions()
        prefixes = ros_prefixes()
        if not prefixes or self.editable_mode:
            self.announce(f'{NAME}: no ROS 2 found, the messages are left out', level=3)
            return
        build = Path(self.get_finalized_command('build').build_temp).resolve() / 'cmake'
        prefix = build / 'install'
        path = os.pathsep.join(map(str, prefixes))
        libraries = os.pathsep.join(str(p / 'lib') for p in prefixes)
        env = {
            **os.environ,
            'AMENT_PREFIX_PATH': path,
            'CMAKE_PREFIX_PATH': path,
            # The cmake of this environment, where it has one, though it is not activated.
            'PATH': f'{Path(sys.executable).parent}:{os.environ["PATH"]}',
            'LD_LIBRARY_PATH': f'{libraries}:{os.environ.get("LD_LIBRARY_PATH", "")}',
        }
        configure = [
            *('cmake', '-S', ROOT, '-B', build, '-DBUILD_TESTING=OFF'),
            *('-DCMAKE_BUILD_TYPE=Release', f'-DCMAKE_INSTALL_PREFIX={prefix}'),
            f'-DCMAKE_PROJECT_{NAME}_INCLUDE={ROOT}/cmake/ros_wheels.cmake',
            f'-DPython3_EXECUTABLE={sys.executable}',
        ]
        install = ['cmake', '--build', build, '--target', 'install', '--parallel']
        for command in (configure, install):
            subprocess.run(command, env=env, check=True)
        self.collect(prefix)

    def copy_definitions(self) -> None:
        """Put the definitions of the messages where recordings take them from."""
        if self.editable_mode:
            return
        target = Path(self.build_lib) / NAME / 'recording' / 'definitions'
        self.mkpath(str(target))
        for file in sorted((ROOT / 'msg').glob('*.msg')):
            self.copy_file(str(file), str(target / file.name))

    def collect(self, prefix: Path) -> None:
        """Put the generated package beside the Python code, the rest under the prefix."""
        (package,) = prefix.glob(f'lib/python*/*-packages/{NAME}')
        for file in filter(Path.is_file, prefix.rglob('*')):
            where = file.relative_to(prefix)
            if file.is_relative_to(package):
                if file.suffix in ('.py', '.so'):
                    target = Path(self.build_lib) / NAME / file.relative_to(package)
                    self.mkpath(str(target.parent))
                    self.copy_file(str(file), str(target))
            elif where.parts[0] != 'include' and package.parent not in file.parents:
                self.distribution.data_files.append((str(where.parent), [str(file)]))


class MaybeBinary(Distribution):
    """A distribution that is bound to a platform where it carries messages."""

    def has_ext_modules(self) -> bool:
        """Tell whether the wheel holds compiled code."""
        return bool(ros_prefixes())


setup(
    packages=find_packages(include=[NAME, f'{NAME}.*']),
    data_files=[],
    cmdclass={'build_py': BuildWithInterfaces},
    distclass=MaybeBinary,
)
