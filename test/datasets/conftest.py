"""A small labelled data set."""

from __future__ import annotations

from small_camvid import camvid

__all__ = ('camvid',)
