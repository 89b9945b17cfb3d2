"""Many data sets, a unit each, of which one that fails keeps no other from being scored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
import time

from espnet_ros.cli.evaluate.options import Options
from espnet_ros.cli.evaluate.set_scorer import open_set, SetScorer
from espnet_ros.cli.evaluate.set_scores import SetScores, total_of
from espnet_ros.cli.fleet.many import Many
from espnet_ros.cli.fleet.progress import FleetProgress
from espnet_ros.cli.fleet.sharing import finish_all
from espnet_ros.cli.fleet.work import check_same_model, TimeLimit
from espnet_ros.exceptions import ConfigError, InputError
from espnet_ros.fleet.manifest import Entry
from espnet_ros.fleet.planning import unit_name, with_own_names
from espnet_ros.fleet.unit import Finished, Report, Task


@dataclass(frozen=True, kw_only=True)
class ScoredReport(Report):
    """What became of a data set."""

    scores: SetScores


class EvaluateWorker:
    """
    Scores a data set a unit, with one open model for all.

    :param model_sha256: of the model, which is to be the same everywhere
    :param threads: that it takes where the options name none
    """

    def __init__(self, options: Options, model_sha256: str, threads: int) -> None:
        runtime = replace(options.runtime, threads=options.runtime.threads or threads)
        self._options = replace(options, runtime=runtime)
        self._model_sha256 = model_sha256
        self._scorer: SetScorer | None = None

    def open(self) -> None:
        """
        Find the model.

        :raises ModelError: there is none, or another than the command's
        """
        if self._scorer is None:
            scorer = SetScorer(self._options)
            check_same_model(self._options.model.model, self._model_sha256, scorer.model.sha256)
            self._scorer = scorer

    def do(self, task: Task, on_frame: Callable[[], None]) -> Finished:
        """
        Score a data set.

        :raises InputError: it cannot be read or scored, or takes too long
        """
        assert self._scorer is not None, 'open() comes first'
        (data,) = task.unit.specs
        limit = TimeLimit(data, self._options.engine.timeout_per_file, on_frame)
        began_s = time.perf_counter()
        try:
            scores = self._scorer.score(open_set(self._options, data), limit)
        except ConfigError as error:  # of this data set: the others may be as they should
            raise InputError(str(error)) from error
        elapsed_s = round(time.perf_counter() - began_s, 4)
        return Finished(task.unit, ScoredReport(scores.images, elapsed_s, (), scores=scores))

    def close(self) -> None:
        if self._scorer is not None:
            self._scorer.close()


def score_sets(options: Options, entries: Sequence[Entry], model_sha256: str) -> Many[SetScores]:
    """
    Score data sets by the engine that is requested.

    :raises EspnetError: none can be scored, as where nothing runs the model
    """
    named = [(entry.name or unit_name(entry.spec), [entry.spec]) for entry in entries]
    tasks = [Task(unit) for unit in with_own_names(named)]
    work = partial(EvaluateWorker, options, model_sha256)
    progress = FleetProgress(len(tasks), 'evaluating', 'data sets')
    threads = options.runtime.threads
    ended = finish_all(work, tasks, options.engine, progress, threads=threads)
    scores = {e.unit: e.report.scores for e in ended.ends if isinstance(e.report, ScoredReport)}
    failed = {end.unit: end.reason for end in ended.ends if end.report is None}
    total = total_of(list(scores.values())) if scores else None
    return Many(scores, failed, total, ended.is_interrupted)
