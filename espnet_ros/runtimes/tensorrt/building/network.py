"""The ONNX file that an engine is built from: the model file, fitted to TensorRT."""

from __future__ import annotations

from functools import partial

from espnet_ros.model_file import CONFIDENCE, ModelFile
from espnet_ros.model_file.file_format import Rewrite
from espnet_ros.model_file.graph.edges import cast_image_first, cast_through_float, fix_size
from espnet_ros.model_file.graph.editing import drop_output
from espnet_ros.model_file.graph.half_types import to_half_types
from espnet_ros.model_file.graph.one_pass_head import compute_head_in_one_pass


def fit_network(
    model: ModelFile,
    batch_size: int | None,
    *,
    as_half: bool,
    image_size: tuple[int | None, int | None] | None = None,
    has_confidence: bool = True,
) -> bytes:
    """
    Return the network for TensorRT.

    Sizes are fixed where they are known, as engines are faster so.

    :param model: with the graph that is computed
    :param batch_size: fixes the batch too, or None to leave it free
    :param image_size: (height, width) of the images, None for each that is free; None for the
        network's input size
    :param as_half: write FP16 types into it, as strongly typed TensorRT wants them
    :param has_confidence: leave the confidence in it
    :raises ModelError: it cannot be made
    """
    mask_size = model.info.input_size
    rewrites: list[Rewrite] = [
        partial(
            fix_size,
            image=(batch_size, *(image_size or mask_size)),
            mask=(batch_size, *mask_size),
        ),
        compute_head_in_one_pass,
        cast_image_first,
        cast_through_float,
    ]
    if not has_confidence:
        rewrites.insert(0, partial(drop_output, name=CONFIDENCE))
    if as_half:
        rewrites.append(to_half_types)
    return model.rewritten(*rewrites).data
