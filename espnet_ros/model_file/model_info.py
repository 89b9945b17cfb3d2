"""What a model file says of itself, in its metadata under ``espnet_ros.*``."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
import json
from typing import Any

from espnet_ros.exceptions import ConfigError, ModelError
from espnet_ros.labels import completed_by_shipped, LabelSet

FORMAT_VERSION = 1
PREFIX = 'espnet_ros.'


@dataclass(frozen=True)
class ModelInfo:
    """
    What a model file says of itself.

    :param name: model name, for example ``espnet_cityscapes_q8``
    :param architecture: key of the model registry, for example ``espnet``; ``foreign`` for
        files of another origin
    :param architecture_arguments: arguments that rebuild the network in torch
    :param input_size: (height, width) in pixels that the network was made for
    :param size_multiple: height and width of the input must be multiples of this
    :param training_set: what the weights were trained on
    :param accuracy: accuracy with its protocol and source, or an empty string
    :param source: where the weights came from (an address)
    :param channel_order: order of the channels inside of the graph, ``bgr`` or ``rgb``; needed
        to rebuild the network in torch, for the graph's input is BGR always
    :param self_check: see :mod:`espnet_ros.model_file.golden`, or an empty string
    """

    name: str
    architecture: str
    architecture_arguments: tuple[tuple[str, Any], ...]
    input_size: tuple[int, int]
    label_set: LabelSet
    size_multiple: int = 8
    training_set: str = ''
    accuracy: str = ''
    license: str = ''
    source: str = ''
    weights_sha256: str = ''
    package_version: str = ''
    channel_order: str = 'bgr'
    self_check: str = field(default='', repr=False)

    def to_metadata(self) -> dict[str, str]:
        content = {
            'format_version': str(FORMAT_VERSION),
            'name': self.name,
            'architecture': self.architecture,
            'architecture_arguments': json.dumps(dict(self.architecture_arguments)),
            'input_size': json.dumps(self.input_size),
            'size_multiple': str(self.size_multiple),
            'label_set': json.dumps(self.label_set.to_dict()),
            'training_set': self.training_set,
            'accuracy': self.accuracy,
            'license': self.license,
            'source': self.source,
            'weights_sha256': self.weights_sha256,
            'package_version': self.package_version,
            'channel_order': self.channel_order,
            'self_check': self.self_check,
        }
        return {PREFIX + key: value for key, value in content.items()}

    @classmethod
    def from_metadata(cls, properties: dict[str, str], origin: str) -> ModelInfo:
        """
        Read the metadata properties of an ONNX file.

        :raises ModelError: a property is missing or cannot be read
        """
        ours = (key for key in properties if key.startswith(PREFIX))
        content = {key.removeprefix(PREFIX): properties[key] for key in ours}
        try:
            version = int(content['format_version'])
            if version > FORMAT_VERSION:
                raise ModelError(
                    f'{origin}: expected model file format {FORMAT_VERSION} or '
                    f'older, found {version}; update espnet_ros'
                )
            height, width = json.loads(content['input_size'])
            label_set = LabelSet.from_dict(json.loads(content['label_set']), origin)
            values: dict[str, Any] = {
                **{each.name: content[each.name] for each in fields(cls) if each.name in content},
                'architecture_arguments': tuple(
                    json.loads(content['architecture_arguments']).items()
                ),
                'input_size': (int(height), int(width)),
                'size_multiple': int(content['size_multiple']),
                'label_set': completed_by_shipped(label_set),
            }
            return cls(**values)
        except (AttributeError, ConfigError, KeyError, TypeError, ValueError) as error:
            raise ModelError(
                f'{origin}: the metadata of this model file is damaged ({error}); '
                'export or fetch it again'
            ) from error
