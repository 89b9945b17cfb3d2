"""
The golden label maps: what the authors' own code answers on real images.

Each was computed from one image and one published checkpoint with the authors' float
pre-processing. See the shared data's README.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
from espnet_ros.models.training_sets import CAMVID, CITYSCAPES, TrainingSet
import numpy as np
from numpy.typing import NDArray

CITYSCAPES_FRAME = 'frankfurt_000000_000294_leftImg8bit'
CAMVID_FRAMES = ('0016E5_07959', '0016E5_08057', '0016E5_08137')

REQUIRED_AGREEMENT = 0.999


@dataclass(frozen=True)
class GoldenMap:
    """
    One golden label map.

    :param frame: name of the image without suffix
    :param model: name of the published model
    :param checkpoint: name of the checkpoint in the shared data
    :param golden: name of the label map in the shared data
    :param training_set: what the checkpoint was trained on
    """

    frame: str
    model: str
    checkpoint: str
    golden: str
    training_set: TrainingSet

    def image_bgr(self, data: Path) -> NDArray[np.uint8]:
        """Return the image as the camera gave it, uint8, (H, W, 3)."""
        folder = 'camvid/val' if self.training_set is CAMVID else 'frames'
        return cv2.imread(str(data / folder / f'{self.frame}.png'))

    def labels(self, data: Path) -> NDArray[np.uint8]:
        """Return the authors' answer, uint8, (H, W)."""
        return cv2.imread(str(data / 'golden' / self.golden), cv2.IMREAD_GRAYSCALE)

    def resize(self, image: NDArray[np.generic]) -> NDArray[np.generic]:
        """Resize as the authors do, bilinear; CamVid's images have the size already."""
        height, width = self.training_set.input_size
        return cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)

    def float_batch(self, data: Path) -> NDArray[np.float32]:
        """Return the input of ``ModelFile.with_float_image``, (1, H, W, 3)."""
        return self.resize(self.image_bgr(data).astype(np.float32))[np.newaxis]

    def uint8_batch(self, data: Path) -> NDArray[np.uint8]:
        """Return the input of the model file as it is, (1, H, W, 3)."""
        return self.resize(self.image_bgr(data))[np.newaxis]


def _cityscapes(role: str, depth: int) -> GoldenMap:
    infix = 'c_' if role == 'encoder' else ''
    return GoldenMap(
        CITYSCAPES_FRAME,
        f'espnet_{infix}p2_q{depth}_cityscapes',
        f'espnet_{infix}p_2_q_{depth}.pth',
        f'{CITYSCAPES_FRAME}__{role}_espnet_p_2_q_{depth}.png',
        CITYSCAPES,
    )


GOLDEN_MAPS = (
    *(_cityscapes('decoder', depth) for depth in (3, 5, 8)),
    *(_cityscapes('encoder', depth) for depth in (3, 5, 8)),
    *(
        GoldenMap(
            frame,
            'espnet_p2_q8_camvid',
            'espnet_p_2_q_8_camvid.pth',
            f'{frame}__decoder_espnet_p_2_q_8_camvid.png',
            CAMVID,
        )
        for frame in CAMVID_FRAMES
    ),
)
GOLDEN_IDS = tuple(f'{golden.model}-{golden.frame[:11]}' for golden in GOLDEN_MAPS)


def agreement(found: NDArray[np.uint8], expected: NDArray[np.uint8]) -> float:
    """Return the share of pixels that are equal, 0 to 1."""
    return float(np.mean(found == expected))
