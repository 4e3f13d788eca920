"""Products of several tiles in the naming before December 2016."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import rasterio
from lxml import etree

from processors.simulator.products import Fault, ProductSpec, Tile, WrittenOldProduct, write_old_product
from tests.simulator.conftest import only

FIRST = ProductSpec(
    unit="S2A",
    baseline="02.04",
    start=datetime(2016, 8, 8, 10, 20, 32, 26000, UTC),
    absolute_orbit=5925,
    size_10m=60,
)
SECOND = replace(FIRST, tile=Tile("32TPM", 32632, 600000, 4700040))


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> WrittenOldProduct:
    return write_old_product([FIRST, SECOND], tmp_path_factory.mktemp("old"))


def test_names_are_the_full_identifiers(written):
    assert written.name == "S2A_OPER_PRD_MSIL1C_PDMC_20160808T122632_R065_V20160808T102032_20160808T102046.SAFE"
    granules = sorted(path.name for path in (written.path / "GRANULE").iterdir())
    assert granules == [FIRST.tile_id, SECOND.tile_id]
    granule = written.path / "GRANULE" / FIRST.tile_id
    bare = FIRST.tile_id.removesuffix("_N02.04")
    assert (granule / "IMG_DATA" / f"{bare}_B8A.jp2").is_file()
    assert (granule / f"{bare.replace('_MSI_', '_MTD_')}.xml").is_file()
    assert len(list((granule / "QI_DATA").glob("S2A_OPER_MSK_*_MSIL1C.gml"))) == 66
    assert not list(written.path.rglob("MTD_*"))
    assert not list(written.path.rglob("*_TCI*"))


def test_metadata_name_files_that_are_there(written):
    root = etree.parse(only(written.path, "S2A_OPER_MTD_SAFL1C_*.xml"))
    images = {path.stem for path in written.path.glob("GRANULE/*/IMG_DATA/*.jp2")}
    assert {element.text for element in root.iterfind(".//IMAGE_ID")} == images
    assert len(images) == 26
    for tile in written.path.glob("GRANULE/*/*.xml"):
        tree = etree.parse(tile)
        masks = {path.name for path in (tile.parent / "QI_DATA").glob("*.gml")}
        assert {element.text for element in tree.iterfind(".//MASK_FILENAME")} == masks
        assert (tile.parent / "QI_DATA" / f"{tree.find('.//PVI_FILENAME').text}.jp2").is_file()
    datastrip = etree.parse(only(written.path, "DATASTRIP/*/*.xml"))
    assert [tile.get("tileId") for tile in datastrip.iterfind(".//Tile")] == [FIRST.tile_id, SECOND.tile_id]
    listed = [e.get("href") for e in etree.parse(written.path / "manifest.safe").iterfind(".//fileLocation")]
    assert all((written.path / href).is_file() for href in listed)


def test_tile_and_datastrip_metadata_fit_their_schemas(written, realdata):
    folder = realdata / "xsd" / "psd" / "psd-14.2"
    for pattern, name in (
        ("GRANULE/*/*.xml", "S2_PDI_Level-1C_Tile_Metadata.xsd"),
        ("DATASTRIP/*/*.xml", "S2_PDI_Level-1C_Datastrip_Metadata.xsd"),
    ):
        schema = etree.XMLSchema(etree.parse(folder / name))
        for file in written.path.glob(pattern):
            assert schema.validate(etree.parse(file)), schema.error_log


def test_truth_is_kept_by_tile(written):
    for spec in (FIRST, SECOND):
        with rasterio.open(only(written.path / "GRANULE" / spec.tile_id, "IMG_DATA/*_B11.jp2")) as image:
            assert image.transform.c == spec.tile.ulx
            assert int(image.read(1).sum()) == written.truths[spec.tile.name].bands["B11", 20, None].total


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        ([], "at least one tile"),
        ([replace(FIRST, baseline="02.06")], "baseline 02.04"),
        ([replace(FIRST, faults=(Fault.WRONG_U,))], "compact products only"),
        ([FIRST, replace(SECOND, unit="S2B")], "another datastrip"),
        ([FIRST, FIRST], "once"),
    ],
)
def test_what_does_not_belong_together_is_refused(tmp_path, specs, message):
    with pytest.raises(ValueError, match=message):
        write_old_product(specs, tmp_path)
