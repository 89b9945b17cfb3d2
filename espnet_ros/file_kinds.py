"""What a file is."""

from __future__ import annotations

from pathlib import Path

CHECKPOINT_SUFFIXES = ('.pth', '.pt')


def is_checkpoint(name_or_path: str | Path) -> bool:
    """Tell whether a model is given as a checkpoint of torch."""
    return Path(name_or_path).suffix.lower() in CHECKPOINT_SUFFIXES
