"""The definitions of the messages, those of this package among them."""

from __future__ import annotations

from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from rosbags.typesys import get_types_from_msg, get_typestore, Stores

PACKAGE = 'espnet_ros'


@cache
def message_types() -> Any:
    store = get_typestore(Stores.ROS2_JAZZY)
    for name, text in definition_texts().items():
        store.register(get_types_from_msg(text, f'{PACKAGE}/msg/{name}'))
    return store


def definition_texts() -> dict[str, str]:
    """Return the definitions of the messages of this package by name."""
    folder: Any = resources.files(PACKAGE) / 'recording' / 'definitions'
    if not folder.is_dir():  # the source tree, where they are built from
        folder = Path(__file__).resolve().parents[2] / 'msg'
    files = sorted((entry for entry in folder.iterdir()), key=lambda entry: str(entry.name))
    return {
        entry.name.removesuffix('.msg'): entry.read_text(encoding='utf-8')
        for entry in files
        if entry.name.endswith('.msg')
    }
