"""The graph that a runtime computes: the model file, with what was asked for written into it."""

from __future__ import annotations

from espnet_ros.config import RuntimeSettings
from espnet_ros.model_file import ModelFile
from espnet_ros.model_file.image_resize import with_image_resize
from espnet_ros.model_file.subpixel_tail import with_subpixel_tail


def computed_graph(model: ModelFile, settings: RuntimeSettings) -> ModelFile:
    """
    Return the model as it is computed: with the cheap tail, and the resize where it is asked for.

    :param settings: of which ``resize`` counts
    """
    if settings.resize == 'device':
        model = with_image_resize(model)
    return with_subpixel_tail(model)
