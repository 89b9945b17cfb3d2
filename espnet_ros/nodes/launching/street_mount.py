"""How the synthetic street's camera is mounted, for a free space node that no transform tells."""

from __future__ import annotations

from espnet_ros.settings import Value


def street_mount() -> dict[str, Value]:
    """Return the free space node's parameters for the camera of the street, by name."""
    from espnet_ros.sources.street.source import HEIGHT_M, PITCH_RAD  # noqa: PLC0415  (OpenCV)

    return {
        'pose_source': 'parameters',
        'mount.height_m': (HEIGHT_M,),
        'mount.pitch_rad': (PITCH_RAD,),
    }
