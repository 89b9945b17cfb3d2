"""What freed memory becomes: kept from frame to frame, given back when a model was taken down."""

from __future__ import annotations

import ctypes
import gc
import platform

# malloc.h of the GNU C library.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_MEBIBYTE = 1 << 20
_LARGEST_KEPT = 32 * _MEBIBYTE
"""The largest threshold that the library takes on 64 bits."""


def keep_freed_memory() -> bool:
    """
    Let freed blocks of up to 32 MiB stay with the process, for the next frame.

    The GNU C library maps blocks of this size anew each time and gives them back when they are
    freed. Every image then costs the kernel thousands of page faults, which is more than it
    costs to copy it. Memory in use does not grow; what was in use once is kept.

    :return: whether the C library can do it
    """
    if not _is_glibc():
        return False
    library = ctypes.CDLL(None)
    options = (
        (_MMAP_THRESHOLD, _LARGEST_KEPT),
        (_TRIM_THRESHOLD, 16 * _LARGEST_KEPT),
        (_TOP_PAD, 2 * _LARGEST_KEPT),
    )
    return all(library.mallopt(option, value) for option, value in options)


def give_back_memory() -> bool:
    """
    Give everything that nobody holds any more back to the system.

    A model leaves its graph, weights and topics in cycles, which Python would free at some later
    time, and the C library keeps what lies between blocks in use, in the heap of each thread. A
    node that is configured again and again would grow until the heaps of all its threads are
    that large. Takes some 0.1 s.

    :return: whether the C library can do it; cycles are freed in any case
    """
    gc.collect()
    if not _is_glibc():
        return False
    ctypes.CDLL(None).malloc_trim(0)
    return True


def _is_glibc() -> bool:
    return platform.libc_ver()[0] == 'glibc'
