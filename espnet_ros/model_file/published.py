"""
Published weights, and where they are: those of ESPNet's authors, and of networks like it.

The order is that of preference, for whoever has several and names none. ESPNet comes before
ESPNet-C because its decoder gives edges at the size of the image; the deepest comes first
because it is the one with published accuracy, and on a robot a smaller one gains little time
(4.7, 3.9 and 3.4 GMAC at 1024x512). CamVid comes last: it has fewer classes, and images of
480x360 from one city. The networks that ESPNet is compared with come behind its own, though
ESPNetv2 is the more accurate: nobody gets one who did not ask for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.exceptions import ModelError

RAW = 'https://raw.githubusercontent.com'


@dataclass(frozen=True)
class Origin:
    """
    A repository at one commit.

    :param repository: owner and name on GitHub
    :param folder: what its weights' folder is called in a mirror
    """

    repository: str
    commit: str
    license: str
    folder: str


ESPNET = Origin(
    'sacmehta/ESPNet',
    'afe71c38edaee3514ca44e0adcafdf36109bf437',
    'MIT, Copyright (c) 2018 Sachin Mehta',
    'espnet',
)
EDGENETS = Origin(
    'sacmehta/EdgeNets',
    '2b232d3f7fb60658755dad1ebca0ffc895cc795e',
    'MIT, Copyright (c) 2021 Sachin Mehta',
    'espnetv2',
)
PYTORCH_ENET = Origin(
    'davidtvs/PyTorch-ENet',
    '921e40c1ff0323eeeb7a3ad36a1b00486bb1e0f2',
    'MIT, Copyright (c) 2018 davidtvs (the licence is of a later commit than the weights)',
    'enet',
)

CITYSCAPES_ACCURACY = (
    'Cityscapes test: 60.336 mIoU of classes, 82.178 mIoU of categories '
    '(README of github.com/sacmehta/ESPNet)'
)
CAMVID_ACCURACY = (
    'CamVid test: 55.64 mIoU of 11 classes, void counted as false positives, 68.30 class '
    'average (README of github.com/sacmehta/ESPNet)'
)
ENET_ACCURACY = (
    'CamVid test: 51.03 mIoU of 11 classes, void counted as false positives, 68.31 class '
    'average (measured by this project; the paper of ENet has 51.3 and 68.3)'
)


@dataclass(frozen=True)
class PublishedModel:
    """
    Published weights.

    :param path: where they lie in the authors' repository
    :param file_name: what they are called in a mirror
    :param accuracy: as published, with protocol and source; empty where none was
    """

    name: str
    path: str
    file_name: str
    sha256: str
    size_bytes: int
    classes: int
    parameters: int
    training_set: str = 'Cityscapes'
    accuracy: str = ''
    origin: Origin = ESPNET

    @property
    def license(self) -> str:
        return self.origin.license

    @property
    def address(self) -> str:
        """Return the address of the file, fixed to one commit."""
        return f'{RAW}/{self.origin.repository}/{self.origin.commit}/{self.path}'

    @property
    def mirror_path(self) -> str:
        return f'{self.origin.folder}/{self.file_name}'


def _espnetv2(
    scale: str, sha256: str, size_bytes: int, parameters: int, miou: float
) -> PublishedModel:
    file_name = f'espnetv2_s_{scale}_city_1024x512.pth'
    return PublishedModel(
        name=f'espnetv2_s{scale.replace(".", "_")}_cityscapes',
        path=f'model/segmentation/model_zoo/espnetv2/{file_name}',
        file_name=file_name,
        sha256=sha256,
        size_bytes=size_bytes,
        classes=20,
        parameters=parameters,
        accuracy=f'Cityscapes val: {miou} mIoU of classes (github.com/sacmehta/EdgeNets)',
        origin=EDGENETS,
    )


def _espnet(
    part: str, depth: int, sha256: str, size_bytes: int, parameters: int, *, accuracy: str = ''
) -> PublishedModel:
    file_name = f'p_2_q_{depth}.pth'
    return PublishedModel(
        name=f'espnet{"_c" if part == "encoder" else ""}_p2_q{depth}_cityscapes',
        path=f'pretrained/{part}/espnet_{file_name}',
        file_name=f'espnet_{"c_" if part == "encoder" else ""}{file_name}',
        sha256=sha256,
        size_bytes=size_bytes,
        classes=20,
        parameters=parameters,
        accuracy=accuracy,
    )


# fmt: off
PUBLISHED = (
    _espnet('decoder', 8, '343b0e77e8545d36113c4f3efbf1ee349256f25c97c9f9d5ddefe45f2f49763e',
            1501621, 364569, accuracy=CITYSCAPES_ACCURACY),
    _espnet('decoder', 5, '0378be45080ca5edfc416e9ba06b04e74ec5e2ec4baf56597f25a894a8593942',
            1104612, 267417),
    _espnet('decoder', 3, '8f3eb198fb15e5da7fa8d258d5f0fc4a4213e1124f415f6fc54d2772d585a7fc',
            840008, 202649),
    _espnet('encoder', 8, '836f28a2a31bd4fc8997001ab6b620d1f9b7b274a03b32d9f3a95c17a011b438',
            1433605, 349449),
    _espnet('encoder', 5, 'ec028eb60b08a56583eb9d310f5f4f7c4bc70972009030c25f1414dc48c916d6',
            1037106, 252297),
    _espnet('encoder', 3, '5101e9bc90dd2a57d8460e70cdfaa743f76317bf806d2d1c4adb635c8d392e77',
            772764, 187529),
    PublishedModel(
        'espnet_p2_q8_camvid',
        'pretrained/decoder/espnet_p_2_q_8_camvid.pth', 'espnet_p_2_q_8_camvid.pth',
        '7d354a257170322086dcd4c1e89a482454cf2c9d30b085e70883878dd59301af',
        size_bytes=1460677, classes=12, parameters=354517,
        training_set='CamVid', accuracy=CAMVID_ACCURACY,
    ),
    PublishedModel(
        'enet_camvid',
        'save/ENet_default', 'enet_camvid_davidtvs_921e40c1.pth',
        'b86bb4a804407cba6fd045ec6152b973dfd053f83053f3e2fa783eef09f6c78c',
        size_bytes=1556275, classes=12, parameters=359780,
        training_set='CamVid', accuracy=ENET_ACCURACY, origin=PYTORCH_ENET,
    ),
    _espnetv2('2.0', 'a72d59699801c7ce8e8b89a53af9097eaaa60dc12180ecde86fd700ba1222fe8',
              3376094, 788762, 66.4),
    _espnetv2('1.5', '0dbbda9126583d62f73dfdc28a59a30ab4564094ee6d28428b897a4e36c466b4',
              2068779, 468010, 63.8),
    _espnetv2('1.0', '0918c833fed889e32901ce739b1784fdd2b79f95a9aea199a469ca3394dd7a14',
              1107690, 233786, 60.1),
    _espnetv2('0.5', '9412a86a30f137540ef945d08da3cb7191448956c56c41a64210dab443a9f65f',
              469319, 80230, 53.9),
)
# fmt: on


def find_published(name: str) -> PublishedModel:
    """
    Return the published weights of a name.

    :raises ModelError: there are none
    """
    for model in PUBLISHED:
        if model.name == name:
            return model
    raise ModelError(
        f'no published model {name!r}; expected one of '
        f'{", ".join(model.name for model in PUBLISHED)}'
    )


def find_by_sha256(sha256: str) -> PublishedModel | None:
    """Return the published weights whose file has this sha256, or None."""
    return next((model for model in PUBLISHED if model.sha256 == sha256), None)
