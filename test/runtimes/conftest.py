"""A TensorRT and a GPU that are not there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from espnet_ros.model_file import ModelFile
from fake_tensorrt.board import Board, install_board, make_model
import pytest


@pytest.fixture
def brightest() -> ModelFile:
    """Return a model file whose class is the brightest channel."""
    return make_model()


@pytest.fixture(params=['10.3.0'])
def board(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Board]:
    """Return a machine with an integrated GPU and the TensorRT of JetPack 6."""
    pytest.importorskip('onnxruntime', reason='the stand-in computes with it')
    for made in install_board(monkeypatch, tmp_path, request.param):
        yield made
        for runtime in made.runtimes:
            runtime.close()
        assert made.gpu.leaks == [] or made.gpu.poison
