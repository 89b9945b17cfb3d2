"""Exports carry the labels by which an engine is checked."""

from __future__ import annotations

from espnet_ros.export import golden
from espnet_ros.export.golden import with_golden_labels
from espnet_ros.model_file.golden import make_golden_image, read_golden_output
import numpy as np
import pytest


def test_the_labels_are_those_of_a_runtime_on_the_cpu(channel_model):
    pytest.importorskip('onnxruntime')
    model = with_golden_labels(channel_model)
    record = read_golden_output(model)
    image = make_golden_image(record.seed, channel_model.info.input_size)
    np.testing.assert_array_equal(record.labels, image.argmax(axis=2))
    assert model.info.name == channel_model.info.name


def test_without_a_runtime_the_model_stays_as_it_is(channel_model, monkeypatch):
    monkeypatch.setattr(golden, 'REFERENCES', ())
    assert with_golden_labels(channel_model) is channel_model
