"""The stand-in answers with classes by brightness."""

from __future__ import annotations

import time

from espnet_ros.config import FakeSettings, RuntimeSettings
from espnet_ros.runtimes.fake import FakeRuntime
import numpy as np
import pytest

DEVICE_S = 0.05
DEVICE = RuntimeSettings(fake=FakeSettings(latency_ms=1e3 * DEVICE_S))


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


def test_a_stand_in_for_a_device_takes_its_time_for_each_batch_and_leaves_the_processor(
    channel_model,
):
    batch = np.zeros((4, 360, 480, 3), np.uint8)
    with FakeRuntime(channel_model, DEVICE) as runtime:
        runtime.infer(batch)
        started_s, started_cpu_s = time.perf_counter(), time.process_time()
        runtime.infer(batch, confidence=True)
        taken_s, cpu_s = time.perf_counter() - started_s, time.process_time() - started_cpu_s
    assert DEVICE_S <= taken_s < 3 * DEVICE_S
    assert cpu_s < DEVICE_S / 5


def test_a_stand_in_for_a_device_sees_the_green_of_every_eighth_row(channel_model):
    batch = np.zeros((2, 24, 32, 3), np.uint8)
    batch[0, 8] = (0, 255, 0)
    batch[0, 1] = (255, 255, 255)
    batch[1, 16, :5, 1] = 128
    with FakeRuntime(channel_model, DEVICE) as runtime:
        found = runtime.infer(batch, confidence=True)
        expected = np.zeros((2, 24, 32), np.uint8)
        expected[0, 8:16] = 2
        expected[1, 16:, :5] = 1
        np.testing.assert_array_equal(found.labels, expected)
        assert found.confidence[1, 23, 0] == 255
        assert found.confidence[1, 0, 0] == 128
        np.testing.assert_array_equal(runtime.infer(batch[:1]).labels, expected[:1])
        assert runtime.infer(batch).confidence is None
