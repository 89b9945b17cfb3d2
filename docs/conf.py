"""
The docs site, by Sphinx: ``make docs``.

Sphinx rather than MkDocs, because the docstrings are reST, as autodoc and ament read them, and
because ROS's own documentation and rosdoc2 are built with it. Pages are Markdown (MyST), the same
that GitHub shows.
"""

from __future__ import annotations

from pathlib import Path
import re
import runpy
import sys

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path.insert(0, str(ROOT))
_REPOSITORY = 'https://github.com/espnet-ros/espnet_ros/blob/main/'

from espnet_ros.version import VERSION  # noqa: E402

project = 'espnet_ros'
author = 'espnet_ros developers'
copyright = '2026, the espnet_ros developers'
version = release = VERSION
extensions = ['myst_parser', 'sphinx.ext.autodoc', 'sphinx.ext.viewcode']
myst_enable_extensions = ['attrs_inline']
myst_heading_anchors = 4
exclude_patterns = ['_build']
suppress_warnings = ['toc.not_included']
html_theme = 'furo'
html_title = f'espnet_ros {VERSION}'
autodoc_mock_imports = ['openvino', 'rclpy', 'tensorrt', 'tensorrt_rtx', 'torch']
autodoc_typehints = 'description'
autodoc_member_order = 'bysource'
nitpicky = False
linkcheck_timeout = 20


def _generate(app: object) -> None:
    """Write the pages that come from the code."""
    runpy.run_path(str(ROOT / 'scripts' / 'docs_pages.py'))['write_pages'](DOCS / '_generated')


def _link_to_repository(app: object, page: str, source: list[str]) -> None:
    """Let links that leave docs/ lead to the repository."""
    source[0] = re.sub(r'\]\((?:\.\./)+([^)]+)\)', rf']({_REPOSITORY}\1)', source[0])


def setup(app: object) -> None:
    """Connect what is generated."""
    app.connect('builder-inited', _generate)  # type: ignore[attr-defined]
    app.connect('source-read', _link_to_repository)  # type: ignore[attr-defined]
