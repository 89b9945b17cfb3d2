"""ESPNet-A, -B and -C: the encoders, which are segmentation networks of their own."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from espnet_ros.models.base import check_depth, IMAGE_CHANNELS, SegmentationNetwork
from espnet_ros.models.espnet.alternatives import make_stage
from espnet_ros.models.espnet.blocks import ConvNormAct, convolution, InputPyramid, NormAct
from espnet_ros.models.espnet.esp_module import make_downsampler
from espnet_ros.models.espnet.style import EspnetStyle
import torch
from torch import Tensor

STEM_CHANNELS = 16
STAGE2_CHANNELS = 64
STAGE3_CHANNELS = 128

REINFORCED_STEM_CHANNELS = STEM_CHANNELS + IMAGE_CHANNELS
FUSED2_CHANNELS = 2 * STAGE2_CHANNELS + IMAGE_CHANNELS
FUSED3_CHANNELS = 2 * STAGE3_CHANNELS


class EncoderFeatures(NamedTuple):
    """
    What a decoder may take from the encoder; in ESPNet-A and -B without the image.

    :param stem: (N, 16, H / 2, W / 2)
    :param reinforced_stem: (N, 19, H / 2, W / 2), the stem with the image beside it
    :param fused2: (N, 131, H / 4, W / 4), the second stage with its input and the image
    :param logits: (N, classes, H / 8, W / 8)
    """

    stem: Tensor
    reinforced_stem: Tensor
    fused2: Tensor
    logits: Tensor


class EspnetC(SegmentationNetwork):
    """
    ESPNet-C of the paper (figure 4c).

    :param alpha2: modules at a quarter of the image's size (p in the authors' code)
    :param alpha3: modules at an eighth of the image's size (q in the authors' code)
    :param style: choices of :class:`espnet_ros.models.espnet.style.EspnetStyle` by name
    :raises ValueError: fewer than two classes, a depth below one, or no such choice
    :raises TypeError: no such name
    """

    size_multiple: ClassVar[int] = 8
    output_stride: ClassVar[int] = 8

    image_reinforced: ClassVar[bool] = True
    """Whether the image, made smaller, lies beside the features before each halving."""

    stage3_skipped: ClassVar[bool] = True
    """Whether the classifier sees the third stage's input beside its output."""

    def __init__(self, classes: int, alpha2: int = 2, alpha3: int = 8, **style: Any) -> None:
        super().__init__(classes)
        chosen = EspnetStyle(**style)
        self.computes_with_sizes = chosen.module == 'shufflenet'
        image = IMAGE_CHANNELS if self.image_reinforced else 0
        stem = STEM_CHANNELS + image
        fused2 = 2 * STAGE2_CHANNELS + image
        fused3 = FUSED3_CHANNELS if self.stage3_skipped else STAGE3_CHANNELS
        self.image_pyramid = InputPyramid(2)
        self.stem = ConvNormAct(
            IMAGE_CHANNELS, STEM_CHANNELS, 3, stride=2, activation=chosen.activation
        )
        self.fuse1 = NormAct(stem, chosen.activation)
        self.down2 = make_downsampler(stem, STAGE2_CHANNELS, chosen)
        self.stage2 = make_stage(STAGE2_CHANNELS, check_depth('alpha2', alpha2), chosen)
        self.fuse2 = NormAct(fused2, chosen.activation)
        self.down3 = make_downsampler(fused2, STAGE3_CHANNELS, chosen)
        self.stage3 = make_stage(STAGE3_CHANNELS, check_depth('alpha3', alpha3), chosen)
        self.fuse3 = NormAct(fused3, chosen.activation)
        self.classifier = convolution(fused3, classes, 1)

    def features(self, image: Tensor) -> EncoderFeatures:
        """
        Compute the logits and what a decoder takes.

        :param image: (N, 3, H, W), normalised
        """
        images = self.image_pyramid(image) if self.image_reinforced else []
        stem = self.stem(image)
        reinforced_stem = self.fuse1(torch.cat([stem, *images[:1]], dim=1))
        down2 = self.down2(reinforced_stem)
        # The order of the parts differs between the stages; the published weights fix it.
        fused2 = self.fuse2(torch.cat([self.stage2(down2), down2, *images[1:]], dim=1))
        down3 = self.down3(fused2)
        stage3 = self.stage3(down3)
        if self.stage3_skipped:
            stage3 = torch.cat([down3, stage3], dim=1)
        return EncoderFeatures(stem, reinforced_stem, fused2, self.classifier(self.fuse3(stage3)))

    def _logits(self, image: Tensor) -> Tensor:
        return self.features(image).logits


class EspnetB(EspnetC):
    """ESPNet-B of the paper (figure 4b): ESPNet-C without the image beside the features."""

    image_reinforced: ClassVar[bool] = False


class EspnetA(EspnetB):
    """
    ESPNet-A of the paper (figure 4a): ESPNet-B whose classifier sees the last module only.

    The second halving sees input and output of the second stage side by side: the figure leaves
    that open, but only so do the printed parameter numbers of Table 2 come out.
    """

    stage3_skipped: ClassVar[bool] = False
