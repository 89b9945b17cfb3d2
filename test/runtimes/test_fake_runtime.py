"""The stand-in answers with classes by brightness."""

from __future__ import annotations

from espnet_ros.config import RuntimeSettings
from espnet_ros.runtimes.fake_runtime import FakeRuntime
import numpy as np
import pytest


@pytest.mark.parametrize(('gray', 'label'), [(0, 0), (85, 0), (86, 1), (170, 1), (171, 2)])
def test_bands_of_brightness_are_the_classes(channel_model, gray, label):
    with FakeRuntime(channel_model, RuntimeSettings()) as runtime:
        found = runtime.infer(np.full((1, 16, 32, 3), gray, np.uint8))
    assert (found.labels == label).all()


def test_green_weighs_twice(channel_model):
    with FakeRuntime(channel_model, RuntimeSettings()) as runtime:
        for color, label in (((0, 255, 0), 1), ((255, 0, 0), 0), ((0, 0, 255), 0)):
            batch = np.full((1, 16, 32, 3), color, np.uint8)
            assert (runtime.infer(batch).labels == label).all()


def test_the_confidence_is_highest_in_the_middle_of_a_band(channel_model):
    ramp = np.arange(256, dtype=np.uint8).reshape(1, 8, 32, 1).repeat(3, axis=3)
    with FakeRuntime(channel_model, RuntimeSettings()) as runtime:
        confidence = runtime.infer(ramp, confidence=True).confidence.ravel()
    assert confidence.max() >= 254
    assert confidence.min() == 128
    assert confidence[128] > confidence[90]


def test_two_frames_can_be_told_apart(channel_model):
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 256, (2, 1, 16, 32, 3), np.uint8)
    with FakeRuntime(channel_model, RuntimeSettings()) as runtime:
        labels = runtime.infer(first).labels
        np.testing.assert_array_equal(labels, runtime.infer(first).labels)
        assert (labels != runtime.infer(second).labels).any()
