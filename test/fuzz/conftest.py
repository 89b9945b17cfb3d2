"""What ``make fuzz`` runs, for FUZZ_SECONDS; the tests of every day leave it out."""

from __future__ import annotations

from importlib.util import find_spec
import os

if not (os.environ.get('FUZZ_SECONDS') and find_spec('hypothesis')):
    collect_ignore_glob = ['test_*.py']
