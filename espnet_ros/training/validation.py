"""The confusion matrix of a network on a labelled data set, in torch, at native resolution."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from espnet_ros.datasets.base import LabelledDataset, Sample
from espnet_ros.evaluation.metrics import ConfusionMatrix
from espnet_ros.models.pipeline import SegmentationPipeline
from espnet_ros.training.devices import Compute
import torch
from torch import Tensor
from torch.nn import functional


@torch.no_grad()
def validate(
    pipeline: SegmentationPipeline, dataset: LabelledDataset, compute: Compute
) -> ConfusionMatrix:
    """
    Segment every image of a data set and count.

    Images whose size the network does not take are padded at the right and below.

    :param pipeline: in evaluation mode, on the device
    :raises InputError: a file of the data set cannot be used; it is named
    """
    matrix = ConfusionMatrix(len(dataset.label_set.classes))
    with ThreadPoolExecutor(1, 'validation') as pool:
        waiting = pool.submit(dataset.load, 0)
        for index in range(len(dataset)):
            sample = waiting.result()
            if index + 1 < len(dataset):
                waiting = pool.submit(dataset.load, index + 1)
            matrix.add(sample.labels, _segment(pipeline, sample, compute).numpy())
    return matrix


def _segment(pipeline: SegmentationPipeline, sample: Sample, compute: Compute) -> Tensor:
    height, width = sample.labels.shape
    multiple = pipeline.network.size_multiple
    image = torch.from_numpy(sample.image_bgr)[None].to(compute.device)
    image = functional.pad(image, (0, 0, 0, -width % multiple, 0, -height % multiple))
    with compute.autocast():
        logits = pipeline.logits(image)
    return pipeline.labels(logits.float())[0, :height, :width].cpu()
