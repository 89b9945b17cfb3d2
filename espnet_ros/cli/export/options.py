"""What ``export`` takes."""

from __future__ import annotations

from dataclasses import dataclass, MISSING
from pathlib import Path

from espnet_ros.cli.options import argument, foreign_settings, option
from espnet_ros.config import ForeignModelSettings


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is exported, where to, and what is said of it."""

    USAGE = '%(prog)s SOURCE --output FILE [options]'

    source: Path = argument(
        "A checkpoint of the authors' ESPNet code (.pth; needs torch), or an ONNX file from a "
        'float image to logits or labels.',
        'SOURCE',
    )
    output: Path = option(MISSING, 'The model file (.onnx).', 'FILE')
    name: str | None = option(None, 'Name of the model. Default: the name of the output file.')
    label_set: str | None = option(
        None,
        'Classes and colours: cityscapes, camvid, or a YAML file. Default: by the number of '
        'classes.',
        'NAME|FILE',
    )
    input_size: tuple[int, int] | None = option(
        None,
        'Size that images are resized to. Default: that of the data set or the file.',
        'HEIGHT,WIDTH',
    )
    foreign: ForeignModelSettings = foreign_settings()
