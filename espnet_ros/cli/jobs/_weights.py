"""From what a user names to the weights that a training starts from, or learns from."""

from __future__ import annotations

from pathlib import Path

from espnet_ros.cli.jobs._models import is_checkpoint
from espnet_ros.model_file import open_model
from espnet_ros.models.training_sets import Normalization
from espnet_ros.runtimes.torch import rebuild_pipeline
from espnet_ros.training.distillation import read_teacher, Teacher
from espnet_ros.training.transfer import InitialWeights, read_initial_weights


def open_initial(name_or_path: str) -> InitialWeights:
    """
    Return the weights of a model, a published checkpoint or an earlier training.

    :raises ModelError: there are none, or they cannot be used
    """
    if is_checkpoint(name_or_path):
        return read_initial_weights(Path(name_or_path).expanduser())
    model = open_model(name_or_path)
    pipeline = rebuild_pipeline(model)
    blue, green, red = pipeline.mean.flatten().tolist()
    std_blue, std_green, std_red = (1 / (255 * pipeline.scale.double())).flatten().tolist()
    return InitialWeights(
        f'{model.info.training_set} ({model.info.name})',
        pipeline.network.state_dict(),
        Normalization((blue, green, red), (std_blue, std_green, std_red), pipeline.channel_order),
    )


def open_teacher(name_or_path: str) -> Teacher:
    """
    Return a model, a published checkpoint or the weights of an earlier training as a teacher.

    :raises ModelError: there is none, or it cannot be used
    """
    if is_checkpoint(name_or_path):
        return read_teacher(Path(name_or_path).expanduser())
    model = open_model(name_or_path)
    return Teacher(model.info.name, rebuild_pipeline(model), model.info.label_set)
