"""Plays a source at its own pace, segments it, and shows what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
import threading
import time

from espnet_ros.cli.uninterrupted import uninterrupted
from espnet_ros.cli.view.machine import Machine
from espnet_ros.config import DiagnosticsSettings, PowerSettings
from espnet_ros.exceptions import InputError
from espnet_ros.monitoring.camera_record import CameraRecord, CameraSnapshot
from espnet_ros.monitoring.health import (
    diagnose_latency,
    diagnose_model,
    diagnose_output,
    Level,
    NodeHealth,
    Status,
)
from espnet_ros.monitoring.power_health import diagnose_device, diagnose_power, PowerSnapshot
from espnet_ros.segmentation import Segmentation
from espnet_ros.segmenter import Segmenter
from espnet_ros.sources import BrokenFrame, Frame, Source
from espnet_ros.sources.read_ahead import read_ahead
from espnet_ros.web.live_view import LiveView
from espnet_ros.web.model_card import model_card
from espnet_ros.web.records import LiveFrame
from espnet_ros.web.sampling import make_sample

CAMERA = ''
RATE_HZ = 1.0
"""Of images that have no rate of their own."""
PERIOD_S = 0.5

Take = Callable[[Frame, Segmentation], None]
"""Is given a frame and what was seen in it."""


class Player:
    """
    Shows a source until it ends.

    A frame that is late by more than its turn is left out, as a camera's would be.

    :param take: takes every frame too
    """

    def __init__(
        self,
        source: Source,
        segmenter: Segmenter,
        view: LiveView,
        machine: Machine,
        take: Take | None = None,
    ) -> None:
        self._source = source
        self._segmenter = segmenter
        self._view = view
        self._machine = machine
        self._take = take
        self._record = CameraRecord('', time.monotonic())
        self._facts = model_card(segmenter)
        self._stopped = threading.Event()
        self._ended = ''
        view.put_model(self._facts)

    def run(self) -> None:
        """
        Play to the end.

        :raises InputError: the source breaks off, or its images cannot be segmented
        """
        teller = threading.Thread(target=self._tell_regularly, name='numbers')
        teller.start()
        try:
            with read_ahead(self._source, None) as frames:
                for frame in self._paced(frames):
                    self._show(frame)
        finally:
            self._stopped.set()
            teller.join()

    def _paced(self, frames: Iterator[Frame | BrokenFrame]) -> Iterator[Frame]:
        period_s = 1 / (self._source.rate_hz or RATE_HZ)
        due_s = time.monotonic()
        for frame in frames:
            now_s = time.monotonic()
            if isinstance(frame, BrokenFrame):
                self._record.received(now_s, 'unreadable', replaced=False)
                self._record.failed(now_s, 'input', frame.reason)
                continue
            height, width = frame.image_bgr.shape[:2]
            image = f'bgr8 {width}x{height}'
            is_late = now_s > due_s + period_s and not self._source.is_live and not self._take
            if not is_late:
                time.sleep(max(due_s - now_s, 0.0))
            self._record.received(time.monotonic(), image, replaced=is_late)
            # What is recorded is taken whole; the pace is then that of the network.
            due_s = max(due_s, now_s - 1.0 if is_late else now_s - period_s) + period_s
            if not is_late:
                yield frame

    def _show(self, frame: Frame) -> None:
        began_s = time.monotonic()
        confidence = self._segmenter.runtime.has_confidence and self._view.wants_confidence(CAMERA)
        try:
            (result,) = self._segmenter.segment([frame.image_bgr], confidence=confidence)
        except InputError as error:
            if self._source.size is not None:
                raise
            self._record.failed(time.monotonic(), 'input', f'{frame.name}: {error}')
            return
        if self._take is not None:
            with uninterrupted():
                self._take(frame, result)
        stamp_s = frame.stamp_ns / 1e9 if frame.stamp_ns else time.time()
        self._view.offer(
            CAMERA,
            LiveFrame(
                lambda: (frame.image_bgr, 'bgr8'),
                result.labels,
                result.label_set,
                self._segmenter.settings.unlabelled_id,
                stamp_s,
                result.confidence,
            ),
        )
        now_s, times = time.monotonic(), result.stage_times
        self._record.published(now_s, stamp_s)
        self._record.took(
            now_s,
            {
                'prepare': times.prepare_s,
                'inference': times.inference_s,
                'finish': times.finish_s,
                'latency': now_s - began_s,
                'age': now_s - began_s,
            },
        )

    def _tell_regularly(self) -> None:
        while not self._stopped.is_set():
            snapshot = self._record.snapshot(time.monotonic())
            machine = self._machine.snapshot(snapshot.output_rate_hz)
            self._view.put_sample(CAMERA, make_sample(snapshot, machine))
            self._view.put_statuses(self._diagnose(snapshot, machine))
            self._stopped.wait(PERIOD_S)

    def _diagnose(self, snapshot: CameraSnapshot, machine: PowerSnapshot) -> Iterator[Status]:
        health = NodeHealth('active', model=self._facts)
        settings, power = DiagnosticsSettings(), PowerSettings()
        rate_hz = self._source.rate_hz or RATE_HZ
        failure = snapshot.failure
        yield Status(
            'input',
            Level.OK if failure is None or failure.kind != 'input' else Level.ERROR,
            'images arrive' if failure is None else failure.reason,
            {'image': snapshot.image or 'none', 'rate_hz': f'{rate_hz:g}'},
        )
        yield diagnose_output(health, snapshot, settings, 0.0)
        yield diagnose_latency(health, snapshot, settings)
        yield diagnose_model(health)
        yield diagnose_power(machine, power, 'active')
        yield diagnose_device(machine, power, 'active')
