#!/usr/bin/env python3
"""
Write docs/models.md: the networks of the papers, counted and measured on this machine.

Parameters and operations are counted at once. With ``--speed N`` every network is exported and
timed N times on OpenVINO (minutes); with ``--camvid FOLDER`` the weights for CamVid are evaluated
on its validation split: those of ``espnet-ros models fetch``, and those that ship.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
import time

from espnet_ros.config import MaskSettings, RuntimeSettings
from espnet_ros.datasets.opening import open_dataset
from espnet_ros.evaluation.metrics import ConfusionMatrix
from espnet_ros.evaluation.report import make_report
from espnet_ros.export.fetch import fetch_model
from espnet_ros.export.onnx_export import export_network
from espnet_ros.labels import LabelSet
from espnet_ros.model_file import load_model_file, ModelFile, ModelInfo, open_model
from espnet_ros.models.training_sets import Normalization
from espnet_ros.runtimes.factory import open_runtime
from espnet_ros.segmenter import Segmenter
import numpy as np
from paper_networks import mac_count, PAPER_NETWORKS, PaperNetwork, parameter_count

DOCUMENT = Path(__file__).resolve().parents[1] / 'docs' / 'models.md'
SIZES = ((360, 480), (512, 1024))
COUNTED_SIZE = (512, 1024)
ROUNDS = 5
NORMALIZATION = Normalization((110.0, 110.0, 110.0), (70.0, 70.0, 70.0))
UNKNOWN = '-'
OTHER_HEADING = '## Where they have not been'
OURS, OURS_BEGAN_AS = 'espnet_p2_q8_camvid_street', 'espnet_p2_q8_camvid'

HEADER = (
    'Network',
    'Parameters',
    'GMAC at 1024x512',
    'Model file',
    'CamVid val mIoU: void ignored / as false positive',
    'FPS at 480x360',
    'FPS at 1024x512',
    'Paper: parameters',
    'Paper: mIoU',
    'Source',
)

TEXT = """# The networks

Written by `scripts/model_table.py`; measured {when}.

- Parameters and operations are counted from the networks here, for the classes of the paper.
  A multiplication with an addition is one operation (MAC); convolutions and matrix products count.
- {speed}
- {accuracy}
- "ESPNet-C of other modules": the networks of figure 5 of the paper, which does not give the
  modules' inner widths. The half width of ResNeXt and the four paths of Inception are our choice.
  [The comparison](models/comparison.md) trains them and ESP alike, and ESPNet and ENet.
- "-": not measured, or not in the paper. The weights of NDNet and ERFNet have no licence that
  allows passing them on; train your own.

{table}
"""


@dataclass(frozen=True)
class Measured:
    """What was measured of one network, as words."""

    file_size: str = UNKNOWN
    frames_per_second: tuple[str, ...] = (UNKNOWN, UNKNOWN)
    accuracy: str = UNKNOWN


def fitting_size(size: tuple[int, int], multiple: int) -> tuple[int, int]:
    """Return the nearest size that a network takes."""
    height, width = (multiple * max(1, round(length / multiple)) for length in size)
    return height, width


def export(record: PaperNetwork, size: tuple[int, int]) -> ModelFile:
    """Return a model file of a network with fresh weights; speed does not depend on them."""
    network = record.build().eval()
    info = ModelInfo(
        name=record.name,
        architecture=record.architecture,
        architecture_arguments=(('classes', record.classes), *record.arguments.items()),
        input_size=fitting_size(size, network.size_multiple),
        label_set=LabelSet.from_names(tuple(f'class {i}' for i in range(record.classes))),
    )
    return export_network(network, NORMALIZATION, info)


@dataclass(frozen=True)
class Course:
    """A network that is to be timed at one size."""

    model: ModelFile
    asked_size: tuple[int, int]
    size: tuple[int, int]
    seconds: list[float] = field(default_factory=list)

    def run(self, runs: int) -> None:
        """Time single runs on OpenVINO, batch 1, fp32, and keep them."""
        batch = np.random.default_rng(0).integers(0, 256, (1, *self.size, 3), np.uint8)
        settings = RuntimeSettings(runtime='openvino', precision='fp32')
        with open_runtime(self.model, settings) as runtime:
            runtime.infer(batch)
            for _ in range(runs):
                started = time.perf_counter()
                runtime.infer(batch)
                self.seconds.append(time.perf_counter() - started)

    @property
    def words(self) -> str:
        """Return frames per second by the median run, and the size where it is another."""
        height, width = self.size
        note = '' if self.size == self.asked_size else f' ({width}x{height})'
        return f'{1 / median(self.seconds):.1f}{note}'


def make_courses(record: PaperNetwork) -> tuple[Course, ...]:
    """Export a network for each size."""
    network = record.build()
    model = export(record, SIZES[0])
    return tuple(
        Course(
            model if size == SIZES[0] or not network.fixed_size else export(record, size),
            size,
            fitting_size(size, network.size_multiple),
        )
        for size in SIZES
    )


def time_all(records: list[PaperNetwork], runs: int) -> dict[str, tuple[Course, ...]]:
    """Time networks by turns, so that what else the machine does falls on all of them."""
    courses = {}
    for record in records:
        print(f'exporting {record.name}', flush=True)
        courses[record.name] = make_courses(record)
    for number in range(ROUNDS):
        print(f'round {number + 1} of {ROUNDS}', flush=True)
        for entries in courses.values():
            for course in entries:
                course.run(max(1, runs // ROUNDS))
    return courses


def camvid_accuracy(model: ModelFile, camvid: Path) -> str:
    """Return mean IoU in percent by both protocols of void."""
    dataset = open_dataset(str(camvid), 'val', format_name='camvid', label_set=None)
    runtime = open_runtime(model, RuntimeSettings(runtime='openvino', precision='fp32'))
    matrix = ConfusionMatrix(len(dataset.label_set.classes))
    with Segmenter(runtime, MaskSettings(mask_size='image')) as segmenter:
        for index in range(len(dataset)):
            sample = dataset.load(index)
            matrix.add(sample.labels, segmenter.segment([sample.image_bgr])[0].labels)
    miou = make_report(matrix.counts, dataset.label_set, len(dataset)).miou
    return f'{100 * miou.void_ignored:.2f} / {100 * miou.void_as_false_positive:.2f}'


def measure(
    record: PaperNetwork, courses: tuple[Course, ...] | None, camvid: Path | None
) -> Measured:
    """Put into words what was measured of one network."""
    file_size, rates, accuracy = UNKNOWN, Measured().frames_per_second, UNKNOWN
    if courses:
        file_size = f'{len(courses[0].model.data) / 1e6:.2f} MB'
        rates = tuple(course.words for course in courses)
    if camvid is not None:
        accuracies = [
            f'{camvid_accuracy(open_weights(weights), camvid)} ({origin})'
            for weights, origin in camvid_weights(record)
        ]
        accuracy = '<br>'.join(accuracies) or UNKNOWN
    return Measured(file_size, rates, accuracy)


def camvid_weights(record: PaperNetwork) -> list[tuple[str, str]]:
    """Return weights of a network for CamVid by name, and whose they are."""
    published = [name for name in record.weights if name.endswith('_camvid')]
    entries = [(name, 'published') for name in published]
    return [*entries, (OURS, 'ours')] if OURS_BEGAN_AS in published else entries


def open_weights(name: str) -> ModelFile:
    """Return our model, or a published one, fetched where it is not here."""
    return open_model(name) if name == OURS else load_model_file(fetch_model(name))


def row(record: PaperNetwork, measured: Measured) -> tuple[str, ...]:
    """Return a line of the table."""
    parameters = parameter_count(record.build())
    return (
        record.name,
        f'{parameters:,}',
        f'{mac_count(record.build(), COUNTED_SIZE) / 1e9:.3f}',
        measured.file_size,
        measured.accuracy,
        *measured.frames_per_second,
        f'{record.printed_parameters} M' if record.printed_parameters else UNKNOWN,
        record.printed_accuracy or UNKNOWN,
        record.paper,
    )


def other_part(page: Path) -> str:
    """Return the part of the page that scripts/generalisation_table.py writes, if there is one."""
    before = page.read_text(encoding='utf-8') if page.is_file() else ''
    _, heading, rest = before.partition(OTHER_HEADING)
    return f'\n{heading}{rest}' if heading else ''


def main() -> None:
    """Read the options, count, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--speed', type=int, default=0, metavar='N', help='timed runs, 5 or more')
    parser.add_argument('--camvid', type=Path, help='folder of CamVid, with val and valannot')
    parser.add_argument('--only', action='append', metavar='NAME', help='these networks alone')
    parser.add_argument('--machine', default='this machine', help='what it was measured on')
    parser.add_argument('--output', type=Path, default=DOCUMENT)
    options = parser.parse_args()
    lines: list[tuple[str, ...]] = [HEADER, ('---', *('---:',) * 6, '---:', '---', '---')]
    records = [r for r in PAPER_NETWORKS if not options.only or r.name in options.only]
    courses = time_all(records, options.speed) if options.speed else {}
    for record in records:
        lines.append(row(record, measure(record, courses.get(record.name), options.camvid)))
    speed = 'Speed was not measured in this run.'
    if options.speed:
        speed = (
            f'FPS are of {options.machine}: OpenVINO, fp32, batch 1, the network alone with '
            f'normalisation and argmax, median of {options.speed} runs in {ROUNDS} turns. '
            'Networks that cannot use the size were run at the nearest possible one, given '
            'in brackets.'
        )
    accuracy = 'Accuracy was not measured in this run.'
    if options.camvid is not None:
        accuracy = 'CamVid val has 101 images of 480x360; OpenVINO, fp32, 11 classes.'
    table = '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines)
    when = time.strftime('%Y-%m-%d')
    text = TEXT.format(when=when, speed=speed, accuracy=accuracy, table=table)
    options.output.write_text(text + other_part(options.output), encoding='utf-8')


if __name__ == '__main__':
    main()
