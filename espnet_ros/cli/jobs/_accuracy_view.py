"""The accuracy of a model as a table."""

from __future__ import annotations

import math
from typing import Any

from espnet_ros.cli._console import OUT
from espnet_ros.evaluation.report import Report
from rich.table import Table


def print_report(report: Report, record: dict[str, Any]) -> None:
    """Print every class, the groupings and the means, in percent."""
    table = Table(box=None, padding=(0, 1), pad_edge=False)
    table.add_column('class')
    for title in ('IoU', 'IoU, void as FP', 'recall', 'share'):
        table.add_column(title, justify='right')
    for entry in report.classes:
        values = (entry.iou, entry.iou_void_as_false_positive, entry.recall, entry.share)
        table.add_row(entry.name, *map(_percent, values))
    OUT.print(table)
    for grouping in report.groupings:
        groups = ', '.join(f'{name} {_percent(iou)}' for name, iou in grouping.iou)
        OUT.print(
            f'{grouping.name}: {_percent(grouping.miou.void_ignored)} ({groups})', soft_wrap=True
        )
    runtime = record['runtime']
    OUT.print(
        f'\nmean IoU {_percent(report.miou.void_ignored)} (void ignored), '
        f'{_percent(report.miou.void_as_false_positive)} (void as false positive)\n'
        f'class average {_percent(report.class_average)}, '
        f'pixel accuracy {_percent(report.pixel_accuracy)}\n'
        f'{record["model"]["name"]} on {runtime["name"]} {runtime["precision"]}, '
        f'{report.images} images of {record["data"]["name"]}',
        soft_wrap=True,
        markup=False,
    )


def _percent(value: float) -> str:
    return '-' if math.isnan(value) else f'{100 * value:.2f}'
