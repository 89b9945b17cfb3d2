"""The units of a fleet as a table: state, times and the share of every class."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
import csv
import io
from typing import Any

from espnet_ros.fleet.unit import Finished

CSV, PARQUET = 'units.csv', 'units.parquet'


def make_rows(ends: Iterable[Finished], names: dict[int, str]) -> list[dict[str, Any]]:
    """
    Return a row for each unit.

    :param names: of the ids of masks, which become columns with the share of each
    """
    return [_row(end, names) for end in ends]


def as_csv(rows: Sequence[dict[str, Any]]) -> bytes:
    text = io.StringIO(newline='')
    writer = csv.DictWriter(text, list(rows[0]) if rows else ['unit'])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def as_parquet(rows: Sequence[dict[str, Any]]) -> bytes | None:
    """Return rows as Parquet, or None where pyarrow is not installed."""
    try:
        import pyarrow  # noqa: PLC0415  (may be missing)
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        return None
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.Table.from_pylist(list(rows)), sink)
    return bytes(sink.getvalue().to_pybytes())


def _row(end: Finished, names: dict[int, str]) -> dict[str, Any]:
    report = end.report
    counts = dict(report.counts) if report is not None else {}
    total = max(sum(counts.values()), 1)
    elapsed_s = 0.0 if report is None else report.elapsed_s
    frames = 0 if report is None else report.frames
    return {
        'unit': end.unit.name,
        # Names that are not UTF-8 hold lone surrogates.
        'source': end.unit.source.encode(errors='backslashreplace').decode(),
        'state': 'failed' if report is None else 'done',
        'frames': frames,
        'broken': 0 if report is None else len(report.broken),
        'show_nothing': 0 if report is None else report.blank_count,
        'elapsed_s': round(elapsed_s, 3),
        'frames_per_s': round(frames / elapsed_s, 2) if elapsed_s else 0.0,
        **{name: round(counts.get(i, 0) / total, 6) for i, name in names.items()},
    }
