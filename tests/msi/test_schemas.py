"""Which schema set fits a file, what it says, and that nothing outside the folder of schemas is read."""

from __future__ import annotations

import socket
import threading
import zipfile
from pathlib import Path

import pytest

from mpc.msi import schemas
from mpc.msi.schemas import MAX_ERRORS, SchemaLibrary, wanted_issues
from mpc.msi.xmlio import parse_xml

PRODUCT = "https://psd-{}.sentinel2.eo.esa.int/PSD/User_Product_Level-1C.xsd"
TILE = "https://psd-{}.sentinel2.eo.esa.int/PSD/S2_PDI_Level-1C_Tile_Metadata.xsd"
REPORT = "http://gs2.esa.int/DATA_STRUCTURE/olqcReport"

SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:d="urn:dico" targetNamespace="{namespace}">
  <xs:import namespace="urn:dico" schemaLocation="{dictionary}"/>
  <xs:element name="{root}"><xs:complexType><xs:sequence>
    <xs:element name="ORBIT" type="d:{kind}" maxOccurs="unbounded"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>"""
DICTIONARY = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:dico">
  <xs:simpleType name="AN_ORBIT"><xs:restriction base="xs:int">
    <xs:minInclusive value="1"/><xs:maxInclusive value="143"/></xs:restriction></xs:simpleType>
  <xs:simpleType name="A_TEXT"><xs:restriction base="xs:string"/></xs:simpleType>
</xs:schema>"""


def write_set(folder: Path, generation: str, *, kind: str = "AN_ORBIT", dictionary: str = "DICO/dico.xsd") -> None:
    """A small set of the same build as the real ones: schemas at the top, dictionaries below."""
    (folder / "DICO").mkdir(parents=True)
    (folder / "DICO" / "dico.xsd").write_text(DICTIONARY)
    for name, root, space in (
        ("S2_User_Product_Level-1C_Metadata", "Level-1C_User_Product", PRODUCT),
        ("S2_PDI_Level-1C_Tile_Metadata", "Level-1C_Tile_ID", TILE),
    ):
        text = SCHEMA.format(namespace=space.format(generation), root=root, kind=kind, dictionary=dictionary)
        (folder / f"{name}.xsd").write_text(text)
    text = SCHEMA.format(namespace=REPORT, root="Earth_Explorer_File", kind=kind, dictionary=dictionary)
    (folder / "OLQC_Report.xsd").write_text(text)


@pytest.fixture
def library(tmp_path: Path) -> SchemaLibrary:
    for name, generation in (("14.2", "14"), ("14.5", "14"), ("14.8", "14"), ("15.0", "15"), ("15.0-l1b", "15")):
        write_set(tmp_path / "psd" / f"psd-{name}", generation)
    write_set(tmp_path / "olqc", "0")
    return SchemaLibrary(tmp_path)


def document(space: str, root: str = "Level-1C_User_Product", *orbits: str) -> object:
    content = "".join(f"\n<ORBIT>{orbit}</ORBIT>" for orbit in orbits or ("30",))
    return parse_xml(f'<n:{root} xmlns:n="{space}">{content}</n:{root}>'.encode())


@pytest.mark.parametrize(
    ("generation", "baseline", "chosen"),
    [
        ("14", "02.04", "psd-14.2"),
        ("14", "02.05", "psd-14.2"),
        ("14", "02.06", "psd-14.5"),
        ("14", "03.01", "psd-14.5"),
        ("14", "04.00", "psd-14.8"),
        ("14", "05.10", "psd-14.8"),
        ("15", "05.11", "psd-15.0"),
        ("15", "05.13", "psd-15.0"),
        ("15", "05.00", "psd-15.0"),
        ("15", None, "psd-15.0"),
    ],
)
def test_namespace_first_then_baseline(library: SchemaLibrary, generation: str, baseline: str, chosen: str) -> None:
    found = library.validate(document(PRODUCT.format(generation)), baseline=baseline)
    assert (found.status, found.schema) == ("valid", f"psd/{chosen}/S2_User_Product_Level-1C_Metadata.xsd")
    assert (found.errors, found.reason) == ((), "")


@pytest.mark.parametrize(
    ("generation", "baseline", "words"),
    [
        ("14", None, "the baseline is not known"),
        ("14", "99.99", "'99.99' names no issue"),
        ("14", "rubbish", "'rubbish' names no issue"),
        ("14", "05.11", "from 15.0"),
        ("13", "02.04", "declares Level-1C_User_Product in the namespace"),
    ],
)
def test_no_set_fits(library: SchemaLibrary, generation: str, baseline: str | None, words: str) -> None:
    found = library.validate(document(PRODUCT.format(generation)), baseline=baseline)
    assert (found.status, found.schema, found.errors) == ("no_schema", "", ())
    assert words in found.reason


@pytest.mark.parametrize("space", ["urn:something", "https://psd-14.sentinel2.eo.esa.int/PSD/Other.xsd", ""])
def test_a_namespace_that_is_none_of_the_specification_is_an_error(library: SchemaLibrary, space: str) -> None:
    root = document(space) if space else parse_xml(b"<Level-1C_User_Product/>")
    found = library.validate(root, baseline="05.09")
    assert found.status == "invalid"
    assert (space or "(none)") in found.errors[0]


def test_unknown_roots_have_no_schema(library: SchemaLibrary) -> None:
    found = library.validate(parse_xml(b'<MD_Metadata xmlns="http://www.isotc211.org/2005/gmd"/>'), baseline="05.09")
    assert (found.status, found.errors) == ("no_schema", ())


@pytest.mark.parametrize(
    ("baseline", "chosen"), [("02.06", "psd/psd-14.5"), ("05.11", "psd/psd-15.0"), (None, "psd/psd-15.0")]
)
def test_reports_take_the_set_of_the_baseline_or_the_newest(
    library: SchemaLibrary, baseline: str | None, chosen: str
) -> None:
    found = library.validate(document(REPORT, "Earth_Explorer_File"), baseline=baseline)
    assert (found.status, found.schema) == ("valid", f"{chosen}/OLQC_Report.xsd")


def test_reports_take_the_set_without_an_issue_where_there_is_no_other(tmp_path: Path) -> None:
    write_set(tmp_path / "olqc", "0")
    found = SchemaLibrary(tmp_path).validate(document(REPORT, "Earth_Explorer_File"), baseline="05.11")
    assert (found.status, found.schema) == ("valid", "olqc/OLQC_Report.xsd")


@pytest.mark.parametrize(
    "folder", ["psd-14.8", "a/b/psd-14.8", "S2-PDGS-TAS-DI-PSD-V14.9_Schema", "PSD_14.7/schemas", "x-psd-14.8-copy"]
)
def test_sets_are_found_by_the_names_of_their_folders(tmp_path: Path, folder: str) -> None:
    write_set(tmp_path / folder, "14")
    write_set(tmp_path / "psd-14.5", "14", kind="A_TEXT")
    found = SchemaLibrary(tmp_path).validate(document(PRODUCT.format("14")), baseline="05.09")
    assert found.schema == f"{folder}/S2_User_Product_Level-1C_Metadata.xsd"


def test_the_folder_may_be_a_set_itself(tmp_path: Path) -> None:
    write_set(tmp_path / "psd-14.8", "14")
    found = SchemaLibrary(tmp_path / "psd-14.8").validate(document(PRODUCT.format("14")), baseline="05.09")
    assert (found.status, found.schema) == ("valid", "S2_User_Product_Level-1C_Metadata.xsd")


def test_errors_have_lines_and_an_end(library: SchemaLibrary) -> None:
    found = library.validate(document(PRODUCT.format("14"), "Level-1C_User_Product", "30", "144"), baseline="05.09")
    assert found.status == "invalid"
    assert len(found.errors) == 1
    assert found.errors[0].startswith("line 3: Element 'ORBIT'")
    assert found.reason == "1 error by psd/psd-14.8/S2_User_Product_Level-1C_Metadata.xsd"
    many = library.validate(document(PRODUCT.format("14"), "Level-1C_User_Product", *["0"] * 500), baseline="05.09")
    assert len(many.errors) == MAX_ERRORS
    assert many.reason.startswith("500 errors by")


def test_a_hint_in_a_document_loads_no_schema(library: SchemaLibrary, tmp_path: Path) -> None:
    """A product that names a schema of its own, which allows everything, is still judged by the library's."""
    stub = tmp_path / "rep_info" / "stub.xsd"
    stub.parent.mkdir()
    stub.write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="{}">'
        '<xs:element name="Level-1C_User_Product"/></xs:schema>'.format(PRODUCT.format("14"))
    )
    space = PRODUCT.format("14")
    root = parse_xml(
        f'<n:Level-1C_User_Product xmlns:n="{space}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:schemaLocation="{space} {stub}"><ORBIT>0</ORBIT></n:Level-1C_User_Product>'.encode()
    )
    assert library.validate(root, baseline="05.09").status == "invalid"
    assert not any("rep_info" in item.name for item in library.sets)


@pytest.mark.parametrize("place", ["http", "https", "ftp", "file", "above", "absolute"])
def test_schemas_import_nothing_from_outside(tmp_path: Path, place: str) -> None:
    (tmp_path / "outside.xsd").write_text(DICTIONARY)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        port = server.getsockname()[1]
        dictionary = {
            "file": f"file://{tmp_path}/outside.xsd",
            "above": "../../outside.xsd",
            "absolute": f"{tmp_path}/outside.xsd",
        }.get(place, f"{place}://127.0.0.1:{port}/dico.xsd")
        write_set(tmp_path / "schemas" / "psd-14.8", "14", dictionary=dictionary)
        found = SchemaLibrary(tmp_path / "schemas").validate(document(PRODUCT.format("14")), baseline="05.09")
        with pytest.raises(BlockingIOError):
            server.accept()
    assert found.status == "no_schema"
    assert "not below the folder of schemas" in found.reason


def test_a_broken_schema_is_told(tmp_path: Path) -> None:
    write_set(tmp_path / "psd-14.8", "14", kind="NO_SUCH_TYPE")
    found = SchemaLibrary(tmp_path).validate(document(PRODUCT.format("14")), baseline="05.09")
    assert found.status == "no_schema"
    assert "cannot be used" in found.reason
    assert "NO_SUCH_TYPE" in found.reason


def test_a_file_that_is_no_schema_hides_no_other(tmp_path: Path) -> None:
    write_set(tmp_path / "psd-14.8", "14")
    (tmp_path / "psd-14.8" / "A_broken.xsd").write_text("<xs:schema")
    found = SchemaLibrary(tmp_path).validate(document(PRODUCT.format("14")), baseline="05.09")
    assert found.status == "valid"


def test_without_schemas_the_reason_names_the_setting(tmp_path: Path) -> None:
    for library in (SchemaLibrary(None), SchemaLibrary(tmp_path), SchemaLibrary(tmp_path / "absent")):
        found = library.validate(document(PRODUCT.format("14")), baseline="05.09")
        assert found.status == "no_schema"
        assert "MPC_SCHEMA_DIR" in found.reason
        assert library.sets == ()


def test_a_schema_is_compiled_once(library: SchemaLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[Path] = []
    original = schemas._compile_now

    def counted(path: Path, directory: Path) -> tuple[object, str]:
        compiled.append(path)
        return original(path, directory)

    monkeypatch.setattr(schemas, "_compile_now", counted)
    for other in (library, SchemaLibrary(library.directory)):
        for orbit in ("1", "143"):
            found = other.validate(document(PRODUCT.format("14"), "Level-1C_User_Product", orbit), baseline="05.09")
            assert found.status == "valid"
    assert len(compiled) == 1


def test_threads_do_not_mix_their_errors(library: SchemaLibrary) -> None:
    wrong: list[str] = []

    def judge(count: int) -> None:
        for _ in range(40):
            root = document(PRODUCT.format("14"), "Level-1C_User_Product", *["0"] * count)
            found = library.validate(root, baseline="05.09")
            if len(found.errors) != count:
                wrong.append(f"{count}: {len(found.errors)}")

    threads = [threading.Thread(target=judge, args=(count,)) for count in (1, 3, 7, 12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_issues_by_baseline() -> None:
    assert wanted_issues("02.05") == ((14, 0), (14, 3))
    assert wanted_issues("02.14") == ((14, 3), (14, 7))
    assert wanted_issues("05.10") == ((14, 7), (15, 0))
    assert wanted_issues("05.11") == ((15, 0), (99, 0))
    assert [wanted_issues(text) for text in (None, "", "5.11", "99.99")] == [None] * 4


# -- real schemas and products -----------------------------------------------------------------------------------------

VALID = "valid"
ANGLES = "line 50: Element 'Tile_Angles': Missing child element(s). Expected is ( Sun_Angles_Grid )."
REAL = [
    ("products/*T56JMM*/MTD_MSIL1C.xml", "02.06", "psd-14.5/S2_User_Product_Level-1C_Metadata.xsd", VALID),
    ("products/*T56JMM*/GRANULE/*/MTD_TL.xml", "02.06", "psd-14.5/S2_PDI_Level-1C_Tile_Metadata.xsd", VALID),
    ("products/*T56JMM*/DATASTRIP/*/MTD_DS.xml", "02.06", "psd-14.5/S2_PDI_Level-1C_Datastrip_Metadata.xsd", VALID),
    ("products/*T32TNM*/MTD_MSIL1C.xml", "02.04", "psd-14.2/S2_User_Product_Level-1C_Metadata.xsd", VALID),
    ("products/*T32TNM*/GRANULE/*/MTD_TL.xml", "02.04", "psd-14.2/S2_PDI_Level-1C_Tile_Metadata.xsd", "PVI_FILENAME"),
    ("products/*T30TXR*/MTD_MSIL1C.xml", "05.00", "psd-14.8/S2_User_Product_Level-1C_Metadata.xsd", VALID),
    ("products/*T30TXR*/GRANULE/*/MTD_TL.xml", "05.00", "psd-14.8/S2_PDI_Level-1C_Tile_Metadata.xsd", VALID),
    ("products/*T34UCF*/MTD_MSIL1C.xml", "05.09", "psd-14.8/S2_User_Product_Level-1C_Metadata.xsd", VALID),
    ("products/*T34UCF*/GRANULE/*/MTD_TL.xml", "05.09", "psd-14.8/S2_PDI_Level-1C_Tile_Metadata.xsd", ANGLES),
    ("products/*T29UNU*/MTD_MSIL2A.xml", "04.00", "psd-14.8/S2_User_Product_Level-2A_Metadata.xsd", VALID),
    ("products/*T29UNU*/GRANULE/*/MTD_TL.xml", "04.00", "psd-14.8/S2_PDI_Level-2A_Tile_Metadata.xsd", VALID),
    ("products/*T29UNU*/GRANULE/*/QI_DATA/L2A_QUALITY.xml", "04.00", "psd-14.8/L2A_QUALITY.xsd", VALID),
    ("datastrips/S2B*/S2B_OPER_MTD*.xml", "04.00", "psd-14.8/S2_PDI_Level-1C_Datastrip_Metadata.xsd", VALID),
    ("datastrips/l1b_tds1/DATASTRIP/*/*.xml", "05.00", "psd-15.0/S2_PDI_Level-1B_Datastrip_Metadata.xsd", VALID),
    ("datastrips/l1b_tds1/GRANULE/*_D08_*/*.xml", "05.00", "psd-15.0/S2_PDI_Level-1B_Granule_Metadata.xsd", VALID),
]


@pytest.mark.parametrize(("pattern", "baseline", "schema", "outcome"), REAL, ids=[case[0][9:40] for case in REAL])
def test_real_files(realdata: Path, pattern: str, baseline: str, schema: str, outcome: str) -> None:
    (path,) = realdata.glob(pattern)
    found = SchemaLibrary(realdata / "xsd").validate(parse_xml(path.read_bytes()), baseline=baseline)
    assert found.schema == f"psd/{schema}"
    if outcome == VALID:
        assert (found.status, found.errors) == ("valid", ())
    else:
        assert found.status == "invalid"
        assert len(found.errors) == 1
        assert outcome in found.errors[0]


def test_a_real_product_breaks_the_set_of_another_age(realdata: Path) -> None:
    (path,) = realdata.glob("products/*T30TXR*/MTD_MSIL1C.xml")
    found = SchemaLibrary(realdata / "xsd").validate(parse_xml(path.read_bytes()), baseline="02.06")
    assert found.status == "invalid"
    assert any("PRODUCT_DOI" in error for error in found.errors)
    assert any("Radiometric_Offset_List" in error for error in found.errors)


def test_the_l1b_set_serves_where_it_is_alone(realdata: Path) -> None:
    (path,) = realdata.glob("datastrips/l1b_tds1/DATASTRIP/*/*.xml")
    found = SchemaLibrary(realdata / "xsd" / "psd" / "psd-15.0-l1b").validate(parse_xml(path.read_bytes()))
    assert (found.status, found.schema) == ("valid", "S2_PDI_Level-1B_Datastrip_Metadata.xsd")


def test_real_inventory_and_inspire_files_have_no_schema(realdata: Path) -> None:
    """The inventory schema of 14.8 still has the namespace of issue 12: no error of the file."""
    library = SchemaLibrary(realdata / "xsd")
    for pattern in ("datastrips/S2B*/Inventory_Metadata.xml", "products/*T34UCF*/INSPIRE.xml"):
        (path,) = realdata.glob(pattern)
        found = library.validate(parse_xml(path.read_bytes()), baseline="04.00")
        assert (found.status, found.errors) == ("no_schema", ())


def test_real_zipped_files(realdata: Path) -> None:
    library = SchemaLibrary(realdata / "xsd")
    (path,) = realdata.glob("products/*T55JEJ*.zip")
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".xml") and "INSPIRE" not in name]
        found = {
            name.rsplit("/", 1)[-1]: library.validate(parse_xml(archive.read(name)), baseline="02.06") for name in names
        }
    assert len(names) == 12
    assert {item.status for item in found.values()} == {"valid"}
    assert {item.schema.split("/")[1] for item in found.values()} == {"psd-14.5"}


def test_the_real_sets(realdata: Path) -> None:
    sets = SchemaLibrary(realdata / "xsd").sets
    assert [(item.name, item.version, item.variant) for item in sets if item.version] == [
        ("psd/psd-14.2", (14, 2), ""),
        ("psd/psd-14.5", (14, 5), ""),
        ("psd/psd-14.8", (14, 8), ""),
        ("psd/psd-15.0", (15, 0), ""),
        ("psd/psd-15.0-l1b", (15, 0), "-l1b"),
    ]
    assert {"olqc", "gipp/GS2_GIPP"} <= {item.name for item in sets}
