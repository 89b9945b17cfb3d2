"""Options that say how units of work are shared out: recordings, data sets, sources."""

from __future__ import annotations

from dataclasses import dataclass

from espnet_ros.cli.options import option
from espnet_ros.cli.values import number_from_zero, positive_number, whole_from_zero
from espnet_ros.exceptions import ConfigError
from espnet_ros.fleet.settings import FleetSettings


@dataclass(frozen=True, kw_only=True)
class EngineOptions:
    """Who does the work, and how often it is tried."""

    GROUP = 'engine'

    engine: str = option(
        'local',
        'local does one file or data set after another; ray shares them out to processes, of '
        "this machine or a cluster (pip install 'espnet-ros[ray]').",
        '{local,ray}',
        choices=('local', 'ray'),
    )
    jobs: int | None = option(
        None,
        'How many at a time with ray. Default: one a core, or as --gpus-per-job allows.',
        'N',
    )
    address: str | None = option(
        None,
        'Ray cluster to use: HOST:PORT, or auto for one that was started on this machine. '
        'Default: a private one on the loopback interface, ended with the command.',
        'ADDRESS',
    )
    gpus_per_job: float = option(
        0.0, 'GPUs, or the share of one, for each job.', 'NUMBER', type=number_from_zero
    )
    retries: int = option(
        3, 'Times that one is begun again whose process died.', 'N', type=whole_from_zero
    )
    timeout_per_file: float | None = option(
        None,
        'Seconds after which one counts as failed. Default: no limit.',
        'SECONDS',
        type=positive_number,
    )

    @property
    def known_jobs(self) -> int:
        """Return how many are done at a time; 0 where only the cluster knows."""
        if self.engine == 'local':
            return 1
        return self.jobs or 0 if self.address else self.settings(0).local_jobs

    def settings(self, threads: int) -> FleetSettings:
        """
        Return them as the engine takes them.

        :param threads: of a job, 0 for its share of the machine
        """
        return FleetSettings(
            jobs=self.jobs or 0,
            address=self.address or '',
            gpus_per_job=self.gpus_per_job,
            retries=self.retries,
            timeout_s=self.timeout_per_file,
            threads=threads,
        )

    def check(self) -> None:
        """
        Check that they go together.

        :raises ConfigError: options of Ray with another engine
        """
        given = {
            '--jobs': self.jobs is not None,
            '--address': self.address is not None,
            '--gpus-per-job': self.gpus_per_job > 0,
        }
        without = [name for name, is_given in given.items() if is_given]
        if self.engine == 'local' and without:
            raise ConfigError(f'{without[0]}: is of --engine ray; give that too, or leave it out')
