"""What ``evaluate`` takes."""

from __future__ import annotations

from dataclasses import dataclass, MISSING
from pathlib import Path

from espnet_ros.cli.data_options import DataOptions
from espnet_ros.cli.fleet.options import EngineOptions
from espnet_ros.cli.options import ModelOptions, option, runtime_settings, section
from espnet_ros.cli.slide_options import SlideOptions
from espnet_ros.cli.values import percentage
from espnet_ros.config import RuntimeSettings
from espnet_ros.processing.condition_names import CONDITION_NAMES

EPILOG = """
examples:
  espnet-ros evaluate --data camvid --split val --model espnet_p2_q8_camvid
  espnet-ros evaluate --data synthetic --input-size 544,960 --pictures worst --json street.json
  espnet-ros evaluate --data my_streets --conditions --pictures conditions
  espnet-ros evaluate --data my_streets --conditions night,fog --by categories
  espnet-ros evaluate --data my_streets --model street.onnx --runtime openvino --precision bf16
  espnet-ros evaluate --data slides --model tissue.onnx --tile 1024
  espnet-ros evaluate --data towns/* --model street.onnx --engine ray --jobs 4

Void is counted in both ways that papers use: "void ignored" leaves out pixels whose truth is
void, "void as false positive" counts them against the class that was predicted there.
"""


@dataclass(frozen=True, kw_only=True)
class SplitOptions(DataOptions):
    """Which part of which data sets."""

    data: tuple[str, ...] = option(  # type: ignore[assignment]
        MISSING,
        'Folders of data sets, patterns of them or lists (@sets.txt), or synthetic for the '
        'synthetic street. Several get a row each, and a total.',
        'DIR',
        nargs='+',
        action='extend',
        type=str,
    )
    split: str = option('val', 'Which part of each.')


@dataclass(frozen=True, kw_only=True)
class ResultOptions:
    """Where the result goes, and what it must be."""

    GROUP = 'results'

    by: str | None = option(
        None,
        'Evaluate by a grouping that the label sets of model and data share, such as '
        'categories. Default: by the classes, which must be the same.',
        'GROUPING',
    )
    json: Path | None = option(None, 'Write the report as JSON.', 'FILE')
    pictures: Path | None = option(
        None, 'Write a picture of the confusion matrix, and of the worst images.', 'DIR'
    )
    worst: int = option(5, 'How many of the worst images to draw.', 'N')
    conditions: tuple[str, ...] = option(
        (),
        'Score the same images also under conditions, three severities each: '
        f'{", ".join(CONDITION_NAMES)}. Default: all where no name follows, none without it.',
        'NAME,...',
        nargs='?',
        const=CONDITION_NAMES,
    )
    seed: int = option(1, 'Of what is random in the conditions.', 'N')
    require: float | None = option(
        None,
        'Exit with code 1 if the mean IoU with void ignored is lower.',
        'PERCENT',
        type=percentage,
    )


@dataclass(frozen=True, kw_only=True)
class Options:
    """What is evaluated, on what, and where the result goes."""

    USAGE = '%(prog)s --data DIR... [options]'
    EPILOG = EPILOG

    data: SplitOptions = section(SplitOptions)
    slides: SlideOptions = section(SlideOptions)
    engine: EngineOptions = section(EngineOptions)
    model: ModelOptions = section(ModelOptions)
    runtime: RuntimeSettings = runtime_settings()
    results: ResultOptions = section(ResultOptions)
