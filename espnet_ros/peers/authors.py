"""
The authors' way: normalisation in numpy, PyTorch in eager mode.

As ``test/VisualizeResults.py`` of github.com/sacmehta/ESPNet does it: the image is normalised
as float32 at its full size, channel by channel, resized, divided by 255, and run through the
network; the label map has the network's size.
"""

from __future__ import annotations

from time import perf_counter

import cv2
from espnet_ros.model_file import ModelFile
from espnet_ros.peers.base import Peer
from espnet_ros.runtimes.torch import rebuild_pipeline
from espnet_ros.segmentation import StageTimes
import numpy as np
from numpy.typing import NDArray
import torch
from torch.nn import functional


class AuthorsWay(Peer):
    """
    Segments as the authors' script does.

    :param size: (height, width) of the network's input
    :param threads: CPU threads; 0 leaves PyTorch's own choice
    """

    runtime = 'torch'

    def __init__(self, model: ModelFile, size: tuple[int, int], threads: int = 0) -> None:
        pipeline = rebuild_pipeline(model)
        if threads:
            torch.set_num_threads(threads)
        has_cuda = torch.cuda.is_available()
        self.device = torch.cuda.get_device_name() if has_cuda else 'CPU'
        self._torch_device = torch.device('cuda' if has_cuda else 'cpu')
        self._network = pipeline.network.to(self._torch_device)
        self._mean = pipeline.mean.flatten().numpy()
        self._std = 1 / (255 * pipeline.scale.flatten().numpy())
        self._size = size

    def segment(self, image_bgr: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], StageTimes]:
        started = perf_counter()
        tensor = self._prepare(image_bgr).to(self._torch_device)
        prepared = perf_counter()
        with torch.no_grad():
            logits = self._network(tensor)
            if self._network.output_stride > 1:
                scale = float(self._network.output_stride)
                logits = functional.interpolate(logits, scale_factor=scale, mode='bilinear')
        if self._torch_device.type == 'cuda':
            torch.cuda.synchronize()
        inferred = perf_counter()
        labels = logits[0].max(0)[1].byte().cpu().numpy()
        finished = perf_counter()
        return labels, StageTimes(prepared - started, inferred - prepared, finished - inferred)

    def _prepare(self, image_bgr: NDArray[np.uint8]) -> torch.Tensor:
        image = image_bgr.astype(np.float32)
        for channel in range(3):
            image[:, :, channel] -= self._mean[channel]
        for channel in range(3):
            image[:, :, channel] /= self._std[channel]
        image = np.asarray(cv2.resize(image, (self._size[1], self._size[0])), np.float32)
        image /= 255
        return torch.from_numpy(image.transpose((2, 0, 1)).copy()).unsqueeze(0)
