"""The data sets that the published weights were trained on, as the networks need them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from espnet_ros.exceptions import ModelError

CHANNEL_ORDERS = ('bgr', 'rgb')


@dataclass(frozen=True)
class Normalization:
    """
    How images are normalised: (value - mean) / std / 255.

    So the authors of ESPNet do it, with all three on the scale 0..255; with a standard deviation
    on the scale 0..1 it is the way that everybody else does it.

    :param mean_bgr: mean of blue, green, red, on the scale 0..255
    :param std_bgr: standard deviation of blue, green, red
    :param channel_order: in which the network takes them, ``bgr`` or ``rgb``
    :raises ValueError: not three channels, a standard deviation that is not above zero, or
        another order
    """

    mean_bgr: tuple[float, float, float]
    std_bgr: tuple[float, float, float]
    channel_order: str = 'bgr'

    def __post_init__(self) -> None:
        if len(self.mean_bgr) != 3 or len(self.std_bgr) != 3:
            raise ValueError(
                'expected mean and standard deviation of blue, green and red, found '
                f'{self.mean_bgr} and {self.std_bgr}'
            )
        if not all(std > 0 for std in self.std_bgr):
            raise ValueError(f'expected standard deviations above 0, found {self.std_bgr}')
        if self.channel_order not in CHANNEL_ORDERS:
            raise ValueError(
                f'channel_order: expected one of {", ".join(CHANNEL_ORDERS)}, '
                f'found {self.channel_order!r}'
            )


@dataclass(frozen=True)
class TrainingSet:
    """
    A data set that weights were trained on.

    :param label_set: name of the label set that ships with the package
    :param classes: classes that the networks predict, void included
    :param input_size: (height, width) in pixels that the networks were evaluated at
    """

    name: str
    label_set: str
    classes: int
    input_size: tuple[int, int]
    normalization: Normalization


CITYSCAPES = TrainingSet(
    name='Cityscapes',
    label_set='cityscapes',
    classes=20,
    input_size=(512, 1024),
    # test/VisualizeResults.py of the authors.
    normalization=Normalization(
        (72.3923111, 82.90893555, 73.15840149), (45.3192215, 46.15289307, 44.91483307)
    ),
)

CAMVID = TrainingSet(
    name='CamVid',
    label_set='camvid',
    classes=12,
    input_size=(360, 480),
    # Not published; computed from the 367 training images with the authors' train/loadData.py.
    # They reproduce the published accuracy of 55.64 mIoU and 68.30 class average.
    normalization=Normalization(
        (110.33102643, 108.40886315, 105.03319369), (72.12571015, 72.69074534, 69.90434816)
    ),
)

TRAINING_SETS = (CITYSCAPES, CAMVID)

NORMALIZATIONS = {
    # Those of ImageNet: mean .485 .456 .406, deviation .229 .224 .225, red first.
    'espnetv2': Normalization((103.53, 116.28, 123.675), (0.225, 0.224, 0.229), 'rgb'),
    'enet': Normalization((0.0, 0.0, 0.0), (1.0, 1.0, 1.0), 'rgb'),
}
"""Of published weights, for architectures with the same one whatever they were trained on."""


def training_set_of(classes: int, architecture: str = 'espnet') -> TrainingSet:
    """
    Return the data set that published weights with so many classes were trained on.

    :param architecture: key of the model registry, which decides on the normalisation
    :raises ModelError: there are none
    """
    for training_set in TRAINING_SETS:
        if training_set.classes == classes:
            normalization = NORMALIZATIONS.get(architecture, training_set.normalization)
            return replace(training_set, normalization=normalization)
    known = ' or '.join(f'{entry.classes} ({entry.name})' for entry in TRAINING_SETS)
    raise ModelError(
        f'expected a checkpoint with {known} classes, as the published ones have, found '
        f'{classes}; give its label set and normalisation'
    )
