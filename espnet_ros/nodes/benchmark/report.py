"""What a run found, worked out from its recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from espnet_ros.benchmark.node_case import FREE_SPACE, NodeCase, SEGMENTATION
from espnet_ros.benchmark.node_result import (
    Drops,
    Flow,
    NodeResult,
    OutputRate,
    Percentiles,
    ProcessLoad,
)
from espnet_ros.monitoring.camera_record import STAGES
from espnet_ros.nodes.benchmark.observer import Arrivals
from espnet_ros.nodes.benchmark.recording import Recording
from espnet_ros.nodes.benchmark.setup import COSTMAP_TOPIC, mask_topic
from espnet_ros.nodes.benchmark.statuses import Counts

_MB = 1e6


class Report:
    def __init__(
        self, case: NodeCase, recording: Recording, arrivals: Mapping[str, Arrivals]
    ) -> None:
        self._case = case
        self._recording = recording
        self._arrivals = arrivals
        start_ns, end_ns = recording.window_ns
        self._measured_s = (end_ns - start_ns) * 1e-9
        self._best_rate_hz = case.best_rate_hz(self._inference_s())

    def result(self, power_w: Sequence[float]) -> NodeResult:
        model = self._recording.statuses[SEGMENTATION].latest() if self._has_masks else {}
        flows = self._flows()
        processes = tuple(self._load(name, flows) for name in self._recording.usage)
        mean_w = fmean(power_w) if power_w else None
        masks_hz = sum(flow.rate_hz for flow in flows if flow.node == SEGMENTATION)
        return NodeResult(
            runtime=model.get('runtime'),
            precision=model.get('precision'),
            device_latency_ms=self._case.device_latency_ms,
            image=self._recording.image,
            camera_rate_hz=self._case.camera_rate_hz,
            measured_s=round(self._measured_s, 3),
            best_rate_hz=_rounded(self._best_rate_hz, 2),
            flows=flows,
            outputs=tuple(self._outputs()),
            processes=processes,
            stages_ms=self._stages_ms(),
            other_programs_core_percent=self._others(processes),
            power_w=_rounded(mean_w, 3),
            energy_per_frame_j=_rounded(mean_w / masks_hz, 4) if mean_w and masks_hz else None,
        )

    @property
    def _has_masks(self) -> bool:
        return self._case.has_segmentation

    def _flows(self) -> tuple[Flow, ...]:
        counts, played = self._recording.counts, self._recording.played
        cameras = self._case.camera_names
        flows = []
        sent = sum(played.counts)
        if self._has_masks:
            flows = [
                self._flow(
                    SEGMENTATION, camera, played.counts[index], counts[SEGMENTATION, camera], 1
                )
                for index, camera in enumerate(cameras)
            ]
            sent = sum(flow.published for flow in flows)
        if self._case.has_free_space:
            total = Counts(0, 0, 0, 0)
            for camera in cameras:
                total += counts[FREE_SPACE, camera]
            flows.append(self._flow(FREE_SPACE, '', sent, total, len(cameras)))
        return tuple(flows)

    def _flow(self, node: str, camera: str, sent: int, counts: Counts, cameras: int) -> Flow:
        """Return what became of what a node was sent."""
        topic = COSTMAP_TOPIC if node == FREE_SPACE else mask_topic(camera)
        arrived = len(self._arrivals[topic].times_ns)
        ages_ms = self._ages_ms(topic)
        rate_hz = len(ages_ms) / self._measured_s
        best_hz = self._best_rate_hz
        return Flow(
            node=node,
            camera=camera,
            sent=sent,
            received=counts.received,
            published=counts.published,
            arrived=arrived,
            sent_rate_hz=round(sent / self._recording.played.duration_s, 2),
            rate_hz=round(rate_hz, 2),
            ratio=None if best_hz is None else round(rate_hz / (best_hz * cameras), 3),
            latency_ms=Percentiles.of(ages_ms),
            drops=Drops(
                before_node=sent - counts.received,
                in_node=counts.dropped,
                failed=counts.failed,
                after_node=counts.published - arrived,
            ),
        )

    def _outputs(self) -> list[OutputRate]:
        of_flows = {COSTMAP_TOPIC, *(mask_topic(name) for name in self._case.camera_names)}
        outputs = []
        for topic in self._arrivals:
            if topic not in of_flows:
                ages_ms = self._ages_ms(topic)
                rate_hz = round(len(ages_ms) / self._measured_s, 2)
                outputs.append(OutputRate(topic, rate_hz, Percentiles.of(ages_ms)))
        return outputs

    def _ages_ms(self, topic: str) -> list[float]:
        return self._arrivals[topic].ages_ms(*self._recording.window_ns)

    def _load(self, name: str, flows: Sequence[Flow]) -> ProcessLoad:
        usage = self._recording.usage[name]
        node = FREE_SPACE if name == FREE_SPACE or not self._has_masks else SEGMENTATION
        rate_hz = sum(flow.rate_hz for flow in flows if flow.node == node)
        share = (usage.end.cpu_s - usage.start.cpu_s) / self._measured_s
        grown = usage.end.memory_bytes - usage.settled.memory_bytes
        return ProcessLoad(
            name,
            core_percent=round(100 * share, 1),
            cpu_per_frame_ms=round(1e3 * share / rate_hz, 2) if rate_hz else None,
            memory_mb=round(usage.end.memory_bytes / _MB, 1),
            memory_growth_mb=round(grown / _MB, 1),
        )

    def _others(self, processes: Sequence[ProcessLoad]) -> float | None:
        busy = self._recording.busy_core_percent
        if busy is None:
            return None
        return round(max(busy - sum(load.core_percent for load in processes), 0.0), 1)

    def _stages_ms(self) -> dict[str, float | None]:
        if not self._has_masks:
            return {}
        statuses, camera = self._recording.statuses[SEGMENTATION], self._case.camera_names[0]
        return {stage: statuses.stage_ms(camera, stage) for stage in STAGES}

    def _inference_s(self) -> float | None:
        inference_ms = self._stages_ms().get('inference')
        return None if inference_ms is None else inference_ms * 1e-3


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
