"""The authors' answers, from the published weights in torch."""

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip('torch')
from espnet_ros.config import RuntimeSettings
from espnet_ros.model_file import ModelFile
from espnet_ros.runtimes.torch import TorchRuntime
from golden import agreement, GOLDEN_IDS, GOLDEN_MAPS, GoldenMap, REQUIRED_AGREEMENT
import numpy as np
import torch


@pytest.mark.parametrize('golden', GOLDEN_MAPS, ids=GOLDEN_IDS)
def test_model_file_answers_as_the_authors_code(
    golden: GoldenMap, shared_data: Path, published_model: Callable[[str], ModelFile]
) -> None:
    model = published_model(golden.model).with_float_image()
    with TorchRuntime(model, RuntimeSettings(device='cpu')) as runtime:
        labels = runtime.infer(golden.float_batch(shared_data)).labels[0]
    assert agreement(labels, golden.labels(shared_data)) >= REQUIRED_AGREEMENT


def test_uint8_pre_processing_is_close_to_the_authors(
    shared_data: Path, published_model: Callable[[str], ModelFile]
) -> None:
    golden = GOLDEN_MAPS[2]
    with TorchRuntime(published_model(golden.model), RuntimeSettings(device='cpu')) as runtime:
        labels = runtime.infer(golden.uint8_batch(shared_data)).labels[0]
    assert agreement(labels, golden.labels(shared_data)) >= 0.995


@pytest.mark.parametrize('golden', [GOLDEN_MAPS[0], GOLDEN_MAPS[6]], ids=['city', 'camvid'])
def test_resizing_floats_first_equals_the_authors_order(
    golden: GoldenMap, shared_data: Path, published_model: Callable[[str], ModelFile]
) -> None:
    """The authors normalise, then resize, then divide by 255."""
    from espnet_ros.runtimes.torch import rebuild_pipeline

    statistics = golden.training_set.normalization
    image = golden.image_bgr(shared_data).astype(np.float32)
    image -= np.float32(statistics.mean_bgr)
    image /= np.float32(statistics.std_bgr)
    theirs = golden.resize(image) / np.float32(255)

    pipeline = rebuild_pipeline(published_model(golden.model))
    batch = torch.from_numpy(golden.float_batch(shared_data)).permute(0, 3, 1, 2)
    ours = ((batch - pipeline.mean) * pipeline.scale)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-7)
