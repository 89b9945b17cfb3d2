"""Cars as solid bodies of flat faces."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
import math

from espnet_ros.sources.street.rendering.canvas import Canvas
from espnet_ros.sources.street.town import CAR_HEIGHTS_M, CAR_LENGTHS_M, CAR_WIDTHS_M, Thing
import numpy as np
from numpy.typing import NDArray

_PAINTS_BGR = (
    (176, 178, 180), (40, 40, 42), (206, 208, 210), (98, 100, 104), (112, 60, 34),
    (38, 36, 130), (70, 74, 82), (60, 84, 60), (146, 150, 150), (34, 48, 92),
)  # fmt: skip
_SUN = np.array((0.25, 0.5, 0.83))
_COLORS_BGR = {
    'glass': (74.0, 66.0, 60.0),
    'pane': (66.0, 58.0, 52.0),
    'sky': (150.0, 138.0, 126.0),
    'trim': (46.0, 46.0, 48.0),
    'tyre': (26.0, 26.0, 27.0),
    'rim': (138.0, 140.0, 142.0),
    'under': (18.0, 18.0, 19.0),
    'tail': (34.0, 28.0, 176.0),
    'lamp': (226.0, 230.0, 232.0),
    'plate': (206.0, 214.0, 216.0),
    'line': (52.0, 50.0, 50.0),
}
_PAINT_SHARES = {'paint': 1.0, 'shade': 0.72}

# Outlines from the side, rear bumper to front bumper: x over half the length, height over the
# whole height, and what the strip to the next point is made of.
_OUTLINES = (
    ((-0.97, 0.17, 'trim'), (-1, 0.32, 'paint'), (-0.97, 0.64, 'paint'), (-0.74, 0.69, 'glass'),
     (-0.44, 0.97, 'paint'), (-0.1, 1.0, 'paint'), (0.12, 0.97, 'glass'), (0.46, 0.67, 'paint'),
     (0.9, 0.55, 'paint'), (1, 0.38, 'trim'), (0.98, 0.17, '')),
    ((-0.97, 0.17, 'trim'), (-1, 0.34, 'paint'), (-0.95, 0.66, 'glass'), (-0.76, 0.97, 'paint'),
     (-0.3, 1.0, 'paint'), (0.1, 0.97, 'glass'), (0.5, 0.67, 'paint'), (0.9, 0.56, 'paint'),
     (1, 0.4, 'trim'), (0.98, 0.17, '')),
    ((-0.97, 0.2, 'trim'), (-1, 0.36, 'paint'), (-0.97, 0.62, 'glass'), (-0.86, 0.96, 'paint'),
     (-0.4, 1.0, 'paint'), (0.1, 0.96, 'glass'), (0.42, 0.65, 'paint'), (0.92, 0.58, 'paint'),
     (1, 0.4, 'trim'), (0.98, 0.2, '')),
    ((-0.98, 0.15, 'trim'), (-1, 0.28, 'paint'), (-0.99, 0.55, 'glass'), (-0.96, 0.95, 'paint'),
     (-0.5, 1.0, 'paint'), (0.45, 0.97, 'glass'), (0.74, 0.58, 'paint'), (0.97, 0.47, 'paint'),
     (1, 0.35, 'trim'), (0.99, 0.15, '')),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Face:
    """
    A flat convex face.

    :param corners: (N, 3), car's frame: x ahead, y left, z up, origin on the ground
    :param normal: outwards
    :param material: what it is made of
    :param layer: faces of a higher layer lie on those of a lower one
    """

    corners: NDArray[np.float64]
    normal: NDArray[np.float64]
    material: str
    layer: int


@dataclass(frozen=True, eq=False)
class _Mesh:
    """The faces of a car model as arrays: corners of all (N, 3), the rest one row a face."""

    corners: NDArray[np.float64]
    slices: tuple[slice, ...]
    centers: NDArray[np.float64]
    normals: NDArray[np.float64]
    layers: NDArray[np.intp]
    colors_bgr: NDArray[np.float64]
    paint_shares: NDArray[np.float64]


def draw_car(canvas: Canvas, thing: Thing, place: tuple[float, float], gain: float) -> None:
    """
    Draw a car.

    :param place: metres (x, y) of its middle in the vehicle's frame
    :param gain: brightness of the light on it
    """
    paint = np.array(_PAINTS_BGR[int(thing.variant[2] * len(_PAINTS_BGR))], float)
    paint *= 0.85 + 0.3 * thing.variant[3]
    mesh = _mesh(thing.model)
    turn = np.array((thing.heading, thing.heading, 1.0))
    origin = np.array((*place, 0.0))
    sight = mesh.centers * turn + origin - (0.0, 0.0, canvas.projection.height_m)
    normals = mesh.normals * turn
    is_drawn = (normals * sight).sum(axis=1) < 0
    is_drawn &= mesh.layers < _layers_at(place[0])
    # Details follow the body; within each, the far ones come first.
    order = np.lexsort((-np.linalg.norm(sight, axis=1), mesh.layers))
    order = order[is_drawn[order]]
    light = 0.62 + 0.42 * np.maximum(normals @ _SUN, 0) + 0.12 * np.maximum(normals[:, 2], 0)
    light[mesh.layers >= 2] = 1.0
    colors = mesh.colors_bgr + mesh.paint_shares[:, None] * paint
    colors *= gain * light[:, None]
    slices = [mesh.slices[index] for index in order]
    canvas.faces(mesh.corners * turn + origin, slices, colors[order], 'car')


def _layers_at(distance_m: float) -> int:
    """Return how many layers of details can be told apart at a distance."""
    if distance_m > 75:
        return 2
    return 4 if distance_m > 40 else 6


@lru_cache(maxsize=len(_OUTLINES))
def _mesh(model: int) -> _Mesh:
    faces = (*_underside(model), *_body(model), *_details(model))
    ends = np.cumsum([len(face.corners) for face in faces])
    return _Mesh(
        np.vstack([face.corners for face in faces]),
        tuple(
            slice(end - len(f.corners), end) for end, f in zip(ends.tolist(), faces, strict=True)
        ),
        np.array([face.corners.mean(axis=0) for face in faces]),
        np.array([face.normal for face in faces]),
        np.array([face.layer for face in faces]),
        np.array([_COLORS_BGR.get(face.material, (0.0, 0.0, 0.0)) for face in faces]),
        np.array([_PAINT_SHARES.get(face.material, 0.0) for face in faces]),
    )


def _outline(model: int) -> tuple[NDArray[np.float64], list[str]]:
    """Return the outline as rows (x, half the width, z) in metres, and its materials."""
    half_length = CAR_LENGTHS_M[model] / 2
    half_width = CAR_WIDTHS_M[model] / 2
    height = CAR_HEIGHTS_M[model]
    rows = []
    for x, z, _ in _OUTLINES[model]:
        narrower = 0.25 * np.clip((z - 0.66) / 0.34, 0, 1) if model != 3 else 0.06 * (z > 0.6)
        rows.append((x * half_length, half_width * (1 - narrower), z * height))
    return np.array(rows), [material for _, _, material in _OUTLINES[model]]


def _body(model: int) -> list[_Face]:
    outline, materials = _outline(model)
    faces = []
    for start, end, material in zip(outline, outline[1:], materials, strict=False):
        (x0, w0, z0), (x1, w1, z1) = start, end
        corners = [(x0, w0, z0), (x0, -w0, z0), (x1, -w1, z1), (x1, w1, z1)]
        faces.append(_face(corners, material, 1, (-(z1 - z0), 0.0, x1 - x0)))
        if material == 'glass':
            faces.append(_face(_inner(corners, 0.45, 0.92), 'sky', 2, faces[-1].normal))
    rear, front = (i for i, material in enumerate(materials) if material == 'glass')
    for side in (1.0, -1.0):
        turned = outline * (1.0, side, 1.0)
        cabin = turned[rear : front + 2]
        lower = np.vstack([turned[: rear + 1], turned[front + 1 :]])
        shaded = lower.copy()
        shaded[:, 2] = np.minimum(shaded[:, 2], 0.55 * lower[:, 2].max())
        out, inclined = (0.0, side, 0.0), (0.0, side, 0.35)
        faces.append(_face(cabin, 'paint', 1, inclined))
        faces.append(_face(lower, 'paint', 1, out))
        faces.append(_face(shaded, 'shade', 2, out))
        faces.extend(_side_windows(cabin, inclined))
    return faces


def _side_windows(cabin: NDArray[np.float64], normal: tuple[float, ...]) -> list[_Face]:
    """Return the panes of one side, and the pillar between front and rear."""
    middle = (cabin.min(axis=0) + cabin.max(axis=0)) / 2
    low, high = cabin[np.argmin(cabin[:, 2])], cabin[np.argmax(cabin[:, 2])]
    panes = middle + (cabin - middle) * (0.84, 1.0, 0.72)
    pillar = middle + np.array([(-0.04, 0, -1), (0.04, 0, -1), (0.04, 0, 1), (-0.04, 0, 1)]) * (
        1.0, 0.0, 0.36 * (high[2] - low[2]),
    )  # fmt: skip
    for face in (panes, pillar):
        share = (face[:, 2] - low[2]) / (high[2] - low[2])
        face[:, 1] = low[1] + share * (high[1] - low[1])
    return [_face(panes, 'pane', 2, normal), _face(pillar, 'line', 3, normal)]


def _underside(model: int) -> list[_Face]:
    """
    Return what is seen between the wheels: the tyres, and the dark under the floor.

    That belongs to the car down to the ground, so that a car ends where its box does.
    """
    half_length, half_width = CAR_LENGTHS_M[model] / 2, CAR_WIDTHS_M[model] / 2
    faces = []
    for end in (-1.0, 1.0):
        x = end * half_length * 0.99
        floor = _upright(x, (-half_width * 0.985, half_width * 0.985), (0.0, 0.4))
        faces.append(_face(floor, 'under', 0, (end, 0.0, 0.0)))
        x = end * (half_length * 0.6 + 0.28)
        for side in (-1.0, 1.0):
            span = sorted((side * half_width * 0.68, side * half_width * 0.97))
            tyre = _upright(x, (span[0], span[1]), (0.0, 0.4))
            faces.append(_face(tyre, 'tyre', 0, (end, 0.0, 0.0)))
    for side in (-1.0, 1.0):
        y, reach = side * half_width * 0.985, half_length * 0.99
        floor = [(-reach, y, 0.0), (reach, y, 0.0), (reach, y, 0.4), (-reach, y, 0.4)]
        faces.append(_face(floor, 'under', 0, (0.0, side, 0.0)))
    return faces


def _details(model: int) -> list[_Face]:
    half_length, half_width = CAR_LENGTHS_M[model] / 2, CAR_WIDTHS_M[model] / 2
    height, belt = CAR_HEIGHTS_M[model], CAR_HEIGHTS_M[model] * 0.56
    faces = []
    for side in (-1.0, 1.0):
        for x in (-0.6 * half_length, 0.6 * half_length):
            for radius, material, layer in (
                (0.37, 'under', 3),
                (0.32, 'tyre', 4),
                (0.2, 'rim', 5),
            ):
                disc = _disc(x, side * (half_width + 0.005), radius)
                faces.append(_face(disc, material, layer, (0.0, side, 0.0)))
        outer = sorted((side * half_width * 0.62, side * half_width * 0.95))
        tail = _upright(-half_length * 0.995, (outer[0], outer[1]), (belt - 0.22, belt))
        faces.append(_face(tail, 'tail', 3, (-1.0, 0.0, 0.0)))
        lamp = _upright(half_length * 0.99, (outer[0], outer[1]), (belt - 0.26, belt - 0.1))
        faces.append(_face(lamp, 'lamp', 3, (1.0, 0.0, 0.0)))
    grille = _upright(half_length, (-0.45, 0.45), (height * 0.3, belt - 0.12))
    faces.append(_face(grille, 'trim', 3, (1.0, 0.0, 0.0)))
    for end in (-1.0, 1.0):
        plate = _upright(end * half_length * 1.0, (-0.26, 0.26), (0.5, 0.62))
        faces.append(_face(plate, 'plate', 4, (end, 0.0, 0.0)))
    return faces


def _upright(
    x: float, y: tuple[float, float], z: tuple[float, float]
) -> list[tuple[float, float, float]]:
    return [(x, y[0], z[0]), (x, y[1], z[0]), (x, y[1], z[1]), (x, y[0], z[1])]


def _disc(x: float, y: float, radius: float) -> list[tuple[float, float, float]]:
    angles = np.arange(14) * (2 * math.pi / 14)
    return [(x + radius * math.cos(a), y, 0.33 + radius * math.sin(a)) for a in angles]


def _inner(
    corners: list[tuple[float, float, float]], low: float, high: float
) -> list[tuple[float, float, float]]:
    """Return the part of a quad between two shares of the way from its first edge."""
    a, b, c, d = (np.array(p) for p in corners)
    upper = (a, b, c, d) if c[2] > a[2] else (d, c, b, a)
    return [
        tuple(upper[0] + low * (upper[3] - upper[0])),
        tuple(upper[1] + low * (upper[2] - upper[1])),
        tuple(upper[1] + high * (upper[2] - upper[1])),
        tuple(upper[0] + high * (upper[3] - upper[0])),
    ]


def _face(
    corners: list[tuple[float, float, float]] | NDArray[np.float64],
    material: str,
    layer: int,
    normal: tuple[float, ...] | NDArray[np.float64],
) -> _Face:
    direction = np.array(normal, float)
    return _Face(np.array(corners, float), direction / np.linalg.norm(direction), material, layer)
