"""From the camera's image to class ids: all that a model file computes."""

from __future__ import annotations

from espnet_ros.models.base import SegmentationNetwork
from espnet_ros.models.training_sets import Normalization
import torch
from torch import nn, Tensor
from torch.nn import functional


class SegmentationPipeline(nn.Module):
    """
    Normalisation, network, upsampling, argmax and softmax in one module.

    :param normalization: what its weights were trained with
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, network: SegmentationNetwork, normalization: Normalization) -> None:
        super().__init__()
        self.network = network
        self.channel_order = normalization.channel_order
        std = torch.tensor(normalization.std_bgr, dtype=torch.float64)
        mean = torch.tensor(normalization.mean_bgr, dtype=torch.float64)
        self.register_buffer('mean', mean.float().view(1, 3, 1, 1))
        self.register_buffer('scale', (1 / (255 * std)).float().view(1, 3, 1, 1))

    def forward(self, image_bgr: Tensor) -> tuple[Tensor, Tensor]:
        """
        Segment a batch of images.

        :param image_bgr: uint8 or float32, (N, H, W, 3), BGR, 0..255; H and W multiples of the
            network's ``size_multiple``
        :return: class ids, uint8, (N, H, W); and the winning class's softmax probability times
            255, rounded, uint8, (N, H, W)
        """
        logits = self.logits(image_bgr)
        return self.labels(logits), self.confidence(logits)

    def logits(self, image_bgr: Tensor) -> Tensor:
        """
        Return the logits at the size of the image.

        :param image_bgr: as :meth:`forward` takes it
        :return: float, (N, classes, H, W)
        """
        image = self.normalize(image_bgr)
        logits: Tensor = self.network(image.to(next(self.network.parameters()).dtype))
        if self.network.output_stride > 1:
            logits = functional.interpolate(
                logits,
                scale_factor=float(self.network.output_stride),
                mode='bilinear',
                align_corners=False,
            )
        return logits

    def normalize(self, image_bgr: Tensor) -> Tensor:
        """
        Return the images as the network takes them.

        :return: float32, (N, 3, H, W), in the network's channel order
        """
        # The cast comes first, before any change of layout: TensorRT takes uint8 no other way.
        image = image_bgr.float().permute(0, 3, 1, 2)
        image = (image - self.mean) * self.scale
        if self.channel_order == 'rgb':
            image = torch.cat([image.narrow(1, channel, 1) for channel in (2, 1, 0)], dim=1)
        return image

    @staticmethod
    def labels(logits: Tensor) -> Tensor:
        # By way of float: TensorRT casts nothing else to uint8.
        return logits.argmax(dim=1).float().to(torch.uint8)

    @staticmethod
    def confidence(logits: Tensor) -> Tensor:
        """Return the highest softmax probability times 255, rounded, uint8, (N, H, W)."""
        probability = functional.softmax(logits.float(), dim=1).amax(dim=1)
        return (probability * 255).round().to(torch.uint8)
