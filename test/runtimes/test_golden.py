"""The runtimes answer as the authors' own code does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import sys

from espnet_ros.config import MaskSettings, RuntimeSettings
from espnet_ros.exceptions import RuntimeUnavailableError
from espnet_ros.model_file import ModelFile
from espnet_ros.runtimes.factory import open_runtime, runtime_report
from espnet_ros.segmenter import Segmenter
from golden import agreement, GOLDEN_IDS, GOLDEN_MAPS, GoldenMap, REQUIRED_AGREEMENT
import pytest

USABLE = [status.name for status in runtime_report() if status.usable]
RUNTIMES = [name for name in ('openvino', 'onnxruntime') if name in USABLE]
DEVICE_RUNTIMES = [*RUNTIMES, *(name for name in ('torch',) if name in USABLE)]

MEAN_UINT8_AGREEMENT = 0.997
LOWEST_UINT8_AGREEMENT = 0.994
BF16_AGREEMENT = 0.99


@pytest.fixture
def answer(shared_data: Path) -> Callable[..., float]:
    """Return a function that gives the agreement of a runtime with a golden label map."""

    def compare(
        model: ModelFile, golden: GoldenMap, runtime: str, precision: str, resize: str = 'host'
    ) -> float:
        settings = RuntimeSettings(runtime=runtime, precision=precision, resize=resize)
        opened = open_runtime(model, settings)
        with Segmenter(opened, MaskSettings(mask_size='network')) as segmenter:
            found = segmenter.segment([golden.image_bgr(shared_data)])[0]
        share = agreement(found.labels, golden.labels(shared_data))
        # With pytest -rP the lines are the table of docs/benchmark.md.
        case = f'{model.info.name} {runtime} {precision} {resize} {golden.frame}'
        sys.stdout.write(f'agreement {100 * share:.3f} % {case}\n')
        return share

    return compare


@pytest.mark.parametrize('runtime', RUNTIMES)
@pytest.mark.parametrize('golden', GOLDEN_MAPS, ids=GOLDEN_IDS)
def test_float_pre_processing_is_that_of_the_authors(answer, published_model, golden, runtime):
    model = published_model(golden.model).with_float_image()
    assert answer(model, golden, runtime, 'fp32') >= REQUIRED_AGREEMENT


@pytest.mark.parametrize('runtime', DEVICE_RUNTIMES)
@pytest.mark.parametrize('golden', GOLDEN_MAPS, ids=GOLDEN_IDS)
def test_the_resize_in_the_graph_is_that_of_the_authors(answer, published_model, golden, runtime):
    """The camera's bytes, at their own size: nothing is rounded on the way to the network."""
    found = answer(published_model(golden.model), golden, runtime, 'fp32', 'device')
    assert found >= REQUIRED_AGREEMENT


@pytest.mark.skipif(not RUNTIMES, reason='needs openvino or onnxruntime')
def test_uint8_pre_processing_is_close_to_the_authors(answer, published_model):
    """Rounding resized images to bytes costs the smallest networks more than half a percent."""
    found = [answer(published_model(g.model), g, RUNTIMES[0], 'fp32') for g in GOLDEN_MAPS]
    assert sum(found) / len(found) >= MEAN_UINT8_AGREEMENT
    assert min(found) >= LOWEST_UINT8_AGREEMENT


@pytest.mark.parametrize('golden', GOLDEN_MAPS, ids=GOLDEN_IDS)
def test_bf16_changes_few_pixels(answer, published_model, golden):
    try:
        found = answer(published_model(golden.model), golden, 'openvino', 'bf16')
    except RuntimeUnavailableError as error:
        pytest.skip(str(error))
    assert found >= BF16_AGREEMENT
