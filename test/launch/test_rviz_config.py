"""What RViz is told to show, and how its window looks when it opens for the first time."""

from __future__ import annotations

from collections.abc import Iterator
import re
from typing import Any

from espnet_ros.nodes.launching.parts import BASE_FRAME
import pytest
import yaml

from .conftest import ROOT

CONFIG: dict[str, Any] = yaml.safe_load((ROOT / 'rviz' / 'segmentation.rviz').read_text())
WINDOW = CONFIG['Window Geometry']
MANAGER = CONFIG['Visualization Manager']
DISPLAYS = {display['Name']: display for display in MANAGER['Displays']}
IMAGES = [name for name, d in DISPLAYS.items() if d['Class'].endswith('/Image')]
DOCK = b'\xfb'
"""Begins a dock in the state that Qt saves of a window; its name follows, in UTF-16."""


def docks() -> Iterator[tuple[str, bool]]:
    """Give the docks in the saved state of the window: name, and whether they are open."""
    state = bytes.fromhex(WINDOW['QMainWindow State'])
    for match in re.finditer(DOCK + rb'\x00\x00\x00(.)', state, re.DOTALL):
        end = match.end() + match[1][0]
        yield state[match.end() : end].decode('utf-16-be'), state[end] == 1


def test_every_panel_and_image_has_its_place_in_the_window() -> None:
    panels = [panel['Name'] for panel in CONFIG['Panels']]
    assert [name for name, _ in docks()] == [*IMAGES, *panels]
    assert {name for name in WINDOW if isinstance(WINDOW[name], dict)} == {*IMAGES, *panels}


def test_images_are_open_and_the_list_of_displays_waits_behind_its_arrow() -> None:
    """RViz shows a dock anew only where all three say that it is collapsed."""
    assert [name for name, is_open in docks() if is_open] == IMAGES
    assert WINDOW['Hide Right Dock'] and not WINDOW['Hide Left Dock']
    assert [name for name in dict(docks()) if WINDOW[name]['collapsed']] == ['Displays']


def test_no_panel_of_the_time_takes_the_window() -> None:
    assert [panel['Class'] for panel in CONFIG['Panels']] == ['rviz_common/Displays']


def test_robot_stands_at_the_origin_of_a_grid_in_metres() -> None:
    assert MANAGER['Global Options']['Fixed Frame'] == BASE_FRAME
    grids = {name: d for name, d in DISPLAYS.items() if d['Class'].endswith('/Grid')}
    assert grids
    for name, grid in grids.items():
        assert name == f'Grid {grid["Cell Size"]} m'
        # A line of each runs through the origin, as they lie around their offset.
        assert (grid['Offset']['X'] / grid['Cell Size']) % 1 == 0
        assert grid['Plane Cell Count'] % 2 == 0
    for display in (*grids.values(), DISPLAYS['Robot']):
        assert display['Enabled']
        assert display['Reference Frame'] == '<Fixed Frame>'


def test_whole_map_is_seen_from_above_with_ahead_up() -> None:
    from espnet_ros.config import GridSettings

    grid, view = GridSettings(), MANAGER['Views']['Current']
    assert view['Class'] == 'rviz_default_plugins/TopDownOrtho'
    assert view['Angle'] == pytest.approx(-1.5708, abs=1e-3)
    assert abs(view['X'] - (grid.x_min_m + grid.x_max_m) / 2) <= 1
    # The 3D view has some 930 by 800 of the window's 1400 by 900 pixels.
    assert (grid.x_max_m - grid.x_min_m) * view['Scale'] <= 800
    assert (grid.y_max_m - grid.y_min_m) * view['Scale'] <= 930


def test_topics_are_those_of_the_nodes_below_any_namespace() -> None:
    shown = [d['Topic']['Value'] for d in DISPLAYS.values() if 'Topic' in d]
    assert len(shown) == len(set(shown)) >= 7
    documented = {'image_raw'}
    for node, page in (('segmentation', 'segmentation_node.md'), ('free_space', 'planner.md')):
        text = (ROOT / 'docs' / page).read_text()
        documented |= {f'{node}/{name}' for name in re.findall(r'^\| `~/(\w+)` \|', text, re.M)}
    assert set(shown) <= documented
