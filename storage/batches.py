"""Lists of keys as parameters: a statement for sixteen is another one than that for fifteen."""

from collections.abc import Collection
from typing import TypeVar

Key = TypeVar("Key")


def padded(keys: Collection[Key]) -> list[Key]:
    """These keys, the last repeated until they are as many as a power of two.

    `IN` finds the same. PostgreSQL is asked to prepare and plan ten statements instead of hundreds
    (PostgreSQL, "PREPARE": a statement with other text is another statement).
    """
    padding = (1 << max(0, len(keys) - 1).bit_length()) - len(keys)
    listed = list(keys)
    return listed + listed[-1:] * padding
