"""Frames as JPEG and PNG: each is encoded once, whoever and how many look."""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
import json
from typing import Any
import zlib

from espnet_ros.labels import LabelSet
from espnet_ros.processing.codecs import encode_jpeg, encode_png
from espnet_ros.processing.overlay import blend_overlay, reduce_image, reduce_labels
from espnet_ros.processing.postprocess import class_shares
from espnet_ros.web.records import LiveFrame
import numpy as np
from numpy.typing import NDArray

JPEG_QUALITY = 80
CONFIDENCE_WIDTH = 320
"""In pixels; noise takes ten times as many bytes as a mask, and one asks for single pixels."""
_KEPT = 8

Part = tuple[str, bytes]


@dataclass(frozen=True)
class Look:
    """
    How somebody looks at a camera.

    :param width: largest width of the picture in pixels
    :param alpha: opacity of the class colours in an overlay; None for layers, which the browser
        lays over each other
    """

    width: int
    confidence: bool = False
    alpha: float | None = None


@dataclass(frozen=True)
class Picture:
    """
    An encoded frame.

    :param facts: about it, as JSON can hold them
    :param parts: names and contents of files
    """

    facts: dict[str, Any]
    parts: tuple[Part, ...]

    def packed(self, facts: dict[str, Any]) -> bytes:
        """
        Return all of it as one message.

        It is the length of the JSON that follows (4 bytes, little endian), the JSON, and the
        files; their names and lengths are in the JSON.

        :param facts: more of them
        """
        lengths = [[name, len(data)] for name, data in self.parts]
        head = json.dumps({**self.facts, **facts, 'parts': lengths}).encode()
        files = (data for _, data in self.parts)
        return b''.join((len(head).to_bytes(4, 'little'), head, *files))


class PictureEncoder:
    """Encodes frames in a thread of its own, and keeps the last few pictures."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, 'web pictures')
        self._kept: OrderedDict[tuple[str, int, Look], Future[Picture]] = OrderedDict()

    def encode(self, camera: str, number: int, frame: LiveFrame, look: Look) -> Future[Picture]:
        """Return the picture to come; called from one thread."""
        key = (camera, number, look)
        found = self._kept.get(key)
        if found is None:
            make = encode_layers if look.alpha is None else encode_overlay
            found = self._kept[key] = self._pool.submit(make, frame, look)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found

    def forget(self) -> None:
        self._kept.clear()

    def close(self) -> None:
        """Finish the picture at hand and end."""
        self._pool.shutdown(cancel_futures=True)


def encode_layers(frame: LiveFrame, look: Look) -> Picture:
    """Return camera and mask as two files, and the confidence where it is there and wanted."""
    image_bgr = _reduced_bgr(frame, look.width)
    labels = reduce_labels(frame.labels, look.width)
    parts: list[Part] = [
        ('camera', encode_jpeg(image_bgr, JPEG_QUALITY)),
        ('mask', encode_png(labels)),
    ]
    if look.confidence and frame.confidence is not None:
        small = reduce_labels(frame.confidence, min(look.width, CONFIDENCE_WIDTH))
        parts.append(('confidence', encode_jpeg(small, JPEG_QUALITY)))
    return Picture(_facts(frame, image_bgr), tuple(parts))


def encode_overlay(frame: LiveFrame, look: Look) -> Picture:
    """Return the image with the class colours over it as one file."""
    image_bgr = _reduced_bgr(frame, look.width)
    palette_bgr = frame.label_set.palette_rgb()[:, ::-1]
    overlay_bgr = blend_overlay(image_bgr, frame.labels, palette_bgr, look.alpha or 0.0)
    return Picture(_facts(frame, image_bgr), (('overlay', encode_jpeg(overlay_bgr)),))


def describe_labels(label_set: LabelSet, unlabelled_id: int) -> tuple[str, dict[str, Any]]:
    """Return a short key of a label set, and what the page needs of it."""
    classes = [{'name': entry.name, 'color': list(entry.color_rgb)} for entry in label_set.classes]
    content = {'name': label_set.name, 'classes': classes, 'unlabelled_id': unlabelled_id}
    return f'{zlib.crc32(json.dumps(content).encode()):08x}', content


def _reduced_bgr(frame: LiveFrame, width: int) -> NDArray[np.uint8]:
    image, encoding = frame.picture()
    reduced = reduce_image(image, width)
    return np.ascontiguousarray(reduced if encoding == 'bgr8' else reduced[..., ::-1])


def _facts(frame: LiveFrame, image_bgr: NDArray[np.uint8]) -> dict[str, Any]:
    ids, shares = class_shares(frame.labels)
    return {
        'stamp_s': frame.stamp_s,
        'size': list(image_bgr.shape[:2]),
        'mask_size': list(frame.labels.shape),
        'ids': ids.tolist(),
        'shares': [round(share, 5) for share in shares.tolist()],
    }
