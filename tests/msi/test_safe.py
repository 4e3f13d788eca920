"""Products of every layout are taken apart alike, from folders and zips, however broken their content is."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from mpc.msi.bands import BANDS
from mpc.msi.container import ContainerError, open_container
from mpc.msi.safe import SafeError, hash_member, open_safe, read_manifest
from mpc.msi.xmlio import XmlProblem

NAMES = [band.name for band in BANDS]

COMPACT = "S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042"
GRANULE = "GRANULE/L1C_T56JMM_A015757_20180629T000241"
DATASTRIP = "DATASTRIP/DS_EPAE_20180629T012042_S20180629T000241"
COMPACT_TREE = (
    ["MTD_MSIL1C.xml", "manifest.safe", "INSPIRE.xml", "HTML/UserProduct_index.html", f"{DATASTRIP}/MTD_DS.xml"]
    + [f"{DATASTRIP}/QI_DATA/{name}.xml" for name in ("FORMAT_CORRECTNESS", "RADIOMETRIC_QUALITY")]
    + [f"{GRANULE}/MTD_TL.xml", f"{GRANULE}/AUX_DATA/AUX_ECMWFT", f"{GRANULE}/QI_DATA/SENSOR_QUALITY.xml"]
    + [f"{GRANULE}/IMG_DATA/T56JMM_20180629T000241_{name}.jp2" for name in [*NAMES, "TCI"]]
    + [f"{GRANULE}/QI_DATA/MSK_{kind}_{name}.gml" for kind in ("DETFOO", "NODATA") for name in NAMES]
    + [f"{GRANULE}/QI_DATA/MSK_CLOUDS_B00.gml", f"{GRANULE}/QI_DATA/T56JMM_20180629T000241_PVI.jp2"]
)

OLD = "S2A_OPER_PRD_MSIL1C_PDMC_20160929T181535_R065_V20160929T102022_20160929T102344"
OLD_DATASTRIP = "S2A_OPER_MSI_L1C_DS_SGS__20160929T154211_S20160929T102344_N02.04"


def old_tile(tile: str) -> list[str]:
    stem = f"L1C_TL_SGS__20160929T154211_A006640_T{tile}"
    folder = f"GRANULE/S2A_OPER_MSI_{stem}_N02.04"
    mask = "SGS__20160929T154211_A006640_T" + tile
    return [
        f"{folder}/S2A_OPER_MTD_{stem}.xml",
        *(f"{folder}/IMG_DATA/S2A_OPER_MSI_{stem}_{name}.jp2" for name in NAMES),
        f"{folder}/IMG_DATA/S2A_OPER_TCI_{stem}.jp2",
        f"{folder}/AUX_DATA/S2A_OPER_AUX_ECMWFT_SGS__20160929T154211_V20160929T090000_20160929T210000",
        *(f"{folder}/QI_DATA/S2A_OPER_MSK_DETFOO_{mask}_{name}_MSIL1C.gml" for name in NAMES),
        f"{folder}/QI_DATA/S2A_OPER_MSK_CLOUDS_{mask}_B00_MSIL1C.gml",
        f"{folder}/QI_DATA/S2A_OPER_PVI_{stem}.jp2",
        f"{folder}/QI_DATA/S2A_OPER_MSI_{stem}_GEOMETRIC_QUALITY_report.xml",
    ]


OLD_TREE = [
    "S2A_OPER_MTD_SAFL1C_PDMC_20160929T181535_R065_V20160929T102022_20160929T102344.xml",
    "manifest.safe",
    f"DATASTRIP/{OLD_DATASTRIP}/S2A_OPER_MTD_L1C_DS_SGS__20160929T154211_S20160929T102344.xml",
    f"DATASTRIP/{OLD_DATASTRIP}/QI_DATA/S2A_OPER_MSI_L1C_DS_SGS__20160929T154211_S20160929T102344"
    "_SENSOR_QUALITY_report.xml",
    *old_tile("32TQM"),
    *old_tile("32TQN"),
]

AWS_L1C = (
    ["metadata.xml", "tileInfo.json", "preview.jp2", "preview.jpg", "TCI.jp2", "auxiliary/ECMWFT"]
    + [f"{name}.jp2" for name in NAMES]
    + [f"preview/{name}.jp2" for name in NAMES]
    + [f"qi/MSK_DETFOO_{name}.gml" for name in NAMES]
    + [
        "qi/MSK_CLOUDS_B00.gml",
        "qi/GENERAL_QUALITY.xml",
        "datastrip/0/metadata.xml",
        "datastrip/0/qi/SENSOR_QUALITY.xml",
    ]
)
AWS_L2A = [
    "metadata.xml",
    "tileInfo.json",
    "productInfo.json",
    "R10m/B02.jp2",
    "R10m/AOT.jp2",
    "R10m/TCI.jp2",
    "R20m/B02.jp2",
    "R20m/SCL.jp2",
    "R60m/B01.jp2",
    "R60m/TCI.jp2",
    "qi/CLD_20m.jp2",
    "qi/L2A_QUALITY.xml",
    "qi/MSK_DETFOO_B02.jp2",
]
FLAT = [path.rsplit("/", 1)[-1] for path in COMPACT_TREE if "QI_DATA/FORMAT" not in path and "HTML" not in path]


def write(root: Path, members: list[str], contents: dict[str, bytes] | None = None) -> Path:
    for name in members:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((contents or {}).get(name, b"x"))
    return root


def zipped(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, f"{folder.name}/{file.relative_to(folder)}")
    return path


@pytest.mark.parametrize("kind", ["folder", "zip", "wrapped"])
def test_compact(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path / "in" / f"{COMPACT}.SAFE", COMPACT_TREE)
    if kind == "zip":
        path = zipped(path, tmp_path / f"{COMPACT}.zip")
    elif kind == "wrapped":
        path = path.parent
    with open_safe(path) as safe:
        assert (safe.name, safe.name_source, safe.kind, safe.layout, safe.level) == (
            COMPACT,
            "folder",
            "product",
            "compact",
            "L1C",
        )
        assert (safe.product_metadata, safe.manifest_path) == ("MTD_MSIL1C.xml", "manifest.safe")
        (datastrip,) = safe.datastrips
        assert (datastrip.id, datastrip.metadata) == (DATASTRIP.split("/")[1], f"{DATASTRIP}/MTD_DS.xml")
        assert list(datastrip.reports) == ["FORMAT_CORRECTNESS", "RADIOMETRIC_QUALITY"]
        (granule,) = safe.granules
        assert (granule.id, granule.tile) == (GRANULE.split("/")[1], "56JMM")
        assert granule.metadata == f"{GRANULE}/MTD_TL.xml"
        assert set(granule.images) == {(band.name, band.gsd) for band in BANDS} | {("TCI", 10)}
        assert granule.images["B8A", 20].endswith("_B8A.jp2")
        assert len(granule.masks) == 27
        assert granule.masks["CLOUDS", "B00"].endswith("MSK_CLOUDS_B00.gml")
        assert granule.pvi == f"{GRANULE}/QI_DATA/T56JMM_20180629T000241_PVI.jp2"
        assert granule.tci == granule.images["TCI", 10]
        assert list(granule.reports) == ["SENSOR_QUALITY"]
        assert granule.aux == (f"{GRANULE}/AUX_DATA/AUX_ECMWFT",)


def test_a_zip_whose_file_name_lies(tmp_path: Path) -> None:
    folder = write(tmp_path / f"{COMPACT}.SAFE", COMPACT_TREE)
    other = COMPACT.replace("T56JMM", "T31UDQ")
    with open_safe(zipped(folder, tmp_path / f"{other}.zip")) as safe:
        assert (safe.name, safe.file_name) == (COMPACT, other)


def test_a_zip_without_a_top_folder_has_the_name_of_the_file(tmp_path: Path) -> None:
    folder = write(tmp_path / f"{COMPACT}.SAFE", COMPACT_TREE)
    path = tmp_path / f"{COMPACT}.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in COMPACT_TREE:
            archive.write(folder / name, name)
    with open_safe(path) as safe:
        assert (safe.name, safe.name_source, safe.layout, len(safe.granules)) == (COMPACT, "zip", "compact", 1)


def test_old_multi_tile(tmp_path: Path) -> None:
    with open_safe(write(tmp_path / f"{OLD}.SAFE", OLD_TREE)) as safe:
        assert (safe.name, safe.kind, safe.layout, safe.level) == (OLD, "product", "old", "L1C")
        assert safe.product_metadata == OLD_TREE[0]
        (datastrip,) = safe.datastrips
        assert datastrip.id == OLD_DATASTRIP
        assert datastrip.metadata == OLD_TREE[2]
        assert list(datastrip.reports) == ["SENSOR_QUALITY"]
        assert [granule.tile for granule in safe.granules] == ["32TQM", "32TQN"]
        for granule in safe.granules:
            assert set(granule.images) == {(band.name, band.gsd) for band in BANDS} | {("TCI", 10)}
            assert set(granule.masks) == {("DETFOO", name) for name in NAMES} | {("CLOUDS", "B00")}
            assert granule.pvi is not None
            assert granule.metadata is not None
            assert f"T{granule.tile}.xml" in granule.metadata
            assert list(granule.reports) == ["GEOMETRIC_QUALITY"]
            assert len(granule.aux) == 1


def test_aws_l1c_tile(tmp_path: Path) -> None:
    info = json.dumps({"utmZone": 5, "latitudeBand": "Q", "gridSquare": "KB", "productName": COMPACT}).encode()
    tile = b'<n1:Level-1C_Tile_ID xmlns:n1="https://psd-14.sentinel2.eo.esa.int/"/>'
    with open_safe(write(tmp_path / "0", AWS_L1C, {"tileInfo.json": info, "metadata.xml": tile})) as safe:
        assert (safe.name, safe.name_source, safe.layout, safe.level) == (COMPACT, "tileInfo.json", "aws", "L1C")
        assert safe.product_metadata is None
        (granule,) = safe.granules
        assert (granule.id, granule.tile, granule.metadata, granule.pvi) == ("", "05QKB", "metadata.xml", "preview.jp2")
        assert granule.images["B02", 10] == "B02.jp2"
        assert len(granule.images) == 14
        assert granule.masks["DETFOO", "B01"] == "qi/MSK_DETFOO_B01.gml"
        assert list(granule.reports) == ["GENERAL_QUALITY"]
        assert granule.aux == ("auxiliary/ECMWFT",)
        assert [(d.metadata, list(d.reports)) for d in safe.datastrips] == [
            ("datastrip/0/metadata.xml", ["SENSOR_QUALITY"])
        ]


def test_aws_level_by_root_element_where_no_name_tells_it(tmp_path: Path) -> None:
    tile = b'<?xml version="1.0"?><n1:Level-1C_Tile_ID/>'
    with open_safe(write(tmp_path / "0", ["metadata.xml", "B01.jp2"], {"metadata.xml": tile})) as safe:
        assert (safe.name, safe.level, safe.granules[0].tile) == ("0", "L1C", None)


def test_aws_l2a_tile(tmp_path: Path) -> None:
    with open_safe(write(tmp_path / "0", AWS_L2A, {"tileInfo.json": b"[broken"})) as safe:
        assert (safe.layout, safe.level) == ("aws", "L2A")
        (granule,) = safe.granules
        assert granule.images == {
            ("AOT", 10): "R10m/AOT.jp2",
            ("B01", 60): "R60m/B01.jp2",
            ("B02", 10): "R10m/B02.jp2",
            ("B02", 20): "R20m/B02.jp2",
            ("SCL", 20): "R20m/SCL.jp2",
            ("TCI", 10): "R10m/TCI.jp2",
            ("TCI", 60): "R60m/TCI.jp2",
        }
        assert granule.tci == "R10m/TCI.jp2"
        assert set(granule.masks) == {("CLDPRB", "20m"), ("DETFOO", "B02")}
        assert list(granule.reports) == ["L2A_QUALITY"]


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_flat(tmp_path: Path, kind: str) -> None:
    uri = f"<PRODUCT_URI>{COMPACT}.SAFE</PRODUCT_URI>".encode()
    path = write(tmp_path / "things", FLAT, {"MTD_MSIL1C.xml": uri})
    with open_safe(path if kind == "folder" else zipped(path, tmp_path / "things.zip")) as safe:
        assert (safe.name, safe.name_source, safe.layout) == (COMPACT, "product metadata", "flat")
        assert (safe.level, safe.product_metadata, safe.manifest_path) == ("L1C", "MTD_MSIL1C.xml", "manifest.safe")
        assert [datastrip.metadata for datastrip in safe.datastrips] == ["MTD_DS.xml"]
        (granule,) = safe.granules
        assert (granule.tile, granule.metadata, len(granule.images)) == ("56JMM", "MTD_TL.xml", 14)


def test_the_folder_of_a_tile_alone(tmp_path: Path) -> None:
    write(tmp_path / f"{COMPACT}.SAFE", COMPACT_TREE)
    with open_safe(tmp_path / f"{COMPACT}.SAFE" / GRANULE) as safe:
        assert (safe.layout, safe.level, safe.kind) == ("flat", "L1C", "product")
        assert (safe.granules[0].id, safe.granules[0].tile) == (GRANULE.split("/")[1], "56JMM")
        assert safe.granules[0].metadata == "MTD_TL.xml"


def test_a_datastrip_alone(tmp_path: Path) -> None:
    stem = "S2B_OPER_MSI_L1C_DS_REFS_20221124T170956_S20221011T064025"
    members = [f"{stem.replace('MSI', 'MTD', 1)}.xml", "manifest.safe", f"QI_DATA/{stem}_FORMAT_CORRECTNESS_report.xml"]
    with open_safe(write(tmp_path / f"{stem}_N04.00", members)) as safe:
        assert (safe.name, safe.kind, safe.layout, safe.level) == (f"{stem}_N04.00", "datastrip", "old", "L1C")
        assert safe.granules == ()
        assert safe.datastrips[0].metadata == members[0]
        assert list(safe.datastrips[0].reports) == ["FORMAT_CORRECTNESS"]


def test_a_compact_datastrip_alone(tmp_path: Path) -> None:
    write(tmp_path / f"{COMPACT}.SAFE", COMPACT_TREE)
    with open_safe(tmp_path / f"{COMPACT}.SAFE" / DATASTRIP) as safe:
        assert (safe.kind, safe.layout, safe.name) == ("datastrip", "compact", DATASTRIP.split("/")[1])
        assert list(safe.datastrips[0].reports) == ["FORMAT_CORRECTNESS", "RADIOMETRIC_QUALITY"]


def test_l1b_datastrip_with_granules(tmp_path: Path) -> None:
    datastrip = "S2A_OPER_MSI_L1B_DS_DPRM_20140630T140000_S20200816T120220_N05.00"
    granule = "S2A_OPER_MSI_L1B_GR_DPRM_20140630T140000_S20200816T120222_D02_N05.00"
    members = [
        f"DATASTRIP/{datastrip}/{datastrip[:-7].replace('MSI', 'MTD', 1)}.xml",
        f"GRANULE/{granule}/{granule[:-7].replace('MSI', 'MTD', 1)}.xml",
    ]
    with open_safe(write(tmp_path / "sample", members)) as safe:
        assert (safe.name, safe.name_source, safe.kind, safe.level) == (datastrip, "datastrip", "datastrip", "L1B")
        assert (safe.granules[0].id, safe.granules[0].metadata) == (granule, members[1])


def test_the_raster_of_a_mask_is_preferred_to_its_polygons(tmp_path: Path) -> None:
    members = [f"{GRANULE}/QI_DATA/MSK_DETFOO_B02.{kind}" for kind in ("gml", "jp2")]
    with open_safe(write(tmp_path / f"{COMPACT}.SAFE", [*COMPACT_TREE, *members])) as safe:
        assert safe.granules[0].masks["DETFOO", "B02"].endswith(".jp2")


@pytest.mark.parametrize("members", [["readme.txt"], ["data/T56JMM_20180629T000241_B02.jp2"]])
def test_what_is_no_product_is_refused(tmp_path: Path, members: list[str]) -> None:
    with pytest.raises(SafeError, match=r"stuff holds no Sentinel-2 product.*MTD_MSIL1C\.xml.*first is"):
        open_safe(write(tmp_path / "stuff", members))


def test_several_products_in_one_folder_are_not_mixed(tmp_path: Path) -> None:
    write(tmp_path / "both" / f"{COMPACT}.SAFE", COMPACT_TREE)
    write(tmp_path / "both" / f"{COMPACT.replace('56JMM', '31UDQ')}.SAFE", COMPACT_TREE)
    with pytest.raises(SafeError, match="holds 2 products .* hand over each by itself"):
        open_safe(tmp_path / "both")


def test_a_refused_container_stays_refused(tmp_path: Path) -> None:
    (tmp_path / "p.zip").write_bytes(b"PK\3\4 cut off")
    with pytest.raises(ContainerError, match="interrupted transfer"):
        open_safe(tmp_path / "p.zip")


MANIFEST = b"""<?xml version="1.0"?>
<xfdu:XFDU xmlns:xfdu="urn:ccsds:schema:xfdu:1"><dataObjectSection>
<dataObject ID="a"><byteStream mimeType="text/xml" size="3"><fileLocation locatorType="URL" href="./MTD_MSIL1C.xml"/>
<checksum checksumName="SHA3-256">%s</checksum></byteStream></dataObject>
<dataObject ID="b"><byteStream size="many"><fileLocation href="INSPIRE.xml"/></byteStream></dataObject>
<dataObject ID="c"><byteStream size="1"/></dataObject>
</dataObjectSection></xfdu:XFDU>"""


def test_manifest_and_digests(tmp_path: Path) -> None:
    digest = hashlib.sha3_256(b"abc").hexdigest()
    contents = {"manifest.safe": MANIFEST % digest.upper().encode(), "MTD_MSIL1C.xml": b"abc"}
    with open_safe(write(tmp_path / f"{COMPACT}.SAFE", COMPACT_TREE, contents)) as safe:
        first, second = read_manifest(safe)
        assert (first.path, first.size, first.checksum_name, first.checksum) == (
            "MTD_MSIL1C.xml",
            3,
            "SHA3-256",
            digest,
        )
        assert (second.path, second.size, second.checksum_name, second.checksum) == ("INSPIRE.xml", None, None, None)
        assert hash_member(safe.container, "MTD_MSIL1C.xml", "SHA3-256", chunk=2) == digest
        assert hash_member(safe.container, "MTD_MSIL1C.xml", "MD5") == "900150983cd24fb0d6963f7d28e17f72"
        with pytest.raises(ValueError, match="digest 'CRC7' is not known"):
            hash_member(safe.container, "MTD_MSIL1C.xml", "CRC7")
        with pytest.raises(ValueError, match="no length of its own"):
            hash_member(safe.container, "MTD_MSIL1C.xml", "shake_128")


@pytest.mark.parametrize("content", [b"", b"<a>", b"<html/>", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"])
def test_a_broken_manifest_hinders_no_opening(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path / f"{COMPACT}.SAFE", COMPACT_TREE, {"manifest.safe": content})
    with open_safe(path) as safe, pytest.raises(XmlProblem, match="manifest.safe"):
        read_manifest(safe)


def test_no_manifest_no_entries(tmp_path: Path) -> None:
    with open_safe(write(tmp_path / f"{COMPACT}.SAFE", [f"{GRANULE}/MTD_TL.xml"])) as safe:
        assert (safe.manifest_path, read_manifest(safe)) == (None, ())


@pytest.mark.parametrize(
    ("tile", "baseline", "files", "listed", "present", "images", "masks"),
    [
        ("T56JMM", "L1C", 103, 97, 97, 14, 66),
        ("T55JEJ", "L1C", 103, 97, 97, 14, 66),
        ("T29UNU", "L2A", 66, 86, 62, 16, 29),
        ("T30TXR", "L1C", 6, 0, 0, 2, 2),
        ("T34UCF", "L1C", 58, 59, 56, 14, 27),
        ("T32TNM", "L1C", 94, 87, 87, 14, 66),
    ],
)
def test_real_products(
    realdata: Path, tile: str, baseline: str, files: int, listed: int, present: int, images: int, masks: int
) -> None:
    (path,) = (realdata / "products").glob(f"*_{tile}_*")
    with open_safe(path) as safe:
        assert (safe.name, safe.layout, safe.kind, safe.level) == (path.stem, "compact", "product", baseline)
        assert len(safe.container.names()) == files
        entries = read_manifest(safe)
        assert (len(entries), sum(safe.container.exists(entry.path) for entry in entries)) == (listed, present)
        (granule,) = safe.granules
        assert (granule.tile, len(granule.images), len(granule.masks)) == (tile[1:], images, masks)


@pytest.mark.parametrize(("tile", "differ"), [("T55JEJ", 14), ("T29UNU", 0)])
def test_real_manifests_agree_with_the_files(realdata: Path, tile: str, differ: int) -> None:
    """T55JEJ has MD5 and its bands were made smaller; T29UNU has SHA3-256 and agrees throughout."""
    (path,) = (realdata / "products").glob(f"*_{tile}_*")
    with open_safe(path) as safe:
        wrong = [
            entry.path
            for entry in read_manifest(safe)
            if safe.container.exists(entry.path)
            and hash_member(safe.container, entry.path, entry.checksum_name or "") != entry.checksum
        ]
    assert len(wrong) == differ
    assert all(path.endswith(".jp2") for path in wrong)


@pytest.mark.parametrize(
    ("folder", "name", "level", "reports", "granules"),
    [
        (
            "S2B_OPER_MSI_L1C_DS_REFS_20221124T170956_S20221011T064025_N04.00",
            "S2B_OPER_MSI_L1C_DS_REFS_20221124T170956_S20221011T064025_N04.00",
            "L1C",
            5,
            0,
        ),
        ("l1b_tds1", "S2A_OPER_MSI_L1B_DS_DPRM_20140630T140000_S20200816T120220_N05.00", "L1B", 0, 6),
    ],
)
def test_real_datastrips(realdata: Path, folder: str, name: str, level: str, reports: int, granules: int) -> None:
    with open_safe(realdata / "datastrips" / folder) as safe:
        assert (safe.name, safe.kind, safe.layout, safe.level) == (name, "datastrip", "old", level)
        (datastrip,) = safe.datastrips
        assert datastrip.metadata is not None
        assert safe.container.size(datastrip.metadata) > 1_000_000
        assert (len(datastrip.reports), len(safe.granules)) == (reports, granules)
        assert all(granule.metadata for granule in safe.granules)


def test_a_zip_is_read_in_place(realdata: Path, tmp_path: Path) -> None:
    (path,) = (realdata / "products").glob("*.zip")
    with open_safe(path) as safe, open_container(path) as container:
        inside = safe.container.gdal_path(safe.granules[0].images["B02", 10])
        assert inside.startswith(f"/vsizip/{{{path}}}/{path.stem}.SAFE/GRANULE/")
        assert container.names() == safe.container.names()
    assert list(tmp_path.iterdir()) == []
