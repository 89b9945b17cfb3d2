"""The accuracy of a model as a table."""

from __future__ import annotations

from collections.abc import Mapping
import math

from espnet_ros.cli.console import make_table, OUT, say, warn
from espnet_ros.evaluation.report import Report


def print_report(report: Report, model: str, data: str) -> None:
    """Print every class, the groupings and the means, in percent."""
    table = make_table('class', 'IoU', 'IoU, void as FP', 'recall', 'share')
    for entry in report.classes:
        values = (entry.iou, entry.iou_void_as_false_positive, entry.recall, entry.share)
        table.add_row(entry.name, *map(percent, values))
    OUT.print(table)
    for grouping in report.groupings:
        groups = ', '.join(f'{name} {percent(iou)}' for name, iou in grouping.iou)
        say(f'{grouping.name}: {percent(grouping.miou.void_ignored)} ({groups})')
    say(
        f'\nmean IoU {percent(report.miou.void_ignored)} (void ignored), '
        f'{percent(report.miou.void_as_false_positive)} (void as false positive), over '
        f'{report.averaged} of {len(report.classes)} classes\n'
        f'class average {percent(report.class_average)}, '
        f'pixel accuracy {percent(report.pixel_accuracy)}\n'
        f'{model}, {report.images} images of {data}'
    )
    if report.absent:
        say(f'no labelled pixel of: {", ".join(report.absent)}')
    if report.exchanged:
        pairs = ', '.join(f'{true}: {predicted}' for true, predicted in report.exchanged)
        warn(
            f'warning: {data}: the model has other names for what the labels call so ({pairs}): '
            'their ids may begin at 1, or be those of another label set'
        )


def print_sets(reports: Mapping[str, Report], total: Report | None) -> None:
    """
    Print a row for each data set, and one for all pixels together.

    :param total: None where there is none
    """
    table = make_table('data set', 'images', 'mean IoU', 'void as FP', 'recall', 'pixel accuracy')
    for name, report in [*reports.items(), *([] if total is None else [('total', total)])]:
        means = (report.miou.void_ignored, report.miou.void_as_false_positive)
        values = (*means, report.class_average, report.pixel_accuracy)
        table.add_row(name, str(report.images), *map(percent, values))
    OUT.print('', table, sep='\n')


def percent(value: float) -> str:
    return '-' if math.isnan(value) else f'{100 * value:.2f}'
