"""Exports carry the labels by which an engine is checked."""

from __future__ import annotations

from espnet_ros.export import check_reference
from espnet_ros.export.check_reference import with_reference_labels
from espnet_ros.model_file.check_record import make_check_image, read_check_record
import numpy as np
import pytest


def test_the_labels_are_those_of_a_runtime_on_the_cpu(channel_model):
    pytest.importorskip('onnxruntime')
    model = with_reference_labels(channel_model)
    record = read_check_record(model)
    image = make_check_image(record.seed, channel_model.info.input_size)
    np.testing.assert_array_equal(record.labels, image.argmax(axis=2))
    assert model.info.name == channel_model.info.name


def test_without_a_runtime_the_model_stays_as_it_is(channel_model, monkeypatch):
    monkeypatch.setattr(check_reference, 'REFERENCES', ())
    assert with_reference_labels(channel_model) is channel_model
