import pytest

pytest.importorskip('torch')
from espnet_ros.models.base import SegmentationNetwork
from espnet_ros.models.pipeline import SegmentationPipeline
from espnet_ros.models.registry import create_model
from espnet_ros.models.training_sets import Normalization
import torch
from torch import Tensor

NORMALIZATION = Normalization((10.0, 20.0, 30.0), (2.0, 4.0, 8.0))


class Identity(SegmentationNetwork):
    """Answers with its input."""

    size_multiple = 1
    output_stride = 1

    def __init__(self) -> None:
        super().__init__(3)
        self.unused = torch.nn.Parameter(torch.zeros(1))

    def _logits(self, image: Tensor) -> Tensor:
        return image


def test_image_is_normalised_by_channel_in_bgr_order() -> None:
    pipeline = SegmentationPipeline(Identity(), NORMALIZATION)
    image = torch.tensor([[[[12, 16, 38], [255, 0, 30]]]], dtype=torch.uint8)
    expected = torch.tensor([[1.0, -1.0, 1.0], [122.5, -5.0, 0.0]]) / 255
    torch.testing.assert_close(pipeline.logits(image)[0, :, 0].T, expected)


def test_network_that_takes_red_first_gets_it_first() -> None:
    normalization = Normalization((10.0, 20.0, 30.0), (2.0, 4.0, 8.0), 'rgb')
    pipeline = SegmentationPipeline(Identity(), normalization)
    image = torch.tensor([[[[14, 16, 54]]]], dtype=torch.uint8)
    expected = torch.tensor([3.0, -1.0, 2.0]) / 255
    torch.testing.assert_close(pipeline.logits(image)[0, :, 0, 0], expected)


def test_float_image_gives_what_its_uint8_twin_gives() -> None:
    pipeline = SegmentationPipeline(create_model('espnet', classes=5).eval(), NORMALIZATION)
    image = torch.randint(0, 256, (1, 16, 24, 3), dtype=torch.uint8)
    for of_uint8, of_float in zip(pipeline(image), pipeline(image.float()), strict=True):
        assert torch.equal(of_uint8, of_float)


def test_labels_and_confidence_of_known_logits() -> None:
    logits = torch.log(torch.tensor([[0.1, 0.2, 0.7], [0.6, 0.4, 0.0]])).T.reshape(1, 3, 1, 2)
    labels = SegmentationPipeline.labels(logits)
    confidence = SegmentationPipeline.confidence(logits)
    assert labels.dtype == confidence.dtype == torch.uint8
    assert labels.tolist() == [[[2, 0]]]
    assert confidence.tolist() == [[[178, 153]]]  # 0.7 and 0.6 of 255, rounded


def test_full_confidence_is_255() -> None:
    logits = torch.tensor([200.0, 0.0]).reshape(1, 2, 1, 1)
    assert SegmentationPipeline.confidence(logits).item() == 255


@pytest.mark.parametrize('architecture', ['espnet', 'espnet_c'])
def test_outputs_have_the_size_of_the_image(architecture: str) -> None:
    pipeline = SegmentationPipeline(create_model(architecture, classes=3).eval(), NORMALIZATION)
    labels, confidence = pipeline(torch.zeros(2, 16, 40, 3, dtype=torch.uint8))
    assert labels.shape == confidence.shape == (2, 16, 40)


def test_network_in_other_precision_gets_its_own_type() -> None:
    network = create_model('espnet', classes=3).eval().to(torch.bfloat16)
    pipeline = SegmentationPipeline(network, NORMALIZATION)
    labels, confidence = pipeline(torch.zeros(1, 8, 8, 3, dtype=torch.uint8))
    assert labels.dtype == confidence.dtype == torch.uint8
