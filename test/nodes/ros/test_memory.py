"""Memory that stays with the process, as the kernel's page faults tell."""

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import numpy as np
from espnet_ros.nodes.ros.memory import keep_freed_memory
if sys.argv[1] == 'kept':
    assert keep_freed_memory()
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
make = lambda: [bytes(6 << 20) for _ in range(4)]
for _ in range(3):
    make()
before = faults()
for _ in range(20):
    make()
print(faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason='another C library than glibc')
def test_images_that_come_and_go_cost_no_page_faults_once_freed_memory_is_kept():
    def count(how: str) -> int:
        command = [sys.executable, '-c', FAULTS, how]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert count('kept') < count('freed') / 100
