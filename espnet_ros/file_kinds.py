"""What a file is, by its first bytes, and what its name is good for."""

from __future__ import annotations

from pathlib import Path

from espnet_ros.exceptions import InputError

CHECKPOINT_SUFFIXES = ('.pth', '.pt')


def is_checkpoint(name_or_path: str | Path) -> bool:
    """Tell whether a model is given as a checkpoint of torch."""
    return Path(name_or_path).suffix.lower() in CHECKPOINT_SUFFIXES


def check_utf8(path: Path, what: str = '') -> None:
    """
    Refuse a name that is not UTF-8: OpenCV crashes on it.

    :param what: the option that it was given with
    :raises InputError: it is not
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        shown = str(path).encode(errors='backslashreplace').decode()
        raise InputError(f'{what} {shown}: the name is not UTF-8; rename it'.strip()) from None
