"""What a check of the installation found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Status(str, Enum):
    """How it looks: in order, not here but not needed, could be better, or in the way."""

    OK = 'ok'
    ABSENT = '-'
    WARN = 'warn'
    FAIL = 'fail'


@dataclass(frozen=True)
class Check:
    """
    One line of the report.

    :param fix: what to do; empty where nothing is to be done
    """

    topic: str
    status: Status
    found: str
    fix: str = ''
