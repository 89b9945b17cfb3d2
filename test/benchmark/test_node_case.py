"""What a case of the nodes' benchmark allows, and what the device alone would give."""

from __future__ import annotations

from pathlib import Path

from espnet_ros.benchmark.node_case import FREE_SPACE, NodeCase, SEGMENTATION
from espnet_ros.exceptions import ConfigError
import pytest


@pytest.mark.parametrize(
    ('camera_rate_hz', 'device_latency_ms', 'inference_s', 'best_hz'),
    [
        (60.0, 5.0, None, 60.0),
        (60.0, 50.0, None, 20.0),
        (0.0, 5.0, 1.0, 200.0),
        (60.0, None, 0.05, 20.0),
        (60.0, None, None, 60.0),
        (0.0, None, None, None),
    ],
)
def test_the_device_alone_gives_what_camera_and_device_allow(
    camera_rate_hz: float,
    device_latency_ms: float | None,
    inference_s: float | None,
    best_hz: float | None,
) -> None:
    case = NodeCase(camera_rate_hz=camera_rate_hz, device_latency_ms=device_latency_ms)
    assert case.best_rate_hz(inference_s) == best_hz


def test_a_single_camera_has_no_name() -> None:
    assert NodeCase().camera_names == ('',)
    assert NodeCase(cameras=2).camera_names == ('camera_0', 'camera_1')


def test_the_mask_is_always_heard_where_there_is_one() -> None:
    assert NodeCase(outputs=('overlay', 'mask')).heard == ('mask', 'overlay')
    assert NodeCase(nodes=(FREE_SPACE,)).heard == ()


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(ConfigError, match=r'expected some of mask, .*found masc'):
        NodeCase(outputs=('masc',))
    with pytest.raises(ConfigError, match='rendered street'):
        NodeCase(nodes=(SEGMENTATION, FREE_SPACE), image_path=Path('a.png'))
    with pytest.raises(ConfigError, match='no device'):
        NodeCase(nodes=(FREE_SPACE,), device_latency_ms=5.0)
