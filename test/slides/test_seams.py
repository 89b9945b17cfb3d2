"""ESPNet by tiles and as a whole: the same masks out of reach of the tiles' borders, no seam."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
from espnet_ros.config import RuntimeSettings
from espnet_ros.labels import LabelSet
from espnet_ros.model_file import ModelFile, ModelInfo
from espnet_ros.slides.scorer import TileScorer, with_scores
from espnet_ros.slides.tiling import blended_bands, Tiling
import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='makes the network')
pytest.importorskip('onnxscript', reason='exports the network')
pytest.importorskip('onnxruntime', reason='runs the network')

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

SIZE, TILE, OVERLAP = (1536, 2048), 1024, 512
TILING = Tiling(SIZE, TILE, OVERLAP)
CLASSES = 4
REACH = 432
"""So far away a pixel may change the scores of another in an ESPNet of one module each level."""


@dataclass(frozen=True, eq=False)
class Scores:
    """
    Scores of one picture.

    :param whole: by the network as a whole, float32, (classes, H, W)
    :param tiled: blended, likewise
    :param masks: of the blended ones, uint8, (H, W)
    """

    whole: np.ndarray
    tiled: np.ndarray
    masks: np.ndarray


def small_espnet() -> ModelFile:
    """Return an ESPNet of random weights."""
    from espnet_ros.export.onnx_export import export_network
    from espnet_ros.models.registry import create_model
    from espnet_ros.models.training_sets import Normalization

    arguments = {'classes': CLASSES, 'alpha2': 1, 'alpha3': 1}
    torch.manual_seed(3)
    network = create_model('espnet', **arguments).train()
    # Random weights tell pictures apart once each layer is normalised to what it sees.
    image = torch.from_numpy((tissue()[:512, :512].astype(np.float32) - 110) / 60 / 255)
    with torch.no_grad():
        for _ in range(20):
            network(image.permute(2, 0, 1)[None])
    network.eval()
    info = ModelInfo(
        name='small_espnet',
        architecture='espnet',
        architecture_arguments=tuple(arguments.items()),
        input_size=(64, 64),
        label_set=LabelSet.from_names(tuple('abcd')),
        training_set='none',
        license='Apache-2.0',
    )
    normalization = Normalization((110.0, 110.0, 110.0), (60.0, 60.0, 60.0))
    return export_network(network, normalization, info)


def tissue() -> np.ndarray:
    """Return a picture of stains with grain, the same all over."""
    random = np.random.default_rng(1)
    stains = random.integers(0, 256, (SIZE[0] // 32, SIZE[1] // 32, 3), np.uint8)
    picture = cv2.resize(stains, SIZE[::-1], interpolation=cv2.INTER_CUBIC).astype(int)
    return (picture + random.integers(-20, 20, picture.shape)).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope='module')
def scores() -> Scores:
    """Return the scores of a picture as a whole and by tiles."""
    import onnxruntime

    model, picture = small_espnet(), tissue()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        with_scores(model).data, options, providers=['CPUExecutionProvider']
    )
    (whole,) = session.run(['labels'], {'image': picture[None]})
    parts: list[np.ndarray] = []

    def keep(part: np.ndarray) -> np.ndarray:
        parts.append(part.copy())
        return part.argmax(axis=0).astype(np.uint8)

    def read(top: int, left: int, height: int, width: int) -> np.ndarray:
        return picture[top : top + height, left : left + width]

    scorer = TileScorer(model, RuntimeSettings(runtime='onnxruntime', threads=1), TILE)
    try:
        masks = list(blended_bands(TILING, read, scorer.score, keep))
    finally:
        scorer.close()
    across = TILING.counts[1]
    rows = [np.concatenate(parts[i : i + across], 2) for i in range(0, len(parts), across)]
    return Scores(whole[0], np.concatenate(rows, 1), np.concatenate(masks))


def is_out_of_reach(length: int) -> np.ndarray:
    """Tell for each row or column whether no border of a tile that covers it is in reach."""
    clear = np.ones(length, bool)
    for start in range(0, length - OVERLAP, TILE - OVERLAP):
        if start > 0:
            clear[start : start + REACH] = False
        if start + TILE < length:
            clear[start + TILE - REACH : start + TILE] = False
    return clear


def test_masks_by_tiles_are_those_of_the_picture_as_a_whole_out_of_reach_of_borders(
    scores: Scores,
) -> None:
    clear = np.ix_(*map(is_out_of_reach, SIZE))
    expected = scores.whole.argmax(axis=0)
    assert len(np.unique(expected)) >= 2
    assert scores.masks[clear].size > scores.masks.size // 4
    assert np.array_equal(scores.masks[clear], expected[clear])
    assert np.abs(scores.tiled - scores.whole)[:, clear[0], clear[1]].max() < 1e-4
    assert 0.95 < np.mean(scores.masks == expected) < 1, 'elsewhere borders are felt'


@pytest.mark.parametrize('axis', [1, 2], ids=['rows', 'columns'])
def test_scores_go_across_borders_of_tiles_as_they_do_elsewhere(scores: Scores, axis: int) -> None:
    others = tuple(i for i in range(3) if i != axis)
    steps = np.abs(np.diff(scores.tiled, axis=axis)).mean(axis=others)
    for border in range(TILE - OVERLAP, SIZE[axis - 1], TILE - OVERLAP):
        for place in (border - 1, border):
            # The network enlarges its scores eightfold: what repeats with that is no seam.
            elsewhere = steps[place % 8 :: 8]
            assert steps[place] < 1.1 * np.percentile(elsewhere, 95)
