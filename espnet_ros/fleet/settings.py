"""How a fleet is done: by how many, where, and how long; apart, for help that imports little."""

from __future__ import annotations

from dataclasses import dataclass
import os


@dataclass(frozen=True, kw_only=True)
class FleetSettings:
    """
    How the units of a fleet are shared out.

    :param jobs: workers at a time; 0 for one a core, or one a share of a GPU
    :param address: of a Ray cluster, ``auto`` for the one of this machine, empty for one of
        one's own, which ends with the run
    :param gpus_per_job: GPUs, or the share of one, that each worker has
    :param retries: how often a unit is begun again whose worker died
    :param timeout_s: after which a unit fails, or None
    :param threads: CPU threads of a worker; 0 for its share of the machine
    """

    jobs: int = 0
    address: str = ''
    gpus_per_job: float = 0.0
    retries: int = 3
    timeout_s: float | None = None
    threads: int = 0

    @property
    def local_jobs(self) -> int:
        """Return the jobs of a machine of one's own."""
        if self.jobs:
            return self.jobs
        return core_count() if not self.gpus_per_job else max(1, int(1 / self.gpus_per_job))


def core_count() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0))
