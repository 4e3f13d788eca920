"""The trended selection: which numbers of a product become Measurements.

Full statistics stay in the compact records of the report; only what is worth following over years is trended, at most
``MAX_MEASUREMENTS`` numbers a product.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from mpc.jobs import MeasuredValue
from mpc.msi.bands import BANDS, band_by_name
from qc.checks.inspections.scene import class_percentages
from qc.checks.pixels import BAND_NAMES, ImageFacts
from qc.checks.subject import Subject
from qc.statistics import BandStatistics, weighted_step

MAX_MEASUREMENTS = 50


@dataclass(frozen=True)
class Metric:
    """One kind of number that is followed over time; ``unit`` is "" for a pure number.

    ``direction`` says which way is better: "low", "high", "target", or "" where the value says nothing of quality by
    itself. ``declared``: what a product says of itself, which nobody measured.
    """

    code: str
    name: str
    unit: str
    description: str
    method: str
    group: str = "image"
    document: str = ""
    per_band: bool = False
    per_detector: bool = False
    per_site: bool = False
    direction: str = ""
    target: float | None = None
    declared: bool = False


MEAN_REFLECTANCE = Metric(
    "image.mean_reflectance",
    "Mean reflectance of a band",
    "",
    "Mean over all valid pixels of the tile, clouds included: follows the scene, and shows a band that drops out, "
    "a wrong offset or a wrong gain.",
    "Exact mean of the counts (neither no-data nor saturated), then (DN + offset) / quantification of the product.",
    per_band=True,
)
DETECTOR_STEP = Metric(
    "image.detector_step",
    "Step between the detectors of a band",
    "%",
    "How much the reflectance jumps where neighbouring detectors meet. The scene and the viewing angles have their "
    "part in one value; a lasting change over the same tiles shows a relative gain that has moved.",
    "Root mean square of the steps at all detector boundaries in the tile, weighted by their precision; a step is the "
    "ratio of the means of two pixels on either side, its uncertainty the scatter of 32 blocks of rows (jackknife).",
    group="radiometry",
    per_band=True,
    direction="target",
    target=0.0,
)
SATURATED_SHARE = Metric(
    "image.saturated_share",
    "Share of saturated pixels",
    "%",
    "Largest share over the bands of pixels that hold the saturation value, of all pixels with data.",
    "Count of the saturation value (65535) of the band that has most of them; the band is not part of the series.",
    direction="low",
)
NODATA_SHARE = Metric(
    "image.nodata_share",
    "Share of no-data pixels",
    "%",
    "Pixels that hold the no-data value in the tile: the part that the swath does not cover.",
    "Exact count in the first band of the product that was read in full.",
)
FOOTPRINT_DISAGREEMENT = Metric(
    "mask.footprint_disagreement",
    "Disagreement of detector footprint and image",
    "%",
    "Pixels with data where the footprint names no detector, and without data where it names one; worst band.",
    "Exact count over the full raster of each band.",
    group="mask",
    direction="low",
)
CLOUD_COVER = Metric(
    "product.cloud_cover",
    "Declared cloud cover",
    "%",
    "Cloud cover as the product declares it.",
    "Cloud_Coverage_Assessment of the product metadata.",
    group="product",
    document="PSD, Cloud_Coverage_Assessment",
    declared=True,
)
DEGRADED_MSI = Metric(
    "product.degraded_msi",
    "Declared degraded image data",
    "%",
    "Share of degraded image data as the tile declares it (the product's own value is rounded); worst tile.",
    "DEGRADED_MSI_DATA_PERCENTAGE of the tile metadata.",
    group="product",
    document="PSD, DEGRADED_MSI_DATA_PERCENTAGE",
    direction="low",
    declared=True,
)
DEGRADED_ANC = Metric(
    "product.degraded_anc",
    "Declared degraded ancillary data",
    "%",
    "Share of degraded ancillary data as the product or datastrip declares it.",
    "DEGRADED_ANC_DATA_PERCENTAGE of the product metadata, else of the datastrip metadata.",
    group="product",
    document="PSD, DEGRADED_ANC_DATA_PERCENTAGE",
    direction="low",
    declared=True,
)
LOST_PACKETS = Metric(
    "datastrip.lost_packets",
    "Lost source packets",
    "",
    "Source packets of the datastrip that did not arrive.",
    "NUMBER_OF_LOST_PACKETS of the datastrip metadata.",
    group="datastrip",
    document="PSD, NUMBER_OF_LOST_PACKETS",
    direction="low",
    declared=True,
)
SUN_ZENITH = Metric(
    "product.sun_zenith",
    "Sun zenith angle",
    "deg",
    "Mean sun zenith angle of the tile, to judge reflectances by; mean over the tiles of an old product.",
    "Mean_Sun_Angle of the tile metadata.",
    group="product",
    document="PSD, Mean_Sun_Angle",
    declared=True,
)
CLOUDY_COUNTED = Metric(
    "scene.cloudy_share",
    "Cloudy pixels, counted",
    "%",
    "Medium and high probability clouds and thin cirrus, of the valid pixels of level 2A.",
    "Classes 8, 9 and 10 of the scene classification of 20 m.",
    group="scene",
)
MEAN_AOT = Metric(
    "scene.mean_aot",
    "Mean aerosol optical thickness",
    "",
    "Mean of the aerosol map of level 2A.",
    "Exact mean of the counts of the finest map over AOT_QUANTIFICATION_VALUE.",
    group="scene",
)
MEAN_WVP = Metric(
    "scene.mean_wvp",
    "Mean water vapour",
    "cm",
    "Mean of the water vapour map of level 2A.",
    "Exact mean of the counts of the finest map over WVP_QUANTIFICATION_VALUE.",
    group="scene",
)

METRICS: tuple[Metric, ...] = (
    MEAN_REFLECTANCE,
    DETECTOR_STEP,
    SATURATED_SHARE,
    NODATA_SHARE,
    FOOTPRINT_DISAGREEMENT,
    CLOUD_COVER,
    DEGRADED_MSI,
    DEGRADED_ANC,
    LOST_PACKETS,
    SUN_ZENITH,
    CLOUDY_COUNTED,
    MEAN_AOT,
    MEAN_WVP,
)
"""Every metric that quality control measures, for the catalogue."""

CORRELATED = (
    "exact for the image; as an estimate of anything else the pixels are correlated and a standard error means nothing"
)
EXACT_COUNT = "an exact count, no estimate"
DECLARED = "declared by the product"


def measurements_of(subject: Subject) -> tuple[MeasuredValue, ...]:
    """The trended numbers of one product; none when no time is known for them."""
    when = _time(subject)
    if when is None:
        return ()
    values = [*_of_bands(subject, when), *_of_images(subject, when), *_declared(subject, when)]
    return tuple(values[:MAX_MEASUREMENTS])


def _time(subject: Subject) -> datetime | None:
    """Sensing time of the tile; of a datastrip its start; else the start of the datatake."""
    times = [reading.record.sensing_time for reading in subject.tiles if reading.record and reading.record.sensing_time]
    times += [r.record.sensing_start for r in subject.datastrips if r.record and r.record.sensing_start]
    return times[0] if times else subject.datatake_start


def _of_bands(subject: Subject, when: datetime) -> Iterator[MeasuredValue]:
    if subject.kind != "product" or not subject.params.statistics:
        return
    by_band: dict[str, list[ImageFacts]] = {}
    for image in _whole_images(subject):
        if image.name in BAND_NAMES and image.statistics:
            by_band.setdefault(image.name, []).append(image)
    for band in (band.name for band in BANDS if band.name in by_band):
        records = [image.statistics for image in by_band[band] if image.statistics]
        means = [(record.valid[0], record.scaled("mean")[0]) for record in records]
        known = [(count, mean) for count, mean in means if mean is not None]
        if known:
            pixels = sum(count for count, _ in known)
            mean = sum(count * value for count, value in known) / pixels
            yield _value(subject, when, MEAN_REFLECTANCE, mean, pixels, CORRELATED, band=band)
        step = weighted_step([step for image in by_band[band] for step in image.steps])
        if step is not None:
            value, uncertainty, blocks = step
            yield _value(subject, when, DETECTOR_STEP, 100 * value, blocks, band=band, uncertainty=100 * uncertainty)


def _of_images(subject: Subject, when: datetime) -> Iterator[MeasuredValue]:
    if subject.kind != "product" or not subject.params.statistics:
        return
    images = _whole_images(subject)
    bands = [image.statistics for image in images if image.name in BAND_NAMES and image.statistics]
    filled = [record for record in bands if record.count[0] > record.nodata[0]]
    if filled:
        worst = max(filled, key=_saturated)
        data = worst.count[0] - worst.nodata[0]
        yield _value(subject, when, SATURATED_SHARE, _saturated(worst), data, EXACT_COUNT)
    if bands:
        same = [record for record in bands if record.band == bands[0].band]
        pixels = sum(record.count[0] for record in same)
        share = 100 * sum(record.nodata[0] for record in same) / pixels
        yield _value(subject, when, NODATA_SHARE, share, pixels, EXACT_COUNT)
    compared = [found for found in subject.pixels.footprints if found.valid_outside is not None and found.pixels]
    if compared:
        shares = [(100 * ((f.valid_outside or 0) + (f.nodata_inside or 0)) / f.pixels, f.pixels) for f in compared]
        share, pixels = max(shares)
        yield _value(subject, when, FOOTPRINT_DISAGREEMENT, share, pixels, EXACT_COUNT)
    for image in images if len(subject.safe.granules) == 1 else []:
        if image.name == "SCL" and image.classes:
            cloudy = class_percentages(image.classes).get("CLOUDY_PIXEL_PERCENTAGE")
            if cloudy is not None:
                valid = sum(count for value, count in image.classes.items() if value)
                yield _value(subject, when, CLOUDY_COUNTED, cloudy, valid, EXACT_COUNT)
        for name, metric in (("AOT", MEAN_AOT), ("WVP", MEAN_WVP)):
            mean = image.statistics.scaled("mean")[0] if image.name == name and image.statistics else None
            if mean is not None and image.statistics:
                yield _value(subject, when, metric, mean, image.statistics.valid[0], CORRELATED)


def _declared(subject: Subject, when: datetime) -> Iterator[MeasuredValue]:
    product = subject.product.record
    strips = [reading.record for reading in subject.datastrips if reading.record]
    tiles = [reading.record for reading in subject.tiles if reading.record]
    if product and product.cloud_cover is not None:
        yield _value(subject, when, CLOUD_COVER, product.cloud_cover, 1, DECLARED)
    degraded = [tile.degraded_msi for tile in tiles if tile.degraded_msi is not None]
    if degraded:
        yield _value(subject, when, DEGRADED_MSI, max(degraded), len(degraded), DECLARED)
    ancillary = [record.degraded_anc for record in (product, *strips) if record and record.degraded_anc is not None]
    if ancillary:
        yield _value(subject, when, DEGRADED_ANC, ancillary[0], 1, DECLARED)
    lost = [strip.packets.lost for strip in strips if strip.packets.lost is not None]
    if lost:
        yield _value(subject, when, LOST_PACKETS, float(sum(lost)), len(lost), DECLARED)
    zeniths = [tile.sun_zenith for tile in tiles if tile.sun_zenith is not None]
    if zeniths:
        yield _value(subject, when, SUN_ZENITH, statistics.fmean(zeniths), len(zeniths), DECLARED)


def _whole_images(subject: Subject) -> list[ImageFacts]:
    """Images that were read in full: what a broken file gave is no measurement."""
    return [image for image in subject.pixels.images if not image.problems]


def _saturated(record: BandStatistics) -> float:
    return 100 * record.saturated[0] / max(1, record.count[0] - record.nodata[0])


def _value(
    subject: Subject,
    when: datetime,
    metric: Metric,
    value: float,
    samples: int,
    why: str = "",
    *,
    band: str = "",
    uncertainty: float | None = None,
) -> MeasuredValue:
    return MeasuredValue(
        metric=metric.code,
        time=when,
        value=float(value),
        samples=samples,
        uncertainty=uncertainty,
        no_uncertainty=why,
        unit=subject.unit or "",
        band=band_by_name(band).name if band else "",
        level=subject.level or "",
        baseline=subject.baseline or "",
        in_unit=metric.unit,
    )
