"""The model file: one ONNX file that holds the whole computation and describes itself."""

from espnet_ros.model_file.file_format import CONFIDENCE, IMAGE, LABELS, load_model_file, ModelFile
from espnet_ros.model_file.model_info import ModelInfo
from espnet_ros.model_file.store import open_model

__all__ = [
    'CONFIDENCE',
    'IMAGE',
    'LABELS',
    'ModelFile',
    'ModelInfo',
    'load_model_file',
    'open_model',
]
