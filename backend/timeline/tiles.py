"""Tiles: what each worker did in BINS equal bins of time.

A tile of level k at place p covers the seconds [p, p + 1) x BINS x 2^k, in bins of 2^k seconds. Two tiles that
are neighbours make one of the next level, so an overview of any length is drawn from a few tiles.

Packed, a tile is zlib over, in little endian,

* one byte: bytes of a share (1 or 2); one byte: number of layers (5, or 7 where windows were missed; 0 stands for 5);
  two bytes: number of workers;
* NUM_FIGURES x BINS four-byte floats: what was counted in each bin (`spans.FIGURE_NAMES`);
* two bytes for each worker: its number, ascending;
* for each layer (`spans.KIND_NAMES`, then `MISS_NAMES`), worker and bin: the share of the bin that it took. The first
  five lie side by side; a missed window lies over the computing that it was about.

In one byte a share is (byte / 255) squared, since short waits matter; in two bytes it is number / 65,535. A share
that is not 0 is never packed as 0. Tiles that still change have two bytes, so that what is added in small parts is
not rounded away; they are served with one.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.timeline.spans import NUM_FIGURES, NUM_KINDS, NUM_LAYERS, Floats, Integers, Marks, Spans

BINS = 256
_HEADER = struct.Struct("<BBH")
_PACK_LEVEL = 2  # of zlib

Shares = NDArray[np.float32]


@dataclass(slots=True)
class Tile:
    """One tile; shares[k, i, b]: of bin b, that `workers[i]` spent on kind k, or missed (see the layers)."""

    workers: Integers
    shares: Shares
    figures: Floats

    @classmethod
    def empty(cls) -> Tile:
        return cls(np.zeros(0, np.int64), np.zeros((NUM_LAYERS, 0, BINS), np.float32), np.zeros((NUM_FIGURES, BINS)))

    def rows_of(self, workers: Integers) -> Integers:
        """Give the rows of workers, which are made where there are none."""
        known = self.workers
        self.workers = np.union1d(known, workers)
        if len(self.workers) > len(known):
            wider = np.zeros((NUM_LAYERS, len(self.workers), BINS), np.float32)
            wider[:, np.searchsorted(self.workers, known)] = self.shares
            self.shares = wider
        return np.searchsorted(self.workers, workers)

    def add_spans(self, spans: Spans, level: int, place: int) -> None:
        """Add what of the spans lies in the tile; O(spans + workers x bins)."""
        width_s = 2.0**level
        start = np.maximum(spans.start_s / width_s - place * BINS, 0.0)
        end = np.minimum(spans.end_s / width_s - place * BINS, float(BINS))
        is_inside = end > start
        if not is_inside.any():
            return
        workers, row = np.unique(spans.worker[is_inside], return_inverse=True)
        lines = spans.kind[is_inside] * len(workers) + row
        # A span is a step up and a step down. A step at x adds the rest of its bin, and 1 to every later bin.
        steps = np.zeros(NUM_LAYERS * len(workers) * (BINS + 2))
        for at, sign in ((start[is_inside], 1.0), (end[is_inside], -1.0)):
            whole = np.floor(at)
            part = at - whole
            cell = lines * (BINS + 2) + whole.astype(np.int64)
            steps += np.bincount(cell, sign * (1 - part), len(steps))
            steps += np.bincount(cell + 1, sign * part, len(steps))
        shares = np.cumsum(steps.reshape(NUM_LAYERS, len(workers), BINS + 2)[:, :, :BINS], axis=2)
        shares[shares < 1e-7] = 0.0  # what is left of 1 - 1
        rows = self.rows_of(workers)
        self.shares[:, rows] += shares.astype(np.float32)

    def add_marks(self, marks: Marks, level: int, place: int) -> None:
        """Add the marks that lie in the tile."""
        cell = np.floor(marks.at_s / 2.0**level).astype(np.int64) - place * BINS
        is_inside = (cell >= 0) & (cell < BINS)
        index = marks.figure[is_inside] * BINS + cell[is_inside]
        sums = np.bincount(index, marks.value[is_inside], NUM_FIGURES * BINS)
        self.figures += sums.reshape(NUM_FIGURES, BINS)


def places_of(spans: Spans, marks: Marks, level: int) -> list[int]:
    """Give the tiles of a level that these reach into, in order."""
    width_s = BINS * 2.0**level
    ends = np.floor(np.stack([spans.start_s, spans.end_s], axis=1) / width_s).astype(np.int64)
    found = {place for first, last in np.unique(ends, axis=0).tolist() for place in range(first, last + 1)}
    found |= set(np.unique(np.floor(marks.at_s / width_s).astype(np.int64)).tolist())
    return sorted(found)


def joined(left: Tile, right: Tile) -> Tile:
    """Make one tile of the next level from two neighbours."""
    made = Tile.empty()
    for tile, first_bin in ((left, 0), (right, BINS // 2)):
        half = slice(first_bin, first_bin + BINS // 2)
        made.figures[:, half] = tile.figures[:, ::2] + tile.figures[:, 1::2]
        rows = made.rows_of(tile.workers)
        made.shares[:, rows, half] = (tile.shares[:, :, ::2] + tile.shares[:, :, 1::2]) / 2
    return made


def pack(tile: Tile, *, is_open: bool) -> bytes:
    """Pack a tile; `is_open`: more will be added, so that small parts must not be lost."""
    kind: type[np.unsignedinteger] = np.uint16 if is_open else np.uint8
    most = np.iinfo(kind).max
    num_layers = NUM_LAYERS if tile.shares[NUM_KINDS:].any() else NUM_KINDS
    shares = np.minimum(tile.shares[:num_layers], 1.0)
    scaled = np.rint((shares if is_open else np.sqrt(shares)) * most)
    scaled[(scaled == 0) & (shares > 0)] = 1
    parts = [
        _HEADER.pack(2 if is_open else 1, num_layers, len(tile.workers)),
        tile.figures.astype("<f4").tobytes(),
        tile.workers.astype("<u2").tobytes(),
        scaled.astype(np.dtype(kind).newbyteorder("<")).tobytes(),
    ]
    return zlib.compress(b"".join(parts), _PACK_LEVEL)


def unpack(data: bytes) -> Tile:
    """Read a packed tile."""
    raw = zlib.decompress(data)
    size, num_layers, num_workers = _HEADER.unpack_from(raw)
    num_layers = num_layers or NUM_KINDS
    figures = np.frombuffer(raw, "<f4", NUM_FIGURES * BINS, _HEADER.size)
    offset = _HEADER.size + figures.nbytes
    workers = np.frombuffer(raw, "<u2", num_workers, offset)
    num_cells = num_layers * num_workers * BINS
    packed = np.frombuffer(raw, "<u2" if size == 2 else "<u1", num_cells, offset + workers.nbytes)
    told = packed * np.float32(1 / (65_535 if size == 2 else 255))
    if size == 1:
        told *= told
    shares = np.zeros((NUM_LAYERS, num_workers, BINS), np.float32)
    shares[:num_layers] = told.reshape(num_layers, num_workers, BINS)
    return Tile(workers.astype(np.int64), shares, figures.reshape(NUM_FIGURES, BINS).astype(np.float64))


def is_served_as_stored(data: bytes) -> bool:
    """Tell whether a packed tile has one byte for each share, as readers want it."""
    return zlib.decompressobj().decompress(data, 1) == b"\x01"
