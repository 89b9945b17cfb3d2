"""What a build reads beside its job."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BuildInput:
    """
    What a build reads: the network, and what it measures with or need not measure again.

    :param network: ONNX with the types that the job's precision needs
    :param device: number of the CUDA device
    :param image_dtype: numpy type of the image input
    :param timing_cache: of an earlier build, or empty
    :param calibration_paths: images to measure INT8 scales on; none where they are not measured
    :param calibration_cache: scales of an earlier build, or empty
    """

    network: bytes
    device: int = 0
    image_dtype: str = 'uint8'
    timing_cache: bytes = b''
    calibration_paths: tuple[str, ...] = ()
    calibration_cache: bytes = b''


@dataclass(frozen=True)
class BuiltEngine:
    """
    What a build gives.

    :param plan: the engine, serialised
    :param timing_cache: measurements that make the next build of this machine shorter
    :param calibration_cache: the INT8 scales that were measured, or empty
    """

    plan: bytes
    timing_cache: bytes
    calibration_cache: bytes = b''
