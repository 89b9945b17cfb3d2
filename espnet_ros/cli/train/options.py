"""What ``train`` takes."""

from __future__ import annotations

from dataclasses import dataclass, MISSING
from pathlib import Path
from typing import Any

from espnet_ros.cli.data_options import DataOptions
from espnet_ros.cli.options import option, section
from espnet_ros.cli.values import assignment, names

EPILOG = """
examples:
  espnet-ros train --data camvid --output runs/camvid
  espnet-ros train --data my_streets --output runs/mine --initial espnet_p2_q8_cityscapes
  espnet-ros train --data cityscapes --output runs/paper --recipe paper
  espnet-ros train --pseudo-labels espnetv2_s2_0_cityscapes --unlabelled drive.mp4 \\
    --unlabelled-every 25 --initial espnet_p2_q8_cityscapes --size 512,1024 --output runs/here

The same command resumes a training that was interrupted, with the same result.
"""


def _changes(text: str, metavar: str) -> Any:
    return option(None, f"{text} Default: the recipe's.", metavar)


@dataclass(frozen=True, kw_only=True)
class TrainDataOptions(DataOptions):
    """Which data set; none where a teacher labels images."""

    data: str | None = option(  # type: ignore[assignment]
        None,
        'Folder of the data set, or synthetic for the synthetic street. With --pseudo-labels it '
        'may be left out: then a tenth of those images is for validation.',
        'DIR',
    )


@dataclass(frozen=True, kw_only=True)
class PseudoLabelOptions:
    """Images without labels, and who labels them."""

    GROUP = 'images without labels'

    pseudo_labels: tuple[str, ...] = option(
        (),
        'A better model that labels the images of --unlabelled, once, into OUTPUT/pseudo_labels. '
        'May be repeated: the confidences of several models of the same classes are averaged.',
        'MODEL',
        action='append',
        type=str,
    )
    pseudo_mirrored: bool = option(
        False, 'Each of these models sees the images mirrored, too; twice the time.'
    )
    unlabelled: tuple[str, ...] = option(
        (),
        'Images without labels: a folder, a video or a bag; may be repeated.',
        'SOURCE',
        action='append',
        type=str,
    )
    unlabelled_every: int = option(1, 'Take every Nth image of them.', 'N')
    pseudo_confidence: float = option(
        0.4, 'Pixels of which these models are less sure stay unlabelled.', 'SHARE'
    )
    second_teacher: str | None = option(
        None,
        'Another model of the same classes. Its labels replace the others where it is sure and '
        'they are less so; where both agree, a pixel is labelled however unsure they are.',
        'MODEL',
    )
    second_confidence: float = option(0.65, 'How sure the second one must be.', 'SHARE')
    second_classes: tuple[str, ...] = option(
        (), 'Labels of the second one that are used. Default: all.', 'NAME,...', type=names
    )


@dataclass(frozen=True, kw_only=True)
class MoreData:
    """Frames of the synthetic street beside the data set."""

    GROUP = 'more data'

    synthetic: int | None = option(
        None,
        'Train on N frames of the synthetic street too. Its classes are those of CamVid; they '
        'are mapped to those of Cityscapes.',
        'N',
    )
    synthetic_size: tuple[int, int] | None = option(
        None, 'Size of those frames. Default: that of the first image.', 'HEIGHT,WIDTH'
    )


@dataclass(frozen=True, kw_only=True)
class NetworkOptions:
    """What is trained, and what it starts from."""

    GROUP = 'network'

    architecture: str | None = option(
        None,
        'A network of the registry: espnet, espnet_c, espnetv2, enet ... Default: that of '
        '--initial, else espnet.',
        'NAME',
    )
    alpha2: int | None = option(
        None, "For ESPNet: ESP modules at a quarter of the size. Default: the network's, 2.", 'N'
    )
    alpha3: int | None = option(
        None, "For ESPNet: ESP modules at an eighth of the size. Default: the network's, 8.", 'N'
    )
    argument: tuple[tuple[str, str], ...] = option(
        (),
        'Another argument of the network, such as scale=1.5 of espnetv2; may be repeated.',
        'NAME=VALUE',
        action='append',
        type=assignment,
    )
    initial: str | None = option(
        None,
        'Weights to start from: a model by name, a model file, a published checkpoint or the '
        'best.pth of another training; the network gets the arguments of that model. What does '
        'not fit is initialised at random.',
        'MODEL',
    )
    teacher: str | None = option(
        None,
        'A better model with the same classes, to learn from in addition to the labels; given '
        'as for --initial.',
        'MODEL',
    )


@dataclass(frozen=True, kw_only=True)
class RecipeChanges:
    """What is other than in the recipe, by the names of its fields; None is as there."""

    GROUP = 'recipe'

    epochs: int | None = _changes('Passes over the data.', 'N')
    batch_size: int | None = _changes('Images of one step.', 'N')
    crop: tuple[int, int] | None = _changes(
        'Size of the part of an image that is trained on; multiples of 8.', 'HEIGHT,WIDTH'
    )
    scales: tuple[float, float] | None = _changes(
        'Lowest and highest factor on the size of images.', 'LOW,HIGH'
    )
    aspect: float | None = _changes(
        'Largest change of the aspect ratio; 16:9 to 4:3 is 0.42.', 'OCTAVES'
    )
    conditions: float | None = _changes(
        'Share of the samples that are changed to night, fog, rain, dust, blur or noise.',
        'SHARE',
    )
    class_mix: float | None = _changes(
        'Share of the samples into which half of the classes of another are pasted.', 'SHARE'
    )
    learning_rate: float | None = _changes('The highest learning rate.', 'RATE')
    schedule: str | None = _changes('constant, halving, poly, cosine or one_cycle.', 'NAME')
    warmup_epochs: float | None = _changes(
        'Epochs until the learning rate is at its highest.', 'N'
    )
    average_decay: float | None = _changes(
        'Share of the averaged weights that is kept in each step.', 'SHARE'
    )
    dice: float | None = _changes('Weight of the Dice loss beside the cross entropy.', 'WEIGHT')
    auxiliary: float | None = _changes(
        "Weight of the loss on the encoder's own scores (ESPNet).", 'WEIGHT'
    )
    hard_share: float | None = _changes(
        'Share of the labelled pixels that count in the loss: the hardest ones.', 'SHARE'
    )
    weight_offset: float | None = _changes(
        'Rare classes weigh 1 / ln(OFFSET + frequency).', 'OFFSET'
    )
    distillation: float | None = _changes('Weight of the distance from the teacher.', 'WEIGHT')
    weighted: bool | None = option(
        None, "Whether rare classes weigh more in the cross entropy. Default: the recipe's."
    )


@dataclass(frozen=True, kw_only=True)
class RecipeOptions:
    """Which recipe, and what is other than there."""

    GROUP = 'recipe'

    recipe: str = option(
        'modern',
        'modern: AdamW, averaged weights, colour jitter; paper: as ECCV 2018. Both train '
        'ESPNet-C first; modern does not if --initial is given.',
        '{modern,paper}',
    )
    changes: RecipeChanges = section(RecipeChanges)
    seed: int = option(0, '', 'N', type=int)


@dataclass(frozen=True, kw_only=True)
class ResultOptions:
    """Where the result goes, and what the model file says of itself."""

    GROUP = 'result'

    output: Path = option(
        MISSING, 'Folder of the state, the best weights and the model file.', 'DIR'
    )
    name: str | None = option(None, 'Name of the model. Default: that of the folder.')
    size: tuple[int, int] | None = option(
        None,
        'Size that the model resizes images to. Default: that of the first image.',
        'HEIGHT,WIDTH',
    )
    license: str = option('', 'Licence of the weights.', 'TEXT')
    keep: str = option(
        'best',
        'The epoch whose weights the model file has: the best on the validation images, or the '
        'last, where there are too few of them to choose by.',
        '{best,last}',
        choices=('best', 'last'),
    )
    average_with: str | None = option(
        None,
        'Average these weights with those of the model that the training started from, so '
        'that the network forgets less. Given as for --initial.',
        'MODEL',
    )
    average_share: float = option(0.3, 'The share of that model in the average.', 'SHARE')


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    GROUP = 'run'

    device: str = option('auto', 'auto, cpu, cuda or cuda:N. Default: the GPU.')
    precision: str = option(
        'auto',
        'Arithmetic of the network. Default: bf16 if the device supports it.',
        '{auto,fp32,bf16,fp16}',
    )
    workers: int = option(2, 'Threads that read and augment images.', 'N')
    validate_every: int = option(1, 'Epochs between validations.', 'N')
    compile: bool = option(False, 'Compile the network: slow to start, then faster.')


@dataclass(frozen=True, kw_only=True)
class Options:
    USAGE = '%(prog)s [--data DIR] --output DIR [options]'
    EPILOG = EPILOG

    data: TrainDataOptions = section(TrainDataOptions)
    pseudo: PseudoLabelOptions = section(PseudoLabelOptions)
    more: MoreData = section(MoreData)
    network: NetworkOptions = section(NetworkOptions)
    recipe: RecipeOptions = section(RecipeOptions)
    result: ResultOptions = section(ResultOptions)
    run: RunOptions = section(RunOptions)
