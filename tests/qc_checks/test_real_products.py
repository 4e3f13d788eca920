"""Every real product: exactly what is wrong with it fails, and nothing else.

Each failed check is justified beside its id; see the README of the data folder for what each product is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from mpc.jobs import Inputs, Outcome, RecordingContext, Verdict
from mpc.msi.images import read_image
from mpc.msi.safe import open_safe
from qc.checks.finding import Finding, Status
from qc.checks.settings import QcParams
from qc.checks.work import inspect_product


@dataclass(frozen=True)
class Case:
    path: str
    failed: frozenset[str]
    warned: frozenset[str] = frozenset()
    not_checked: frozenset[str] = frozenset()


NO_MANIFEST = {"format.manifest.present", "format.manifest.size", "format.manifest.checksum", "format.manifest.extra"}
NO_REPORTS = {"general.olqc.readable", "general.olqc.schema", "general.olqc.status"}
NO_PACKETS = {"sensor.packets.lost", "sensor.packets.degraded"}

CASES = {
    "56JMM": Case(
        "products/S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042.SAFE",
        frozenset(
            {
                "format.manifest.size",  # 13 bands, TCI and PVI were decimated after the manifest was written
                "format.manifest.checksum",  # the same 15 files
                "format.raster.size",  # 439, 219 and 73 pixels where the tile has 10980, 5490 and 1830
                "geometry.raster.position",  # the corner is right, the pixels are 250 m and more
            }
        ),
        warned=frozenset({"sensor.footprint.agreement"}),  # B11 and B12 hold noise beyond the swath
    ),
    "55JEJ": Case(
        "products/S2A_MSIL1C_20171207T002051_N0206_R116_T55JEJ_20171207T032513.zip",
        frozenset(
            {
                "format.manifest.size",  # 13 bands and TCI were decimated; the PVI is the real one
                "format.manifest.checksum",
                "format.raster.size",
                "geometry.raster.position",
            }
        ),
        warned=frozenset({"sensor.footprint.agreement"}),  # 3 of 841 pixels at the swath's edge, in a 29 x 29 image
    ),
    "29UNU": Case(
        "products/S2A_MSIL2A_20221005T115411_N0400_R023_T29UNU_20221005T164454.SAFE",
        frozenset(
            {
                "format.manifest.present",  # 24 listed files are absent
                "format.images.present",  # 20 of them are images of 10 and 20 m
                "format.masks.present",  # two are the cloud and snow probabilities of 20 m
                "general.metadata.readable",  # one is the datastrip metadata
            }
        ),
        warned=frozenset({"sensor.degraded.msi"}),  # the tile declares 0.0264 %
        not_checked=frozenset(NO_PACKETS),
    ),
    "30TXR": Case(
        "products/S2A_MSIL1C_20200622T105631_N0500_R094_T30TXR_20231110T094313.SAFE",
        frozenset(
            {
                "format.images.present",  # B02 and B04 alone
                "format.images.encoding",  # they are TIFF
                "format.masks.present",  # footprints of two bands
                "format.raster.size",  # a crop of 523 x 106 pixels
                "geometry.raster.position",  # whose corner is not the tile's
                "general.metadata.readable",  # no datastrip
                "general.olqc.present",  # no report
            }
        ),
        warned=frozenset(
            {
                "sensor.degraded.msi",  # 0.0001 %
                "sensor.footprint.detectors",  # the crop shows two of the tile's seven detectors
            }
        ),
        not_checked=frozenset(NO_MANIFEST | NO_REPORTS | NO_PACKETS | {"sensor.footprint.values"}),
    ),
    "34UCF": Case(
        "products/S2B_MSIL1C_20230823T095559_N0509_R122_T34UCF_20230823T120234.SAFE",
        frozenset(
            {
                "format.manifest.present",  # the datastrip metadata and the HTML page are absent
                "format.manifest.size",  # images and masks were replaced by constant ones
                "format.manifest.checksum",
                "format.xml.schema",  # the angle grids were taken out of the tile metadata
                "format.images.encoding",  # the replacements are TIFF
                "general.metadata.readable",  # no datastrip metadata
            }
        ),
        warned=frozenset(
            {
                "radiometry.image_content",  # all bands are no-data
                "sensor.degraded.msi",  # 0.0019 %
            }
        ),
        not_checked=frozenset(NO_PACKETS | {"geometry.sun_zenith", "sensor.footprint.detectors"}),
    ),
    "32TNM": Case(
        "products/S2A_MSIL1C_20170226T102021_N0204_R065_T32TNM_20170226T102458.SAFE",
        frozenset(
            {
                "format.manifest.size",  # 13 bands, TCI and the datastrip metadata have 0 bytes
                "format.manifest.checksum",
                "format.xml.wellformed",  # the empty datastrip metadata
                "format.xml.schema",  # PVI_FILENAME of the tile metadata breaks its pattern
                "format.images.readable",  # 0 bytes
                "general.metadata.readable",  # the empty datastrip metadata
            }
        ),
        warned=frozenset({"format.manifest.extra"}),  # AUX_ECMWFT is listed nowhere
        not_checked=frozenset(
            NO_PACKETS
            | {
                "format.raster.size",
                "geometry.raster.position",
                "radiometry.image_content",
                "sensor.footprint.agreement",
            }
        ),
    ),
    "datastrip 04.00": Case(
        "datastrips/S2B_OPER_MSI_L1C_DS_REFS_20221124T170956_S20221011T064025_N04.00",
        frozenset(
            {
                "format.manifest.size",  # the metadata file has 569 bytes more than its manifest says
                "format.manifest.checksum",
            }
        ),
        warned=frozenset({"format.manifest.extra"}),  # the manifest lists the metadata alone, no report
    ),
    "datastrip L1B": Case(
        "datastrips/l1b_tds1",
        frozenset({"general.olqc.present"}),  # metadata alone were published
        warned=frozenset({"general.gipp.validity"}),  # made with test parameters that are valid from 2023 on
        not_checked=frozenset(NO_MANIFEST | NO_REPORTS),
    ),
}


@pytest.fixture(scope="module")
def outcomes(realdata: Path, tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    """The outcome of a product by its name in ``CASES``, worked out once."""
    done: dict[str, Outcome] = {}

    def outcome_of(name: str) -> Outcome:
        if name not in done:
            context = RecordingContext(tmp_path_factory.mktemp("work"))
            inputs = Inputs(name, str(realdata / CASES[name].path), {"schema_dir": str(realdata / "xsd")})
            done[name] = inspect_product(QcParams(), inputs, context)
            broken = [text for level, text in context.lines if level == "error"]
            assert not broken, broken
        return done[name]

    return outcome_of


def with_status(findings: tuple[Finding, ...], status: Status) -> set[str]:
    return {finding.check_id for finding in findings if finding.status is status}


@pytest.mark.parametrize("name", CASES)
def test_exactly_what_is_wrong_fails(outcomes, name: str) -> None:  # type: ignore[no-untyped-def]
    case, outcome = CASES[name], outcomes(name)
    findings = outcome.results.findings
    assert with_status(findings, Status.ERROR) == set()
    assert with_status(findings, Status.FAILED) == case.failed
    assert with_status(findings, Status.WARNING) == case.warned
    assert with_status(findings, Status.NOT_CHECKED) == case.not_checked
    assert outcome.verdict is Verdict.FAILED
    assert all(finding.message for finding in findings if finding.status is not Status.PASSED)


@pytest.mark.parametrize(
    ("name", "reports"), [("56JMM", 9), ("55JEJ", 9), ("29UNU", 10), ("34UCF", 9), ("datastrip 04.00", 5)]
)
def test_reports_of_the_ground_segment_are_all_read(outcomes, name: str, reports: int) -> None:  # type: ignore[no-untyped-def]
    olqc = outcomes(name).results.olqc
    assert len(olqc) == reports
    assert all(report.readable and report.schema_valid and report.status == "PASSED" for report in olqc)


def test_statistics_of_full_size_bands_are_those_of_their_pixels(outcomes, realdata: Path) -> None:  # type: ignore[no-untyped-def]
    records = {record.band: record for record in outcomes("29UNU").results.statistics}
    with open_safe(realdata / CASES["29UNU"].path) as safe:
        granule = safe.granules[0]
        for band, resolution in (("B01", 60), ("B8A", 60)):
            pixels = read_image(safe.container.gdal_path(granule.images[band, resolution])).array
            assert pixels is not None
            valid = pixels[pixels > 0].astype(np.float64)
            record = records[band]
            assert (record.count[0], record.valid[0]) == (pixels.size, valid.size)
            assert (record.minimum[0], record.maximum[0]) == (valid.min(), valid.max())
            assert record.mean[0] == pytest.approx(valid.mean(), rel=1e-12)
            assert record.std[0] == pytest.approx(valid.std(), rel=1e-10)
            assert record.p50[0] == np.median(valid)
            assert record.detectors == (None, "09", "10", "11", "12")
            assert sum(record.valid[1:]) == pytest.approx(record.valid[0], rel=1e-3), "edge pixels may have no detector"


def test_scene_classes_are_what_the_product_declares(outcomes) -> None:  # type: ignore[no-untyped-def]
    (scene,) = outcomes("29UNU").results.scene_classes
    assert (scene.tile, scene.resolution, sum(scene.counts.values())) == ("29UNU", 20, 5490 * 5490)
    assert scene.percentages["CLOUDY_PIXEL_PERCENTAGE"] == pytest.approx(59.769726, abs=1e-5)
    assert scene.percentages["NODATA_PIXEL_PERCENTAGE"] == pytest.approx(40.419397, abs=1e-5)


def test_maps_of_level_2a_are_scaled_by_their_own_quantification(outcomes) -> None:  # type: ignore[no-untyped-def]
    record = next(r for r in outcomes("29UNU").results.statistics if r.band == "AOT")
    assert (record.resolution, record.quantification, record.offset) == (10, 1000.0, 0.0)
    # The product's own mean stands on the map of 20 m.
    assert record.scaled("mean")[0] == pytest.approx(0.089132, abs=2e-3)


def test_pixels_at_an_edge_differ_from_the_footprint_by_little(outcomes) -> None:  # type: ignore[no-untyped-def]
    (finding,) = (f for f in outcomes("29UNU").results.findings if f.check_id == "sensor.footprint.agreement")
    assert finding.status is Status.PASSED
    assert max(item["share"] for item in finding.details["items"]) < 0.05


@pytest.mark.parametrize(
    ("name", "pictures"),
    [
        (
            "29UNU",
            {"quicklook", "overlay_clouds", "overlay_cirrus", "overlay_snow", "overlay_nodata", "overlay_detectors"},
        ),
        ("56JMM", {"quicklook", "overlay_nodata", "overlay_detectors"}),
        ("32TNM", {"quicklook", "overlay_clouds", "overlay_cirrus"}),  # bands are empty, but the preview is there
    ],
)
def test_pictures(outcomes, name: str, pictures: set[str]) -> None:  # type: ignore[no-untyped-def]
    assert {artifact.name for artifact in outcomes(name).artifacts} == pictures


@pytest.mark.parametrize(
    ("name", "least", "most"), [("56JMM", 30, 50), ("29UNU", 28, 50), ("32TNM", 3, 6), ("datastrip 04.00", 2, 2)]
)
def test_the_trended_selection(outcomes, name: str, least: int, most: int) -> None:  # type: ignore[no-untyped-def]
    values = outcomes(name).measurements
    assert least <= len(values) <= most
    assert len({(v.metric, v.band) for v in values}) == len(values)
    assert {v.unit for v in values} == {"S2B" if "datastrip" in name else "S2A"}


def test_reflectances_follow_the_offset_of_the_baseline(outcomes) -> None:  # type: ignore[no-untyped-def]
    before = {r.band: r for r in outcomes("56JMM").results.statistics}["B02"]
    after = {r.band: r for r in outcomes("30TXR").results.statistics}["B02"]
    assert (before.offset, after.offset) == (0.0, -1000.0)
    assert before.scaled("mean")[0] == pytest.approx(before.mean[0] / 10000)
    assert after.scaled("mean")[0] == pytest.approx((after.mean[0] - 1000) / 10000)
    assert after.detectors == (None, "05", "06"), "the crop has a detector boundary inside"
