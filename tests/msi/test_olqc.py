"""Reports of the on-line quality control: what they say, and how broken ones show."""

from __future__ import annotations

import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mpc.msi.olqc import KINDS, expected_reports, read_olqc_report, report_kind
from mpc.msi.records import OlqcCheck, OlqcReport
from mpc.msi.schemas import SchemaLibrary
from tests.msi import documents

REPORT_SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"
    targetNamespace="http://gs2.esa.int/DATA_STRUCTURE/olqcReport">
  <xs:element name="Earth_Explorer_File"><xs:complexType><xs:sequence>
    <xs:any maxOccurs="{most}" processContents="skip"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>"""


def read(text: str, path: str = "QI_DATA/GENERAL_QUALITY.xml", schemas: SchemaLibrary | None = None) -> OlqcReport:
    return read_olqc_report(text.encode(), path=path, scope="granule", schemas=schemas)


def swapped(old: str, new: str, text: str = documents.REPORT) -> str:
    assert old in text
    return text.replace(old, new, 1)


def test_a_failed_report() -> None:
    report = read(documents.REPORT)
    assert (report.report, report.scope, report.status, report.readable) == (
        "GENERAL_QUALITY",
        "granule",
        "FAILED",
        True,
    )
    assert (report.version, report.checklist, report.gipp_version) == ("1.0", "GENERAL_QUALITY", "1.0")
    assert report.parent == "S2B_OPER_GIP_OLQCPA_MPC__20220715T000042_V20220830T002500"
    assert report.item == "S2B_OPER_MSI_L1C_DS_REFS_20221124T170956"
    assert report.date == datetime(2022, 11, 24, 19, 1, 13, 734000, UTC)
    assert report.software == "OLQC-SC 06.01.00"
    assert (report.schema_valid, report.problem) == (None, "")
    assert report.checks == (
        OlqcCheck(
            id="Solar_Angle_Zenith",
            name="Check the zenith solar angle.",
            status="FAILED",
            message="Zenith solar angle (84.1) is above the limit (82.0)",
            processing_status="done",
            item="MTD_TL.xml",
            values={"EXPECTED": "82.0", "SOLAR_ZENITH_ANGLE": "84.1"},
        ),
        OlqcCheck("Data_Loss", "Check TECQUA for data loss", "ERROR", "no mask", "aborted", "TL", {}),
    )


def test_l2a_quality_has_values_only() -> None:
    report = read(documents.L2A_QUALITY, "QI_DATA/L2A_QUALITY.xml")
    assert (report.report, report.status, report.software) == ("L2A_QUALITY", "PASSED", "Sen2Cor 2.10")
    assert (report.checklist, report.parent) == ("SCENE_CLASS_QUALITY AUX_DATA_QUALITY", "L2A_SC")
    assert [(check.id, check.name, check.status) for check in report.checks] == [
        ("SCENE_CLASS_QUALITY.1", "SCENE_CLASS_QUALITY", ""),
        ("AUX_DATA_QUALITY.1", "AUX_DATA_QUALITY", ""),
        ("AUX_DATA_QUALITY.2", "AUX_DATA_QUALITY", ""),
    ]
    assert report.checks[1].values == {"AUX_DATA_FILES": "['w010_n51.dt1', 'w010_n52.dt1']"}
    assert report.checks[2].values == {"A": "1", "A (2)": "2", "value 3": "3"}
    assert report.problem == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"<Earth_Explorer_File>", "not well-formed"),
        (documents.REPORT.encode()[:900], "line "),
        (b"<!DOCTYPE a><a/>", "DOCTYPE"),
        (b"<html><body>503</body></html>", "root element is 'html'"),
        (documents.TILE.encode(), "root element is 'Level-1C_Tile_ID'"),
        (b"<Earth_Explorer_File/>", "no Data_Block/report"),
        (b"<a>" + b" " * (16 << 20) + b"</a>", "larger than"),
    ],
)
def test_what_cannot_be_read_is_a_record_too(content: bytes, words: str) -> None:
    report = read_olqc_report(content, path="QI_DATA/SENSOR_QUALITY.xml", scope="datastrip")
    assert (report.report, report.scope, report.status, report.readable) == (
        "SENSOR_QUALITY",
        "datastrip",
        "ERROR",
        False,
    )
    assert (report.path, report.checks, report.schema_valid) == ("QI_DATA/SENSOR_QUALITY.xml", (), None)
    assert words in report.problem


@pytest.mark.parametrize(
    ("old", "new", "status", "words"),
    [
        ('globalStatus="FAILED"', "", "ERROR", "no globalStatus"),
        ('globalStatus="FAILED"', 'globalStatus="PERHAPS"', "PERHAPS", "'PERHAPS' is none of PASSED, FAILED, ERROR"),
        (
            'globalStatus="FAILED"',
            'globalStatus="PASSED"',
            "PASSED",
            "although these checks are not: Solar_Angle_Zenith",
        ),
        ('date="2022-11-24T19:01:13.734Z"', 'date="0000-00-00T00:00:00Z"', "FAILED", "date '0000-00-00T00:00:00Z' is"),
        ('date="2022-11-24T19:01:13.734Z"', 'date="soon"', "FAILED", "date 'soon' is not a date"),
        ('date="2022-11-24T19:01:13.734Z"', "", "FAILED", "no date"),
        ("<name>GENERAL_QUALITY<", "<name>SENSOR_QUALITY<", "FAILED", "named GENERAL_QUALITY but holds SENSOR_QUALITY"),
        ("<name>GENERAL_QUALITY</name>", "", "FAILED", "does not name its check list"),
    ],
)
def test_what_is_odd_is_told(old: str, new: str, status: str, words: str) -> None:
    report = read(swapped(old, new))
    assert (report.status, report.readable, len(report.checks)) == (status, True, 2)
    assert words in report.problem


def test_a_report_without_checks_is_told() -> None:
    text = re.sub(r"<checkList>.*</checkList>", "", documents.REPORT, flags=re.DOTALL)
    report = read(text)
    assert (report.report, report.checks) == ("GENERAL_QUALITY", ())
    assert "no checks" in report.problem


@pytest.mark.parametrize(("most", "valid"), [("2", True), ("1", False)])
def test_a_report_that_misses_its_schema_shows_it(tmp_path: Path, most: str, valid: bool) -> None:
    (tmp_path / "olqc").mkdir()
    (tmp_path / "olqc" / "OLQC_Report.xsd").write_text(REPORT_SCHEMA.format(most=most))
    report = read(documents.REPORT, schemas=SchemaLibrary(tmp_path))
    assert (report.schema_valid, report.readable, report.status) == (valid, True, "FAILED")
    if valid:
        assert report.problem == ""
    else:
        assert "does not fit its schema olqc/OLQC_Report.xsd: line 9" in report.problem


def test_without_a_schema_validity_is_not_known() -> None:
    assert read(documents.REPORT, schemas=SchemaLibrary(None)).schema_valid is None


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("GRANULE/L1C_T56JMM/QI_DATA/FORMAT_CORRECTNESS.xml", "FORMAT_CORRECTNESS"),
        ("QI_DATA/L2A_QUALITY.xml", "L2A_QUALITY"),
        (
            "QI_DATA/S2B_OPER_MSI_L1C_DS_REFS_20221124T170956_S20221011T064025_GENERAL_QUALITY_report.xml",
            "GENERAL_QUALITY",
        ),
        (
            "S2B_OPER_MSI_L1C_DS_REFS_20221124T170956_S20221011T064025_RADIOMETRIC_QUALITY_report.xml",
            "RADIOMETRIC_QUALITY",
        ),
        ("QI_DATA\\SENSOR_QUALITY.xml", "SENSOR_QUALITY"),
        ("QI_DATA/OTHER.xml", "OTHER"),
    ],
)
def test_kinds_by_file_name(path: str, kind: str) -> None:
    assert report_kind(path) == kind


FOUR = ("FORMAT_CORRECTNESS", "GENERAL_QUALITY", "GEOMETRIC_QUALITY", "SENSOR_QUALITY")
FIVE = ("FORMAT_CORRECTNESS", "GENERAL_QUALITY", "GEOMETRIC_QUALITY", "RADIOMETRIC_QUALITY", "SENSOR_QUALITY")


@pytest.mark.parametrize(
    ("level", "scope", "baseline", "names"),
    [
        ("L0", "datastrip", "05.00", FOUR),
        ("L0", "granule", "05.00", ("FORMAT_CORRECTNESS", "GENERAL_QUALITY", "SENSOR_QUALITY")),
        ("L1A", "datastrip", "05.00", FIVE),
        ("L1B", "granule", "05.00", FOUR),
        ("L1C", "datastrip", "02.06", FIVE),
        ("L1C", "tile", "05.11", FOUR),
        ("L1C", "granule", None, FOUR),
        ("L1C", "granule", "02.04", ()),
        ("L2A", "datastrip", "05.11", FIVE),
        ("L2A", "granule", "03.01", FOUR),
        ("L2A", "granule", "04.00", (*FOUR, "L2A_QUALITY")),
        ("L2A", "granule", "99.99", (*FOUR, "L2A_QUALITY")),
        ("L2A", "granule", None, FOUR),
        ("L1C", "product", "05.11", ()),
        ("L7", "granule", "05.11", ()),
    ],
)
def test_expected_reports(level: str, scope: str, baseline: str | None, names: tuple[str, ...]) -> None:
    assert expected_reports(level, scope, baseline) == names
    assert set(names) <= set(KINDS)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([documents.REPORT, documents.L2A_QUALITY]), st.data())
def test_reading_never_raises(text: str, data: st.DataObject) -> None:
    content = bytearray(text.encode())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content) - 1))
        stop = data.draw(st.integers(start, min(start + 60, len(content))))
        content[start:stop] = data.draw(st.binary(max_size=12))
    report = read_olqc_report(bytes(content), path="QI_DATA/GENERAL_QUALITY.xml", scope="granule")
    assert report.status
    assert report.readable or (report.status == "ERROR" and report.problem)


# -- real reports ------------------------------------------------------------------------------------------------------

PARENTS = {
    "T56JMM": "S2A_OPER_GIP_OLQCPA_MPC__20180528T000018_V20150622T000000",
    "T29UNU": "S2A_OPER_GIP_OLQCPA_MPC__20220715T000042_V20220830T002500",
    "T34UCF": "S2B_OPER_GIP_OLQCPA_MPC__20220715T000042_V20220830T002500",
    "S2B_OPER_MSI": "S2B_OPER_GIP_OLQCPA_MPC__20220715T000042_V20220830T002500",
}
COUNTS = {
    ("T56JMM", "datastrip"): (30, 7, 8, 7, 4),
    ("T56JMM", "granule"): (35, 2, 5, 4),
    ("T34UCF", "datastrip"): (30, 7, 8, 7, 4),
    ("T34UCF", "granule"): (35, 3, 4, 4),
    ("T29UNU", "datastrip"): (3, 5, 8, 8, 4),
    ("T29UNU", "granule"): (8, 3, 4, 2, 7),
    ("S2B_OPER_MSI", "datastrip"): (30, 7, 8, 7, 4),
}
LEVELS = {
    "T56JMM": ("L1C", "02.06"),
    "T34UCF": ("L1C", "05.09"),
    "T29UNU": ("L2A", "04.00"),
    "S2B_OPER_MSI": ("L1C", "04.00"),
}


def real_reports(realdata: Path, name: str, scope: str) -> list[OlqcReport]:
    (folder,) = (path for top in ("products", "datastrips") for path in (realdata / top).glob(f"*{name}*"))
    inside = {"datastrip": "DATASTRIP/*/", "granule": "GRANULE/*/"}[scope] if folder.suffix == ".SAFE" else ""
    library = SchemaLibrary(realdata / "xsd")
    baseline = LEVELS[name][1]
    return [
        read_olqc_report(path.read_bytes(), path=path.name, scope=scope, schemas=library, baseline=baseline)
        for path in folder.glob(f"{inside}QI_DATA/*.xml")
    ]


@pytest.mark.parametrize(("name", "scope"), COUNTS)
def test_real_reports(realdata: Path, name: str, scope: str) -> None:
    found = {report.report: report for report in real_reports(realdata, name, scope)}
    assert tuple(kind for kind in KINDS if kind in found) == expected_reports(LEVELS[name][0], scope, LEVELS[name][1])
    assert tuple(len(found[kind].checks) for kind in KINDS if kind in found) == COUNTS[name, scope]
    for kind, report in found.items():
        assert (report.status, report.readable, report.schema_valid, report.problem) == ("PASSED", True, True, "")
        assert report.date is not None
        if kind != "L2A_QUALITY":
            assert (report.parent, report.checklist, report.version) == (PARENTS[name], kind, "1.0")
            assert {check.status for check in report.checks} == {"PASSED"}
            assert {check.processing_status for check in report.checks} == {"done"}


def test_the_real_sun_zenith_check(realdata: Path) -> None:
    report = next(item for item in real_reports(realdata, "T29UNU", "granule") if item.report == "GENERAL_QUALITY")
    check = report.checks[0]
    assert (check.id, check.item) == ("Solar_Angle_Zenith", "MTD_TL.xml")
    assert check.values == {"EXPECTED": "70.0", "SOLAR_ZENITH_ANGLE": "57.820574357679"}


def test_the_real_l2a_quality(realdata: Path) -> None:
    report = next(item for item in real_reports(realdata, "T29UNU", "granule") if item.report == "L2A_QUALITY")
    assert report.item == "S2A_OPER_MSI_L2A_TL_ATOS_20221005T164454_A038058_T29UNU_N04.00"
    assert report.checklist == "SCENE_CLASS_QUALITY ATMOSPHERIC_CORRECTION_QUALITY AUX_DATA_QUALITY"
    assert report.date == datetime(2021, 12, 13, 0, 0, 0, 0, UTC)
    values = {key: value for check in report.checks for key, value in check.values.items()}
    assert values["CLOUDY_PIXEL_PERCENTAGE"] == "59.769726"
    assert values["LUT_DATA_FILES"] == "['h99000_wv20_rura.atm']"
    assert values["B8A"] == "0.044778"


def test_real_zipped_reports(realdata: Path) -> None:
    (path,) = realdata.glob("products/*T55JEJ*.zip")
    with zipfile.ZipFile(path) as archive:
        reports = [
            read_olqc_report(archive.read(name), path=name, scope="datastrip" if "/DATASTRIP/" in name else "granule")
            for name in archive.namelist()
            if re.search(r"/QI_DATA/\w+\.xml$", name)
        ]
    assert sorted((report.scope, report.report, report.status) for report in reports) == sorted(
        [("datastrip", name, "PASSED") for name in FIVE] + [("granule", name, "PASSED") for name in FOUR]
    )
