"""Other ways to segment see the same as ours, so that only their time differs."""

from __future__ import annotations

from pathlib import Path

from espnet_ros.config import RuntimeSettings
from espnet_ros.exceptions import ModelError
from espnet_ros.model_file import ModelFile
from espnet_ros.segmenter import Segmenter
from espnet_ros.sources import Frame, open_source
import numpy as np
from numpy.typing import NDArray
import pytest

pytest.importorskip('torch', reason='no torch')
pytest.importorskip('onnxruntime', reason='no onnxruntime')

from espnet_ros.export.onnx_export import export_checkpoint
from espnet_ros.peers.authors import AuthorsWay
from espnet_ros.peers.nav2_demo import Nav2DemoWay
from espnet_ros.runtimes.onnxruntime import OnnxRuntime

pytestmark = pytest.mark.slow

SIZE = (128, 256)
CHECKPOINTS = ('espnet_p_2_q_3.pth', 'espnet_c_p_2_q_3.pth')


@pytest.fixture(scope='module', params=CHECKPOINTS)
def model(request: pytest.FixtureRequest, shared_data: Path) -> ModelFile:
    """Return a published network, with and without a decoder."""
    return export_checkpoint(shared_data / 'weights' / 'espnet' / request.param, input_size=SIZE)


@pytest.fixture(scope='module')
def street_bgr() -> NDArray[np.uint8]:
    with open_source('synthetic', size=SIZE) as source:
        return next(frame.image_bgr for frame in source if isinstance(frame, Frame))


@pytest.mark.parametrize('way', [AuthorsWay, Nav2DemoWay])
def test_peer_sees_what_we_see(
    way: type[AuthorsWay | Nav2DemoWay], model: ModelFile, street_bgr: NDArray[np.uint8]
) -> None:
    with Segmenter(OnnxRuntime(model, RuntimeSettings(threads=1))) as segmenter:
        ours = segmenter.segment([street_bgr])[0].labels
    before = street_bgr.copy()
    theirs, stages = way(model, SIZE, 1).segment(street_bgr)
    assert theirs.shape == ours.shape
    assert (theirs == ours).mean() > 0.995
    assert min(stages.prepare_s, stages.inference_s, stages.finish_s) > 0
    assert (street_bgr == before).all()


def test_foreign_model_is_refused(channel_model: ModelFile) -> None:
    for way in (AuthorsWay, Nav2DemoWay):
        with pytest.raises(ModelError):
            way(channel_model, SIZE)
