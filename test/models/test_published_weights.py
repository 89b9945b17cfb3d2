"""Published weights of other networks see on real images what ESPNet sees."""

from __future__ import annotations

from pathlib import Path

from espnet_ros.models.checkpoints import load_checkpoint
from espnet_ros.models.pipeline import SegmentationPipeline
from golden import CAMVID_FRAMES, CITYSCAPES_FRAME, GOLDEN_MAPS
import numpy as np
import pytest
import torch

GOLDEN = {
    golden.frame: golden for golden in GOLDEN_MAPS if golden.model.startswith('espnet_p2_q8')
}
ALIKE = 0.85
"""Networks of one data set disagree at edges and on what is rare, not on the street."""


@pytest.mark.parametrize(
    ('checkpoint', 'frame'),
    [
        ('espnetv2/espnetv2_s_2.0_city_1024x512.pth', CITYSCAPES_FRAME),
        ('espnetv2/espnetv2_s_0.5_city_1024x512.pth', CITYSCAPES_FRAME),
        *(('enet/enet_camvid_davidtvs_921e40c1.pth', frame) for frame in CAMVID_FRAMES),
    ],
)
def test_other_networks_see_the_same_street(
    shared_data: Path, checkpoint: str, frame: str
) -> None:
    weights = load_checkpoint(shared_data / 'weights' / checkpoint)
    normalization = weights.training_set.normalization
    pipeline = SegmentationPipeline(weights.build_network(), normalization).eval()
    golden = GOLDEN[frame]
    with torch.inference_mode():
        found, _ = pipeline(torch.from_numpy(golden.uint8_batch(shared_data)))
    expected = golden.labels(shared_data)
    named = expected != golden.training_set.classes - 1
    assert np.mean(found[0].numpy()[named] == expected[named]) >= ALIKE
