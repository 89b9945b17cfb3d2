"""Evaluates a model on labelled images, at their own resolution."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from espnet_ros.cli import exit_codes
from espnet_ros.cli.console import ERROR, PROGRAM, warn
from espnet_ros.cli.evaluate.degraded_scores import check_conditions
from espnet_ros.cli.evaluate.many_sets import score_sets
from espnet_ros.cli.evaluate.options import Options
from espnet_ros.cli.evaluate.set_scorer import open_set, SetScorer
from espnet_ros.cli.evaluate.set_scores import SetScores
from espnet_ros.cli.evaluate.view import print_report, print_sets
from espnet_ros.cli.fleet.many import Many
from espnet_ros.cli.output import check_output, OutputFolder, write_json
from espnet_ros.datasets.base import LabelledDataset
from espnet_ros.evaluation.report import Report
from espnet_ros.exceptions import ConfigError
from espnet_ros.export.any_model import open_any_model
from espnet_ros.fleet.manifest import Entry, read_entries
from espnet_ros.version import VERSION

_PROTOCOL = {
    'espnet_ros': VERSION,
    'unit': 'percent',
    'resolution': 'of the labels; masks are resized to it by nearest neighbour',
}


def run(options: Options) -> int:
    """Evaluate a model on one data set or on several; return the exit code."""
    results = options.results
    check_output(results.json, '--json')
    check_conditions(results.conditions)
    options.slides.check()
    options.engine.check()
    if options.slides.tile is not None and results.conditions:
        raise ConfigError('--conditions: are of whole images; leave it out with --tile')
    entries = read_entries(options.data.data)
    if len(entries) > 1:
        return _run_many(options, entries)
    dataset = open_set(options, entries[0].spec)
    folder = _pictures_folder(options, entries)
    scores = _score_one(options, entries[0], dataset)
    report = scores.report
    # Hours of work are shown before a disk or a folder can say no.
    print_report(report, scores.scored.words, scores.dataset)
    scores.degraded.print(report)
    if results.json is not None:
        write_json(results.json, _describe(options, entries[0].spec, scores))
    if folder is not None:
        scores.draw(folder)
    return _verdict(report, results.require)


def _score_one(options: Options, entry: Entry, dataset: LabelledDataset) -> SetScores:
    with ERROR.status('loading the model'):
        scorer = SetScorer(options)
    if options.engine.engine != 'local':
        return score_sets(options, [entry], scorer.model.sha256).only
    with closing(scorer):
        return scorer.score(dataset)


def _run_many(options: Options, entries: Sequence[Entry]) -> int:
    """
    Evaluate a model on several data sets; return the exit code.

    :raises InputError: one of them failed
    """
    results = options.results
    folder = _pictures_folder(options, entries)
    with ERROR.status('loading the model'):
        model = open_any_model(options.model.model, options.model.foreign)
    many = score_sets(options, entries, model.sha256)
    _print_many(many)
    if results.json is not None:
        write_json(results.json, _describe_many(options, many))
    if folder is not None and many.total is not None:
        many.total.draw(folder)
        for unit, scores in many.found.items():
            scores.draw(OutputFolder(folder.path / unit.name))
    total = many.end(len(entries), 'data sets')
    return exit_codes.INTERRUPTED if total is None else _verdict(total.report, results.require)


def _print_many(many: Many[SetScores]) -> None:
    total = many.total
    if total is not None:
        print_report(total.report, total.scored.words, total.dataset)
    for unit, scores in many.found.items():
        scores.degraded.print(scores.report, f' of {unit.name}')
    reports = {unit.name: scores.report for unit, scores in many.found.items()}
    print_sets(reports, None if total is None else total.report)
    many.warn_of_failures()


def _describe_many(options: Options, many: Many[SetScores]) -> dict[str, object]:
    total = many.total
    return {
        'total': None if total is None else total.describe() | _PROTOCOL,
        'sets': [_describe(options, unit.source, each) for unit, each in many.found.items()],
        'failed': [{'data': u.source, 'reason': why} for u, why in many.failed.items()],
    }


def _pictures_folder(options: Options, entries: Sequence[Entry]) -> OutputFolder | None:
    pictures = options.results.pictures
    return None if pictures is None else OutputFolder(pictures, *(e.spec for e in entries))


def _describe(options: Options, data: str, scores: SetScores) -> dict[str, object]:
    split, by = options.data.split, options.results.by
    grouped = {} if by is None else {'by': by}
    named = {'name': scores.dataset, 'path': data, 'split': split, **grouped}
    return {**scores.describe(), 'data': named, **_PROTOCOL}


def _verdict(report: Report, require: float | None) -> int:
    percent = 100 * report.miou.void_ignored
    if require is None or percent >= require:
        return exit_codes.DONE
    warn(f'{PROGRAM}: mean IoU is {percent:.2f} %, required are {require:g} %')
    return exit_codes.FAILED
