"""Pictures of a product: the scene, and transparent overlays of its masks on the same frame.

The scene is the true colour image (TCI) or the preview (PVI), else it is made of B04, B03 and B02. Masks come from full
resolution, reduced by block maximum or by taking single pixels.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning

from mpc.jobs import Artifact
from mpc.msi.masks import classification
from mpc.msi.safe import GranuleParts
from qc.checks.pixels import Pictures
from qc.checks.previews import Frame, block_any, bounds_of, same_ground
from qc.checks.subject import Subject

MAX_GRANULES = 20
"""Old products hold up to a hundred tiles; the first ones show what there is to see."""

COLOURS = {
    "clouds": (255, 80, 80),
    "cirrus": (255, 170, 60),
    "snow": (80, 210, 255),
    "nodata": (150, 60, 200),
    "detectors": (255, 230, 0),
}
TITLES = {
    "clouds": "Opaque clouds",
    "cirrus": "Cirrus",
    "snow": "Snow and ice",
    "nodata": "No data",
    "detectors": "Detector boundaries",
}
ALPHA = 150
STRETCH = (2.0, 98.0)


def quicklook(
    subject: Subject,
    workdir: Path,
    progress: Callable[[float, str], None] = lambda fraction, message: None,
    log: Callable[[str, str], None] = lambda message, level: None,
) -> tuple[Artifact, ...]:
    """Write the pictures of each granule as PNG below ``workdir``; () for a datastrip, or where nothing is to see."""
    if subject.kind != "product":
        return ()
    found: list[Artifact] = []
    granules = list(zip(subject.safe.granules, subject.pixels.pictures, strict=True))[:MAX_GRANULES]
    for done, (granule, pictures) in enumerate(granules):
        progress(done / len(granules), f"Drawing {pictures.tile or 'the tile'}")
        suffix = f"_{pictures.tile or done}" if len(granules) > 1 else ""
        found += _of_granule(subject, granule, pictures, workdir, suffix, log)
    return tuple(found)


def _of_granule(
    subject: Subject,
    granule: GranuleParts,
    pictures: Pictures,
    workdir: Path,
    suffix: str,
    log: Callable[[str, str], None],
) -> list[Artifact]:
    scene = _scene(pictures)
    if scene is None or pictures.frame is None:
        log(f"no picture of {granule.tile or granule.id or 'the granule'}: no image of it could be read", "warning")
        return []
    place = f" of {pictures.tile}" if suffix else ""
    image, source = scene
    found = [_write(workdir, f"quicklook{suffix}", image, f"Scene{place} ({source})")]
    masks = _masks(subject, granule, pictures, pictures.frame, log)
    for name, mask in masks.items():
        if mask.any():
            found.append(_write(workdir, f"overlay_{name}{suffix}", _overlay(mask, name), f"{TITLES[name]}{place}"))
    return found


def _scene(pictures: Pictures) -> tuple[np.ndarray, str] | None:
    """The picture, uint8 (3, rows, columns), and what it was made of."""
    if pictures.colour is not None:
        return pictures.colour, pictures.colour_source
    layers = [pictures.bands.get(name) for name in ("B04", "B03", "B02")]
    known = [layer for layer in layers if layer is not None]
    if not known:
        return None
    names = [name for name in ("B04", "B03", "B02") if name in pictures.bands]
    if len(known) < 3:
        return np.stack([_stretched(known[0])] * 3), names[0]
    return np.stack([_stretched(layer) for layer in known]), " ".join(names)


def _stretched(layer: np.ndarray) -> np.ndarray:
    """Counts as 8 bit between the percentiles 2 and 98 of what is no no-data."""
    filled = layer[layer > 0]
    if filled.size == 0:
        return np.zeros(layer.shape, np.uint8)
    low, high = np.percentile(filled, STRETCH)
    scaled = (layer - low) / max(high - low, 1.0) * 254 + 1
    return np.where(layer > 0, np.clip(scaled, 1, 255), 0).astype(np.uint8)


def _masks(
    subject: Subject, granule: GranuleParts, pictures: Pictures, frame: Frame, log: Callable[[str, str], None]
) -> dict[str, np.ndarray]:
    """Masks on the frame by name, bool (rows, columns)."""
    found: dict[str, np.ndarray] = {}
    classes = classification(subject.safe, granule)
    if classes.problem:
        log(f"no cloud or snow overlay: {classes.problem}", "info")
    for name, mask in (("clouds", classes.cloud), ("cirrus", classes.cirrus), ("snow", classes.snow)):
        if mask is not None and same_ground(frame, bounds_of((mask.shape[0], mask.shape[1]), classes.transform)):
            found[name] = block_any(mask, frame)
    if pictures.nodata is not None:
        found["nodata"] = pictures.nodata
    if pictures.detectors is not None:
        found["detectors"] = boundaries(pictures.detectors)
    return found


def boundaries(labels: np.ndarray) -> np.ndarray:
    """Pixels whose right or lower neighbour belongs to another detector, bool of the shape of ``labels``."""
    edge = np.zeros(labels.shape, bool)
    edge[:, :-1] |= labels[:, 1:] != labels[:, :-1]
    edge[:-1, :] |= labels[1:, :] != labels[:-1, :]
    return edge


def _overlay(mask: np.ndarray, name: str) -> np.ndarray:
    """Colour with transparency, uint8 (4, rows, columns)."""
    colour = COLOURS[name]
    alpha = 255 if name == "detectors" else ALPHA
    return np.stack([np.where(mask, value, 0).astype(np.uint8) for value in (*colour, alpha)])


def _write(workdir: Path, name: str, image: np.ndarray, title: str) -> Artifact:
    path = workdir / f"{name}.png"
    layers, rows, columns = image.shape
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)  # a picture for a page needs no place on Earth
        with rasterio.open(path, "w", driver="PNG", width=columns, height=rows, count=layers, dtype="uint8") as target:
            target.write(image)
    # GDAL may leave its own description beside a PNG; nothing reads it.
    path.with_suffix(".png.aux.xml").unlink(missing_ok=True)
    return Artifact(name=name, path=path.name, media_type="image/png", title=title)
