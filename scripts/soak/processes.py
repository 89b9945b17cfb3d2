"""The processes of a soak: started, killed, started again, and read from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
import os
from pathlib import Path
import signal
import subprocess
import time

from espnet_ros.nodes.launching.child_process import log_path_of, node_command, STOP_LIMIT_S


def slowness() -> float:
    """Return how many times longer than alone a process takes, as others want its cores too."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


@dataclass(frozen=True)
class Sample:
    """
    What a process holds at one moment.

    :ivar at_s: since the soak began
    :ivar memory_mb: memory of its own (RssAnon)
    :ivar shared_mb: resident pages of files and shared memory, those of its peers included
    :ivar descriptors: open files, sockets and segments
    :ivar processor_s: time of all cores that it has had since its start
    """

    at_s: float
    memory_mb: float
    shared_mb: float
    descriptors: int
    threads: int
    processor_s: float = 0.0


@dataclass
class Life:
    """What one process held from its start to its end."""

    pid: int
    samples: list[Sample] = field(default_factory=list)


class SoakedNode:
    """
    A node as a process of this process group, so that who pauses the group pauses it too.

    :param executable: as :command:`ros2 run` names it
    :param parameters: of the node, by name
    :param folder: where its output is kept

    :ivar lives: one for each start
    """

    def __init__(
        self,
        executable: str,
        parameters: Mapping[str, object],
        folder: Path,
        remappings: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.name = executable
        self._command = node_command(executable, parameters, remappings)
        self._log_path = log_path_of(folder, executable)
        self.lives: list[Life] = []

    def start(self) -> None:
        """Start the process; its output goes behind that of the one before."""
        with self._log_path.open('ab') as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=subprocess.STDOUT)
        self.lives.append(Life(self._process.pid))

    def kill(self) -> None:
        """End it as the kernel does when memory is short."""
        self._process.kill()
        self._process.wait()

    def pause(self) -> None:
        """Stop it without ending it."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def is_alive(self) -> bool:
        """Return whether it has not ended."""
        return self._process.poll() is None

    def stop(self) -> int:
        """
        Ask it to end as Ctrl-C does.

        :return: its exit code; below 0 the signal that ended it
        """
        if self.is_alive():
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(STOP_LIMIT_S * slowness())
        except subprocess.TimeoutExpired:
            self.kill()
            return -signal.SIGKILL

    def sample(self, at_s: float) -> None:
        """Note what the process holds now; nothing where it has just ended."""
        folder = Path('/proc') / str(self._process.pid)
        try:
            status = dict(
                line.split(':', 1) for line in (folder / 'status').read_text().splitlines()
            )
            descriptors = len(list((folder / 'fd').iterdir()))
            memory_mb, file_mb, segment_mb = (
                int(status[key].split()[0]) * 1024 / 1e6
                for key in ('RssAnon', 'RssFile', 'RssShmem')
            )
            threads = int(status['Threads'])
            # Behind the name, which may hold anything: state, 10 other fields, utime, stime.
            fields = (folder / 'stat').read_text().rpartition(')')[2].split()
        except (OSError, KeyError):
            return
        processor_s = (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')
        self.lives[-1].samples.append(
            Sample(at_s, memory_mb, file_mb + segment_mb, descriptors, threads, processor_s)
        )

    def tail(self, characters: int = 2000) -> str:
        """Return the end of its output."""
        return self._log_path.read_text(errors='replace')[-characters:]


class PauseWatch:
    """Notices that this process itself stood still, as in a suspended machine."""

    GAP_S = 3.0

    def __init__(self) -> None:
        self._last_s = time.time()
        self.pauses: list[tuple[float, float]] = []

    def look(self) -> bool:
        """Return whether much time has passed since the last look, and remember when."""
        now_s = time.time()
        is_gap = now_s - self._last_s > self.GAP_S
        if is_gap:
            self.pauses.append((self._last_s, now_s))
        self._last_s = now_s
        return is_gap
