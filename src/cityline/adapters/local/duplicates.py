"""Finding duplicate rows by small integer codes, without comparing texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int32] | NDArray[np.int64]

_LIMIT = 2**62


@dataclass(frozen=True, slots=True)
class Found:
    """Row positions: `repeats` agree in the measure with an earlier row of the same key,
    `conflicts` belong to a key whose measures differ."""

    repeats: NDArray[np.int64]
    conflicts: NDArray[np.int64]


def find_duplicates(
    keys: Sequence[Codes], measure: Codes | None, chosen: NDArray[np.bool_]
) -> Found:
    """Compare the chosen rows by all keys at once.

    Every array has one code per row; equal codes mean equal values. Sorting one packed integer
    per row (key, then row number) puts equal keys side by side with their rows in order.
    """
    none = np.empty(0, dtype=np.int64)
    rows = len(chosen)
    if not chosen.any():
        return Found(none, none)
    packed, size = _combine(keys)
    if size >= _LIMIT // rows:
        packed = np.unique(packed, return_inverse=True)[1].astype(np.int64)
    packed *= np.int64(rows)
    packed += np.arange(rows, dtype=np.int64)
    if not chosen.all():
        packed = packed[chosen]
    packed.sort()
    group = packed // rows
    same = group[1:] == group[:-1]
    if not same.any():
        return Found(none, none)
    member = np.zeros(len(packed), dtype=bool)
    member[1:] = same
    member[:-1] |= same
    return _split(group[member], packed[member] % rows, measure)


def _split(group: NDArray[np.int64], row: NDArray[np.int64], measure: Codes | None) -> Found:
    """Tell repeats from conflicts among the members of groups of two rows and more."""
    first = np.ones(len(group), dtype=bool)
    first[1:] = group[1:] != group[:-1]
    if measure is None:
        return Found(row[~first], np.empty(0, dtype=np.int64))
    starts = np.flatnonzero(first)
    value = measure[row]
    differs = np.minimum.reduceat(value, starts) != np.maximum.reduceat(value, starts)
    conflict = np.repeat(differs, np.diff(np.append(starts, len(group))))
    return Found(row[~first & ~conflict], row[conflict])


def _combine(keys: Sequence[Codes]) -> tuple[NDArray[np.int64], int]:
    """One integer per row that is equal exactly when all codes are; and how many there may be."""
    key = keys[0].astype(np.int64)
    size = int(key.max()) + 1
    for codes in keys[1:]:
        width = int(codes.max()) + 1
        if size * width >= _LIMIT:
            key = np.unique(key, return_inverse=True)[1].astype(np.int64)
            size = int(key.max()) + 1
        key *= width
        key += codes
        size *= width
    return key, size
