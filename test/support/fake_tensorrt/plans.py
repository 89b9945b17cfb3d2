"""What an engine file of the stand-in is: a head, and the ONNX that it was made of."""

from __future__ import annotations

import hashlib
import json
from typing import Any

MAGIC = b'ftrt\n'


def make_plan(head: dict[str, Any], model: bytes) -> bytes:
    head = {**head, 'sha256': hashlib.sha256(model).hexdigest()}
    return MAGIC + json.dumps(head).encode() + b'\n' + model


def read_plan(plan: bytes, version: str, capability: str) -> tuple[dict[str, Any], bytes] | str:
    """Return head and ONNX, or what the real one logs where it does not load (section 6.1)."""
    if not plan:
        return 'Cannot deserialize empty blob'
    if not plan.startswith(MAGIC):
        return 'Serialization assertion magicTagRead == kMAGIC_TAG failed.'
    line, _, model = plan[len(MAGIC) :].partition(b'\n')
    head = json.loads(line)
    if head['version'] != version:
        return (
            'The engine plan file is not compatible with this version of TensorRT, expecting '
            f'library version {version} got {head["version"]}'
        )
    if head['capability'] != capability:
        return (
            'The engine plan file is generated on an incompatible device, expecting compute '
            f'{capability} got compute {head["capability"]}'
        )
    if hashlib.sha256(model).hexdigest() != head['sha256']:
        return 'Serialization assertion stdArchiveReader failed: unexpected end of file.'
    return head, model
