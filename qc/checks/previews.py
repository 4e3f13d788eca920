"""Small versions of large images, all on one frame, made while the full image is in memory.

Masks are reduced by block maximum or by taking single pixels, never by averaging or from overviews: those invent
class values that nobody wrote.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MAX_PREVIEW_PIXELS = 687
"""Longer side of a picture: a full tile of 10 m (10980 px) in blocks of 16."""


@dataclass(frozen=True)
class Frame:
    """The frame that pictures of one granule share. ``bounds``: west, north, east, south in metres, or None."""

    rows: int
    columns: int
    bounds: tuple[float, float, float, float] | None = None


def frame_for(shape: tuple[int, int], transform: tuple[float, ...] | None = None) -> Frame:
    """The frame of pictures of an image of this shape (rows, columns)."""
    longer = max(shape)
    step = max(1, -(-longer // MAX_PREVIEW_PIXELS))
    rows, columns = (-(-side // step) for side in shape)
    return Frame(rows, columns, bounds_of(shape, transform))


def bounds_of(shape: tuple[int, int], transform: tuple[float, ...] | None) -> tuple[float, float, float, float] | None:
    """West, north, east, south of an image with a north-up geotransform (a, b, c, d, e, f as rasterio has it)."""
    if transform is None:
        return None
    a, _, c, _, e, f = transform[:6]
    return (c, f, c + a * shape[1], f + e * shape[0])


def same_ground(one: Frame, bounds: tuple[float, float, float, float] | None) -> bool:
    """Whether an image with these bounds shows what the frame shows, within a pixel of the frame."""
    if one.bounds is None or bounds is None:
        return True
    pixel = max((one.bounds[2] - one.bounds[0]) / one.columns, (one.bounds[1] - one.bounds[3]) / one.rows)
    return all(abs(a - b) <= pixel for a, b in zip(one.bounds, bounds, strict=True))


def block_mean(image: np.ndarray, frame: Frame) -> np.ndarray:
    """Mean of each block, float32 (rows, columns) of the frame; an image smaller than the frame is repeated."""
    rows, columns = image.shape
    if rows < frame.rows or columns < frame.columns:
        return sample(image, frame).astype(np.float32)
    row_edges, column_edges = _edges(rows, frame.rows), _edges(columns, frame.columns)
    out = np.empty((frame.rows, frame.columns), np.float32)
    widths = np.diff(np.append(column_edges, columns))
    for index, first in enumerate(row_edges):  # a row of blocks at a time: the sums of a whole band would take 1 GB
        last = row_edges[index + 1] if index + 1 < frame.rows else rows
        sums = np.add.reduceat(image[first:last].sum(axis=0, dtype=np.int64), column_edges)
        out[index] = sums / (widths * (last - first))
    return out


def block_any(mask: np.ndarray, frame: Frame) -> np.ndarray:
    """Whether any pixel of each block is set: bool (rows, columns) of the frame."""
    rows, columns = mask.shape
    if rows < frame.rows or columns < frame.columns:
        return sample(mask, frame).astype(bool)
    wide = np.logical_or.reduceat(mask, _edges(rows, frame.rows), axis=0)
    return np.logical_or.reduceat(wide, _edges(columns, frame.columns), axis=1)


def any_zero(image: np.ndarray, frame: Frame) -> np.ndarray:
    """Whether any pixel of each block of an unsigned image is 0: bool (rows, columns) of the frame."""
    rows, columns = image.shape
    if rows < frame.rows or columns < frame.columns:
        return sample(image, frame) == 0
    row_edges, column_edges = _edges(rows, frame.rows), _edges(columns, frame.columns)
    out = np.empty((frame.rows, frame.columns), np.bool_)
    for index, first in enumerate(row_edges):
        last = row_edges[index + 1] if index + 1 < frame.rows else rows
        out[index] = np.minimum.reduceat(image[first:last].min(axis=0), column_edges) == 0
    return out


def sample(image: np.ndarray, frame: Frame) -> np.ndarray:
    """One pixel of the image, the middle one, for each pixel of the frame."""
    rows = ((np.arange(frame.rows) + 0.5) * image.shape[0] / frame.rows).astype(np.int64)
    columns = ((np.arange(frame.columns) + 0.5) * image.shape[1] / frame.columns).astype(np.int64)
    return image[np.ix_(rows, columns)]


def _edges(length: int, parts: int) -> np.ndarray:
    return np.arange(parts) * length // parts
