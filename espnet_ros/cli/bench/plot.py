"""Contenders as a picture, in the style of figure 1 of the ESPNet paper."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from espnet_ros.benchmark.result import BenchResult
from espnet_ros.exceptions import ConfigError, OutputError

_AXES: dict[str, tuple[Callable[[BenchResult], float | None], str]] = {
    'power': (lambda result: result.power.power_w, 'power (W)'),
    'size': (lambda result: result.info.file_bytes * 1e-6, 'network size (MB)'),
    'latency': (lambda result: result.latency_ms['mean'], 'latency (ms)'),
    'fps': (lambda result: result.fps, 'frames per second'),
    'accuracy': (lambda result: result.accuracy_percent, 'mIoU (%)'),
}
"""What is drawn by the name of its axis, and in words."""

_X = ('power', 'size', 'latency')
_Y = ('fps', 'accuracy')
_SUFFIXES = ('.png', '.svg', '.pdf')
_BUBBLE = 400.0
# Of the page of the live view (espnet_ros/web/page/style.css), on white.
_COLORS = {True: '#0b63b5', False: '#a85400'}
_INK, _SOFT, _GRID = '#17202c', '#526072', '#e4e9ef'


def check_plot(axes: str, path: Path) -> None:
    """
    Check that a picture can be drawn, before anything is measured for it.

    :raises ConfigError: unknown axes, or a kind of file that cannot be drawn
    """
    import_module('matplotlib')
    x, _, y = axes.partition(',')
    if axes != 'auto' and (x not in _X or y not in _Y):
        raise ConfigError(
            f'--plot-axes: expected X,Y with X of {", ".join(_X)} and Y of {", ".join(_Y)}, '
            f'found {axes!r}'
        )
    if path.suffix.lower() not in _SUFFIXES:
        raise ConfigError(f'--plot {path}: expected a name that ends with {", ".join(_SUFFIXES)}')


def choose_axes(text: str, results: list[BenchResult]) -> tuple[str, str]:
    """
    Return the two axes.

    :param text: as :func:`check_plot` takes it
    :raises ConfigError: nothing is known of an axis
    """
    if text == 'auto':
        has_power = any(result.power.power_w is not None for result in results)
        return 'power' if has_power else 'size', 'fps'
    x, _, y = text.partition(',')
    for axis in (x, y):
        if all(_AXES[axis][0](result) is None for result in results):
            raise ConfigError(f'--plot-axes: {axis} is not known of any contender')
    return x, y


def draw(results: list[BenchResult], axes: tuple[str, str], path: Path) -> None:
    """
    Draw the contenders into a file; one of which a value is not known is left out.

    :raises OutputError: the file cannot be written
    """
    matplotlib = import_module('matplotlib')
    matplotlib.use('agg')
    figure, plane = import_module('matplotlib.pyplot').subplots(figsize=(7, 4.5), dpi=150)
    largest = max(result.info.parameters for result in results) or 1
    for result in results:
        x, y = (_AXES[axis][0](result) for axis in axes)
        if x is None or y is None:
            continue
        area = _BUBBLE * max(result.info.parameters / largest, 0.02)
        color = _COLORS[result.way == 'ours']
        plane.scatter([x], [y], s=area, color=color, alpha=0.75, edgecolors=_INK)
        plane.annotate(
            result.name,
            (x, y),
            xytext=(11, -2),
            textcoords='offset points',
            fontsize=7,
            color=_INK,
        )
    plane.set_xlabel(_AXES[axes[0]][1])
    plane.set_ylabel(_AXES[axes[1]][1])
    plane.set_title('area: parameters', fontsize=8, loc='right', color=_SOFT)
    # Room for the names.
    plane.set_xlim(0, 1.8 * max(plane.dataLim.x1, 1e-9))
    plane.set_ylim(0, 1.15 * max(plane.dataLim.y1, 1e-9))
    plane.grid(color=_GRID)
    plane.set_axisbelow(True)
    plane.tick_params(colors=_SOFT)
    for side, spine in plane.spines.items():
        spine.set_color(_GRID)
        spine.set_visible(side in ('left', 'bottom'))
    figure.tight_layout()
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise OutputError(f'--plot {path}: cannot be written ({error})') from error
    finally:
        import_module('matplotlib.pyplot').close(figure)
