"""How many CPU threads a runtime may take."""

from __future__ import annotations

import os

from espnet_ros.config import RuntimeSettings


def thread_count(settings: RuntimeSettings) -> int:
    """Return the threads that were requested, else every core that the process may use."""
    return settings.threads or len(os.sched_getaffinity(0))
