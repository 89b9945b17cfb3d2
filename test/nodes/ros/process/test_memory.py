"""Memory that stays with the process, and that goes back, as the kernel tells."""

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import numpy as np
from espnet_ros.nodes.ros.process.memory import keep_freed_memory
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

HEAP = """
import gc
from pathlib import Path
from espnet_ros.nodes.ros.process.memory import give_back_memory, keep_freed_memory
assert keep_freed_memory()
gc.disable()
def own_mb():
    lines = dict(line.split(':', 1) for line in Path('/proc/self/status').read_text().splitlines())
    return int(lines['RssAnon'].split()[0]) / 1024
class Node:
    pass
def make_cycles():
    held = []
    for _ in range(1000):
        node = Node()
        node.itself, node.data = node, bytearray(100_000)
        held.append(bytearray(2000))
    return held
held = make_cycles()
before_mb = own_mb()
assert give_back_memory()
print(before_mb, own_mb())
"""

needs_glibc = pytest.mark.skipif(
    platform.libc_ver()[0] != 'glibc', reason='another C library than glibc'
)


@needs_glibc
def test_images_that_come_and_go_cost_no_page_faults_once_freed_memory_is_kept():
    def count(how: str) -> int:
        command = [sys.executable, '-c', FAULTS, how]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert count('kept') < count('freed') / 100


@needs_glibc
def test_what_lies_in_cycles_between_blocks_in_use_goes_back_to_the_system():
    command = [sys.executable, '-c', HEAP]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    before_mb, after_mb = map(float, printed.split())
    assert before_mb - after_mb > 80
