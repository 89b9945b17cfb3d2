"""One thread for torch, and a small labelled data set."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from small_camvid import camvid
import torch

__all__ = ('camvid',)


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let torch use one thread: for small networks more of them only wait for each other."""
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
