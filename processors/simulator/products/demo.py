"""The demonstration mission: some thirty small products of three units over three tiles, with a story in them.

Present part, August to November 2026: baseline 05.11, since 6 October 05.12. The long series is S2B over 34UCF, under
clear sky, where detector :data:`STEP_DETECTOR_PLACE` of B11 becomes 3 % brighter on 12 October. Past part: one product
of 02.06, one acquisition of 2017 in its first processing (02.04) and reprocessed (05.00), products of 05.09 and 05.10.
Several products have planted faults of different kinds. Orbits and dates repeat as those of the real satellites do.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from processors.simulator.products.detectors import detector_layout
from processors.simulator.products.faults import Fault
from processors.simulator.products.spec import T32TNM, T34UCF, T56JMM, ProductSpec, Tile
from processors.simulator.products.writer import WrittenProduct, product_path, write_datastrip, write_product

DEMO_SEED = 20261122

STEP_BAND = "B11"
STEP_DATE = datetime(2026, 10, 12, tzinfo=UTC)
STEP_GAIN = 1.03
STEP_DETECTOR_PLACE = 2
"""Place from the west, among the detectors in the tile, of the one that changes."""

BASELINE_SWITCH = datetime(2026, 10, 6, tzinfo=UTC)

# one real pass of each unit over each tile, from which the ten-day cycles are counted: start and absolute orbit
_PASSES: dict[tuple[str, str], tuple[datetime, int]] = {
    ("S2A", "32TNM"): (datetime(2026, 8, 30, 10, 20, 21, 24_000, UTC), 58_435),
    ("S2A", "34UCF"): (datetime(2026, 9, 3, 9, 55, 51, 24_000, UTC), 58_492),
    ("S2A", "56JMM"): (datetime(2026, 8, 28, 0, 2, 41, 24_000, UTC), 58_400),
    ("S2B", "32TNM"): (datetime(2026, 8, 23, 10, 20, 29, 24_000, UTC), 49_426),
    ("S2B", "34UCF"): (datetime(2026, 8, 27, 9, 55, 59, 24_000, UTC), 49_483),
    ("S2B", "56JMM"): (datetime(2026, 8, 21, 0, 2, 39, 24_000, UTC), 49_391),
    ("S2C", "32TNM"): (datetime(2026, 8, 27, 10, 20, 31, 24_000, UTC), 10_331),
    ("S2C", "34UCF"): (datetime(2026, 8, 31, 9, 55, 41, 24_000, UTC), 10_388),
    ("S2C", "56JMM"): (datetime(2026, 8, 25, 0, 2, 31, 24_000, UTC), 10_296),
}
_REPEAT = timedelta(days=10)
_REPEAT_ORBITS = 143


@dataclass(frozen=True)
class DemoItem:
    """One product of the demonstration: ``kind`` is "product" or "datastrip"."""

    spec: ProductSpec
    zipped: bool = False
    kind: str = "product"


def demo_items(seed: int = DEMO_SEED) -> tuple[DemoItem, ...]:
    """What the demonstration mission consists of, in order of sensing.

    Products of one acquisition (a reprocessing, L1C and L2A) have one seed: the same clouds and noise.
    """
    items = [*_past(), *_clear_series(), *_others()]
    items.sort(key=lambda item: (item.spec.start, item.spec.generated, item.spec.name))
    acquisitions = sorted({item.spec.start for item in items})
    return tuple(
        replace(item, spec=replace(item.spec, seed=seed + acquisitions.index(item.spec.start))) for item in items
    )


def demo_specs(seed: int = DEMO_SEED) -> tuple[ProductSpec, ...]:
    """Specifications of the demonstration's products (without the stand-alone datastrip), in order of sensing."""
    return tuple(item.spec for item in demo_items(seed) if item.kind == "product")


def demo_mission(
    folder: Path, seed: int = DEMO_SEED, progress: Callable[[int, int, str], None] | None = None
) -> list[WrittenProduct]:
    """Write the demonstration mission into ``folder``; what an earlier call left there under the same name is replaced.

    Args:
        progress: called before each product with (number from 1, of how many, name).
    """
    items = demo_items(seed)
    written = []
    for number, item in enumerate(items, 1):
        if progress:
            progress(number, len(items), item.spec.name)
        _clear(item, folder)
        if item.kind == "datastrip":
            written.append(write_datastrip(item.spec, folder))
        else:
            written.append(write_product(item.spec, folder, zipped=item.zipped))
    return written


def _clear(item: DemoItem, folder: Path) -> None:
    path = folder / item.spec.datastrip_id if item.kind == "datastrip" else product_path(item.spec, folder, item.zipped)
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _spec(unit: str, tile: Tile, cycle: int, **values: object) -> ProductSpec:
    """The pass of ``unit`` over ``tile`` so many cycles after the one in the table, with the season's Sun."""
    start, orbit = _PASSES[unit, tile.name]
    start += cycle * _REPEAT
    day = (start - datetime(start.year, 6, 21, tzinfo=UTC)).days
    # zenith angle of the Sun at the tile: least at the solstice of its hemisphere
    north = tile.epsg < 32700
    least, swing = (24.0, 46.0) if north else (58.0, -36.0)
    high = tile is T34UCF
    zenith = least + (6.5 if high else 0) + swing * (1 - _season(day)) / 2
    defaults: dict[str, object] = {
        "unit": unit,
        "tile": tile,
        "start": start,
        "absolute_orbit": orbit + cycle * _REPEAT_ORBITS,
        "baseline": "05.12" if start >= BASELINE_SWITCH else "05.11",
        "sun_zenith": round(zenith, 6),
        "sun_azimuth": 162.5 if north else 38.25,
        "cloud_cover": 10.0,
    }
    return ProductSpec(**(defaults | values))  # type: ignore[arg-type]


def _season(day: int) -> float:
    """1 at the summer solstice of the north, -1 at its winter solstice, smooth between."""
    phase = abs((day + 182) % 365 - 182) / 182
    return 1 - 2 * phase * phase * (3 - 2 * phase)


def _past() -> list[DemoItem]:
    first_processing = ProductSpec(
        unit="S2A",
        baseline="02.04",
        tile=T32TNM,
        start=datetime(2017, 3, 8, 10, 20, 21, 26_000, UTC),
        absolute_orbit=8928,
        cloud_cover=3.0,
        sun_zenith=48.9,
        sun_azimuth=159.2,
    )
    reprocessed = replace(
        first_processing, baseline="05.00", site="DPRM", generation=datetime(2023, 11, 10, 9, 43, 13, tzinfo=UTC)
    )
    old_format = ProductSpec(
        unit="S2A",
        baseline="02.06",
        tile=T56JMM,
        start=datetime(2018, 6, 19, 0, 2, 41, 24_000, UTC),
        absolute_orbit=15_614,
        cloud_cover=6.0,
        sun_zenith=59.5,
        sun_azimuth=29.0,
        nodata_fraction=0.25,
        saturated_pixels=5,
        site="EPAE",
        reception_station="EDRS",
    )
    of_2023 = _spec("S2B", T34UCF, -111, baseline="05.09", cloud_cover=4.0)
    of_2024 = _spec("S2B", T34UCF, -80, baseline="05.10", cloud_cover=4.0)
    return [
        DemoItem(first_processing, zipped=True),
        DemoItem(reprocessed),
        DemoItem(old_format),
        DemoItem(of_2023, zipped=True),
        DemoItem(of_2024),
    ]


def _clear_series() -> list[DemoItem]:
    """S2B over 34UCF from August to November under clear sky, with the step of one detector in October."""
    items = []
    for cycle in range(-1, 9):
        spec = _spec("S2B", T34UCF, cycle, cloud_cover=0.0)
        if spec.start >= STEP_DATE:
            detector = detector_layout(spec, STEP_BAND).present()[STEP_DETECTOR_PLACE]
            spec = replace(spec, gain_steps={(STEP_BAND, detector): STEP_GAIN})
        items.append(DemoItem(spec, zipped=cycle % 2 == 0))
    return items


def _others() -> list[DemoItem]:
    return [
        DemoItem(_spec("S2A", T32TNM, 0, saturated_pixels=6)),
        DemoItem(_spec("S2A", T32TNM, 3, faults=(Fault.TRUNCATED_BAND,))),
        DemoItem(_spec("S2A", T32TNM, 6), zipped=True),
        DemoItem(_spec("S2A", T56JMM, 5, faults=(Fault.DETFOO_OUT_OF_RANGE,)), zipped=True),
        DemoItem(_spec("S2A", T34UCF, 2, faults=(Fault.WRONG_U,)), zipped=True),
        DemoItem(_spec("S2C", T32TNM, 1, cloud_cover=25.0), zipped=True),
        DemoItem(_spec("S2C", T32TNM, 5)),
        DemoItem(_spec("S2C", T56JMM, 2, nodata_fraction=0.35), zipped=True),
        DemoItem(_spec("S2C", T56JMM, 6, faults=(Fault.CORRUPT_CHECKSUM,))),
        DemoItem(_spec("S2C", T34UCF, 4, faults=(Fault.LOST_PACKETS, Fault.FAILED_OLQC)), zipped=True),
        DemoItem(_spec("S2C", T34UCF, 7, faults=(Fault.MISSING_FILE,))),
        DemoItem(_spec("S2B", T34UCF, 2, level="L2A", cloud_cover=0.0)),
        DemoItem(_spec("S2C", T32TNM, 5, level="L2A"), zipped=True),
        DemoItem(_spec("S2B", T34UCF, 8, level="L2A", cloud_cover=0.0, faults=(Fault.SUN_TOO_LOW,)), zipped=True),
        DemoItem(_spec("S2B", T32TNM, 6), kind="datastrip"),
    ]
